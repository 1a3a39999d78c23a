//! **How good is it, and are we sure?** Full-corpus metrics over lists, whoever made them.

pub mod binary_metrics;
pub mod config;
pub mod error;
pub mod evaluate;
pub mod file_lists;
pub mod ranking_metrics;
pub mod recommends;
pub mod truth;
pub mod unseen;

pub use binary_metrics::{auc, logloss};
pub use config::{Corpus, EvaluateConfig, MetricKind, NdcgIdeal};
pub use error::Error;
pub use evaluate::{MetricReport, evaluate};
pub use file_lists::FileLists;
pub use ranking_metrics::ListMetrics;
pub use recommends::{Recommends, TopKLists};
pub use truth::GroundTruth;
pub use unseen::Unseen;
