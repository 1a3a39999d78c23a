//! What kind of marketplace.

use std::collections::BTreeSet;

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::catalogue::share;
use crate::config::{SECONDS_PER_DAY, check};
use crate::words::CATEGORIES;

/// Something that a marketplace can have or lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Titles with words of their subject, queries, and graded judgements of which items answer them.
    Text,
    /// Markets with coordinates, home markets of users, and budgets that make an item's price fit or not.
    Places,
    /// Several views a sitting, at times of a daily and weekly rhythm, with dwell times. Without it views are
    /// single and spread evenly over time.
    Sessions,
    /// Bookings and rejections after views.
    Bookings,
    /// Tastes and popularity move in time, and new items are fresh for a while.
    Drift,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::Places,
        Self::Sessions,
        Self::Bookings,
        Self::Drift,
    ];
}

/// How large a marketplace is and what it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketplaceConfig {
    /// Another seed, another marketplace; the same seed, the same bytes.
    pub seed: u64,
    /// Exactly so many views, 1,000 to 200,000,000. Bookings and rejections come on top.
    pub n_views: u64,
    /// 10 to 20,000,000, with at least four views for each.
    pub n_users: u32,
    /// 24 to 5,000,000.
    pub n_items: u32,
    /// First moment, in Unix seconds.
    pub start: i64,
    /// How many days the log covers, at least 2.
    pub n_days: u16,
    /// How many of them, at the end, come after the split; at least 1 and fewer than all.
    pub n_cold_days: u16,
    /// Popularity falls with rank as (rank + 10) to minus this, 0 to 2.
    pub tail_exponent: f64,
    /// Share of users who come after the split, 0 to 0.5.
    pub cold_user_share: f64,
    /// Share of items that are published after the split, 0 to 0.5.
    pub cold_item_share: f64,
    /// Share of items that are published between the start and the split, 0 to 0.5.
    pub new_item_share: f64,
    /// On this day, 1 to `n_days - 1`, popularity is dealt out anew; never, where there is none.
    pub switch_day: Option<u16>,
    /// For how many users the truth is written, spread evenly over all of them.
    pub n_truth_users: u32,
    /// How many queries there are, with [`Part::Text`]; 1 to 10,000.
    pub n_queries: u32,
    /// What there is.
    pub with: BTreeSet<Part>,
}

impl Default for MarketplaceConfig {
    /// A hundred thousand views, with everything.
    fn default() -> Self {
        Self {
            seed: 7,
            n_views: 100_000,
            n_users: 2000,
            n_items: 2500,
            // 2026-01-05, a Monday.
            start: 1_767_571_200,
            n_days: 84,
            n_cold_days: 14,
            tail_exponent: 0.8,
            cold_user_share: 0.03,
            cold_item_share: 0.04,
            new_item_share: 0.15,
            switch_day: None,
            n_truth_users: 1000,
            n_queries: 200,
            with: Part::ALL.into(),
        }
    }
}

impl MarketplaceConfig {
    /// A marketplace in proportion to `n_views`: 50 views a user, and items that grow with their square root.
    pub fn of_size(n_views: u64) -> Self {
        let n_users = u32::try_from(n_views / 50).unwrap_or(u32::MAX);
        let items = crate::catalogue::whole(8.0 * (n_views as f64).sqrt());
        Self {
            n_views,
            n_users: n_users.clamp(10, 20_000_000),
            n_items: items.clamp(24, 5_000_000),
            ..Self::default()
        }
    }

    /// Whether it has this part.
    pub fn has(&self, part: Part) -> bool {
        self.with.contains(&part)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`crate::Error::BadConfig`] for the first setting that is out of its range.
    pub fn validate(&self) -> Result<()> {
        let range = |key, value: u64, from: u64, to: u64| {
            check(key, value, (from..=to).contains(&value), || {
                format!("{from} to {to}")
            })
        };
        range("n_views", self.n_views, 1000, 200_000_000)?;
        range(
            "n_users",
            self.n_users.into(),
            10,
            20_000_000.min(self.n_views / 4),
        )?;
        range("n_items", self.n_items.into(), 24, 5_000_000)?;
        range("n_queries", self.n_queries.into(), 1, 10_000)?;
        // Up to the year 2200, so that no sum of moments overflows.
        let moments = 0..=7_258_118_400;
        check("start", self.start, moments.contains(&self.start), || {
            "Unix seconds from 1970 to 2200".to_owned()
        })?;
        range("n_days", self.n_days.into(), 2, 3660)?;
        let last = u64::from(self.n_days) - 1;
        range("n_cold_days", self.n_cold_days.into(), 1, last)?;
        if let Some(day) = self.switch_day {
            range("switch_day", day.into(), 1, last)?;
        }
        let tail = (0.0..=2.0).contains(&self.tail_exponent);
        check("tail_exponent", self.tail_exponent, tail, || "0 to 2".to_owned())?;
        for (key, value) in [
            ("cold_user_share", self.cold_user_share),
            ("cold_item_share", self.cold_item_share),
            ("new_item_share", self.new_item_share),
        ] {
            check(key, value, (0.0..=0.5).contains(&value), || "0 to 0.5".to_owned())?;
        }
        let later = self.n_cold_items() + self.n_new_items();
        let settled = self.n_items as usize - later.min(self.n_items as usize);
        let n_cells = self.n_topics() * self.n_markets();
        check("new_item_share", self.new_item_share, settled >= n_cells, || {
            format!("so small, with cold_item_share, that {n_cells} items are there from the start")
        })
    }

    /// How many topics there are: eight items each at least, and as many as there are words for at most.
    pub fn n_topics(&self) -> usize {
        (self.n_items as usize / 8).clamp(3, CATEGORIES.len())
    }

    /// How many markets there are: 40 items for each pair of topic and market on average.
    pub fn n_markets(&self) -> usize {
        if self.has(Part::Places) {
            (self.n_items as usize / (40 * self.n_topics())).clamp(1, super::places::NAMES.len())
        } else {
            1
        }
    }

    /// Cold users and cold items turn up from here on: where a temporal split should cut.
    pub fn split_time(&self) -> Time {
        Time::from_millis(self.split() * 1000)
    }

    /// The first moment after the log.
    pub fn end_time(&self) -> Time {
        Time::from_millis(self.end() * 1000)
    }

    pub(crate) fn n_cold_items(&self) -> usize {
        share(self.n_items as usize, self.cold_item_share)
    }

    pub(crate) fn n_new_items(&self) -> usize {
        share(self.n_items as usize, self.new_item_share)
    }

    /// In Unix seconds.
    pub(crate) fn split(&self) -> i64 {
        self.end() - i64::from(self.n_cold_days) * SECONDS_PER_DAY
    }

    /// In Unix seconds.
    pub(crate) fn end(&self) -> i64 {
        self.start + i64::from(self.n_days) * SECONDS_PER_DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn every_setting_has_a_range_and_the_error_names_it() {
        type Change = fn(&mut MarketplaceConfig);
        MarketplaceConfig::default().validate().expect("allowed");
        for n_views in [1000, 12_345, 1_000_000, 200_000_000] {
            MarketplaceConfig::of_size(n_views).validate().expect("allowed");
        }
        let bad: [(&str, Change); 14] = [
            ("n_views", |config| config.n_views = 999),
            ("n_views", |config| config.n_views = 200_000_001),
            ("n_users", |config| config.n_users = 9),
            ("n_users", |config| config.n_users = 25_001),
            ("n_items", |config| config.n_items = 23),
            ("n_queries", |config| config.n_queries = 0),
            ("start", |config| config.start = -1),
            ("n_days", |config| config.n_days = 1),
            ("n_cold_days", |config| config.n_cold_days = 84),
            ("switch_day", |config| config.switch_day = Some(84)),
            ("tail_exponent", |config| config.tail_exponent = f64::NAN),
            ("cold_user_share", |config| config.cold_user_share = 0.6),
            ("cold_item_share", |config| config.cold_item_share = -0.1),
            ("new_item_share", |config| {
                config.cold_item_share = 0.5;
                config.new_item_share = 0.5;
            }),
        ];
        for (expected, change) in bad {
            let mut config = MarketplaceConfig::default();
            change(&mut config);
            match config.validate() {
                Err(Error::BadConfig { key, .. }) => assert_eq!(key, expected),
                answer => panic!("{expected}: {answer:?}"),
            }
        }
    }
}
