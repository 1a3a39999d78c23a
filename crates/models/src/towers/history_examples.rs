//! Examples from histories in memory.

use std::ops::Range;

use catchment_features::{ContextInput, FittedFeatures, UserInput};
use catchment_schema::{AttributeTable, Event, Histories, History, Time, UserIdx, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::examples::{
    ByTime, DAY, ExampleBatch, ExampleSource, ExampleStream, ExamplesConfig, Order, Past, Pick, Reward,
};
use super::shown::ShownItems;
use crate::{Error, Result};

/// Examples from histories in memory.
pub struct HistoryExamples<'a> {
    histories: &'a Histories,
    features: &'a FittedFeatures,
    users: &'a Vocabulary,
    attributes: &'a AttributeTable,
    shown: Option<&'a ShownItems>,
    config: ExamplesConfig,
    first: Time,
    last: Time,
    shards: Vec<Shard>,
}

/// A stretch of the log.
#[derive(Clone, Copy, Debug)]
struct Shard {
    /// In milliseconds, the end excluded; from the least to the largest there is where the order is not by time.
    from: i64,
    until: i64,
    n_examples: usize,
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
        config.validate()?;
        fit_together(features, config)?;
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
            shown: None,
            config: config.clone(),
            first: times().min().unwrap_or(Time::UNKNOWN),
            last: times().max().unwrap_or(Time::UNKNOWN),
            shards: vec![],
        };
        examples.shards = match config.order {
            Order::Shuffled => vec![Shard {
                from: i64::MIN,
                until: i64::MAX,
                n_examples: examples.n_shuffled(),
            }],
            Order::ByTime(by_time) => examples.shards_by_time(by_time)?,
        };
        if examples.shards.iter().all(|shard| shard.n_examples == 0) {
            return Err(Error::NoInteractions);
        }
        let mut events = histories.iter().flat_map(|(_, history)| history.events());
        if config.reward == Reward::Value && events.all(|event| event.value <= 0.0) {
            return Err(Error::Config {
                key: "examples.reward",
                value: "value".to_owned(),
                allowed: "`one` for this log: no event has a value above 0, and nothing would be learned",
            });
        }
        Ok(examples)
    }

    /// With what was shown at the events.
    #[must_use]
    pub fn with_shown(self, shown: &'a ShownItems) -> Self {
        Self {
            shown: Some(shown),
            ..self
        }
    }

    /// When each shard ends, the moment itself excluded; none where examples are not in the order of time.
    pub fn shard_ends(&self) -> impl Iterator<Item = Time> {
        let is_by_time = self.config.order != Order::Shuffled;
        let shards = self.shards.iter().filter(move |_| is_by_time);
        shards.map(|shard| Time::from_millis(shard.until))
    }

    fn n_shuffled(&self) -> usize {
        let of_users = self
            .histories
            .iter()
            .map(|(_, history)| self.of_user(history).len());
        of_users.map(|n| self.n_of_user(n)).sum()
    }

    fn shards_by_time(&self, by_time: ByTime) -> Result<Vec<Shard>> {
        const MOST: i64 = 1 << 20;
        #[expect(clippy::cast_possible_truncation, reason = "below 10¹⁵")]
        let length = (by_time.shard_days * DAY) as i64;
        let missing = || Error::MissingTimes {
            key: "examples.order",
            reason: "an event has none",
        };
        if self.histories.n_events() == 0 {
            return Err(Error::NoInteractions);
        }
        let (Some(first), Some(last)) = (self.first.millis(), self.last.millis()) else {
            return Err(missing());
        };
        let n = last.saturating_sub(first) / length + 1;
        if n > MOST {
            return Err(Error::Config {
                key: "examples.order.by_time.shard_days",
                value: by_time.shard_days.to_string(),
                allowed: "long enough for at most 1048576 shards",
            });
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
            Past::Before => self.first_with_a_past(history)..n,
            Past::InOrder => self.config.min_past.min(n)..n,
            Past::Others if n > self.config.min_past => 0..n,
            Past::Others => 0..0,
        }
    }

    /// The first position with `min_past` events at earlier moments. Of the same moment nothing is seen.
    fn first_with_a_past(&self, history: History<'_>) -> usize {
        let events = history.events();
        let Some(last) = self.config.min_past.checked_sub(1) else {
            return 0;
        };
        match events.get(last).map(|event| event.time) {
            None => events.len(),
            // Where no time is known, the order is all there is.
            Some(Time::UNKNOWN) => last + 1,
            Some(time) => events.partition_point(|event| event.time <= time),
        }
    }

    /// How many of a user's `n` examples a pass has.
    fn n_of_user(&self, n: usize) -> usize {
        match self.config.per_user {
            0 => n,
            most => most.min(n),
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

    /// The positions of a history that are examples of a shard: histories are in the order of time, and a shard is a stretch
    /// of each.
    fn of_user_in(&self, history: History<'_>, shard: &Shard) -> std::ops::Range<usize> {
        let events = history.events();
        let before = |moment: i64| {
            events.partition_point(|event| event.time.millis().is_some_and(|time| time < moment))
        };
        self.of_user(history).start.max(before(shard.from))..before(shard.until)
    }

    /// The examples of a shard in the order of time, each moved about within the window.
    fn by_time(&self, shard: &Shard, window: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<(UserIdx, u32)> {
        let mut order = Vec::with_capacity(shard.n_examples);
        for (user, history) in self.histories.iter() {
            let events = history.events();
            let of_shard = self.of_user_in(history, shard);
            order.extend(of_shard.map(|position| (events[position].time, user, place(position))));
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

/// What is asked of histories has to be something that they can say.
fn fit_together(features: &FittedFeatures, config: &ExamplesConfig) -> Result<()> {
    if config.past == Past::Others && features.fades_with_time().is_some() {
        return Err(Error::Config {
            key: "examples.past",
            value: "others".to_owned(),
            allowed: "`before` or `in_order` where a history has a half-life in time: among all other events there is no now",
        });
    }
    if config.forget > 0.0 && features.counts_events().is_some() {
        return Err(Error::Config {
            key: "examples.forget",
            value: config.forget.to_string(),
            allowed: "0 with a feature of the kind `event_count`, which would count what is left",
        });
    }
    Ok(())
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

    fn labels(&self, shards: Range<usize>, n_items: usize) -> Option<Vec<f64>> {
        let mut times = vec![0.0; n_items];
        // Shards follow one another: several are one longer stretch, which is looked through once.
        let shards = self.shards.get(shards)?;
        let (Some(first), Some(last)) = (shards.first(), shards.last()) else {
            return Some(times);
        };
        let stretch = Shard {
            from: first.from,
            until: last.until,
            n_examples: shards.iter().map(|shard| shard.n_examples).sum(),
        };
        for (_, history) in self.histories.iter() {
            let (of_user, n_taken) = match self.config.order {
                Order::ByTime(_) => {
                    let of_user = self.of_user_in(history, &stretch);
                    (of_user.clone(), of_user.len())
                }
                Order::Shuffled => {
                    let of_user = self.of_user(history);
                    let n_taken = self.n_of_user(of_user.len());
                    match self.config.pick {
                        Pick::Sampled => (of_user, n_taken),
                        Pick::Recent => (of_user.end - n_taken..of_user.end, n_taken),
                    }
                }
            };
            let chance = n_taken as f64 / of_user.len().max(1) as f64;
            for event in &history.events()[of_user] {
                if let Some(times) = times.get_mut(event.item.index()) {
                    *times += chance;
                }
            }
        }
        Some(times)
    }

    fn known_until(&self, shard: usize) -> Option<Time> {
        match self.config.order {
            Order::Shuffled => None,
            Order::ByTime(_) => self.shards.get(shard).map(|shard| Time::from_millis(shard.until)),
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
            if let Some(shown) = from.shown {
                batch
                    .shown
                    .extend_from_slice(shown.of(user, label.time, label.item));
                batch.shown_ends.push(batch.shown.len());
            }
        }
        self.next = end;
        Ok(())
    }
}
