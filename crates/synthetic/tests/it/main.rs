//! The world as its users meet it.

mod files;
mod laws;
mod learnable;
