//! What is asked, and what is answered.

use catchment_recall::{Candidate, ChannelReport, Deadline, NoDeadline, Rule, Stopwatch, Unmeasured};
use catchment_schema::{History, ItemIdx, ItemSet, Time, UserIdx};

/// How far a request goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stages {
    /// Recall, merge and, where the bundle has a ranker, ranking.
    #[default]
    Full,
    /// Recall and merge.
    Merged,
}

/// One question to the pipeline.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// How many items are wanted.
    pub n: usize,
    /// The moment of the request.
    pub now: Time,
    /// When the channels have to give up.
    pub deadline: &'a dyn Deadline,
    /// Measures the stages; the pipeline owns no clock.
    pub stopwatch: &'a dyn Stopwatch,
    /// Items to start from instead of the history.
    pub seeds: &'a [ItemIdx],
    /// Items that must not come.
    pub exclude: &'a [ItemIdx],
    /// Only these may come, where given (beside the catalogue's own availability).
    pub allow: Option<&'a ItemSet>,
    /// Whether items of the history are kept out; `None`: as the bundle says.
    pub exclude_seen: Option<bool>,
    /// Only these channels, by name; `None`: all.
    pub channels: Option<&'a [String]>,
    /// How far to go.
    pub stages: Stages,
}

impl Request<'_> {
    /// `n` items at the moment `now`, without further wishes.
    pub fn new(n: usize, now: Time) -> Self {
        Self {
            n,
            now,
            deadline: &NoDeadline,
            stopwatch: &Unmeasured,
            seeds: &[],
            exclude: &[],
            allow: None,
            exclude_seen: None,
            channels: None,
            stages: Stages::Full,
        }
    }

    /// Whether it asks the channel of this name.
    pub(crate) fn asks(&self, channel: &str) -> bool {
        self.channels
            .is_none_or(|names| names.iter().any(|name| name == channel))
    }
}

/// Who asks. The history is the caller's: the bundle's own, or one that live events have lengthened.
#[derive(Clone, Copy, Debug)]
pub struct UserState<'a> {
    /// The user, where the bundle knows them.
    pub user: Option<UserIdx>,
    /// What they did, oldest first; items of the bundle's vocabulary only.
    pub history: History<'a>,
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Best first, each with every channel that found it. The score is the ranker's, or the merge's where
    /// nothing ranked; items of the fallback have no source and score 0.
    pub items: Vec<Candidate>,
    /// How it came about.
    pub trace: Trace,
}

/// How an answer came about.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// One report a channel.
    pub channels: Vec<ChannelReport>,
    /// How many items each rule kept out of every channel.
    pub removed: Vec<(Rule, usize)>,
    /// How many candidates the merge handed on.
    pub merged: usize,
    /// Whether a ranker decided the order.
    pub ranked: bool,
    /// How many items at the end of the answer no channel found, see [`crate::Pipeline::recommend`].
    pub fallback: usize,
    /// Microseconds in features, recall, merge, ranking: zero where nobody measured.
    pub micros: StageMicros,
}

/// Time spent in each stage, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageMicros {
    /// Features of user and context.
    pub features: u64,
    /// All channels.
    pub recall: u64,
    /// The merge.
    pub merge: u64,
    /// Features of candidates, and the ranker.
    pub rank: u64,
}
