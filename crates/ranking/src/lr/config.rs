//! Settings of the ranker.

use catchment_models::factorization::lr::FtrlConfig;
use serde::{Deserialize, Serialize};

use crate::{CalibrationKind, RankError};

/// How [`crate::LrRanker::fit`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LrRankerConfig {
    /// How the weights are learned.
    pub ftrl: FtrlConfig,
    /// How log-odds become probabilities.
    pub calibration: CalibrationKind,
    /// Share of the requests that stop the training and fit the calibration, above 0 and at most 0.4.
    pub validation_fraction: f64,
    /// Share of the requests that nothing is learned from and the report is about, above 0 and at most 0.4.
    pub test_fraction: f64,
    /// Which share of the negative rows (label 0) the training set has kept, above 0 and at most 1. Dropping
    /// negatives raises the odds by `1 / negative_rate`; scores are set right by adding `ln negative_rate` to the
    /// log-odds after calibration (He et al. 2014, section 6.3), and the report counts each negative that was kept
    /// `1 / negative_rate` times. The order of candidates does not change.
    pub negative_rate: f64,
}

impl Default for LrRankerConfig {
    fn default() -> Self {
        Self {
            ftrl: FtrlConfig::default(),
            calibration: CalibrationKind::default(),
            validation_fraction: 0.1,
            test_fraction: 0.1,
            negative_rate: 1.0,
        }
    }
}

impl LrRankerConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`RankError::Config`] or, for `ftrl`, [`RankError::Model`] name the first one out of range.
    pub fn validate(&self) -> Result<(), RankError> {
        self.ftrl.validate()?;
        for (key, value) in [
            ("validation_fraction", self.validation_fraction),
            ("test_fraction", self.test_fraction),
        ] {
            if !(value > 0.0 && value <= 0.4) {
                return Err(RankError::Config {
                    key,
                    value,
                    allowed: "above 0 and at most 0.4",
                });
            }
        }
        check_negative_rate(self.negative_rate)
    }
}

pub(super) fn check_negative_rate(value: f64) -> Result<(), RankError> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(RankError::Config {
        key: "negative_rate",
        value,
        allowed: "above 0 and at most 1",
    })
}
