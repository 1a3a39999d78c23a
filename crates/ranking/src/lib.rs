//! **In which order?** Rankers over candidates, calibrated.

pub mod error;
pub mod ranker;

pub use error::RankError;
pub use ranker::{RankQuery, Ranker};
