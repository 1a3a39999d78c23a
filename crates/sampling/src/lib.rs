//! **What is a negative, and how likely was it?**
//!
//! A model that is trained against a sample instead of the whole catalogue is biased towards what the sample holds,
//! unless each class's logit is corrected by the logarithm of how often it was expected in the sample (Bengio and
//! Senécal 2008). So a sampler here hands out ids and that logarithm as *one* value, [`Candidates`], which nobody else
//! can make, and losses accept only that: the correction cannot be forgotten, doubled or given the wrong sign.
//!
//! The hinge is [`Proposal`]; samplers are [`Uniform`], [`LogUniform`] (by rank) and [`Unigram`] (a power of the frequency,
//! by an [`AliasTable`]); [`GroupedUnigram`] draws within an item's own group. A batch is a sample by itself: [`in_batch()`],
//! [`Mixed`] with draws from the whole catalogue, or remembered ([`CrossBatchMemory`]); how often it is expected to hold an
//! item is counted ([`CountedFrequency`]) or estimated from the stream ([`StreamingFrequency`]). Each row may have its own: what
//! the model ranks high ([`RankWindow`]), what was shown and not taken ([`Shown`]).
//!
//! What an objective takes for a positive is sampled as well: [`SessionRules`] cut histories into sessions, in memory
//! ([`MemorySessions`]) or from an encoded log that stays on the disk ([`FileSessions`]),
//! [`Walk`] thins out what is frequent and says which items of a session are each other's context; [`Oversampled`] reads
//! sessions with a goal more often than the others.
//!
//! ```
//! use catchment_sampling::{Proposal, Uniform};
//! use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
//! let negatives = Uniform::new(1000)?.draw(50, &mut rng);
//! assert_eq!(negatives.ids().len(), 50);
//! // Each item is expected 50 / 1000 times.
//! assert!((negatives.log_expected_count()[0] - 0.05_f32.ln()).abs() < 1e-6);
//! # Ok::<(), catchment_sampling::SamplingError>(())
//! ```
//!
//! Siblings: `catchment-models` has the losses, `catchment-schema` the ids.

pub mod alias;
pub mod candidates;
pub mod cross_batch;
pub mod error;
pub mod file_sessions;
pub mod frequency;
pub mod grouped;
pub mod in_batch;
pub mod log_uniform;
pub mod oversampled;
pub mod proposal;
pub mod rank_window;
pub mod sessions;
pub mod sessions_config;
pub mod shown;
pub mod testing;
pub mod uniform;
pub mod unigram;
pub mod walk;

pub use alias::AliasTable;
pub use candidates::Candidates;
pub use cross_batch::CrossBatchMemory;
pub use error::SamplingError;
pub use file_sessions::FileSessions;
pub use frequency::{BatchFrequency, CountedFrequency, Sighting, StreamingConfig, StreamingFrequency};
pub use grouped::GroupedUnigram;
pub use in_batch::{Mixed, in_batch};
pub use log_uniform::LogUniform;
pub use oversampled::Oversampled;
pub use proposal::Proposal;
pub use rank_window::RankWindow;
pub use sessions::{MemorySessions, Session, SessionRules, SessionSource, SessionStream};
pub use sessions_config::{SessionsConfig, SessionsFrom, kind_of};
pub use shown::Shown;
pub use uniform::Uniform;
pub use unigram::Unigram;
pub use walk::{Context, Walk};

/// The README's example is tested with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
