//! Platt scaling: a logistic regression on the log-odds.

use catchment_models::factorization::lr::{logloss, sigmoid};
use serde::{Deserialize, Serialize};

/// `p = σ(slope·logit + intercept)` (J. Platt, *Probabilistic outputs for support vector machines*, 1999), fitted
/// by Newton's method as Lin, Lin and Weng 2007 advise, with Platt's softened targets: a positive counts as
/// `(P + 1) / (P + 2)`, a negative as `1 / (N + 2)`, so that even separable rows have a finite optimum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Above 0.
    pub slope: f64,
    /// Finite.
    pub intercept: f64,
}

/// A ranker that held-out rows contradict would get a falling curve. The order is the ranker's, so the curve becomes
/// almost flat instead: every candidate then has about the mean probability.
const LEAST_SLOPE: f64 = 1e-3;
const MOST_STEPS: usize = 100;

impl Platt {
    pub(super) fn fit(logits: &[f64], labels: &[f64], weights: &[f64]) -> Self {
        // The softening counts rows: weights are scaled to a mean of 1.
        let scale = weights.len() as f64 / weights.iter().sum::<f64>();
        let weights: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
        let positives: f64 = weights
            .iter()
            .zip(labels)
            .map(|(weight, label)| weight * label)
            .sum();
        let negatives: f64 = weights
            .iter()
            .zip(labels)
            .map(|(weight, label)| weight * (1.0 - label))
            .sum();
        let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
        let targets: Vec<f64> = labels.iter().map(|label| low + (high - low) * label).collect();
        let problem = Problem {
            logits,
            targets: &targets,
            weights: &weights,
        };
        let free = problem.newton(
            Self {
                slope: 1.0,
                intercept: ((positives + 1.0) / (negatives + 1.0)).ln(),
            },
            true,
        );
        if free.slope >= LEAST_SLOPE {
            return free;
        }
        problem.newton(
            Self {
                slope: LEAST_SLOPE,
                ..free
            },
            false,
        )
    }

    pub(super) fn probability(&self, logit: f64) -> f64 {
        sigmoid(self.slope * logit + self.intercept)
    }

    pub(super) fn complaint(&self) -> Option<&'static str> {
        let is_good = self.slope.is_finite() && self.slope > 0.0 && self.intercept.is_finite();
        (!is_good).then_some("the slope of a calibration must be above 0 and its intercept finite")
    }
}

struct Problem<'a> {
    logits: &'a [f64],
    targets: &'a [f64],
    weights: &'a [f64],
}

impl Problem<'_> {
    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let rows = self.logits.iter().zip(self.targets).zip(self.weights);
        rows.map(|((&logit, &target), &weight)| (logit, target, weight))
    }

    fn loss(&self, at: Platt) -> f64 {
        self.rows()
            .map(|(logit, target, weight)| weight * logloss(at.slope * logit + at.intercept, target))
            .sum()
    }

    /// Newton's method with a line search, from `at`; the loss is convex.
    fn newton(&self, mut at: Platt, slope_is_free: bool) -> Platt {
        let mut loss = self.loss(at);
        for _ in 0..MOST_STEPS {
            let (mut g1, mut g2, mut h11, mut h12, mut h22) = (0.0, 0.0, 1e-10, 0.0, 1e-10);
            for (logit, target, weight) in self.rows() {
                let p = at.probability(logit);
                let (gradient, curvature) = (weight * (p - target), weight * p * (1.0 - p));
                g1 += gradient * logit;
                g2 += gradient;
                h11 += curvature * logit * logit;
                h12 += curvature * logit;
                h22 += curvature;
            }
            if !slope_is_free {
                (g1, h11, h12) = (0.0, 1.0, 0.0);
            }
            let determinant = h11 * h22 - h12 * h12;
            let d1 = -(h22 * g1 - h12 * g2) / determinant;
            let d2 = -(h11 * g2 - h12 * g1) / determinant;
            let promised = g1 * d1 + g2 * d2;
            let mut length = 1.0;
            let next = loop {
                let next = Platt {
                    slope: at.slope + length * d1,
                    intercept: at.intercept + length * d2,
                };
                let next_loss = self.loss(next);
                if next_loss <= loss + 1e-4 * length * promised {
                    break Some((next, next_loss));
                }
                length /= 2.0;
                if length < 1e-10 {
                    break None;
                }
            };
            let Some((next, next_loss)) = next else { break };
            let gain = loss - next_loss;
            (at, loss) = (next, next_loss);
            if gain <= 1e-14 * loss.abs() {
                break;
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distorted_probability_is_set_right() {
        // Soft labels that are exactly σ(0.5·logit − 1): what was over-confident is found again.
        let logits: Vec<f64> = (0..4001).map(|row| f64::from(row - 2000) / 400.0).collect();
        let labels: Vec<f64> = logits.iter().map(|logit| sigmoid(0.5 * logit - 1.0)).collect();
        let platt = Platt::fit(&logits, &labels, &vec![1.0; logits.len()]);
        assert!(
            (platt.slope - 0.5).abs() < 0.01 && (platt.intercept + 1.0).abs() < 0.01,
            "{platt:?}"
        );
    }

    #[test]
    fn separable_rows_have_a_finite_answer() {
        let platt = Platt::fit(&[-1.0, -2.0, 1.0, 2.0], &[0.0, 0.0, 1.0, 1.0], &[1.0; 4]);
        assert_eq!(platt.complaint(), None);
        assert!(
            platt.probability(2.0) > 0.7 && platt.probability(2.0) < 0.95,
            "{platt:?}"
        );
    }

    #[test]
    fn a_ranker_that_is_contradicted_keeps_its_order_and_gets_the_mean() {
        let platt = Platt::fit(
            &[-1.0, -2.0, 1.0, 2.0, 3.0],
            &[1.0, 1.0, 0.0, 0.0, 0.0],
            &[1.0; 5],
        );
        assert!(platt.probability(1.0) > platt.probability(0.0));
        // The softened targets have the mean (2·3/4 + 3·1/5) / 5 = 0.42.
        assert!((platt.probability(0.0) - 0.42).abs() < 0.01, "{platt:?}");
    }

    #[test]
    fn the_scale_of_the_weights_does_not_matter_and_their_ratio_does() {
        let (logits, labels) = ([-1.0, 0.0, 0.5, 2.0], [0.0, 1.0, 0.0, 1.0]);
        let one = Platt::fit(&logits, &labels, &[1.0; 4]);
        let thousandth = Platt::fit(&logits, &labels, &[1e-3; 4]);
        assert!((one.slope - thousandth.slope).abs() < 1e-6);
        let uneven = Platt::fit(&logits, &labels, &[1.0, 3.0, 1.0, 3.0]);
        assert!(uneven.probability(0.0) > one.probability(0.0));
    }
}
