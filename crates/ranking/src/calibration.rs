//! From log-odds to probabilities that can be believed.

mod isotonic;
mod platt;

use serde::{Deserialize, Serialize};

use catchment_models::factorization::lr::sigmoid;

pub use isotonic::Isotonic;
pub use platt::Platt;

/// Which calibration to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationKind {
    /// None: the model's own probability.
    None,
    /// Two numbers, [`Platt`]. Keeps the order exactly.
    #[default]
    Platt,
    /// A rising curve, [`Isotonic`]. Fits any shape, wants thousands of held-out rows, and beyond its outermost
    /// knots all candidates have the same score.
    Isotonic,
}

/// A map from log-odds to a probability in [0, 1] that never falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Calibration {
    /// `σ(logit)`.
    None,
    /// `σ(slope·logit + intercept)`.
    Platt(Platt),
    /// Linear between knots.
    Isotonic(Isotonic),
}

impl Calibration {
    /// Fits a calibration to held-out rows: three slices of one length, logits finite, labels in [0, 1], weights
    /// from 0 and not all 0.
    pub(crate) fn fit(kind: CalibrationKind, logits: &[f64], labels: &[f64], weights: &[f64]) -> Self {
        match kind {
            CalibrationKind::None => Self::None,
            CalibrationKind::Platt => Self::Platt(Platt::fit(logits, labels, weights)),
            CalibrationKind::Isotonic => Self::Isotonic(Isotonic::fit(logits, labels, weights)),
        }
    }

    /// The probability for finite log-odds.
    pub fn probability(&self, logit: f64) -> f64 {
        match self {
            Self::None => sigmoid(logit),
            Self::Platt(platt) => platt.probability(logit),
            Self::Isotonic(isotonic) => isotonic.probability(logit),
        }
    }

    /// What is wrong with it, where it comes from a file.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Platt(platt) => platt.complaint(),
            Self::Isotonic(isotonic) => isotonic.complaint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_calibration_rises_and_stays_in_bounds_whatever_it_was_fitted_to(
            rows in prop::collection::vec((-30.0_f64..30.0, 0.0_f64..=1.0, 0.0_f64..3.0), 1..60),
            mut probes in prop::collection::vec(-1e3_f64..1e3, 2..40),
        ) {
            let logits: Vec<f64> = rows.iter().map(|row| row.0).collect();
            let labels: Vec<f64> = rows.iter().map(|row| row.1.round()).collect();
            let weights: Vec<f64> = rows.iter().map(|row| row.2 + 1e-3).collect();
            probes.extend_from_slice(&logits);
            probes.sort_by(f64::total_cmp);
            for kind in [CalibrationKind::None, CalibrationKind::Platt, CalibrationKind::Isotonic] {
                let calibration = Calibration::fit(kind, &logits, &labels, &weights);
                prop_assert_eq!(calibration.complaint(), None);
                let probabilities: Vec<f64> = probes.iter().map(|&logit| calibration.probability(logit)).collect();
                prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{:?}", probabilities);
                prop_assert!(probabilities.is_sorted(), "{:?} {:?}", calibration, probabilities);
            }
        }
    }
}
