//! **Who could it be?** Channels, the filter they obey, and the merges that make one list of many.
//!
//! A [`Channel`] is one way to find candidates: what is popular ([`PopularChannel`]), also in somebody's own
//! categories ([`PopularByCategoryChannel`]), what is new ([`NewestChannel`]), what goes with the things
//! somebody had lately ([`ItemToItemChannel`]), what lies near them in a space of vectors
//! ([`EmbeddingChannel`]). An [`Executor`] asks all of them under one deadline and reports on each;
//! [`merge`](merge::merge) makes one list of theirs and remembers, for every candidate, all channels
//! that found it, at which rank and with which score.
//!
//! This crate trains nothing: a channel reads a table, a list or an index that training has written.
//! It owns no clock and no random numbers either; deadlines and stopwatches come from outside.
//!
//! # Example
//! ```
//! use catchment_recall::{
//!     Executor, ExecutorConfig, ExecutorScratch, ItemToItemChannel, ItemToItemConfig, MergeConfig,
//!     NoDeadline, PopularChannel, RecallQuery, RequestFilter, SeenEvents, Unmeasured, merge,
//! };
//! use catchment_schema::{Event, History, ItemIdx, NeighbourTable, Score, ScoredItem, Time};
//!
//! // Item 0 goes with 1 and 2; item 3 is what everybody likes.
//! let neighbour = |item, score| ScoredItem::new(ItemIdx(item), Score::clamped(score));
//! let table = NeighbourTable::from_lists([vec![neighbour(1, 0.9), neighbour(2, 0.4)], vec![], vec![], vec![]]);
//! let executor = Executor::new(
//!     vec![
//!         (Box::new(ItemToItemChannel::new("item_cf", table, None, ItemToItemConfig::default())?), 10),
//!         (Box::new(PopularChannel::new("popular", &[5.0, 1.0, 2.0, 9.0])?), 10),
//!     ],
//!     ExecutorConfig::default(),
//! )?;
//!
//! let events = [Event::new(ItemIdx(0), Time::from_millis(1))];
//! let history = History::new(&events);
//! let filter = RequestFilter::new(history, &SeenEvents::All, [], None);
//! let query = RecallQuery {
//!     user: None,
//!     history,
//!     seeds: &[],
//!     user_id: None,
//!     user_attributes: None,
//!     filter: filter.item_filter(),
//!     now: Time::from_millis(2),
//!     deadline: &NoDeadline,
//! };
//! let gathered = executor.run(&query, &Unmeasured, &mut ExecutorScratch::default());
//! let merged = merge(&gathered.channel_lists(), &MergeConfig::default());
//!
//! // 2 and 1 were found by both channels, 3 by one; 0 was seen.
//! let items: Vec<u32> = merged.candidates.iter().map(|candidate| candidate.item.0).collect();
//! assert_eq!(items, [1, 2, 3]);
//! assert_eq!(merged.candidates[0].sources.len(), 2);
//! # Ok::<(), catchment_recall::ConfigError>(())
//! ```
//!
//! # Siblings
//! `catchment-ann-index` holds the indexes that [`EmbeddingChannel`] searches, `catchment-models`
//! trains what channels read, `catchment-pipeline` plugs encoders into [`QueryEncoder`], and
//! `catchment-ranking` puts the merged candidates in order.

pub mod accumulator;
pub mod channel;
pub mod channels;
pub mod error;
pub mod executor;
pub mod filter;
pub mod merge;
pub mod query;
mod ranked_scores;
pub mod reasons;
pub mod testing;
mod top_k;

pub use accumulator::Accumulator;
pub use channel::{Channel, ChannelScratch, MOST_REASONS, QueryEncoder, REASONS_AMONG, Recalled};
pub use channels::{
    Against, EmbeddingChannel, ItemToItemChannel, ItemToItemConfig, ItemVectorsConfig, NewestChannel,
    NewestQueryConfig, PopularByCategoryChannel, PopularChannel, PopularQueryConfig, QueryForm,
};
pub use error::{ChannelError, ConfigError};
pub use executor::{
    Cause, ChannelReport, Executor, ExecutorConfig, ExecutorScratch, Gathered, Stopwatch, Unmeasured,
};
pub use filter::{Availability, AvailableAt, Filtered, RequestFilter, Rule, SeenEvents};
pub use merge::{
    Candidate, ChannelList, ListReport, MergeConfig, MergeReport, Merged, Normalise, PriorityConfig,
    QuotaConfig, RrfConfig, SnakeConfig, Source, Sources, WeightedConfig, merge,
};
pub use query::{Deadline, NoDeadline, RecallQuery};
pub use reasons::Reasons;

/// The README's example is run with the tests, so that it stays true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
