//! **What is the function?** Models, without the machinery that stores or serves them.

mod dense;
pub mod error;
pub mod factorization;
mod incidence;
pub mod item_scores;
pub mod neighbours;
pub mod popularity;
pub mod progress;

pub use error::{Error, Result};
