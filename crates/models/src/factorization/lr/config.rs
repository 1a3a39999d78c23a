//! Settings of FTRL-Proximal.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How [`super::fit`] learns. The names are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FtrlConfig {
    /// Scale of the learning rate, above 0. The one setting worth tuning first.
    pub alpha: f64,
    /// Damps the rate of coordinates that have seen little, from 0.
    pub beta: f64,
    /// Strength of L1, from 0: a coordinate whose gradients sum to less stays exactly 0. Measured against the *sum*
    /// over all rows seen, not their mean.
    pub l1: f64,
    /// Strength of L2, from 0. Measured as `l1` is.
    pub l2: f64,
    /// Passes over the rows, from 1.
    pub epochs: usize,
    /// After how many passes without a better validation logloss to stop; 0 never stops. The best pass's
    /// weights are kept in either case. Without validation rows the last pass's are.
    pub patience: usize,
    /// Whether each pass has an order of its own, drawn from the seed. `false` keeps the order of the rows, for
    /// streams that are in time order.
    pub shuffle: bool,
}

impl Default for FtrlConfig {
    fn default() -> Self {
        Self {
            alpha: 0.1,
            beta: 1.0,
            l1: 0.1,
            l2: 1.0,
            epochs: 10,
            patience: 2,
            shuffle: true,
        }
    }
}

impl FtrlConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Config`] names the first one out of range.
    pub fn validate(&self) -> Result<()> {
        let check = |key, value: f64, holds: bool, allowed| {
            let error = Error::Config {
                key,
                value: value.to_string(),
                allowed,
            };
            if holds { Ok(()) } else { Err(error) }
        };
        let from_zero = |value: f64| value.is_finite() && value >= 0.0;
        let above_zero = self.alpha.is_finite() && self.alpha > 0.0;
        check("alpha", self.alpha, above_zero, "a finite number above 0")?;
        check("beta", self.beta, from_zero(self.beta), "a finite number from 0")?;
        check("l1", self.l1, from_zero(self.l1), "a finite number from 0")?;
        check("l2", self.l2, from_zero(self.l2), "a finite number from 0")?;
        check("epochs", self.epochs as f64, self.epochs > 0, "from 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_named_with_its_range() {
        for (config, key) in [
            (
                FtrlConfig {
                    alpha: 0.0,
                    ..Default::default()
                },
                "alpha",
            ),
            (
                FtrlConfig {
                    beta: -1.0,
                    ..Default::default()
                },
                "beta",
            ),
            (
                FtrlConfig {
                    l1: f64::NAN,
                    ..Default::default()
                },
                "l1",
            ),
            (
                FtrlConfig {
                    l2: f64::INFINITY,
                    ..Default::default()
                },
                "l2",
            ),
            (
                FtrlConfig {
                    epochs: 0,
                    ..Default::default()
                },
                "epochs",
            ),
        ] {
            let error = config.validate().expect_err("out of range").to_string();
            assert!(error.starts_with(&format!("`{key}` is")), "{error}");
        }
        assert!(FtrlConfig::default().validate().is_ok());
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(serde_json::from_str::<FtrlConfig>(r#"{"alhpa": 0.1}"#).is_err());
        let config: FtrlConfig = serde_json::from_str(r#"{"alpha": 0.5}"#).expect("known");
        assert_eq!(
            config,
            FtrlConfig {
                alpha: 0.5,
                ..Default::default()
            }
        );
    }
}
