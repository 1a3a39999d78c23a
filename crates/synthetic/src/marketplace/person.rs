//! The users. None is kept in memory: each is made again from its number when it is wanted.

use super::MarketplaceConfig;
use super::calendar::Calendar;
use super::law::Law;
use super::listings::LEVELS;
use super::places::Market;
use crate::catalogue::whole;
use crate::stream::{Purpose, Stream};
use crate::words::COUNTRIES;

/// Activity is Pareto with this exponent, cut at [`MOST_ACTIVE`] times the least: the median is about three times the
/// least, the mean about eleven times.
pub(crate) const ACTIVITY_EXPONENT: f64 = 0.6;
pub(crate) const MOST_ACTIVE: f64 = 200.0;

/// A user, and what only the world knows of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// In years.
    pub age: u32,
    /// Two letters.
    pub country: &'static str,
    /// Position in [`super::Marketplace::markets`].
    pub home: usize,
    /// Whether all their events come after the split.
    pub is_cold: bool,
    /// Truth: the topic they like best, the second, and the one that takes the place of the best with drift.
    pub topics: [usize; 3],
    /// Truth: which price level, 0 to 7, they like best.
    pub budget: usize,
    /// Truth: their first moment, in Unix seconds.
    pub joined: i64,
    /// Truth: how active they are while they are there; 1 to 200.
    pub activity: f64,
}

impl Person {
    pub(crate) fn new(
        config: &MarketplaceConfig,
        calendar: &Calendar,
        markets: &[Market],
        user: u32,
    ) -> Self {
        let mut stream = Stream::new(config.seed, Purpose::Person, user as usize);
        let home = stream.long_tail(markets.len());
        let country = COUNTRIES[stream.long_tail(COUNTRIES.len())];
        let age = 16 + whole(64.0 * (stream.uniform() + stream.uniform()) / 2.0);
        let n_topics = config.n_topics();
        let first = stream.long_tail(n_topics);
        let second = (first + 1 + stream.below(n_topics - 1)) % n_topics;
        // One of the others.
        let (low, high) = (first.min(second), first.max(second));
        let mut third = stream.below(n_topics - 2);
        third += usize::from(third >= low);
        third += usize::from(third >= high);
        let budget = usize::midpoint(stream.below(LEVELS), stream.below(LEVELS));
        let left = 1.0 - stream.uniform() * (1.0 - libm::pow(MOST_ACTIVE, -ACTIVITY_EXPONENT));
        let activity = libm::pow(left, -1.0 / ACTIVITY_EXPONENT);
        let is_cold = is_cold(config, user);
        let joined = if is_cold {
            let last = config.split() + (config.end() - config.split()) / 2;
            calendar.draw(config.split(), last, &mut stream)
        } else {
            let last = config.start + (config.split() - config.start) * 3 / 10;
            calendar.draw(config.start, last, &mut stream)
        };
        Self {
            age,
            country,
            home,
            is_cold,
            topics: [first, second, third],
            budget,
            joined,
            activity,
        }
    }

    /// In proportion to how many views they have.
    pub(crate) fn weight(&self, config: &MarketplaceConfig) -> f64 {
        self.activity * (config.end() - self.joined) as f64
    }

    /// How much they like a topic in itself, from 0.15 to 1, where the drift (0 to 1) has come so far.
    pub(crate) fn affinity(&self, topic: usize, drift: f64) -> f64 {
        Law::affinity(&self.topics, topic, drift)
    }
}

/// Spread evenly over the numbers, exactly the share.
fn is_cold(config: &MarketplaceConfig, user: u32) -> bool {
    let before = |user: u32| whole(f64::from(user) * config.cold_user_share);
    before(user + 1) > before(user)
}
