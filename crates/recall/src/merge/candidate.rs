//! What a merge makes.

use catchment_schema::{ItemIdx, Score};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// One channel's word for a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Number of the channel: its place in the recipe.
    pub channel: u16,
    /// The candidate's rank in that channel's list, from 1.
    pub rank: u32,
    /// Its score there, on the channel's own scale.
    pub score: Score,
}

/// All channels that found a candidate, by number; up to four without an allocation.
pub type Sources = SmallVec<[Source; 4]>;

/// An item that the ranker should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The item.
    pub item: ItemIdx,
    /// The merge's own score, good for the order of this list and for nothing else.
    pub score: Score,
    /// Where it came from; never empty.
    pub sources: Sources,
}

/// One list of many, and what became of the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// What was offered, kept and cut.
    pub report: MergeReport,
}

/// What a merge was offered, and what it kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// How many different items were offered.
    pub distinct: usize,
    /// The items that found no place, in the order of their indices.
    pub cut: Vec<ItemIdx>,
    /// One a list, in the order of the channel numbers.
    pub lists: Vec<ListReport>,
}

/// What became of one channel's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListReport {
    /// Number of the channel.
    pub channel: u16,
    /// Length of its list.
    pub offered: usize,
    /// Places of the list that repeat an item; a lawful channel has none.
    pub repeated: usize,
    /// How many candidates have the channel among their sources.
    pub kept: usize,
    /// How many candidates have no other source: what would be missing without the channel.
    pub alone: usize,
}
