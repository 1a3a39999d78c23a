//! What towers are trained on: a user at a moment, and what they took next.

use catchment_features::{ContextInput, FeatureBatch, FeatureColumn, FittedFeatures, UserInput};
use catchment_schema::{AttributeTable, Event, Histories, History, ItemIdx, Time, UserIdx, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
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

    /// Takes all away and keeps the buffers.
    pub fn clear(&mut self) {
        self.user.clear();
        self.context.clear();
        self.age.clear();
        self.labels.clear();
        self.rewards.clear();
        self.users.clear();
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

/// How a log becomes examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExamplesConfig {
    /// What stands for the past of an example.
    pub past: Past,
    /// At most so many examples of one user in an epoch, so that a few do not decide for all; 0: all.
    pub per_user: usize,
    /// Which.
    pub pick: Pick,
    /// Events that the past has at least; with 0, examples without any are learned from as well.
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
            past: Past::Before,
            per_user: 0,
            pick: Pick::Sampled,
            min_past: 1,
            forget: 0.0,
            reward: Reward::One,
        }
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

/// Where examples come from.
pub trait ExampleSource: Sync {
    /// How many there are in an epoch.
    fn n_examples(&self) -> usize;

    /// One pass over them, in an order that depends on the epoch and the seed.
    fn epoch(&self, epoch: u64, seed: u64) -> Box<dyn ExampleStream + '_>;
}

/// One pass.
pub trait ExampleStream: Send {
    /// Fills `batch` with the next `n`, fewer at the end; none when there are no more.
    ///
    /// # Errors
    /// [`Error::Features`] where an example cannot be transformed.
    fn next_batch(&mut self, n: usize, batch: &mut ExampleBatch) -> Result<()>;
}

/// Examples from histories in memory.
pub struct HistoryExamples<'a> {
    histories: &'a Histories,
    features: &'a FittedFeatures,
    users: &'a Vocabulary,
    attributes: &'a AttributeTable,
    config: ExamplesConfig,
    first: Time,
    last: Time,
    n_examples: usize,
}

impl<'a> HistoryExamples<'a> {
    /// Of every event in `histories` that has enough of a past.
    ///
    /// # Errors
    /// [`Error::NoInteractions`] where none has.
    pub fn new(
        histories: &'a Histories,
        features: &'a FittedFeatures,
        users: &'a Vocabulary,
        attributes: &'a AttributeTable,
        config: &ExamplesConfig,
    ) -> Result<Self> {
        let times = || {
            let events = histories.iter().flat_map(|(_, history)| history.events());
            events
                .map(|event| event.time)
                .filter(|&time| time != Time::UNKNOWN)
        };
        let mut examples = Self {
            histories,
            features,
            users,
            attributes,
            config: config.clone(),
            first: times().min().unwrap_or(Time::UNKNOWN),
            last: times().max().unwrap_or(Time::UNKNOWN),
            n_examples: 0,
        };
        examples.n_examples = histories
            .iter()
            .map(|(_, history)| examples.of_user(history).len())
            .map(|n| {
                if config.per_user == 0 {
                    n
                } else {
                    n.min(config.per_user)
                }
            })
            .sum();
        if examples.n_examples == 0 {
            return Err(Error::NoInteractions);
        }
        Ok(examples)
    }

    /// The positions of a history that are examples.
    fn of_user(&self, history: History<'_>) -> std::ops::Range<usize> {
        let n = history.len();
        match self.config.past {
            Past::Before | Past::InOrder => self.config.min_past.min(n)..n,
            Past::Others if n > self.config.min_past => 0..n,
            Past::Others => 0..0,
        }
    }

    /// From 0 at the end of the log to 1 at its beginning.
    fn age(&self, time: Time) -> f32 {
        match (self.first.millis(), self.last.millis(), time.millis()) {
            (Some(first), Some(last), Some(time)) if last > first => {
                let age = (last - time) as f64 / (last - first) as f64;
                #[expect(clippy::cast_possible_truncation, reason = "a share needs no more than f32")]
                let age = age as f32;
                age
            }
            _ => 0.0,
        }
    }
}

impl ExampleSource for HistoryExamples<'_> {
    fn n_examples(&self) -> usize {
        self.n_examples
    }

    fn epoch(&self, epoch: u64, seed: u64) -> Box<dyn ExampleStream + '_> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ epoch.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut order = Vec::with_capacity(self.n_examples);
        let per_user = self.config.per_user;
        for (user, history) in self.histories.iter() {
            let positions = self.of_user(history);
            let n = positions.len();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "no user has more events than u32 counts"
            )]
            let mut take = |position: usize| order.push((user, position as u32));
            if per_user == 0 || n <= per_user {
                positions.for_each(take);
            } else if self.config.pick == Pick::Recent {
                (positions.end - per_user..positions.end).for_each(take);
            } else {
                // Floyd's sample of `per_user` out of `n`, without a list of all.
                let mut taken: Vec<usize> = Vec::with_capacity(per_user);
                for last in n - per_user..n {
                    let drawn = rng.random_range(0..=last);
                    let drawn = if taken.contains(&drawn) { last } else { drawn };
                    taken.push(drawn);
                    take(positions.start + drawn);
                }
            }
        }
        for place in (1..order.len()).rev() {
            order.swap(place, rng.random_range(0..=place));
        }
        Box::new(HistoryStream {
            examples: self,
            order,
            next: 0,
            kept: vec![],
            rng,
        })
    }
}

/// A millisecond later.
fn just_after(time: Time) -> Time {
    Time::from(time.millis().map(|millis| millis.saturating_add(1)))
}

struct HistoryStream<'a> {
    examples: &'a HistoryExamples<'a>,
    order: Vec<(UserIdx, u32)>,
    next: usize,
    kept: Vec<Event>,
    rng: Xoshiro256PlusPlus,
}

impl ExampleStream for HistoryStream<'_> {
    fn next_batch(&mut self, n: usize, batch: &mut ExampleBatch) -> Result<()> {
        batch.clear();
        let from = self.examples;
        let end = (self.next + n).min(self.order.len());
        for &(user, position) in &self.order[self.next..end] {
            let history = from.histories.of(user);
            let events = history.events();
            let position = position as usize;
            let label = events[position];
            let (past, now) = match from.config.past {
                Past::Before => (history.first(position), label.time),
                // What is known is what was before `now`.
                Past::InOrder => (history.first(position), just_after(label.time)),
                Past::Others => (history, Time::UNKNOWN),
            };
            let is_other = |event: &Event| from.config.past != Past::Others || event.item != label.item;
            let (forget, rng) = (from.config.forget, &mut self.rng);
            let mut keeps = || forget <= 0.0 || rng.random::<f32>() >= forget;
            self.kept.clear();
            let kept = past.events().iter().filter(|event| is_other(event) && keeps());
            self.kept.extend(kept);
            let input = UserInput {
                id: from.users.id(user.index()),
                attributes: Some((from.attributes, user.index())),
                history: History::kept(&self.kept),
                everything: None,
                now,
            };
            from.features.transform_user(&input, &mut batch.user)?;
            let moment = ContextInput { now: label.time };
            from.features.transform_context(&moment, &mut batch.context)?;
            batch.age.push(from.age(label.time));
            batch.labels.push(label.item);
            batch.rewards.push(match from.config.reward {
                Reward::One => 1.0,
                Reward::Value => label.value.max(0.0),
            });
            batch.users.push(user);
        }
        self.next = end;
        Ok(())
    }
}
