//! The markets: where they lie and what things cost there.

use crate::stream::{Purpose, Stream};

/// Names of invented towns; as many markets as there can be.
pub(crate) const NAMES: [&str; 12] = [
    "Ashmere",
    "Brightholm",
    "Coldwick",
    "Dunfell",
    "Elmhaven",
    "Fernport",
    "Greycombe",
    "Highmarsh",
    "Ivyholt",
    "Junipera",
    "Kestrelby",
    "Larkstow",
];

/// A market.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// Its name.
    pub name: &'static str,
    /// Of its centre, in degrees.
    pub latitude: f64,
    /// Of its centre, in degrees.
    pub longitude: f64,
    /// Truth: how dear it is, 1 to 2.
    pub price_factor: f64,
    /// Truth: the share of sessions away from home that go there.
    pub appeal: f64,
}

/// The markets, the largest first, on a grid that is shaken so that no two centres meet.
pub(crate) fn markets(seed: u64, n_markets: usize) -> Vec<Market> {
    let cells = Stream::new(seed, Purpose::Market, 0).permutation(NAMES.len());
    let total: f64 = (0..n_markets).map(|rank| 1.0 / (rank + 2) as f64).sum();
    (0..n_markets)
        .map(|market| {
            let mut stream = Stream::new(seed, Purpose::Market, 1 + market);
            let (row, column) = ((cells[market] / 4) as f64, (cells[market] % 4) as f64);
            Market {
                name: NAMES[market],
                latitude: 42.0 + 5.0 * row + 2.0 * stream.uniform(),
                longitude: -4.0 + 8.0 * column + 4.0 * stream.uniform(),
                price_factor: 1.0 + stream.uniform(),
                appeal: 1.0 / (market + 2) as f64 / total,
            }
        })
        .collect()
}

/// Where an item lies: around the centre of its market, in degrees.
pub(crate) fn place(seed: u64, market: &Market, item: usize) -> (f64, f64) {
    let mut stream = Stream::new(seed, Purpose::Place, item);
    let latitude = market.latitude + 0.45 * stream.normal();
    (latitude, market.longitude + 0.65 * stream.normal())
}
