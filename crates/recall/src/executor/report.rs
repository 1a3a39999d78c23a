//! What became of each channel in one request.

use catchment_schema::ScoredItem;
use serde::{Deserialize, Serialize};

use crate::ChannelList;

/// Why a channel is missing from an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Time was up before it had found anything.
    Deadline,
    /// It failed or panicked; what it said.
    Error(String),
    /// It knows nothing of this user. Nothing is wrong.
    NothingToGoOn,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deadline => f.write_str("deadline"),
            Self::Error(error) => f.write_str(error),
            Self::NothingToGoOn => f.write_str("nothing to go on"),
        }
    }
}

/// What became of one channel. Its items are all accounted for:
/// `returned == filtered_out + surplus + kept`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelReport {
    /// The channel.
    pub name: String,
    /// How many items it was asked for.
    pub asked: usize,
    /// How many it returned.
    pub returned: usize,
    /// How many of them the filter forbids; a lawful channel returns none.
    pub filtered_out: usize,
    /// How many of the others were more than asked for; a lawful channel returns none.
    pub surplus: usize,
    /// How many went on to the merge.
    pub kept: usize,
    /// How long it took, in microseconds on the stopwatch that the executor was given.
    pub micros: u64,
    /// Whether it stopped at the deadline with what it had.
    pub cut_short: bool,
    /// Why it has no list, where it has none.
    pub missing: Option<Cause>,
}

impl ChannelReport {
    /// Whether the answer is worse than it could be because of this channel: it failed, was late, or was
    /// cut short. Having nothing to go on is not that.
    pub fn is_degraded(&self) -> bool {
        self.cut_short || matches!(self.missing, Some(Cause::Deadline | Cause::Error(_)))
    }
}

/// The lists of all channels, with a report on each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// One a channel, in the order of the recipe; empty where the channel is missing.
    pub lists: Vec<Vec<ScoredItem>>,
    /// One a channel, in the same order.
    pub reports: Vec<ChannelReport>,
}

impl Gathered {
    /// The lists as a merge takes them, numbered in the order of the recipe; also the empty ones,
    /// whose seats go to others.
    pub fn channel_lists(&self) -> Vec<ChannelList<'_>> {
        let lists = self.lists.iter().zip(&self.reports).zip(0..);
        lists
            .map(|((items, report), channel)| ChannelList {
                channel,
                name: &report.name,
                items,
            })
            .collect()
    }

    /// The names of the channels that failed, were late, or were cut short.
    pub fn degraded(&self) -> impl Iterator<Item = &str> {
        let degraded = self.reports.iter().filter(|report| report.is_degraded());
        degraded.map(|report| report.name.as_str())
    }
}
