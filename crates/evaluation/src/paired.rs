//! Whether one run is better than another on the same users.

use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::config::EvaluateConfig;
use crate::per_user::PerUser;
use crate::resample::{Interval, intervals, stream};

/// How one metric of a run differs from another's, over the same users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The metric, `recall@20`.
    pub metric: String,
    /// Ours minus theirs, mean over users.
    pub difference: f64,
    /// The percentile bootstrap interval of that mean; none without resamples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// How often a difference at least so large, in either direction, would come about if each user's difference
    /// might as well have had the other sign.
    pub p_value: f64,
    /// Users for whom ours is better.
    pub better: usize,
    /// Users for whom theirs is better. The rest are alike.
    pub worse: usize,
}

/// Differences whose p-value is below this are called more than chance.
pub const SIGNIFICANT: f64 = 0.05;

impl PairedDifference {
    /// What it comes to, in a few words: `better, p = 0.012`, `worse, p < 0.001`, `no difference seen, p = 0.340`.
    pub fn verdict(&self) -> String {
        let word = if self.p_value >= SIGNIFICANT {
            "no difference seen"
        } else if self.difference > 0.0 {
            "better"
        } else {
            "worse"
        };
        if self.p_value < 0.001 {
            format!("{word}, p < 0.001")
        } else {
            format!("{word}, p = {:.3}", self.p_value)
        }
    }
}

/// Compares `ours` with `theirs` metric by metric: the mean of users' differences with a paired bootstrap interval, and
/// the p-value of the randomisation test (Fisher 1935; for retrieval Smucker, Allan & Carterette 2007):
/// `p = (1 + #{|T*| ≥ |T|}) / (1 + randomisations)` over random signs of the differences. Nothing is corrected for the
/// number of metrics that are looked at.
///
/// The same bits for any number of threads.
///
/// # Errors
/// [`Error::NotPaired`] when they were judged against different held-out items or by different metrics.
pub fn compare(
    ours: &PerUser,
    theirs: &PerUser,
    config: &EvaluateConfig,
    seed: u64,
) -> Result<Vec<PairedDifference>, Error> {
    let differences = ours.minus(theirs)?;
    let width = ours.names().len();
    let n = ours.n_users();
    let intervals = intervals(&differences, width, config, seed);
    let p_values = p_values(&differences, width, config.randomisations, seed);
    let of_metric = |(position, name): (usize, &String)| {
        let column = || differences.iter().skip(position).step_by(width);
        PairedDifference {
            metric: name.clone(),
            difference: column().map(|&value| f64::from(value)).sum::<f64>() / n.max(1) as f64,
            interval: intervals.get(position).copied(),
            p_value: p_values[position],
            better: column().filter(|&&value| value > 0.0).count(),
            worse: column().filter(|&&value| value < 0.0).count(),
        }
    };
    Ok(ours.names().iter().enumerate().map(of_metric).collect())
}

/// Rows of differences that are dealt with by one draw of 64 signs.
const SIGNS: usize = 64;

fn p_values(differences: &[f32], width: usize, randomisations: usize, seed: u64) -> Vec<f64> {
    // Who does not differ in anything cannot change a sum.
    let rows: Vec<f32> = differences
        .chunks_exact(width)
        .filter(|row| row.iter().any(|&value| value != 0.0))
        .flatten()
        .copied()
        .collect();
    let sum_of = |sign: &dyn Fn(f32) -> f32| {
        let mut sums = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(sign(value));
            }
        }
        sums
    };
    let (observed, sizes) = (sum_of(&|value| value), sum_of(&f32::abs));
    // Sums of the same numbers in another order may differ in their last bits.
    let least: Vec<f64> = observed
        .iter()
        .zip(&sizes)
        .map(|(sum, size)| sum.abs() - 1e-9 * size)
        .collect();
    let extreme = (0..randomisations)
        .into_par_iter()
        .map(|draw| {
            // Other numbers than the bootstrap's.
            let mut random = stream(!seed, draw);
            let mut sums = vec![0.0; width];
            for rows in rows.chunks(SIGNS * width) {
                let mut signs = random.next_u64();
                for row in rows.chunks_exact(width) {
                    let sign = if signs & 1 == 0 { 1.0 } else { -1.0 };
                    signs >>= 1;
                    for (sum, &value) in sums.iter_mut().zip(row) {
                        *sum += sign * f64::from(value);
                    }
                }
            }
            sums.iter()
                .zip(&least)
                .map(|(sum, least)| u64::from(sum.abs() >= *least))
                .collect::<Vec<u64>>()
        })
        .reduce(
            || vec![0; width],
            |mut counts, more| {
                for (count, more) in counts.iter_mut().zip(more) {
                    *count += more;
                }
                counts
            },
        );
    extreme
        .into_iter()
        .map(|count| (1 + count) as f64 / (1 + randomisations) as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_given_only_where_chance_is_unlikely() {
        let verdict = |difference, p_value| {
            let found = PairedDifference {
                metric: "recall@20".to_owned(),
                difference,
                interval: None,
                p_value,
                better: 3,
                worse: 1,
            };
            found.verdict()
        };
        assert_eq!(verdict(0.1, 0.0123), "better, p = 0.012");
        assert_eq!(verdict(-0.1, 0.0001), "worse, p < 0.001");
        assert_eq!(verdict(0.1, 0.05), "no difference seen, p = 0.050");
        assert_eq!(verdict(0.0, 1.0), "no difference seen, p = 1.000");
    }

    fn per_user(values: Vec<f32>, truth: u128) -> PerUser {
        PerUser::new(vec!["recall@10".to_owned()], values, truth).expect("rows")
    }

    fn p_of(differences: &[f32]) -> f64 {
        let theirs = per_user(vec![0.0; differences.len()], 1);
        let config = EvaluateConfig::default();
        let found = compare(&per_user(differences.to_vec(), 1), &theirs, &config, 7).expect("a pair");
        found[0].p_value
    }

    #[test]
    fn few_users_have_the_p_value_that_counting_all_signs_gives() {
        // Of the 2⁴ signs of 1, 2, 3, 4 only all plus and all minus reach 10: 2/16.
        assert!((p_of(&[1.0, 2.0, 3.0, 4.0]) - 0.125).abs() < 0.015);
        // T = 2: of the eight sums of ±1 ±1 ±2 two are 0, the others are as far from 0 as T.
        assert!((p_of(&[1.0, -1.0, 2.0]) - 0.75).abs() < 0.02);
        // Nothing differs: nothing is shown.
        assert!((p_of(&[0.0; 5]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_gain_is_sure_and_its_interval_has_no_width() {
        let ours = per_user(vec![0.75; 40], 1);
        let theirs = per_user(vec![0.5; 40], 1);
        let config = EvaluateConfig::default();
        let found = &compare(&ours, &theirs, &config, 7).expect("a pair")[0];
        assert_eq!((found.better, found.worse), (40, 0));
        assert!((found.difference - 0.25).abs() < 1e-12 && found.p_value < 2e-4);
        let interval = found.interval.expect("resamples");
        assert!((interval.low - 0.25).abs() + (interval.high - 0.25).abs() < 1e-12);
    }

    #[test]
    fn other_truths_and_other_metrics_are_no_pairs() {
        let config = EvaluateConfig::default();
        let ours = per_user(vec![1.0, 0.0], 1);
        let refused = |theirs: &PerUser| {
            compare(&ours, theirs, &config, 7)
                .expect_err("no pair")
                .to_string()
        };
        let truths = "the runs cannot be paired: their held-out items differ";
        assert_eq!(refused(&per_user(vec![1.0, 0.0], 2)), truths);
        assert_eq!(refused(&per_user(vec![1.0], 1)), truths);
        let other = PerUser::new(vec!["ndcg@10".to_owned()], vec![1.0, 0.0], 1).expect("rows");
        assert_eq!(refused(&other), "the runs cannot be paired: their metrics differ");
        assert!(PerUser::new(vec!["a".to_owned(), "b".to_owned()], vec![1.0], 1).is_err());
    }

    #[test]
    fn where_there_is_no_difference_p_values_are_spread_evenly() {
        let mut random = stream(3, 0);
        let mut below = |limit: f64| {
            let differs = |_: &i32| {
                let values: Vec<f32> = (0..40)
                    .map(|_| rand::RngExt::random_range(&mut random, -1.0f32..1.0))
                    .collect();
                p_values(&values, 1, 200, 9)[0] < limit
            };
            (0..400).filter(differs).count()
        };
        let a_tenth = below(0.1);
        assert!((20..=64).contains(&a_tenth), "{a_tenth} of 400 below 0.1");
    }
}
