//! What is new at the moment of the request.

use catchment_schema::{ItemIdx, Score, ScoredItem, Time};
use serde::{Deserialize, Serialize};

use super::walk::walk;
use crate::{Channel, ChannelError, ChannelScratch, ConfigError, RecallQuery, Recalled};

const MILLIS_PER_DAY: f64 = 86_400_000.0;

/// What a [`NewestChannel`] calls new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewestQueryConfig {
    /// After how many days an item is not new any more; 1 ms to 100,000 days. None: it only stands further
    /// back.
    pub max_age_days: Option<f64>,
}

impl NewestQueryConfig {
    /// Checks every key; `channel` is named in the error.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`].
    pub fn validate(self, channel: &str) -> Result<(), ConfigError> {
        match self.max_age_days {
            Some(days) if !(1.0 / MILLIS_PER_DAY..=1e5).contains(&days) => Err(ConfigError::OutOfRange {
                key: format!("max_age_days of channel `{channel}`"),
                value: days.to_string(),
                allowed: "1 ms to 100000 days, or left out",
            }),
            _ => Ok(()),
        }
    }
}

/// The newest items first, the same for everybody; none that is not there yet at the query's `now`.
///
/// The score is minus the days by which an item is older than the newest of the catalogue, so that it does not move
/// with `now`; items that are equally old at that precision (two seconds after a month, three minutes after half
/// a century) stand in the order of their indices. What `now` decides is exact to the millisecond.
/// A query whose `now` is unknown meets every item.
#[derive(Clone, Debug)]
pub struct NewestChannel {
    name: String,
    /// By item.
    times: Vec<Time>,
    /// The items that have a time.
    best_first: Vec<ScoredItem>,
    newest: i64,
    config: NewestQueryConfig,
}

impl NewestChannel {
    /// `times[i]` says since when item `i` is there; an item whose time is unknown is never new.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`].
    pub fn new(
        name: impl Into<String>,
        times: Vec<Time>,
        config: NewestQueryConfig,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        config.validate(&name)?;
        let known = || times.iter().filter_map(|time| time.millis());
        let newest = known().max().unwrap_or(0);
        let mut best_first: Vec<ScoredItem> = times
            .iter()
            .enumerate()
            .filter_map(|(item, time)| {
                Some(ScoredItem::new(
                    ItemIdx::from_index(item),
                    score(newest, time.millis()?),
                ))
            })
            .collect();
        best_first.sort_unstable();
        Ok(Self {
            name,
            times,
            best_first,
            newest,
            config,
        })
    }

    /// The part of the list in which everything stands that was there at `last` and not yet at `first`.
    fn between(&self, first: i64, last: i64) -> &[ScoredItem] {
        // Rounding keeps the order of times, so that what has another score is on the right side for sure.
        let (newest, oldest) = (score(self.newest, last), score(self.newest, first));
        let begin = self.best_first.partition_point(|scored| scored.score > newest);
        let end = self.best_first.partition_point(|scored| scored.score >= oldest);
        self.best_first.get(begin..end).unwrap_or(&[])
    }
}

/// Minus the days between the newest item and this moment.
fn score(newest: i64, millis: i64) -> Score {
    let age = newest.saturating_sub(millis) as f64 / MILLIS_PER_DAY;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounding to single precision is meant"
    )]
    Score::clamped(-age as f32)
}

impl Channel for NewestChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn recall(
        &self,
        query: &RecallQuery<'_>,
        k: usize,
        _scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        let Some(now) = query.now.millis() else {
            return Ok(walk(&self.best_first, query, k, |_| true));
        };
        #[allow(clippy::cast_possible_truncation, reason = "ages beyond 64 bits saturate")]
        let oldest = self.config.max_age_days.map_or(i64::MIN, |days| {
            now.saturating_sub((days * MILLIS_PER_DAY) as i64)
        });
        let is_new = |item: ItemIdx| {
            let time = self.times.get(item.index()).and_then(|time| time.millis());
            time.is_some_and(|time| (oldest..=now).contains(&time))
        };
        Ok(walk(self.between(oldest, now), query, k, is_new))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{channel_laws, query};

    const DAY: i64 = 86_400_000;

    fn channel(days: &[Option<i64>], max_age_days: Option<f64>) -> NewestChannel {
        let times = days.iter().map(|day| Time::from(day.map(|day| day * DAY)));
        NewestChannel::new("newest", times.collect(), NewestQueryConfig { max_age_days }).unwrap()
    }

    fn found(channel: &NewestChannel, now: Time) -> Vec<u32> {
        let asked = RecallQuery { now, ..query() };
        let recalled = channel
            .recall(&asked, 10, &mut ChannelScratch::default())
            .unwrap();
        recalled.items.iter().map(|scored| scored.item.0).collect()
    }

    #[test]
    fn what_is_not_there_yet_is_not_found_and_what_has_no_time_is_never_new() {
        let channel = channel(&[Some(3), Some(9), None, Some(5), Some(5)], None);
        assert_eq!(found(&channel, Time::from_millis(9 * DAY)), [1, 3, 4, 0]);
        assert_eq!(found(&channel, Time::from_millis(9 * DAY - 1)), [3, 4, 0]);
        assert_eq!(found(&channel, Time::from_millis(2 * DAY)), [0u32; 0]);
        assert_eq!(found(&channel, Time::UNKNOWN), [1, 3, 4, 0]);
    }

    #[test]
    fn what_is_too_old_is_not_new_to_the_millisecond() {
        let channel = channel(&[Some(3), Some(9), Some(5)], Some(4.0));
        assert_eq!(found(&channel, Time::from_millis(9 * DAY)), [1, 2]);
        assert_eq!(found(&channel, Time::from_millis(9 * DAY + 1)), [1]);
    }

    #[test]
    fn a_score_is_minus_the_days_behind_the_newest() {
        let channel = channel(&[Some(3), Some(9)], None);
        let now = Time::from_millis(100 * DAY);
        let asked = RecallQuery { now, ..query() };
        let items = channel
            .recall(&asked, 2, &mut ChannelScratch::default())
            .unwrap()
            .items;
        assert_eq!(items[0].score, Score::ZERO);
        assert_eq!(Some(items[1].score), Score::new(-6.0));
    }

    #[test]
    fn an_age_out_of_range_is_refused_by_name() {
        let config = NewestQueryConfig {
            max_age_days: Some(0.0),
        };
        let error = NewestChannel::new("new", vec![], config).unwrap_err();
        let expected = "max_age_days of channel `new` = 0 is out of range: 1 ms to 100000 days, or left out";
        assert_eq!(error.to_string(), expected);
    }

    proptest! {
        /// Moments that lie so near that scores round to the same, far from the newest.
        #[test]
        fn laws_hold_and_the_answer_equals_a_sort(
            times in proptest::collection::vec(proptest::option::of(0..400_000i64), 0..60),
            now in 0..400_000i64,
            max_age in proptest::option::of(1..300_000i64),
            k in 0..20usize,
        ) {
            let max_age_days = max_age.map(|millis| millis as f64 / MILLIS_PER_DAY);
            let mut times: Vec<Time> = times.into_iter().map(Time::from).collect();
            times.push(Time::from_millis(20_000 * DAY));
            let channel = NewestChannel::new("new", times.clone(), NewestQueryConfig { max_age_days }).unwrap();
            let asked = RecallQuery { now: Time::from_millis(now), ..query() };
            channel_laws(&channel, &[asked, query()]);

            let oldest = max_age_days.map_or(i64::MIN, |days| {
                #[allow(clippy::cast_possible_truncation, reason = "small")]
                let millis = (days * MILLIS_PER_DAY) as i64;
                now - millis
            });
            let mut expected = channel.best_first.clone();
            expected.retain(|scored| {
                let time = times[scored.item.index()].millis().unwrap();
                time <= now && time >= oldest
            });
            expected.truncate(k);
            let recalled = channel.recall(&asked, k, &mut ChannelScratch::default()).unwrap();
            prop_assert_eq!(recalled.items, expected);
        }
    }
}
