//! The items for sale.

use catchment_schema::Time;

use super::MarketplaceConfig;
use super::alias::AliasTables;
use super::config::Part;
use super::places::Market;
use crate::catalogue::whole;
use crate::config::SECONDS_PER_DAY;
use crate::stream::{Purpose, Stream};

/// Prices are told apart in so many levels, of equally many items each.
pub(crate) const LEVELS: usize = 8;
/// And qualities.
pub(crate) const QUALITIES: u8 = 16;
/// Added to ranks, so that the first item does not have everything (Mandelbrot 1953).
const RANK_SHIFT: f64 = 10.0;
/// How many days an item stays fresh, about.
const FRESH_DAYS: f64 = 14.0;
/// How popular an old item is, with drift, beside a new one of the same rank.
const OLD: f64 = 0.25;

/// All items, column by column; a cell is a pair of market and topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listings {
    cells: Vec<u16>,
    published: Vec<i64>,
    price_cents: Vec<u32>,
    levels: Vec<u8>,
    qualities: Vec<u8>,
    /// By item: popularity before the switch, and after it where there is one.
    weights: Vec<Vec<f64>>,
    /// Items by cell.
    members: Vec<u32>,
    offsets: Vec<usize>,
    tables: Vec<AliasTables>,
    switch: i64,
    drifts: bool,
    n_topics: usize,
}

impl Listings {
    pub(crate) fn new(config: &MarketplaceConfig, markets: &[Market]) -> Self {
        let (n_items, n_topics) = (config.n_items as usize, config.n_topics());
        let n_cells = n_topics * markets.len();
        let topic_prices: Vec<f64> = (0..n_topics)
            .map(|topic| 2000.0 * libm::exp2(3.0 * Stream::new(config.seed, Purpose::Topic, topic).uniform()))
            .collect();
        let mut listings = Self {
            cells: Vec::with_capacity(n_items),
            published: published(config, n_cells),
            price_cents: Vec::with_capacity(n_items),
            levels: Vec::with_capacity(n_items),
            qualities: Vec::with_capacity(n_items),
            weights: Vec::new(),
            members: Vec::new(),
            offsets: Vec::new(),
            tables: Vec::new(),
            switch: config
                .switch_day
                .map_or(i64::MAX, |day| config.start + i64::from(day) * SECONDS_PER_DAY),
            drifts: config.has(Part::Drift),
            n_topics,
        };
        for item in 0..n_items {
            let mut stream = Stream::new(config.seed, Purpose::Listing, item);
            let (market, topic) = (stream.long_tail(markets.len()), stream.long_tail(n_topics));
            // The first ones found the cells, so that none is ever empty.
            let cell = if item < n_cells {
                item
            } else {
                market * n_topics + topic
            };
            let dearness = stream.normal();
            let typical = topic_prices[cell % n_topics] * markets[cell / n_topics].price_factor;
            let level = LEVELS as f64 * 0.5 * libm::erfc(-dearness / std::f64::consts::SQRT_2);
            listings.cells.push(u16::try_from(cell).unwrap_or(u16::MAX));
            listings
                .price_cents
                .push(whole(typical * libm::exp(0.6 * dearness)).max(1));
            listings.levels.push(byte(level.min(LEVELS as f64 - 1.0)));
            listings
                .qualities
                .push(byte(f64::from(QUALITIES) * stream.uniform()));
        }
        listings.sort_into_cells(n_cells);
        for phase in 0..=usize::from(config.switch_day.is_some()) {
            let ranks = Stream::new(config.seed, Purpose::Ranks, 1 + phase).permutation(n_items);
            let weights: Vec<f64> = ranks
                .into_iter()
                .map(|rank| libm::pow(rank as f64 + RANK_SHIFT, -config.tail_exponent))
                .collect();
            let by_place: Vec<f64> = listings
                .members
                .iter()
                .map(|&item| weights[item as usize])
                .collect();
            listings
                .tables
                .push(AliasTables::new(&by_place, &listings.offsets));
            listings.weights.push(weights);
        }
        listings
    }

    fn sort_into_cells(&mut self, n_cells: usize) {
        self.offsets = vec![0; n_cells + 1];
        for &cell in &self.cells {
            self.offsets[usize::from(cell) + 1] += 1;
        }
        for cell in 0..n_cells {
            self.offsets[cell + 1] += self.offsets[cell];
        }
        self.members = vec![0; self.cells.len()];
        let mut next = self.offsets.clone();
        for (item, &cell) in (0u32..).zip(&self.cells) {
            self.members[next[usize::from(cell)]] = item;
            next[usize::from(cell)] += 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(crate) fn cell(&self, item: usize) -> usize {
        usize::from(self.cells[item])
    }

    pub(crate) fn market(&self, item: usize) -> usize {
        self.cell(item) / self.n_topics
    }

    pub(crate) fn topic(&self, item: usize) -> usize {
        self.cell(item) % self.n_topics
    }

    pub(crate) fn price_cents(&self, item: usize) -> u32 {
        self.price_cents[item]
    }

    pub(crate) fn level(&self, item: usize) -> usize {
        usize::from(self.levels[item])
    }

    /// From 0 to 1.
    pub(crate) fn quality(&self, item: usize) -> f64 {
        (f64::from(self.qualities[item]) + 0.5) / f64::from(QUALITIES)
    }

    pub(crate) fn published_at(&self, item: usize) -> Time {
        Time::from_millis(self.published[item] * 1000)
    }

    /// How fresh an item is at a moment (Unix seconds): 0 before it is published, then from 1 down.
    pub(crate) fn freshness(&self, item: usize, second: f64) -> f64 {
        let age = second - self.published[item] as f64;
        if age < 0.0 {
            0.0
        } else if self.drifts {
            OLD + (1.0 - OLD) / (1.0 + age / (FRESH_DAYS * SECONDS_PER_DAY as f64))
        } else {
            1.0
        }
    }

    /// Popularity at a moment, price and taste aside.
    pub(crate) fn appeal(&self, item: usize, second: f64) -> f64 {
        self.weights[self.phase(second)][item] * self.freshness(item, second)
    }

    /// Draws from a cell in proportion to [`Self::appeal`] times `fit`, which is at most 1 and never 0.
    pub(crate) fn draw(
        &self,
        cell: usize,
        second: f64,
        fit: impl Fn(usize) -> f64,
        stream: &mut Stream,
    ) -> usize {
        let table = &self.tables[self.phase(second)];
        let (from, to) = (self.offsets[cell], self.offsets[cell + 1]);
        // Rejection: the founder of the cell can always be taken, so this ends.
        loop {
            let item = self.members[table.draw(from, to, stream)] as usize;
            let freshness = self.freshness(item, second);
            if freshness > 0.0 && stream.uniform() < freshness * fit(item) {
                return item;
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let weights: usize = self.weights.iter().map(|weights| size_of_val(&**weights)).sum();
        let tables: usize = self.tables.iter().map(AliasTables::bytes).sum();
        size_of_val(&*self.cells)
            + size_of_val(&*self.published)
            + size_of_val(&*self.price_cents)
            + size_of_val(&*self.levels)
            + size_of_val(&*self.qualities)
            + size_of_val(&*self.members)
            + weights
            + tables
    }

    fn phase(&self, second: f64) -> usize {
        usize::from(second >= self.switch as f64)
    }
}

/// When each item is published, in Unix seconds; the first `n_founders` before the start.
fn published(config: &MarketplaceConfig, n_founders: usize) -> Vec<i64> {
    let n_items = config.n_items as usize;
    let order = Stream::new(config.seed, Purpose::Ranks, 0).permutation(n_items);
    let (n_cold, n_new) = (config.n_cold_items(), config.n_new_items());
    let later = order.into_iter().filter(|&item| item >= n_founders);
    let mut published = vec![None; n_items];
    for (place, item) in later.take(n_cold + n_new).enumerate() {
        published[item] = Some(place < n_cold);
    }
    let last = config.split() + (config.end() - config.split()) / 2;
    let earliest = (config.start - 365 * SECONDS_PER_DAY).max(0);
    (0..n_items)
        .map(|item| {
            let mut stream = Stream::new(config.seed, Purpose::Published, item);
            match published[item] {
                Some(true) => stream.between(config.split(), last),
                Some(false) => stream.between(config.start, config.split()),
                None => stream.between(earliest, config.start),
            }
        })
        .collect()
}

/// Rounds down; saturates at the ends of the type.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion from float saturates, which is what is wanted"
)]
fn byte(value: f64) -> u8 {
    value as u8
}
