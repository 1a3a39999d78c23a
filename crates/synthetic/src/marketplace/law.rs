//! The law of the marketplace: how likely a view, a booking and a rejection are.
//!
//! A view at the moment t by user u falls on item i of market m and topic τ with
//!
//! ```text
//! (1)  P(i | u, t) = P(m | u) · P(τ | u, t) · appeal_i(t) fit(u, i) / Σ_j∈(m, τ) appeal_j(t) fit(u, j)
//! (2)  P(m | u)    = 0.7 [m is u's home] + 0.3 appeal_m
//! (3)  P(τ | u, t) = 0.5 (1 - d) [τ = τ₁] + 0.5 d [τ = τ₃] + 0.25 [τ = τ₂] + 0.25 trend_τ(t)
//! (4)  fit(u, i)   = 0.1 + 0.9 exp(-½ (level_i - budget_u)² / s²),  s = 1.2 for dearer items, 2.5 for cheaper
//! ```
//!
//! d is the drift, 0.8 times the part of the log that has passed. Within a session the market stays, and a view keeps
//! the topic of the session's first view with probability 0.6; otherwise it draws by (3). A viewed item is liked by
//!
//! ```text
//! (5)  preference(u, i, t) = 0.5 affinity_τ(u, t) + 0.3 fit(u, i) + 0.2 quality_i,       rounded to 1/1024
//! (6)  P(booking)   = 1 / (1 + exp(6 - 7 preference))
//! (7)  P(rejection) = (1 - P(booking)) · 0.3 (1 - preference)²
//! (8)  dwell        = 12 s · exp(1.6 preference + 0.7 z),  z standard normal; kept within 1 to 170 s
//! ```

use super::config::Part;
use super::listings::LEVELS;
use super::{MarketplaceConfig, places::Market};
use crate::catalogue::whole;
use crate::config::SECONDS_PER_DAY;
use crate::stream::{Purpose, Stream};

/// P(home), in (2).
const AT_HOME: f64 = 0.7;
/// The shares of (3).
const FIRST: f64 = 0.5;
const SECOND: f64 = 0.25;
const TREND: f64 = 0.25;
/// d at the end of the log.
const DRIFT: f64 = 0.8;
/// How likely a view keeps the session's topic.
pub(crate) const FOCUS: f64 = 0.6;
/// Preferences are whole multiples of 1 / GRID.
const GRID: usize = 1024;
/// Days for a topic's season to come round.
const SEASON_DAYS: f64 = 45.0;

/// The formulas, as tables: nothing transcendental is left for the single event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Law {
    /// By budget, then level.
    fits: [[f64; LEVELS]; LEVELS],
    bookings: Vec<f64>,
    rejections: Vec<f64>,
    dwells: Vec<f64>,
    scatter: Vec<f64>,
    /// By day, then topic; each day sums to 1.
    trends: Vec<Vec<f64>>,
    appeals: Vec<f64>,
    start: i64,
    seconds: f64,
    drift: f64,
}

impl Law {
    pub(crate) fn new(config: &MarketplaceConfig, markets: &[Market]) -> Self {
        let mut fits = [[1.0; LEVELS]; LEVELS];
        if config.has(Part::Places) {
            for (budget, row) in fits.iter_mut().enumerate() {
                for (level, fit) in row.iter_mut().enumerate() {
                    let distance = level as f64 - budget as f64;
                    let scaled = distance / if distance > 0.0 { 1.2 } else { 2.5 };
                    *fit = 0.1 + 0.9 * libm::exp(-0.5 * scaled * scaled);
                }
            }
        }
        let preferences = || (0..=GRID).map(|step| step as f64 / GRID as f64);
        let bookings: Vec<f64> = preferences()
            .map(|preference| 1.0 / (1.0 + libm::exp(6.0 - 7.0 * preference)))
            .collect();
        let rejections = preferences()
            .zip(&bookings)
            .map(|(preference, booking)| (1.0 - booking) * 0.3 * (1.0 - preference) * (1.0 - preference))
            .collect();
        let dwells = preferences()
            .map(|preference| 12_000.0 * libm::exp(1.6 * preference))
            .collect();
        let scatter = (0..GRID)
            .map(|step| libm::exp(0.7 * normal_quantile((step as f64 + 0.5) / GRID as f64)))
            .collect();
        let drifts = config.has(Part::Drift);
        Self {
            fits,
            bookings,
            rejections,
            dwells,
            scatter,
            trends: trends(config, drifts),
            appeals: markets.iter().map(|market| market.appeal).collect(),
            start: config.start,
            seconds: (config.end() - config.start) as f64,
            drift: if drifts { DRIFT } else { 0.0 },
        }
    }

    /// d, at a moment in Unix seconds.
    pub(crate) fn drift(&self, second: f64) -> f64 {
        self.drift * ((second - self.start as f64) / self.seconds).clamp(0.0, 1.0)
    }

    /// (2).
    pub(crate) fn market(&self, home: usize, market: usize) -> f64 {
        let home = if home == market { AT_HOME } else { 0.0 };
        home + (1.0 - AT_HOME) * self.appeals[market]
    }

    /// (2), as a draw.
    pub(crate) fn draw_market(&self, home: usize, stream: &mut Stream) -> usize {
        if stream.uniform() < AT_HOME {
            return home;
        }
        pick(&self.appeals, stream.uniform())
    }

    /// (3).
    pub(crate) fn topic(&self, topics: &[usize; 3], topic: usize, second: f64) -> f64 {
        let drift = self.drift(second);
        let liked = if topic == topics[0] {
            FIRST * (1.0 - drift)
        } else if topic == topics[1] {
            SECOND
        } else if topic == topics[2] {
            FIRST * drift
        } else {
            0.0
        };
        liked + TREND * self.trend(second)[topic]
    }

    /// (3), as a draw.
    pub(crate) fn draw_topic(&self, topics: &[usize; 3], second: f64, stream: &mut Stream) -> usize {
        let draw = stream.uniform();
        if draw < FIRST {
            topics[if draw < FIRST * self.drift(second) { 2 } else { 0 }]
        } else if draw < FIRST + SECOND {
            topics[1]
        } else {
            pick(self.trend(second), stream.uniform())
        }
    }

    /// The general interest in each topic; 1 in sum. Before and after the log it is that of its ends.
    pub(crate) fn trend(&self, second: f64) -> &[f64] {
        let day = whole((second - self.start as f64) / SECONDS_PER_DAY as f64) as usize;
        &self.trends[day.min(self.trends.len() - 1)]
    }

    /// (4).
    pub(crate) fn fit(&self, budget: usize, level: usize) -> f64 {
        self.fits[budget][level]
    }

    /// The affinity in (5): 1 for the best topic, 0.6 for the second, 0.15 for any; drift moves the best one's.
    pub(crate) fn affinity(topics: &[usize; 3], topic: usize, drift: f64) -> f64 {
        if topic == topics[0] {
            0.15 + 0.85 * (1.0 - drift)
        } else if topic == topics[1] {
            0.6
        } else if topic == topics[2] {
            0.15 + 0.85 * drift
        } else {
            0.15
        }
    }

    /// (5), from 0 to 1.
    pub(crate) fn preference(affinity: f64, fit: f64, quality: f64) -> f64 {
        let exact = 0.5 * affinity + 0.3 * fit + 0.2 * quality;
        step(exact) as f64 / GRID as f64
    }

    /// (6).
    pub(crate) fn booking(&self, preference: f64) -> f64 {
        self.bookings[step(preference)]
    }

    /// (7).
    pub(crate) fn rejection(&self, preference: f64) -> f64 {
        self.rejections[step(preference)]
    }

    /// (8), as a draw, in milliseconds.
    pub(crate) fn draw_dwell(&self, preference: f64, stream: &mut Stream) -> u32 {
        let dwell = self.dwells[step(preference)] * self.scatter[stream.below(GRID)];
        whole(dwell.clamp(1000.0, 170_000.0))
    }
}

fn step(preference: f64) -> usize {
    (whole(preference * GRID as f64 + 0.5) as usize).min(GRID)
}

/// Where `draw`, from 0 to 1, falls among shares that sum to 1.
fn pick(shares: &[f64], draw: f64) -> usize {
    let mut left = draw;
    for (place, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return place;
        }
    }
    shares.len() - 1
}

fn trends(config: &MarketplaceConfig, drifts: bool) -> Vec<Vec<f64>> {
    let n_topics = config.n_topics();
    let phases: Vec<f64> = (0..n_topics)
        .map(|topic| Stream::new(config.seed, Purpose::Season, topic).uniform())
        .collect();
    (0..config.n_days)
        .map(|day| {
            let mut shares: Vec<f64> = phases
                .iter()
                .enumerate()
                .map(|(topic, phase)| {
                    let turn = std::f64::consts::TAU * (f64::from(day) / SEASON_DAYS + phase);
                    let season = if drifts { 1.0 + 0.7 * libm::cos(turn) } else { 1.0 };
                    season / (topic + 2) as f64
                })
                .collect();
            let total: f64 = shares.iter().sum();
            for share in &mut shares {
                *share /= total;
            }
            shares
        })
        .collect()
}

/// Where the standard normal distribution reaches `probability`, by bisection.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}
