//! What may be done to a number.

use serde::{Deserialize, Serialize};

/// The most quantile buckets.
pub const MAX_QUANTILES: u32 = 1000;

/// How a number becomes what the model sees. `log` is `sign(x) · ln(1 + |x|)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// As it is.
    #[default]
    None,
    /// `sign(x) · ln(1 + |x|)`.
    Log,
    /// `(x − mean) / deviation`, both of the fit, within ±[`crate::Z_LIMIT`].
    ZScore,
    /// `z_score` of `log`: for counts and prices, whose tails are long.
    LogZScore,
    /// `(x − min) / (max − min)`, both of the fit, within 0 and 1.
    MinMax,
    /// One of `boundaries.len() + 1` buckets: as many boundaries as are ≤ x. Ascending and finite.
    Boundaries(Vec<f64>),
    /// As `boundaries`, at the quantiles of the fit; this many buckets, fewer where values repeat.
    Quantiles(u32),
}

impl Transform {
    /// What is wrong with its settings.
    pub(crate) fn fault(&self) -> Option<String> {
        match self {
            Self::Boundaries(boundaries) => {
                let finite = boundaries.iter().all(|boundary| boundary.is_finite());
                let ascending = boundaries.windows(2).all(|pair| pair[0] < pair[1]);
                (boundaries.is_empty() || !finite || !ascending).then(|| {
                    format!("boundaries must be finite and ascending, at least one; got {boundaries:?}")
                })
            }
            Self::Quantiles(n) if !(2..=MAX_QUANTILES).contains(n) => {
                Some(format!("quantiles: {n} is not in 2..={MAX_QUANTILES}"))
            }
            _ => None,
        }
    }
}
