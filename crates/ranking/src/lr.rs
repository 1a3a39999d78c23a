//! Logistic regression as a ranker.

mod config;
mod file;
mod fit;
mod ranker;
mod report;
#[cfg(test)]
mod tests;

pub use config::LrRankerConfig;
pub use file::{RANKER_FILE, WEIGHTS_FILE};
pub use ranker::LrRanker;
pub use report::{LrReport, PartReport};
