//! The real binary, from the outside.

mod bad_data;
mod bad_use;
mod place;
mod river;
mod stages;
