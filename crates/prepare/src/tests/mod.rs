//! The whole way from a log to files, on logs that a reader can follow by hand.

mod errors;
mod laws;
mod negative;
mod rolling;
mod steps;
mod table;
mod ties;
