//! From the lists of several channels to one list that remembers where everything came from.
//!
//! A merge is a pure function of the lists and its [`MergeConfig`]. Its kinds:
//!
//! | kind | the idea | take it when |
//! |---|---|---|
//! | [`rrf`](RrfConfig), the default | ranks vote: high places, and several of them, count | nothing is known yet about how good the channels are |
//! | [`quota`](QuotaConfig) | every channel has its seats | a share of the candidates must come from a channel, for instance of new items that no other one finds |
//! | [`snake`](SnakeConfig) | every channel in turn, there and back | all channels deserve the same say, whatever they score |
//! | [`weighted`](WeightedConfig) | a weighted sum of normalised scores | the channels' scores mean something and their worth is known |
//! | [`priority`](PriorityConfig) | one channel after the other | one channel is right where it answers, and others only fill up |
//!
//! Reciprocal rank fusion is the default because it has nothing that must be chosen first: it needs no
//! numbers a channel, never compares scores of different channels (inner products with counts), does
//! not ask in which order the recipe names them, and stays sensible when one of them is missing from an
//! answer. Its weakness is what quotas are for: items that only one channel finds stand behind those on
//! which several agree, and where the limit is tight that channel's own finds are the ones cut.
//!
//! # Laws
//! 1. Nothing is lost: each offered item is either a candidate or in [`MergeReport::cut`].
//! 2. No item comes twice, also when a list repeats one: its first place in a list counts.
//! 3. Candidates are sorted by falling score.
//! 4. Sources are complete: a candidate names every channel that offered it, with its first rank there
//!    and the score of that rank, in the order of the channel numbers.
//! 5. The report counts what is there.
//! 6. The same lists give the same answer, in whichever order they are passed.
//! 7. `rrf` and `weighted`: numbering the channels in another way changes nothing else. Ties stand in the order of their best
//!    rank, then of the item. There are min(limit, distinct items) candidates.
//! 8. `quota`: a channel with q seats is a source of at least min(q, its distinct items) candidates, and
//!    there are min(seats, distinct items) candidates.
//! 9. `snake`: there are min(limit, distinct items) candidates, and of two channels the one has had at most one turn
//!    more than the other for as long as both have items.
//! 10. `priority`: there are min(limit, distinct items) candidates, in the order of the most important channel that
//!     found each, and of their rank there.
//!
//! [`crate::testing::merge_laws()`] checks 1 to 6 for any function that merges.

pub mod candidate;
pub mod config;
pub mod priority;
pub mod quota;
pub mod rrf;
mod seating;
pub mod snake;
mod union;
pub mod weighted;

use catchment_schema::ScoredItem;

pub use candidate::{Candidate, ListReport, MergeReport, Merged, Source, Sources};
pub use config::{MergeConfig, NotYet};
pub use priority::PriorityConfig;
pub use quota::QuotaConfig;
pub use rrf::RrfConfig;
pub use snake::SnakeConfig;
use union::Union;
pub use weighted::{Normalise, WeightedConfig};

/// What one channel offers.
#[derive(Clone, Copy, Debug)]
pub struct ChannelList<'a> {
    /// Number of the channel: its place in the recipe. No two lists share one.
    pub channel: u16,
    /// Its name, by which a config speaks of it.
    pub name: &'a str,
    /// Its items, best first; the first has rank 1.
    pub items: &'a [ScoredItem],
}

/// Makes one list of many, see [the laws](self#laws).
///
/// Costs one sort of all offered items; nothing is allocated for a single candidate unless more than
/// four channels found it.
pub fn merge(lists: &[ChannelList<'_>], config: &MergeConfig) -> Merged {
    let mut lists = lists.to_vec();
    lists.sort_by_key(|list| list.channel);
    let union = Union::of(&lists);
    match config {
        MergeConfig::Rrf(config) => rrf::fuse(&lists, union, config),
        MergeConfig::Quota(config) => quota::fill(&lists, union, config),
        MergeConfig::Snake(config) => snake::draft(&lists, union, config),
        MergeConfig::Weighted(config) => weighted::sum(&lists, union, config),
        MergeConfig::Priority(config) => priority::fill(&lists, union, config),
        MergeConfig::Learned(never) => match *never {},
    }
}

#[cfg(test)]
mod tests;
