//! **What does a model see?** Features: fitted once, transformed the same way in training and serving.
//!
//! A recipe says which features there are ([`FeatureSpec`]); [`FeatureSpec::fit`] learns vocabularies,
//! means, quantiles and counts; [`FittedFeatures`] turns rows into columns ([`FeatureBatch`]), for the whole
//! catalogue, for many training rows, or for one request, by the same code. There are four sides
//! ([`Side`]), because each is known at another moment: *items* at publish, the *user* and the *context*
//! once a request, *candidates* last. A [`Fingerprint`] for each side says whether two fits are the same function.
//!
//! ```
//! use catchment_features::{FeatureBatch, FeatureSpec, FitTables, Side, UserInput};
//! use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};
//!
//! let spec: FeatureSpec = toml::from_str(
//!     r#"user = [{ name = "recent", kind = "history", last = 2 }, { name = "events", kind = "event_count" }]"#,
//! )?;
//! let (users, items) = (Vocabulary::from_counts([("ann", 2)]), Vocabulary::from_counts([("x", 1), ("y", 1)]));
//! let events = [(0, 10), (1, 20)].map(|(item, time)| Event::new(ItemIdx(item), Time::from_millis(time)));
//! let histories = Histories::group(1, &[UserIdx(0); 2], &events);
//! let fitted = spec.fit(&FitTables {
//!     users: &users,
//!     items: &items,
//!     user_attributes: &AttributeTable::empty(1),
//!     item_attributes: &AttributeTable::empty(2),
//!     histories: &histories,
//!     channels: &[],
//! })?;
//!
//! let mut batch = FeatureBatch::default();
//! let input = UserInput {
//!     id: Some("ann"),
//!     attributes: None,
//!     history: histories.of(UserIdx(0)),
//!     everything: None,
//!     now: Time::from_millis(20), // the event at 20 has not happened yet
//! };
//! fitted.transform_user(&input, &mut batch)?;
//! assert_eq!(batch.row(0).bag(0).0, [0]);
//! assert_eq!(batch.row(0).dense(1), [2f32.ln()]);
//! assert_eq!(fitted.shape(Side::User)[1].name, "events");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Kinds, and what nothing becomes
//!
//! | kind | side | column | missing, unknown |
//! |---|---|---|---|
//! | `id` | user, item | bag of one id | no id: empty bag; unknown or rare: a bucket by hash, without buckets an empty bag |
//! | `category` | user, item | bag of one word | null, no row: empty bag; unknown or rare: a bucket by hash |
//! | `bag` | user, item | bag of the row's different words | as `category`, word by word |
//! | `hash` | user, item | bag of `hashes` ids a word | null, no row: empty bag; no word is unknown |
//! | `words`, `trigrams` | user, item | bag of the pieces of a text, each once, weighing as often as it occurs | null, no row, no word in it: empty bag; unknown or rare: a bucket by hash, without buckets left out |
//! | `number` | user, item | dense, or a bag of one bucket | null, NaN, infinite, no row: the fit's mean (0 where standardised), or the last bucket |
//! | `history` | user | bag of the latest items, oldest first | no events: empty bag; items beyond the fit: an id of their own; of unknown age, where age counts: left out |
//! | `event_count` | user | as `number` | no events: the count 0 |
//! | `item_count` | item | as `number`; events at fit | items beyond the fit: the count 0 |
//! | `item_count` | candidate | as `number`; events before `now` | unknown `now`: the count 0 |
//! | `hour`, `weekday`, `month`, `weekend` | context; of a column: user, item | bag of one of 24 + 1, 7 + 1, 12 + 1, 2 + 1; dense `[sin, cos]` where `cyclic` | unknown moment: the last id; `[0, 0]` |
//! | `cross` | all | bag of combinations | one of the features empty: empty bag |
//! | `channel` | candidate | dense `[found, 1 / rank, score]` | not found: `[0, 0, 0]`; a score that is not finite: 0 |
//! | `channel_count` | candidate | dense | 0 |
//! | `category_affinity` | candidate | dense in [0, 1] | no history or no category: 0 |
//! | `similarity`, `type_similarity` | candidate | dense `[known, cosine]` | nothing lately, or no vector: `[0, 0]` |
//!
//! # Growing
//!
//! [`FeatureSpec::grow`] fits on new data and keeps every id of an earlier fit, so that a model can be trained on:
//! [`FittedFeatures::lineage`] says from what it has grown. [`FeatureSpec::fit_with_report`] says what a fit has seen:
//! words known and left out, and how many words of a `hash` cannot be told apart.
//!
//! # What was known, and when
//!
//! A user's row, and a candidate's, look only at events strictly before `now`
//! ([`UserInput::known_history`]). `item_count` on the item side is the count of the log that the fit was given,
//! for training rows and serving alike: fit on a log that ends before the training rows begin. On the candidate
//! side it is the count before `now`: right for every training row even when the fit has seen the whole log, and
//! equal to the count of that log when a request comes after it. Events that arrive after the fit
//! change the user's features at once, and an item's count with the next bundle.
//!
//! # Left out on purpose
//!
//! Training: `similarity` and `type_similarity` read vectors that somebody else has trained ([`space`]). Features that
//! depend on others are `category_affinity` and `cross`, whose fingerprints cover the features that they read. Named time zones: their rules
//! change with a database that no bundle holds; offsets from UTC do not.
//!
//! # Siblings
//!
//! `catchment-schema` has the tables; `catchment-ranking` and the models read batches; `catchment-pipeline`
//! transforms requests; `catchment-bundle` carries the fitted state from training to serving.

pub mod batch;
pub mod candidate;
pub mod config;
pub mod context;
pub mod error;
pub mod file;
pub mod fingerprint;
pub mod fitted;
pub mod item_times;
pub mod profile;
pub mod report;
pub mod shape;
pub mod side;
pub mod space;
pub mod spec;
pub mod transform;
pub mod trigrams;
pub mod type_rules;
pub mod user;

mod attribute;
mod attribute_reader;
mod attribute_source;
mod bag_row;
mod cross;
mod exact;
mod hashing;
mod history;
mod item;
mod lookup;
mod nearest;
mod number;
mod number_column;
mod similarity;
mod spec_check;
mod standard;
mod state;
mod text_column;
mod text_unit;
mod time_part;
mod vocabulary_mark;
mod word_counts;
mod word_table;

pub use batch::{FeatureBatch, FeatureColumn, FeatureRow};
pub use candidate::{CandidateInput, ChannelHit};
pub use config::{FeatureConfig, HalfLife, Keep, Pooling};
pub use context::ContextInput;
pub use error::{Error, Result};
pub use fingerprint::Fingerprint;
pub use fitted::FittedFeatures;
pub use profile::UserProfile;
pub use report::{FeatureReport, Fit};
pub use shape::{ColumnKind, ColumnShape};
pub use side::Side;
pub use space::{Space, SpaceTables, TypeSpace};
pub use spec::{FeatureSpec, FitTables};
pub use standard::Z_LIMIT;
pub use transform::Transform;
pub use type_rules::{GoalsSoFar, OfGoals, TypeOf, TypeRule, TypeRules};
pub use user::UserInput;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
