//! Standardised numbers.

use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::fingerprint::StateHash;

/// Standardised values end here, on either side: one absurd value must not make a linear model overflow.
pub const Z_LIMIT: f64 = 10.0;

/// `(x − mean) / deviation`, within ±[`Z_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standard {
    mean: Exact,
    deviation: Exact,
}

impl Standard {
    /// Changes nothing but the range.
    pub(crate) const IDENTITY: Self = Self {
        mean: Exact(0.0),
        deviation: Exact(1.0),
    };

    pub(crate) fn fit(values: &[f64]) -> Self {
        let (mean, deviation) = moments(values);
        Self {
            mean: Exact(mean),
            deviation: Exact(deviation),
        }
    }

    pub(crate) fn apply(self, value: f64) -> f64 {
        ((value - self.mean.0) / self.deviation.0).clamp(-Z_LIMIT, Z_LIMIT)
    }

    pub(crate) fn hash(self, hash: &mut StateHash) {
        hash.number(self.mean.0);
        hash.number(self.deviation.0);
    }
}

/// Mean and population deviation; (0, 1) of nothing, and a deviation of 1 where all values are equal,
/// so that dividing by it is always defined.
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 1.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    // Rounding leaves equal values a tiny variance; below this it is noise of the mean.
    let noise = mean.abs() * 1e-12;
    let deviation = variance.sqrt();
    (mean, if deviation > noise { deviation } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_and_no_values_have_a_deviation_of_one() {
        assert_eq!(moments(&[]), (0.0, 1.0));
        assert!((moments(&[0.1; 7]).1 - 1.0).abs() < f64::EPSILON);
        assert_eq!(moments(&[1.0, 3.0]), (2.0, 1.0));
    }

    #[test]
    fn absurd_values_end_at_the_limit() {
        let standard = Standard::fit(&[1.0, 3.0]);
        let shown = format!(
            "{:?}",
            [f64::MIN, 1.0, 2.0, f64::MAX].map(|value| standard.apply(value))
        );
        assert_eq!(shown, "[-10.0, -1.0, 0.0, 10.0]");
    }
}
