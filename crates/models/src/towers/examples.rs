//! What towers are trained on: a user at a moment, and what they took next.

use std::ops::Range;

use catchment_features::{FeatureBatch, FeatureColumn};
use catchment_schema::{ItemIdx, Time, UserIdx};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Some examples, as columns. Cleared and filled again, so that a steady state allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct ExampleBatch {
    /// Who: a row each.
    pub user: FeatureBatch,
    /// When: a row each.
    pub context: FeatureBatch,
    /// `[rows]`: how long before the end of the log, from 0 (its end) to 1 (its beginning); 0 where times are unknown.
    pub age: Vec<f32>,
    /// `[rows]`: what they took.
    pub labels: Vec<ItemIdx>,
    /// `[rows]`: how much it counts.
    pub rewards: Vec<f32>,
    /// `[rows]`
    pub users: Vec<UserIdx>,
    /// What was shown beside it, one row's after the other's; empty where nothing is known of it.
    pub shown: Vec<ItemIdx>,
    /// `[rows]`: where each row's end; empty where nothing is known of them.
    pub shown_ends: Vec<usize>,
}

impl ExampleBatch {
    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// What was shown in a row, as far as it is known.
    pub fn shown_of(&self, row: usize) -> &[ItemIdx] {
        let end = |row: usize| self.shown_ends.get(row).copied();
        let begin = row.checked_sub(1).and_then(end).unwrap_or(0);
        end(row).map_or(&[], |end| &self.shown[begin..end])
    }

    /// Takes all away and keeps the buffers.
    pub fn clear(&mut self) {
        self.user.clear();
        self.context.clear();
        self.age.clear();
        self.labels.clear();
        self.rewards.clear();
        self.users.clear();
        self.shown.clear();
        self.shown_ends.clear();
    }

    /// The ages as a feature.
    pub(crate) fn age_column(&self) -> FeatureColumn {
        FeatureColumn::Dense {
            width: 1,
            values: self.age.clone(),
        }
    }
}

/// What stands for the past of an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Past {
    /// What the user took at an earlier moment: the label is always in the future.
    #[default]
    Before,
    /// What stands before it in the log, also of the same moment: for a log that says by more than times which event came
    /// first. Where equal times go by the item's id, the order of the ids is all that there is to learn.
    InOrder,
    /// All else that they took, before it or after: for a log that has no order. Of one that has, it shows the future.
    Others,
}

/// Which of a user's examples are learned from where there are more than `per_user`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// Others in every epoch.
    #[default]
    Sampled,
    /// The latest.
    Recent,
}

/// In which order examples are learned from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Shuffled, otherwise in every epoch.
    #[default]
    Shuffled,
    /// As they happened, shard by shard, each once: what is learned last is what is newest (Yi et al. 2019, section 4.3).
    ByTime(ByTime),
}

/// How a log is cut along its times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByTime {
    /// Days of a shard, counted from the first event on. A shard without examples is none.
    pub shard_days: f64,
    /// Within a shard, an example may come less than so many places too early; 1 keeps the order.
    pub window: usize,
}

impl Default for ByTime {
    fn default() -> Self {
        Self {
            shard_days: 1.0,
            window: 1 << 14,
        }
    }
}

/// How a log becomes examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExamplesConfig {
    /// In which order they are learned from.
    pub order: Order,
    /// What stands for the past of an example.
    pub past: Past,
    /// At most so many examples of one user in an epoch, so that a few do not decide for all; 0: all.
    pub per_user: usize,
    /// Which.
    pub pick: Pick,
    /// Events that the past has at least, as far as it is seen (`past`); with 0, examples without any are learned from as well.
    pub min_past: usize,
    /// Share of the past that is left out of an example, other events in every epoch: towers that see less learn to make do
    /// with less, and do not learn histories by heart.
    pub forget: f32,
    /// What an example counts.
    pub reward: Reward,
}

impl Default for ExamplesConfig {
    fn default() -> Self {
        Self {
            order: Order::Shuffled,
            past: Past::Before,
            per_user: 0,
            pick: Pick::Sampled,
            min_past: 1,
            forget: 0.0,
            reward: Reward::One,
        }
    }
}

/// Milliseconds of a day.
pub(super) const DAY: f64 = 86_400_000.0;

impl ExamplesConfig {
    /// # Errors
    /// [`Error::Config`]
    pub fn validate(&self) -> Result<()> {
        let bad = |key: &'static str, value: String, allowed: &'static str| {
            Err(Error::Config { key, value, allowed })
        };
        if !(0.0..1.0).contains(&self.forget) {
            return bad("examples.forget", self.forget.to_string(), "at least 0, below 1");
        }
        if self.pick == Pick::Recent && self.per_user == 0 {
            let allowed = "`sampled` with `per_user = 0`: all are learned from";
            return bad("examples.pick", "recent".to_owned(), allowed);
        }
        let Order::ByTime(ByTime { shard_days, window }) = self.order else {
            return Ok(());
        };
        if self.per_user > 0 {
            let allowed = "0 with `order` by time: what is seen once is not picked from";
            return bad("examples.per_user", self.per_user.to_string(), allowed);
        }
        if self.past == Past::Others {
            let allowed = "`before` or `in_order` with `order` by time";
            return bad("examples.past", "others".to_owned(), allowed);
        }
        if window == 0 {
            return bad("examples.order.by_time.window", "0".to_owned(), "at least 1");
        }
        // A shard has a millisecond at least.
        if !(shard_days * DAY >= 1.0 && shard_days < 1e6) {
            let allowed = "above 0, below 1000000";
            return bad(
                "examples.order.by_time.shard_days",
                shard_days.to_string(),
                allowed,
            );
        }
        Ok(())
    }
}

/// What an example counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reward {
    /// One as much as another.
    #[default]
    One,
    /// By the event's value, negative ones as 0: a watched share, for example.
    Value,
}

/// Where examples come from: shards, one after the other, as often as there are epochs.
pub trait ExampleSource: Sync {
    /// How many shards there are: 1, unless they follow the times of the log.
    fn n_shards(&self) -> usize {
        1
    }

    /// How many examples a shard gives in an epoch.
    fn n_examples(&self, shard: usize) -> usize;

    /// What was taken before anything is learned: the events before this moment are what item frequencies may be counted
    /// from. [`None`]: all of them.
    fn counted_until(&self) -> Option<Time> {
        None
    }

    /// `[n_items]`: how often a pass over these shards is expected to have each item as its label, chance among it; [`None`]
    /// where that cannot be said.
    fn labels(&self, shards: Range<usize>, n_items: usize) -> Option<Vec<f64>> {
        let _ = (shards, n_items);
        None
    }

    /// Until when it may be known in a shard what users took, the moment itself excluded; [`None`]: for ever.
    fn known_until(&self, shard: usize) -> Option<Time> {
        let _ = shard;
        None
    }

    /// One pass over a shard, in an order that depends on the epoch and the seed.
    fn pass(&self, epoch: u64, shard: usize, seed: u64) -> Box<dyn ExampleStream + '_>;
}

/// One pass over a shard.
pub trait ExampleStream: Send {
    /// Fills `batch` with the next `n`, fewer at the end; none when there are no more.
    ///
    /// # Errors
    /// [`Error::Features`] where an example cannot be transformed.
    fn next_batch(&mut self, n: usize, batch: &mut ExampleBatch) -> Result<()>;
}
