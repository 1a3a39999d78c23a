//! The world as its users meet it.

mod bytes;
mod files;
mod laws;
mod learnable;
mod marketplace;
