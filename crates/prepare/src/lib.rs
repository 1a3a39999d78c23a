//! **What happened, in order?** From a raw log to encoded histories: filtered, thinned, deduplicated, cut
//! into sessions, split, and numbered by vocabularies that know nothing of the test part.

mod chronology;
mod codes;
mod condition;
mod config;
mod duration;
mod encode;
mod engine;
mod error;
mod filter;
mod inputs;
mod k_core;
mod layout;
mod log;
mod prepared;
mod run;
mod seeded_hash;
mod sessions;
mod split;
mod split_config;
mod summary;
mod vocabularies;

#[cfg(test)]
mod tests;

pub use config::{Deduplicate, PrepareConfig};
pub use error::{Error, Result};
pub use inputs::Inputs;
pub use prepared::Prepared;
pub use run::{prepare, prepare_with};
pub use split_config::{Moment, Refit, SplitConfig, SplitKind};
pub use summary::{FORMAT, Stage, Summary};
