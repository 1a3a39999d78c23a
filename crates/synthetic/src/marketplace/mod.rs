//! A marketplace of any size whose truth is known: places and prices, sessions, bookings and rejections, text, drift.
//!
//! [`crate::World`] keeps every event and compares every user with every item; this one is for 1,000 to 200 million
//! views. A user is made again from their number whenever they are wanted, an item is drawn in constant time, and the
//! log is written shard by shard, so that memory is bounded by the items (40 bytes each, 60 with a switch of popularity)
//! and the users (a quarter of a byte each), not by the events.
//!
//! The law is in [`law`]; every probability in it can be asked for, and the ideal lists follow.
//!
//! ```
//! use catchment_synthetic::marketplace::{Marketplace, MarketplaceConfig};
//!
//! let market = Marketplace::new(&MarketplaceConfig::of_size(5_000))?;
//! let events = market.events_of(3);
//! let first = events.first().expect("everybody views something");
//! println!("{} {}", market.title(first.item as usize), first.kind.word());
//! let ceiling = market.view_ceiling(20, 0..100);
//! assert!(ceiling.recall > 0.0 && ceiling.recall < 1.0);
//! # Ok::<(), catchment_synthetic::Error>(())
//! ```

mod alias;
mod calendar;
mod ceiling;
mod columns;
mod config;
mod crowd;
pub mod law;
mod listings;
mod oracle;
mod person;
mod places;
mod row_groups;
mod text;
mod text_file;
mod truth;
mod walk;
mod write;

use std::ops::Range;

use catchment_schema::Time;

pub use ceiling::LabelCeiling;
pub use config::{MarketplaceConfig, Part};
pub use oracle::{Label, Question, SessionContext};
pub use person::Person;
pub use places::Market;
pub use text::Query;
pub use walk::{Happening, HappeningKind};
pub use write::{MarketplaceFiles, MarketplaceSize};

use crate::Result;
use crate::words::CATEGORIES;
use calendar::Calendar;
use crowd::Crowd;
use law::Law;
use listings::Listings;

/// A marketplace whose truth is known.
///
/// # Laws
/// 1. The same configuration gives the same events, bit by bit, on every machine and for any number of threads.
/// 2. There are exactly `n_views` views. A booking or rejection comes right after a view of the same item in the same
///    session, one at most.
/// 3. Nobody views an item before it is published. No event of a cold user, and none with a cold item, comes before the
///    split; everybody else has a view before it.
/// 4. A user's events are ordered by time, no two in one moment; between the last view of a session and the next session
///    lie more than 30 minutes.
/// 5. Each view and its outcome were drawn by [`law`].
#[derive(Clone, Debug, PartialEq)]
pub struct Marketplace {
    config: MarketplaceConfig,
    markets: Vec<Market>,
    calendar: Calendar,
    law: Law,
    listings: Listings,
    crowd: Crowd,
}

impl Marketplace {
    /// Makes items and deals the views out to the users; no event is made yet. Time and memory grow with
    /// `n_users + n_items`.
    ///
    /// # Errors
    /// [`crate::Error::BadConfig`].
    pub fn new(config: &MarketplaceConfig) -> Result<Self> {
        config.validate()?;
        let markets = places::markets(config.seed, config.n_markets());
        let calendar = if config.has(Part::Sessions) {
            Calendar::rhythm()
        } else {
            Calendar::flat()
        };
        Ok(Self {
            law: Law::new(config, &markets),
            listings: Listings::new(config, &markets),
            crowd: Crowd::new(config, &calendar, &markets)?,
            config: config.clone(),
            markets,
            calendar,
        })
    }

    /// What was asked for.
    pub fn config(&self) -> &MarketplaceConfig {
        &self.config
    }

    /// The markets, the largest first; one without a place where [`Part::Places`] is lacking.
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// How many topics there are; they have the names of [`Marketplace::topic_name`].
    pub fn n_topics(&self) -> usize {
        self.config.n_topics()
    }

    /// The name of a topic, as in the items' `category`.
    ///
    /// # Panics
    /// When there is no such topic.
    pub fn topic_name(&self, topic: usize) -> &'static str {
        CATEGORIES[topic].name
    }

    /// A user, made from their number.
    pub fn person(&self, user: u32) -> Person {
        Person::new(&self.config, &self.calendar, &self.markets, user)
    }

    /// The topic of an item.
    ///
    /// # Panics
    /// When there is no such item; so do the next ones.
    pub fn topic_of(&self, item: usize) -> usize {
        self.listings.topic(item)
    }

    /// The market of an item.
    pub fn market_of(&self, item: usize) -> usize {
        self.listings.market(item)
    }

    /// Latitude and longitude of an item, in degrees.
    pub fn place_of(&self, item: usize) -> (f64, f64) {
        let market = &self.markets[self.market_of(item)];
        places::place(self.config.seed, market, item)
    }

    /// Price in hundredths.
    pub fn price_cents_of(&self, item: usize) -> u32 {
        self.listings.price_cents(item)
    }

    /// When an item is published.
    pub fn published_at(&self, item: usize) -> Time {
        self.listings.published_at(item)
    }

    /// Truth: how much a user likes an item at a moment, 0 to 1 (equation 5 of [`law`]).
    pub fn preference_for(&self, user: u32, item: usize, at: Time) -> f64 {
        self.preference(&self.person(user), item, seconds(at))
    }

    /// Truth: the probability that a view at this preference ends in a booking (equation 6 of [`law`]).
    pub fn booking_probability(&self, preference: f64) -> f64 {
        self.law.booking(preference)
    }

    /// Truth: the probability that a view at this preference ends in a rejection (equation 7 of [`law`]).
    pub fn rejection_probability(&self, preference: f64) -> f64 {
        self.law.rejection(preference)
    }

    /// Everything that a user does, oldest first. Nothing for a number that nobody has.
    pub fn events_of(&self, user: u32) -> Vec<Happening> {
        let mut events = Vec::new();
        if user < self.config.n_users {
            let users = Crowd::block_start(user)..user + 1;
            if let Some((person, n_views)) = self.counts(users).last() {
                self.walk(user, person, *n_views, &mut events);
            }
        }
        events
    }

    /// Truth: how busy a moment is beside the average of a week, in sessions begun.
    pub fn intensity(&self, at: Time) -> f64 {
        self.calendar.intensity(seconds(at))
    }

    /// Runs of users with about equally many views: the pieces in which the log is made. Each can be given to
    /// [`Marketplace::events_of_shard`].
    pub fn shards(&self) -> Vec<Range<u32>> {
        self.crowd.shards()
    }

    /// The events of a shard, by user, then by time.
    pub fn events_of_shard(&self, shard: Range<u32>) -> Vec<Happening> {
        let mut events = Vec::new();
        for (user, (person, n_views)) in shard.clone().zip(self.counts(shard)) {
            self.walk(user, &person, n_views, &mut events);
        }
        events
    }

    /// Bytes that the marketplace holds, whatever the number of events: mostly its items'.
    pub fn bytes(&self) -> usize {
        self.listings.bytes() + self.crowd.bytes()
    }

    /// `users` begins with a block.
    fn counts(&self, users: Range<u32>) -> Vec<(Person, u64)> {
        self.crowd.counts(users, |user| {
            let person = self.person(user);
            let weight = person.weight(&self.config);
            (person, weight)
        })
    }
}

/// Unix seconds.
fn seconds(time: Time) -> f64 {
    time.millis().unwrap_or_default() as f64 / 1000.0
}
