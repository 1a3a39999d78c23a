//! **What is near?** Nearest-neighbour indexes with one trait, one law book and an exact reference.

pub mod error;
pub mod exact;
pub mod index;
mod query;
pub mod testing;

pub use error::{BuildError, SearchError};
pub use index::{Scratch, SearchParams, VectorIndex};
