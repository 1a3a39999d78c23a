//! Isotonic regression: the best curve that never falls.

use serde::{Deserialize, Serialize};

/// The probabilities nearest to the labels in weighted squared error among all that rise with the log-odds, found by
/// pooling adjacent violators (Barlow et al. 1972). Each pool becomes one knot at its mean log-odds, and the curve is
/// linear between knots rather than a staircase, so that candidates within a pool keep their order; before the first
/// and after the last knot it is flat. Pools of one label are kept off 0 and 1 as Platt's targets are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isotonic {
    /// Knots, rising.
    pub logits: Vec<f64>,
    /// The probability at each knot, in [0, 1], never falling.
    pub probabilities: Vec<f64>,
}

struct Pool {
    weight: f64,
    mean_logit: f64,
    mean_label: f64,
}

impl Pool {
    fn absorb(&mut self, other: &Self) {
        let weight = self.weight + other.weight;
        self.mean_logit += (other.mean_logit - self.mean_logit) * (other.weight / weight);
        self.mean_label += (other.mean_label - self.mean_label) * (other.weight / weight);
        self.weight = weight;
    }
}

impl Isotonic {
    pub(super) fn fit(logits: &[f64], labels: &[f64], weights: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..logits.len()).filter(|&row| weights[row] > 0.0).collect();
        order.sort_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(a.cmp(&b)));
        let mut pools: Vec<Pool> = Vec::new();
        for row in order {
            let mut pool = Pool {
                weight: weights[row],
                mean_logit: logits[row],
                mean_label: labels[row],
            };
            while let Some(last) =
                pools.pop_if(|last| last.mean_label >= pool.mean_label || last.mean_logit >= pool.mean_logit)
            {
                pool.absorb(&last);
            }
            pools.push(pool);
        }
        let margin = 1.0 / (weights.len() as f64 + 2.0);
        Self {
            logits: pools.iter().map(|pool| pool.mean_logit).collect(),
            probabilities: pools
                .iter()
                .map(|pool| pool.mean_label.clamp(margin, 1.0 - margin))
                .collect(),
        }
    }

    pub(super) fn probability(&self, logit: f64) -> f64 {
        let after = self.logits.partition_point(|&knot| knot <= logit);
        let (Some(&low), Some(&high)) = (
            self.probabilities.get(after.wrapping_sub(1)),
            self.probabilities.get(after),
        ) else {
            let end = if after == 0 {
                self.probabilities.first()
            } else {
                self.probabilities.last()
            };
            return end.copied().unwrap_or(0.5);
        };
        let (left, right) = (self.logits[after - 1], self.logits[after]);
        // Never beyond the next knot, whatever the rounding.
        (low + (high - low) * ((logit - left) / (right - left))).min(high)
    }

    pub(super) fn complaint(&self) -> Option<&'static str> {
        let lengths_agree = self.logits.len() == self.probabilities.len() && !self.logits.is_empty();
        let rises = self.logits.is_sorted_by(|a, b| a < b) && self.probabilities.is_sorted();
        let in_bounds = self.logits.iter().all(|logit| logit.is_finite())
            && self.probabilities.iter().all(|p| (0.0..=1.0).contains(p));
        let is_good = lengths_agree && rises && in_bounds;
        (!is_good).then_some("the knots of a calibration must rise, their probabilities within 0 and 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled() {
        // 0.1 | 0.5, 0.3 → 0.4 at 1.5 | 0.9; a quarter of the weight moves nothing else.
        let isotonic = Isotonic::fit(&[0.0, 1.0, 2.0, 3.0], &[0.2, 0.5, 0.3, 0.8], &[1.0; 4]);
        assert_eq!(isotonic.logits, [0.0, 1.5, 3.0]);
        let expected = [0.2, 0.4, 0.8];
        assert!(
            isotonic
                .probabilities
                .iter()
                .zip(expected)
                .all(|(p, e)| (p - e).abs() < 1e-12)
        );
        assert!((isotonic.probability(0.75) - 0.3).abs() < 1e-12);
        assert!((isotonic.probability(-9.0) - 0.2).abs() < 1e-12);
        assert!((isotonic.probability(9.0) - 0.8).abs() < 1e-12);
    }

    #[test]
    fn no_probability_is_certain() {
        let isotonic = Isotonic::fit(&[-1.0, 1.0], &[0.0, 1.0], &[1.0; 2]);
        assert_eq!(isotonic.probabilities, [0.25, 0.75]);
    }

    #[test]
    fn equal_log_odds_are_one_knot() {
        let isotonic = Isotonic::fit(
            &[1.0, 1.0, 1.0, 2.0],
            &[0.0, 1.0, 0.0, 1.0],
            &[1.0, 2.0, 1.0, 1.0],
        );
        assert_eq!(isotonic.logits, [1.0, 2.0]);
        assert!((isotonic.probabilities[0] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn knots_from_a_damaged_file_are_noticed() {
        let good = Isotonic {
            logits: vec![0.0, 1.0],
            probabilities: vec![0.1, 0.2],
        };
        assert_eq!(good.complaint(), None);
        for bad in [
            Isotonic {
                logits: vec![1.0, 0.0],
                ..good.clone()
            },
            Isotonic {
                logits: vec![0.0, 0.0],
                ..good.clone()
            },
            Isotonic {
                probabilities: vec![0.2, 0.1],
                ..good.clone()
            },
            Isotonic {
                probabilities: vec![0.2, 1.1],
                ..good.clone()
            },
            Isotonic {
                probabilities: vec![0.2],
                ..good.clone()
            },
            Isotonic {
                logits: vec![0.0, f64::NAN],
                ..good.clone()
            },
            Isotonic {
                logits: vec![],
                probabilities: vec![],
            },
        ] {
            assert!(bad.complaint().is_some(), "{bad:?}");
        }
    }
}
