//! What kind of world.

use serde::{Deserialize, Serialize};

use crate::catalogue::share;
use crate::words::CATEGORIES;
use crate::{Error, Result};

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
/// The fewest events of a user who is not cold, and the most of one who is.
pub(crate) const FEWEST_EVENTS: usize = 3;

/// How large a world is, and how hard to predict.
///
/// `default()` is the world of the demo: small enough for seconds, large enough that models differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldConfig {
    /// Another seed, another world; the same seed, the same bytes.
    pub seed: u64,
    /// At least 2.
    pub n_users: usize,
    /// At least 24.
    pub n_items: usize,
    /// Exactly so many, cold users' events included. From three for each user up to a quarter of
    /// all pairs of an item and a user who is not cold.
    pub n_events: usize,
    /// From 2 up to as many as there are words for (24).
    pub n_categories: usize,
    /// Length of the latent taste and item vectors, 2 to 256.
    pub n_factors: usize,
    /// How much chance there is in a choice, above 0: small follows taste strictly, large ignores it.
    pub temperature: f64,
    /// Standard deviation of the items' quality, which all users agree on; 0 and more. It makes the long
    /// tail of popularity.
    pub quality_spread: f64,
    /// Standard deviation of the logarithm of the users' activity, 0 and more: how unlike they are in how
    /// much they do.
    pub activity_spread: f64,
    /// Share of users whose first event comes after [`crate::World::split_time`], 0 to 0.5.
    pub cold_user_share: f64,
    /// Share of items that are published after [`crate::World::split_time`], 0 to 0.5.
    pub cold_item_share: f64,
    /// First moment, in Unix seconds.
    pub start: i64,
    /// How many days the log covers, at least 2.
    pub n_days: u16,
    /// How many of them, at the end, come after the split; at least 1 and fewer than all.
    pub n_cold_days: u16,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 7,
            n_users: 2000,
            n_items: 1500,
            n_events: 60_000,
            n_categories: 24,
            n_factors: 16,
            temperature: 0.14,
            quality_spread: 0.9,
            activity_spread: 0.8,
            cold_user_share: 0.03,
            cold_item_share: 0.04,
            // 2026-01-05, a Monday.
            start: 1_767_571_200,
            n_days: 56,
            n_cold_days: 7,
        }
    }
}

impl WorldConfig {
    /// For tests: 100 users, 80 items, 1500 events.
    pub fn tiny() -> Self {
        Self {
            n_users: 100,
            n_items: 80,
            n_events: 1500,
            n_categories: 8,
            n_factors: 8,
            ..Self::default()
        }
    }

    /// The world of `datasets/tiny`, small enough to be kept beside the code: 40 users, 50 items, 400 events.
    pub fn sample() -> Self {
        Self {
            n_users: 40,
            n_items: 50,
            n_events: 400,
            ..Self::tiny()
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::BadConfig`] for the first setting that is out of its range.
    pub fn validate(&self) -> Result<()> {
        let share = |value: f64| (0.0..=0.5).contains(&value);
        let spread = |value: f64| (0.0..=5.0).contains(&value);
        check(
            "n_users",
            self.n_users,
            (2..=10_000_000).contains(&self.n_users),
            || "2 to 10,000,000".to_owned(),
        )?;
        check(
            "n_items",
            self.n_items,
            (24..=1_000_000).contains(&self.n_items),
            || "24 to 1,000,000".to_owned(),
        )?;
        let n_words = CATEGORIES.len();
        let enough = (2..=n_words).contains(&self.n_categories);
        check("n_categories", self.n_categories, enough, || {
            format!("2 to {n_words}")
        })?;
        check(
            "n_factors",
            self.n_factors,
            (2..=256).contains(&self.n_factors),
            || "2 to 256".to_owned(),
        )?;
        let warm = (0.01..=100.0).contains(&self.temperature);
        check("temperature", self.temperature, warm, || "0.01 to 100".to_owned())?;
        for (key, value) in [
            ("quality_spread", self.quality_spread),
            ("activity_spread", self.activity_spread),
        ] {
            check(key, value, spread(value), || "0 to 5".to_owned())?;
        }
        for (key, value) in [
            ("cold_user_share", self.cold_user_share),
            ("cold_item_share", self.cold_item_share),
        ] {
            check(key, value, share(value), || "0 to 0.5".to_owned())?;
        }
        let n_warm = self.n_users - self.n_cold_users();
        let (fewest, most) = (
            self.n_users * FEWEST_EVENTS,
            n_warm * (self.most_events() * 3 / 4),
        );
        check(
            "n_events",
            self.n_events,
            (fewest..=most).contains(&self.n_events),
            || format!("{fewest} to {most} with these n_users and n_items"),
        )?;
        // Up to the year 2200, so that no sum of moments overflows.
        let moments = 0..=7_258_118_400;
        check("start", self.start, moments.contains(&self.start), || {
            "Unix seconds from 1970 to 2200".to_owned()
        })?;
        check("n_days", self.n_days, self.n_days >= 2, || "2 or more".to_owned())?;
        let inside = (1..self.n_days).contains(&self.n_cold_days);
        check("n_cold_days", self.n_cold_days, inside, || {
            format!("1 to {} with this n_days", self.n_days - 1)
        })
    }

    /// How many users come after the split.
    pub(crate) fn n_cold_users(&self) -> usize {
        share(self.n_users, self.cold_user_share)
    }

    /// The most events that one user has: nobody chooses anything twice, and a choice needs something to
    /// choose from and a second of its own.
    pub(crate) fn most_events(&self) -> usize {
        (self.n_items / 3).min(5000)
    }

    /// The first second after the log.
    pub(crate) fn end(&self) -> i64 {
        self.start + i64::from(self.n_days) * SECONDS_PER_DAY
    }

    /// From this second on, what was never seen before may turn up.
    pub(crate) fn split(&self) -> i64 {
        self.end() - i64::from(self.n_cold_days) * SECONDS_PER_DAY
    }
}

pub(crate) fn check(
    key: &'static str,
    value: impl std::fmt::Display,
    is_allowed: bool,
    allowed: impl FnOnce() -> String,
) -> Result<()> {
    if is_allowed {
        return Ok(());
    }
    Err(Error::BadConfig {
        key,
        value: value.to_string(),
        allowed: allowed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worlds_that_we_name_are_allowed() {
        for config in [WorldConfig::default(), WorldConfig::tiny(), WorldConfig::sample()] {
            config.validate().expect("allowed");
        }
    }

    #[test]
    fn every_setting_has_a_range_and_the_error_names_it() {
        type Change = fn(&mut WorldConfig);
        let bad: [(&str, Change); 14] = [
            ("n_users", |config| config.n_users = 1),
            ("n_items", |config| config.n_items = 23),
            ("n_events", |config| config.n_events = 299),
            ("n_events", |config| config.n_events = 2001),
            ("n_categories", |config| config.n_categories = 25),
            ("n_factors", |config| config.n_factors = 1),
            ("temperature", |config| config.temperature = 0.0),
            ("temperature", |config| config.temperature = f64::NAN),
            ("quality_spread", |config| config.quality_spread = -1.0),
            ("activity_spread", |config| config.activity_spread = f64::INFINITY),
            ("cold_user_share", |config| config.cold_user_share = 0.6),
            ("start", |config| config.start = -1),
            ("n_days", |config| config.n_days = 1),
            ("n_cold_days", |config| config.n_cold_days = 56),
        ];
        for (expected, change) in bad {
            let mut config = WorldConfig::tiny();
            change(&mut config);
            match config.validate() {
                Err(Error::BadConfig { key, .. }) => assert_eq!(key, expected),
                answer => panic!("{expected}: {answer:?}"),
            }
        }
    }
}
