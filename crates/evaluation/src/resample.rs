//! Intervals of means by resampling users.
//!
//! The percentile bootstrap (Efron & Tibshirani 1993, chapter 13): `resamples` times, as many users as there are are
//! drawn with replacement and their means taken; an interval holds the middle `confidence` of those means. Users are
//! resampled whole, so that the intervals of several metrics, lists and cut-offs belong to the same draws. It says how
//! much the number would move with other users of the same kind; not with another split, seed or season.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config::EvaluateConfig;

/// Where a mean may lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The random numbers of one resample, whichever thread draws it.
pub(crate) fn stream(seed: u64, position: usize) -> Xoshiro256PlusPlus {
    // The golden ratio in 64 bits: neighbouring positions get distant seeds.
    Xoshiro256PlusPlus::seed_from_u64(seed ^ (position as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// An interval of each column's mean; none with `config.resamples` 0 or without rows. The same bits for any number of
/// threads.
///
/// # Shapes
/// `rows`: `[n, width]`, row-major.
pub fn intervals(rows: &[f32], width: usize, config: &EvaluateConfig, seed: u64) -> Vec<Interval> {
    let n = rows.len() / width.max(1);
    if n == 0 || config.resamples == 0 {
        return Vec::new();
    }
    let means: Vec<Vec<f64>> = (0..config.resamples)
        .into_par_iter()
        .map(|resample| {
            let mut random = stream(seed, resample);
            let mut sums = vec![0.0; width];
            for _ in 0..n {
                let drawn = random.random_range(0..n);
                let row = &rows[drawn * width..][..width];
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += f64::from(value);
                }
            }
            sums.into_iter().map(|sum| sum / n as f64).collect()
        })
        .collect();
    let tail = (1.0 - config.confidence) / 2.0;
    let mut column = Vec::with_capacity(means.len());
    let of_column = |position: usize| {
        column.clear();
        column.extend(means.iter().map(|row| row[position]));
        column.sort_unstable_by(f64::total_cmp);
        Interval {
            low: quantile(&column, tail),
            high: quantile(&column, 1.0 - tail),
        }
    };
    (0..width).map(of_column).collect()
}

/// Between the two nearest of sorted values, as numpy does by default.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1 of a length is a place"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(resamples: usize, confidence: f64) -> EvaluateConfig {
        EvaluateConfig {
            resamples,
            confidence,
            ..EvaluateConfig::default()
        }
    }

    fn normal(n: usize, seed: u64) -> Vec<f32> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        // Twelve uniforms: mean 6, variance 1.
        (0..n)
            .map(|_| (0..12).map(|_| random.random::<f32>()).sum())
            .collect()
    }

    #[test]
    fn quantiles_lie_between_the_nearest_values() {
        assert!((quantile(&[1.0, 2.0, 4.0], 0.75) - 3.0).abs() < 1e-12);
        assert!((quantile(&[5.0], 0.3) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn an_interval_has_the_width_that_the_spread_and_the_number_of_users_give_it() {
        let rows = normal(2000, 1);
        let found = intervals(&rows, 1, &config(2000, 0.95), 7)[0];
        let expected = 2.0 * 1.96 / 2000f64.sqrt();
        let width = found.high - found.low;
        assert!(
            (width / expected - 1.0).abs() < 0.1,
            "{width} instead of {expected}"
        );
        let wider = intervals(&rows, 1, &config(2000, 0.99), 7)[0];
        assert!(wider.low < found.low && found.high < wider.high);
    }

    #[test]
    fn about_95_of_100_intervals_hold_the_truth() {
        let holds = |seed: u64| {
            let found = intervals(&normal(200, seed), 1, &config(400, 0.95), seed)[0];
            (found.low..=found.high).contains(&6.0)
        };
        let holding = (0..300).filter(|&seed| holds(seed)).count();
        assert!((270..=298).contains(&holding), "{holding} of 300");
    }

    #[test]
    fn one_thread_and_three_give_the_same_bits_and_another_seed_others() {
        let rows = normal(600, 3);
        let with = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool")
                .install(|| intervals(&rows, 2, &config(100, 0.9), seed))
        };
        assert_eq!(with(1, 5), with(3, 5));
        assert_ne!(with(1, 5), with(1, 6));
        assert!(intervals(&rows, 2, &config(0, 0.9), 5).is_empty());
    }
}
