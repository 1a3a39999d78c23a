//! **What happened, in order?** From a raw log to encoded histories: filtered, thinned, deduplicated, cut
//! into sessions, split, and numbered by vocabularies that know nothing of the test part.
//!
//! [`prepare`] runs the steps and writes a folder; [`Prepared`] opens it. Each step is a small plan of an
//! embedded query engine (DataFusion), one file a step. The plans take their `SessionContext` from outside
//! ([`prepare_with`]), so that they can run elsewhere without being written again.
//!
//! ```
//! use catchment_prepare::{Inputs, PrepareConfig, Prepared, SplitConfig, SplitKind, prepare};
//! use catchment_schema::import::{Format, Source};
//!
//! let folder = tempfile::tempdir()?;
//! let log = folder.path().join("log.csv");
//! std::fs::write(&log, "user_id,item_id,timestamp\nann,tea,1\nann,cup,2\nbob,tea,3\nann,pot,4\n")?;
//! let out = folder.path().join("prepared");
//!
//! let inputs = Inputs::new(Source::new(log.to_string_lossy(), Format::Csv));
//! let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
//! let summary = prepare(&inputs, &PrepareConfig::default(), &split, 7, 0, &out, &mut |_| {})?;
//! assert_eq!((summary.train, summary.test), (3, 1));
//!
//! let prepared = Prepared::open(&out)?;
//! let ann = prepared.users().user("ann").expect("ann is in the log");
//! let histories = prepared.train()?.histories(prepared.users().len());
//! assert_eq!(histories.of(ann).len(), 2);
//! // Nobody trained on the pot: it has an index beyond the vocabulary, and is counted as cold.
//! assert_eq!(summary.cold_items, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Laws
//!
//! 1. **Conservation.** After the filters, every row is in exactly one of train, validation, test; only a
//!    rolling split leaves out the rows of its gap and those after its window ([`Rolling`]).
//! 2. **No knowledge of the test part.** Vocabularies and their counts come from train, and from validation
//!    too where the final models are fitted on both ([`Refit`]). An id that only other parts have gets an index
//!    at or beyond the vocabulary's length, so that its rows stay in every denominator.
//! 3. **Equal bytes.** Equal rows, settings and seed give equal files, for any number of threads or
//!    partitions and any order of the rows. Rows that agree in user, time, `order` and item are told apart by
//!    their other columns.
//! 4. **All or nothing.** The folder appears whole. An older one is replaced at the very end or not at all.
//!
//! # The order of a user's rows
//!
//! By time, then `order`, then item; unknown comes before known. If some of a user's rows have no time and
//! the log has an `order`, that user's rows go by `order` first: sorted by time alone, the rows without one
//! would be torn out of their places. `order` counts from 1; 0 says that the place is not known, and such a row
//! is never left out by [`SplitKind::LeaveLast`].
//!
//! Where time and `order` are equal, nothing says which row came last (logs that know only the day are full of such
//! ties), and the order by item must not decide what is held out: it would always be the item with the greatest id.
//! There [`SplitKind::LeaveLast`] draws by a lot from the seed and the ids of user and item. What says no
//! ([`PrepareConfig::negative`]) takes no part in it, and goes with the row that was drawn at its moment.
//!
//! # Siblings
//!
//! `catchment-schema` imports and defines the files, `catchment-features` fits on the train part,
//! `catchment-evaluation` judges on the test part, `catchment-trainer` calls this crate.

mod chronology;
mod codes;
mod config;
pub mod doctor;
mod duration;
mod encode;
mod engine;
mod error;
mod filter;
mod inputs;
mod k_core;
mod layout;
mod log;
mod memory;
mod moment;
mod pool;
mod prepared;
mod progress;
mod rolling;
mod run;
mod seeded_hash;
mod sessions;
mod split;
mod split_config;
mod split_table;
mod stamp;
mod steps;
mod summary;
mod targets;
mod vocabularies;
mod walk;
mod workshop;

#[cfg(test)]
mod tests;

pub use config::{Deduplicate, LEAST_MEMORY, PrepareConfig};
pub use error::{Error, Result};
pub use inputs::Inputs;
pub use prepared::Prepared;
pub use progress::Progress;
pub use rolling::{Rolling, Window};
pub use run::{prepare, prepare_with};
pub use split_config::{Moment, Refit, SplitConfig, SplitKind};
pub use stamp::already_prepared;
pub use summary::{FORMAT, Stage, Summary};
