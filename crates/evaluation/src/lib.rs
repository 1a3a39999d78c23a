//! **How good is it, and are we sure?** Metrics over the whole catalogue, of lists, whoever made them.
//!
//! A model, a channel, a merge, a ranked pipeline and a file that another program wrote are judged by the same
//! code: whatever [`Recommends`] lists for users is held against a [`GroundTruth`], and the [`MetricReport`]
//! carries the protocol without which its numbers mean nothing. Every item of the vocabulary competes; sampled
//! negatives, which reorder models (Krichene & Rendle 2020), are not offered.
//!
//! ```
//! use catchment_evaluation::{EvaluateConfig, FullCorpus, GroundTruth, evaluate};
//! use catchment_schema::{ItemIdx, UserIdx};
//!
//! // Two users, three items; user 1 has held out an item that no vocabulary knows.
//! let held_out = [(UserIdx(0), ItemIdx(2)), (UserIdx(1), ItemIdx(0)), (UserIdx(1), ItemIdx(3))];
//! let truth = GroundTruth::from_pairs(held_out, 2, 3);
//!
//! let newest_first = FullCorpus::new(3, |_user, scores: &mut [f32]| {
//!     scores.copy_from_slice(&[1.0, 2.0, 3.0]);
//!     Ok(())
//! });
//! let config = EvaluateConfig { ks: vec![1, 3], ..EvaluateConfig::default() };
//! let report = evaluate(&newest_first, &truth, &config, "test")?;
//! assert_eq!(report.metrics.get("hit_rate@1"), Some(0.5));
//! assert_eq!(report.metrics.get("recall@3"), Some((1.0 + 0.5) / 2.0)); // the cold item stays a miss
//! assert_eq!(report.cold_pairs, 1);
//! # Ok::<(), catchment_evaluation::Error>(())
//! ```
//!
//! # What can be judged
//! - [`FullCorpus`]: whatever scores every item, ranked exactly.
//! - [`VectorLists`]: user vectors × item vectors, in blocks.
//! - [`FileLists`]: a `candidates.parquet`, of a channel or of another program.
//! - your own [`Recommends`]; [`testing::recommends_laws`] checks its laws.
//!
//! [`evaluate()`] gives means; [`Evaluator`] judges several lists together and adds intervals ([`resample`]), segments
//! ([`Segmentation`]), what lists do to the catalogue ([`catalogue_metrics`]) and what each channel adds ([`Attribution`]).
//! [`compare`] says whether one run is better than another on the same users, [`report`] puts it all on one page.
//!
//! [`auc`], [`gauc()`], [`logloss`] and [`calibration()`] judge probabilities against labels.
//!
//! # Exactness
//! Metrics at all cut-offs are read off one list in one pass. Sums have a fixed order, so that the numbers are the
//! same to the bit for any number of threads. Memory is a block of lists and, for [`FullCorpus`], one row of scores
//! for each thread. The values equal those of `ranx`, scikit-learn and numpy (`tests/ranx_parity.py`,
//! `tests/sklearn_parity.py`, `tests/numpy_parity.py`).
//!
//! # Siblings
//! `catchment-schema` has the types and files, `catchment-ann-index` the exact top-k; `catchment-trainer` judges
//! pipelines with this crate; `catchment-synthetic` makes a world whose best reachable metric is known.

pub mod attribution;
pub mod binary_metrics;
pub mod calibration;
pub mod catalogue_metrics;
pub mod config;
pub mod error;
pub mod evaluate;
pub mod evaluator;
pub mod file_lists;
pub mod full_corpus;
pub mod gauc;
pub mod metric_report;
pub mod metric_table;
pub mod named_lists;
pub mod paired;
pub mod per_user;
pub mod ranking_metrics;
pub mod recommends;
pub mod report;
pub mod resample;
pub mod seen_items;
pub mod segment_by;
mod segment_sums;
pub mod segmentation;
pub mod testing;
pub mod truth;
pub mod unseen;
pub mod vector_lists;

pub use attribution::Attribution;
pub use binary_metrics::{auc, logloss};
pub use calibration::calibration;
pub use catalogue_metrics::ItemPopularity;
pub use config::{Corpus, EvaluateConfig, MetricKind, NdcgIdeal};
pub use error::Error;
pub use evaluate::evaluate;
pub use evaluator::{Evaluator, Judged};
pub use file_lists::FileLists;
pub use full_corpus::FullCorpus;
pub use gauc::gauc;
pub use metric_report::MetricReport;
pub use metric_table::MetricTable;
pub use named_lists::{NamedLists, Role};
pub use paired::{PairedDifference, SIGNIFICANT, compare};
pub use per_user::PerUser;
pub use ranking_metrics::ListMetrics;
pub use recommends::{Recommends, TopKLists};
pub use resample::Interval;
pub use seen_items::SeenItems;
pub use segment_by::{SegmentBy, Side};
pub use segmentation::{SegmentSources, Segmentation};
pub use truth::GroundTruth;
pub use unseen::Unseen;
pub use vector_lists::VectorLists;
