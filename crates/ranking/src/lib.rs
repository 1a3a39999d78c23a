//! **In which order?** Rankers over candidates, calibrated.
//!
//! A [`Ranker`] gives each candidate of a request a score that depends on the user, the context and that candidate
//! alone. [`LrRanker`] is the first: a logistic regression over the features of four [`Side`]s, learned from
//! [`TrainingRequest`]s, calibrated on requests that were held out.
//!
//! Why like this: a linear model splits into a part of the request, a part of the item and a part of the candidate, so
//! that most of it is computed once; and a score that cannot see its batch can be logged, replayed and
//! compared.
//!
//! ```
//! use catchment_features::{FeatureBatch, FeatureColumn};
//! use catchment_models::factorization::lr::LogisticRegression;
//! use catchment_ranking::{Calibration, Layout, LrRanker, RankError, RankQuery, Ranker};
//! use catchment_schema::ItemIdx;
//!
//! fn numbers(values: &[f32]) -> FeatureBatch {
//!     let column = FeatureColumn::Dense { width: 1, values: values.to_vec() };
//!     FeatureBatch { rows: values.len(), columns: vec![column] }
//! }
//!
//! fn main() -> Result<(), RankError> {
//!     // One number on each side: the user's activity, the hour, an item's quality, a channel's score.
//!     let (user, context, items) = (numbers(&[0.3]), numbers(&[0.5]), numbers(&[-1.0, 0.0, 1.0]));
//!     let channel_scores = numbers(&[0.9, 0.1]);
//!
//!     let layout = Layout::of(&user, &context, &items, &channel_scores)?;
//!     let model = LogisticRegression { weights: vec![0.1, 0.0, 1.0, 2.0], bias: -2.0 };
//!     let mut ranker = LrRanker::new(layout, model, Calibration::None, 1.0, "fingerprint of the features")?;
//!     ranker.prepare_items(&items)?;
//!
//!     let query = RankQuery { user: user.row(0), context: context.row(0), items: &items };
//!     let mut scores = Vec::new();
//!     ranker.score(&query, &[ItemIdx(0), ItemIdx(2)], &channel_scores, &mut scores)?;
//!     // σ(−2 + 0.03 − 1 + 1.8) and σ(−2 + 0.03 + 1 + 0.2)
//!     assert!((scores[0].get() - 0.2369).abs() < 1e-4);
//!     assert!((scores[1].get() - 0.3165).abs() < 1e-4);
//!     Ok(())
//! }
//! ```
//!
//! Siblings: `catchment-features` makes the columns, `catchment-models` holds the regression, `catchment-pipeline` calls
//! this crate with what `catchment-recall` found.

pub mod calibration;
pub mod error;
pub mod judgement;
pub mod layout;
pub mod lr;
pub mod ranker;
mod request_split;
pub mod side;
pub mod testing;
pub mod training_request;
pub mod training_set;

pub use calibration::{Calibration, CalibrationKind};
pub use error::RankError;
pub use judgement::Judgement;
pub use layout::{ColumnShape, Layout, Shapes};
pub use lr::{LrRanker, LrRankerConfig, LrReport};
pub use ranker::{RankQuery, Ranker};
pub use side::Side;
pub use training_request::TrainingRequest;
pub use training_set::TrainingSet;

/// The README's example is tested with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
