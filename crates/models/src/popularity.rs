//! Popularity in a window and with time decay: the same list for everybody.
//!
//! ```text
//! score_i = Σ 2^(−age / half_life)   over the events of item i with age < window,   age = now − time of the event
//! ```
//!
//! Without a half-life every event counts 1; without a window all of them do. **Good for** users that nobody knows yet, a floor that every other model
//! must stand above, and a fallback that cannot fail. **Not good for** anything personal.

use std::path::Path;

use catchment_schema::{Histories, Time, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, item_scores};

const MILLIS_PER_DAY: f64 = 86_400_000.0;

/// What counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Every event.
    #[default]
    Events,
    /// Every user once: their latest event with the item.
    Users,
}

/// Settings of [`Popularity::fit`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PopularityConfig {
    /// After how many days an event counts half; none: events count the same for ever.
    pub half_life_days: Option<f64>,
    /// Only events of the last so many days before the end of the training part count; none: all do.
    pub window_days: Option<f64>,
    /// What counts: `events` or `users`.
    pub count: Count,
}

impl PopularityConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Config`] names the first key that is out of range.
    pub fn validate(&self) -> Result<()> {
        for (key, days) in [
            ("half_life_days", self.half_life_days),
            ("window_days", self.window_days),
        ] {
            if let Some(days) = days.filter(|days| !(1e-3..=1e5).contains(days)) {
                return Err(Error::Config {
                    key,
                    value: days.to_string(),
                    allowed: "0.001 to 100000, or left out",
                });
            }
        }
        Ok(())
    }
}

/// A score for each item.
#[derive(Clone, Debug, PartialEq)]
pub struct Popularity {
    /// `[n_items]`, not below 0, finite.
    pub scores: Vec<f32>,
}

impl Popularity {
    /// Counts the events of `histories`; `now` is the moment that ages are measured from: the end of the training part.
    ///
    /// With a half-life or a window, an event after `now` is as new as can be, and one without a time is as old as the
    /// oldest that has one.
    ///
    /// # Errors
    /// [`Error::Config`]; [`Error::NoInteractions`], also when none lies in the window; [`Error::UnknownItem`];
    /// [`Error::MissingTimes`] when there is a half-life or a window, but `now` is unknown or no event has a time.
    pub fn fit(histories: &Histories, n_items: usize, now: Time, config: &PopularityConfig) -> Result<Self> {
        config.validate()?;
        if histories.n_events() == 0 {
            return Err(Error::NoInteractions);
        }
        let ages = match (config.half_life_days, config.window_days) {
            (None, None) => None,
            (Some(_), _) => Some(Ages::new(histories, now, "half_life_days", config)?),
            (None, Some(_)) => Some(Ages::new(histories, now, "window_days", config)?),
        };
        let mut sums = vec![0.0f64; n_items];
        // Newest first, so that the first event of a pair is its latest.
        let mut seen_by = vec![u32::MAX; n_items];
        for (user, history) in histories.iter() {
            for event in history.events().iter().rev() {
                let item = event.item.index();
                if item >= n_items {
                    return Err(Error::UnknownItem {
                        user: user.0,
                        item: event.item.0,
                        n_items,
                    });
                }
                if config.count == Count::Users && seen_by[item] == user.0 {
                    continue;
                }
                let weight = ages.as_ref().map_or(1.0, |ages| ages.weight(event.time));
                if weight > 0.0 {
                    seen_by[item] = user.0;
                    sums[item] += weight;
                }
            }
        }
        if sums.iter().all(|&sum| sum == 0.0) {
            return Err(Error::NoInteractions);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounding to single precision is meant"
        )]
        let scores = sums.iter().map(|&sum| sum as f32).collect();
        Ok(Self { scores })
    }

    /// Writes the scores, see [`ITEM_SCORES`](item_scores::ITEM_SCORES).
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn save(&self, path: impl AsRef<Path>, items: &Vocabulary) -> Result<()> {
        Ok(item_scores::write(path.as_ref(), items, &self.scores, "popular")?)
    }

    /// Reads what [`Popularity::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn open(path: impl AsRef<Path>, items: &Vocabulary) -> Result<Self> {
        Ok(Self {
            scores: item_scores::read(path.as_ref(), items)?,
        })
    }
}

/// What an event's age makes of it.
struct Ages {
    now: i64,
    oldest: i64,
    half_life_days: Option<f64>,
    window_days: f64,
}

impl Ages {
    fn new(histories: &Histories, now: Time, key: &'static str, config: &PopularityConfig) -> Result<Self> {
        let Some(now) = now.millis() else {
            let reason = "the moment `now` is unknown";
            return Err(Error::MissingTimes { key, reason });
        };
        let times = histories.iter().flat_map(|(_, history)| history.events());
        let Some(oldest) = times.filter_map(|event| event.time.millis()).min() else {
            let reason = "no event says when it happened";
            return Err(Error::MissingTimes { key, reason });
        };
        Ok(Self {
            now,
            oldest,
            half_life_days: config.half_life_days,
            window_days: config.window_days.unwrap_or(f64::INFINITY),
        })
    }

    /// 0 outside the window.
    fn weight(&self, time: Time) -> f64 {
        let time = time.millis().unwrap_or(self.oldest);
        let age_days = self.now.saturating_sub(time).max(0) as f64 / MILLIS_PER_DAY;
        if age_days < self.window_days {
            self.half_life_days
                .map_or(1.0, |half_life| (-age_days / half_life).exp2())
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catchment_schema::{Event, ItemIdx, UserIdx};

    const DAY: i64 = 86_400_000;

    fn histories(rows: &[(u32, u32, Option<i64>)]) -> Histories {
        let users: Vec<_> = rows.iter().map(|row| UserIdx(row.0)).collect();
        let event = |row: &(u32, u32, Option<i64>)| Event::new(ItemIdx(row.1), Time::from(row.2));
        Histories::group(3, &users, &rows.iter().map(event).collect::<Vec<_>>())
    }

    fn check(config: &PopularityConfig, expected: &[f32]) {
        let log = histories(&[
            (0, 1, None),
            (0, 0, Some(0)),
            (0, 1, Some(10 * DAY)),
            (1, 0, Some(20 * DAY)),
            (1, 0, Some(25 * DAY)),
        ]);
        let now = Time::from_millis(20 * DAY);
        assert_eq!(
            Popularity::fit(&log, 3, now, config).expect("valid").scores,
            expected
        );
    }

    #[test]
    fn decay_halves_with_each_half_life_as_counted_by_hand() {
        let half_life_days = Some(10.0);
        // Item 0: two half-lives, now, and after now. Item 1: one half-life, and unknown, which is as the oldest.
        check(
            &PopularityConfig {
                half_life_days,
                ..PopularityConfig::default()
            },
            &[0.25 + 1.0 + 1.0, 0.5 + 0.25, 0.0],
        );
        check(
            &PopularityConfig {
                half_life_days,
                count: Count::Users,
                ..PopularityConfig::default()
            },
            &[0.25 + 1.0, 0.5, 0.0],
        );
        check(&PopularityConfig::default(), &[3.0, 2.0, 0.0]);
        check(
            &PopularityConfig {
                count: Count::Users,
                ..PopularityConfig::default()
            },
            &[2.0, 1.0, 0.0],
        );
    }

    #[test]
    fn a_window_counts_only_what_happened_in_its_last_days() {
        let window = |window_days, half_life_days, count| PopularityConfig {
            half_life_days,
            window_days: Some(window_days),
            count,
        };
        // Of item 1 the event 10 days back is just outside of a window of 10 days, and so is the one without a time.
        check(&window(10.0, None, Count::Events), &[2.0, 0.0, 0.0]);
        check(&window(10.5, None, Count::Events), &[2.0, 1.0, 0.0]);
        check(&window(10.5, Some(10.0), Count::Users), &[1.0, 0.5, 0.0]);
        check(&window(1e5, None, Count::Events), &[3.0, 2.0, 0.0]);
        let log = histories(&[(0, 1, Some(0))]);
        let late = Time::from_millis(30 * DAY);
        let nothing = Popularity::fit(&log, 3, late, &window(10.0, None, Count::Events));
        assert!(matches!(nothing, Err(Error::NoInteractions)));
    }

    #[test]
    fn decay_without_times_is_refused_and_says_what_is_missing() {
        let config = PopularityConfig {
            half_life_days: Some(1.0),
            ..PopularityConfig::default()
        };
        let untimed = histories(&[(0, 1, None)]);
        let fit = |now| Popularity::fit(&untimed, 3, now, &config);
        assert!(matches!(
            fit(Time::from_millis(5)),
            Err(Error::MissingTimes { .. })
        ));
        assert!(matches!(fit(Time::UNKNOWN), Err(Error::MissingTimes { .. })));
        let config = PopularityConfig {
            window_days: Some(1.0),
            ..PopularityConfig::default()
        };
        let found = Popularity::fit(&untimed, 3, Time::from_millis(5), &config);
        assert!(matches!(
            found,
            Err(Error::MissingTimes {
                key: "window_days",
                ..
            })
        ));
    }

    #[test]
    fn bad_settings_and_bad_logs_are_refused() {
        let log = histories(&[(2, 7, Some(1))]);
        let now = Time::from_millis(1);
        let plain = PopularityConfig::default();
        let fit = |log: &Histories, config: &PopularityConfig| Popularity::fit(log, 3, now, config);
        assert!(matches!(
            fit(&log, &plain),
            Err(Error::UnknownItem {
                user: 2,
                item: 7,
                n_items: 3
            })
        ));
        assert!(matches!(
            fit(&Histories::empty(4), &plain),
            Err(Error::NoInteractions)
        ));
        for days in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let config = PopularityConfig {
                half_life_days: Some(days),
                ..plain.clone()
            };
            assert!(matches!(
                fit(&log, &config),
                Err(Error::Config {
                    key: "half_life_days",
                    ..
                })
            ));
        }
        assert!(serde_json::from_str::<PopularityConfig>(r#"{"halflife": 1}"#).is_err());
    }

    #[test]
    fn files_round_trip_and_refuse_another_vocabulary() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("popular.parquet");
        let items = Vocabulary::from_counts([("a", 3), ("b", 2)]);
        let popularity = Popularity {
            scores: vec![3.0, 1.5],
        };
        popularity.save(&path, &items).expect("written");
        assert_eq!(Popularity::open(&path, &items).expect("read"), popularity);
        let other = Vocabulary::from_counts([("a", 3), ("c", 2)]);
        assert!(matches!(Popularity::open(&path, &other), Err(Error::File(_))));
        assert!(matches!(
            Popularity {
                scores: vec![f32::NAN; 2]
            }
            .save(&path, &items),
            Err(Error::File(_))
        ));
        assert!(matches!(
            Popularity { scores: vec![] }.save(&path, &items),
            Err(Error::File(_))
        ));
    }
}
