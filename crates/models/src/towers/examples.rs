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

/// Examples from histories in memory.
pub struct HistoryExamples<'a> {
    histories: &'a Histories,
    features: &'a FittedFeatures,
    users: &'a Vocabulary,
    attributes: &'a AttributeTable,
    config: ExamplesConfig,
    first: Time,
    last: Time,
    shards: Vec<Shard>,
}

/// A stretch of the log.
#[derive(Clone, Copy, Debug)]
struct Shard {
    /// In milliseconds, the end excluded; all of it where the order is not by time.
    from: i64,
    until: i64,
    n_examples: usize,
}

impl Shard {
    const ALL: Self = Self {
        from: i64::MIN,
        until: i64::MAX,
        n_examples: 0,
    };

    fn holds(&self, time: Time) -> bool {
        let is_all = self.from == i64::MIN;
        is_all
            || time
                .millis()
                .is_some_and(|time| (self.from..self.until).contains(&time))
    }
}

impl<'a> HistoryExamples<'a> {
    /// Of every event in `histories` that has enough of a past.
    ///
    /// # Errors
    /// [`Error::NoInteractions`] where none has. In the order of time: [`Error::MissingTimes`] where an event has no time;
    /// [`Error::Config`] for shards of no length, too many of them, or settings that do not go together with it.
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
            shards: vec![],
        };
        examples.shards = match config.order {
            Order::Shuffled => vec![Shard {
                n_examples: examples.n_shuffled(),
                ..Shard::ALL
            }],
            Order::ByTime(by_time) => examples.shards_by_time(by_time)?,
        };
        if examples.shards.iter().all(|shard| shard.n_examples == 0) {
            return Err(Error::NoInteractions);
        }
        Ok(examples)
    }

    /// When each shard begins and ends, in milliseconds; of one, where examples are not in the order of time.
    pub fn shard_times(&self) -> impl Iterator<Item = (Time, Time)> {
        self.shards.iter().map(|shard| {
            let end = shard.until.saturating_sub(1);
            (Time::from_millis(shard.from), Time::from_millis(end))
        })
    }

    fn n_shuffled(&self) -> usize {
        let most = match self.config.per_user {
            0 => usize::MAX,
            most => most,
        };
        let of_users = self
            .histories
            .iter()
            .map(|(_, history)| self.of_user(history).len());
        of_users.map(|n| n.min(most)).sum()
    }

    fn shards_by_time(&self, by_time: ByTime) -> Result<Vec<Shard>> {
        const DAY: f64 = 86_400_000.0;
        const MOST: i64 = 1 << 20;
        let bad = |key: &'static str, value: String, allowed: &'static str| {
            Err(Error::Config { key, value, allowed })
        };
        if self.config.per_user > 0 {
            return bad(
                "examples.per_user",
                self.config.per_user.to_string(),
                "0 with `order` by time: what is seen once is not picked from",
            );
        }
        if self.config.past == Past::Others {
            return bad(
                "examples.past",
                "others".to_owned(),
                "`before` with `order` by time",
            );
        }
        if by_time.window == 0 {
            return bad("examples.order.window", "0".to_owned(), "at least 1");
        }
        let value = by_time.shard_days;
        if !(value > 0.0 && value.is_finite() && value * DAY >= 1.0 && value < 1e6) {
            return bad(
                "examples.order.shard_days",
                value.to_string(),
                "above 0, below 1000000",
            );
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 10¹⁵")]
        let length = (value * DAY) as i64;
        let missing = || Error::MissingTimes {
            key: "examples.order",
            reason: "an event has none",
        };
        let (Some(first), Some(last)) = (self.first.millis(), self.last.millis()) else {
            return Err(missing());
        };
        let n = last.saturating_sub(first) / length + 1;
        if n > MOST {
            return bad(
                "examples.order.shard_days",
                value.to_string(),
                "long enough for at most 1048576 shards",
            );
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "1 to MOST"
        )]
        let mut n_examples = vec![0_usize; n as usize];
        for (_, history) in self.histories.iter() {
            let events = history.events();
            if events.iter().any(|event| event.time == Time::UNKNOWN) {
                return Err(missing());
            }
            for position in self.of_user(history) {
                let since = events[position].time.millis().unwrap_or(first) - first;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "below n, from 0"
                )]
                let shard = (since / length) as usize;
                n_examples[shard] += 1;
            }
        }
        let shards = (0..n).zip(n_examples).map(|(place, n_examples)| Shard {
            from: first + place * length,
            until: first + (place + 1) * length,
            n_examples,
        });
        Ok(shards.filter(|shard| shard.n_examples > 0).collect())
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

    /// All examples, some of each user where there is a limit, in any order.
    fn shuffled(&self, rng: &mut Xoshiro256PlusPlus) -> Vec<(UserIdx, u32)> {
        let mut order = Vec::with_capacity(self.shards[0].n_examples);
        let per_user = self.config.per_user;
        for (user, history) in self.histories.iter() {
            let positions = self.of_user(history);
            let n = positions.len();
            let mut take = |position: usize| order.push((user, place(position)));
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
        order
    }

    /// The examples of a shard in the order of time, each moved about within the window.
    fn by_time(&self, shard: &Shard, window: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<(UserIdx, u32)> {
        let mut order = Vec::with_capacity(shard.n_examples);
        for (user, history) in self.histories.iter() {
            let events = history.events();
            // Histories are in the order of time: a shard is a stretch of each.
            let begin =
                events.partition_point(|event| event.time.millis().is_some_and(|time| time < shard.from));
            let here = self.of_user(history);
            let from = here.start.max(begin);
            let times = events.iter().enumerate().skip(from);
            let of_shard = times.take_while(|(_, event)| shard.holds(event.time));
            order.extend(of_shard.map(|(position, event)| (event.time, user, place(position))));
        }
        order.sort_unstable();
        for at in 0..order.len() {
            let last = at.saturating_add(window).min(order.len());
            order.swap(at, rng.random_range(at..last));
        }
        order
            .into_iter()
            .map(|(_, user, position)| (user, position))
            .collect()
    }
}

/// A position, as it is kept.
fn place(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl ExampleSource for HistoryExamples<'_> {
    fn n_shards(&self) -> usize {
        self.shards.len()
    }

    fn n_examples(&self, shard: usize) -> usize {
        self.shards.get(shard).map_or(0, |shard| shard.n_examples)
    }

    fn counted_until(&self) -> Option<Time> {
        match self.config.order {
            Order::Shuffled => None,
            Order::ByTime(_) => self.shards.first().map(|shard| Time::from_millis(shard.until)),
        }
    }

    fn pass(&self, epoch: u64, shard: usize, seed: u64) -> Box<dyn ExampleStream + '_> {
        let pass = epoch.wrapping_add((shard as u64) << 32);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ pass.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let order = match (self.config.order, self.shards.get(shard)) {
            (_, None) => vec![],
            (Order::Shuffled, Some(_)) => self.shuffled(&mut rng),
            (Order::ByTime(by_time), Some(shard)) => self.by_time(shard, by_time.window, &mut rng),
        };
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
