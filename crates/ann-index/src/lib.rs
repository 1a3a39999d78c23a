//! **What is near?** Nearest-neighbour indexes with one trait, one law book and an exact reference.

pub mod error;
pub mod index;

pub use error::SearchError;
pub use index::{Scratch, SearchParams, VectorIndex};
