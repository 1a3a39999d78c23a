//! Numbers: as they are, by logarithm, standardised, or in buckets.

use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::fingerprint::StateHash;
use crate::standard::{Standard, moments};
use crate::{ColumnKind, FeatureColumn, Transform};

/// A fitted [`Transform`]. A value that is null, NaN or infinite is *missing*: dense rules answer
/// `missing`, bucket rules the id behind the last bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum NumberRule {
    Dense {
        log: bool,
        scale: Option<Standard>,
        missing: Exact,
        missing_flag: bool,
    },
    Buckets {
        boundaries: Vec<Exact>,
    },
    /// `(x − low) / range` within 0 and 1.
    MinMax {
        low: Exact,
        range: Exact,
        missing: Exact,
        missing_flag: bool,
    },
}

impl NumberRule {
    pub(crate) fn fit(transform: &Transform, missing_flag: bool, values: impl Iterator<Item = f64>) -> Self {
        match transform {
            Transform::None => Self::scaled(false, missing_flag, values),
            Transform::Log => Self::scaled(true, missing_flag, values),
            Transform::ZScore => Self::standardised(false, missing_flag, values),
            Transform::LogZScore => Self::standardised(true, missing_flag, values),
            Transform::MinMax => Self::min_max(missing_flag, values),
            Transform::Boundaries(boundaries) => Self::Buckets {
                boundaries: boundaries.iter().copied().map(Exact).collect(),
            },
            Transform::Quantiles(n) => Self::Buckets {
                boundaries: quantiles(*n, values.filter(|value| value.is_finite()).collect()),
            },
        }
    }

    /// What is missing becomes the mean.
    fn scaled(log: bool, missing_flag: bool, values: impl Iterator<Item = f64>) -> Self {
        Self::Dense {
            log,
            scale: None,
            missing: Exact(moments(&values_of(log, values)).0),
            missing_flag,
        }
    }

    /// What is missing becomes the mean, which is 0 here.
    fn standardised(log: bool, missing_flag: bool, values: impl Iterator<Item = f64>) -> Self {
        Self::Dense {
            log,
            scale: Some(Standard::fit(&values_of(log, values))),
            missing: Exact(0.0),
            missing_flag,
        }
    }

    /// What is missing becomes the mean. Where all values are equal the range is taken as 1, so that they are 0.
    fn min_max(missing_flag: bool, values: impl Iterator<Item = f64>) -> Self {
        let values = values_of(false, values);
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Adding zero makes one number of −0 and 0.
        let (low, range) = match high - low {
            range if range > 0.0 => (low + 0.0, range),
            _ if low.is_finite() => (low + 0.0, 1.0),
            _ => (0.0, 1.0),
        };
        let scaled: Vec<f64> = values.iter().map(|value| unit(*value, low, range)).collect();
        Self::MinMax {
            low: Exact(low),
            range: Exact(range),
            missing: Exact(moments(&scaled).0),
            missing_flag,
        }
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        match self {
            Self::Dense { missing_flag, .. } | Self::MinMax { missing_flag, .. } => ColumnKind::Dense {
                width: 1 + usize::from(*missing_flag),
            },
            Self::Buckets { boundaries } => ColumnKind::Bag {
                cardinality: last_bucket(boundaries) + 2,
            },
        }
    }

    #[inline]
    pub(crate) fn write(&self, value: Option<f64>, column: &mut FeatureColumn) {
        let value = value.filter(|value| value.is_finite());
        match self {
            Self::Dense {
                log,
                scale,
                missing,
                missing_flag,
            } => {
                let dense = value.map_or(missing.0, |value| {
                    let value = if *log { signed_log(value) } else { value };
                    scale.map_or(value, |scale| scale.apply(value))
                });
                column.push_number(to_f32(dense));
                if *missing_flag {
                    column.push_number(f32::from(u8::from(value.is_none())));
                }
            }
            Self::Buckets { boundaries } => {
                let id = value.map_or(last_bucket(boundaries) + 1, |value| {
                    let passed = boundaries.partition_point(|boundary| boundary.0 <= value);
                    u32::try_from(passed).unwrap_or(u32::MAX)
                });
                column.push_id(id);
            }
            Self::MinMax {
                low,
                range,
                missing,
                missing_flag,
            } => {
                column.push_number(to_f32(
                    value.map_or(missing.0, |value| unit(value, low.0, range.0)),
                ));
                if *missing_flag {
                    column.push_number(f32::from(u8::from(value.is_none())));
                }
            }
        }
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        match self {
            Self::Dense {
                log,
                scale,
                missing,
                missing_flag,
            } => {
                hash.text("dense");
                hash.count(u64::from(*log));
                hash.count(u64::from(*missing_flag));
                hash.number(missing.0);
                hash.count(u64::from(scale.is_some()));
                if let Some(scale) = scale {
                    scale.hash(hash);
                }
            }
            Self::Buckets { boundaries } => {
                hash.text("buckets");
                hash.count(boundaries.len() as u64);
                for boundary in boundaries {
                    hash.number(boundary.0);
                }
            }
            Self::MinMax {
                low,
                range,
                missing,
                missing_flag,
            } => {
                hash.text("min_max");
                hash.number(low.0);
                hash.number(range.0);
                hash.number(missing.0);
                hash.count(u64::from(*missing_flag));
            }
        }
    }
}

/// `sign(x) · ln(1 + |x|)`: the logarithm for counts, defined for every finite number.
pub(crate) fn signed_log(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}

/// `(value − low) / range`, within 0 and 1.
fn unit(value: f64, low: f64, range: f64) -> f64 {
    ((value - low) / range).clamp(0.0, 1.0)
}

/// The nearest finite `f32` that is not 0, for the weight of an entry that is there.
pub(crate) fn weight(value: f64) -> f32 {
    let narrow = to_f32(value);
    if narrow == 0.0 {
        f32::MIN_POSITIVE.copysign(if value < 0.0 { -1.0 } else { 1.0 })
    } else {
        narrow
    }
}

/// The nearest finite `f32`; adding zero turns −0 into 0, so that equal numbers are equal bytes.
pub(crate) fn to_f32(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of f32")]
    let narrow = value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
    narrow + 0.0
}

fn values_of(log: bool, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let finite = values.filter(|value| value.is_finite());
    // Values beyond f32 would only overflow the squares below; outputs are f32 anyway.
    let clamped = finite.map(|value| value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)));
    clamped
        .map(|value| if log { signed_log(value) } else { value })
        .collect()
}

/// The lower edges of buckets 1.. of `n` equally filled ones; equal edges are one.
fn quantiles(n: u32, mut values: Vec<f64>) -> Vec<Exact> {
    values.sort_unstable_by(f64::total_cmp);
    let edge = |bucket: u32| {
        let position = values.len() as u64 * u64::from(bucket) / u64::from(n);
        values
            .get(usize::try_from(position).unwrap_or(usize::MAX))
            .map(|value| Exact(value + 0.0))
    };
    let mut edges: Vec<Exact> = (1..n).filter_map(edge).collect();
    edges.dedup();
    edges
}

fn last_bucket(boundaries: &[Exact]) -> u32 {
    u32::try_from(boundaries.len()).unwrap_or(u32::MAX - 2)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    const VALUES: [Option<f64>; 7] = [
        Some(0.0),
        Some(1.0),
        Some(20.0),
        Some(-20.0),
        Some(1e300),
        Some(f64::NAN),
        None,
    ];

    fn check(transform: &Transform, missing_flag: bool, expected: &Expect) {
        let rule = NumberRule::fit(
            transform,
            missing_flag,
            [0.0, 10.0, 20.0, f64::NAN, 20.0].into_iter(),
        );
        let mut column = FeatureColumn::new(rule.kind());
        for value in VALUES {
            rule.write(value, &mut column);
        }
        let shown = match column {
            FeatureColumn::Dense { values, .. } => format!("{values:?}"),
            FeatureColumn::Bag { ids, cardinality, .. } => format!("{ids:?} of {cardinality}"),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn each_transform_gives_what_its_formula_says() {
        check(
            &Transform::None,
            false,
            &expect!["[0.0, 1.0, 20.0, -20.0, 3.4028235e38, 12.5, 12.5]"],
        );
        check(
            &Transform::None,
            true,
            &expect!["[0.0, 0.0, 1.0, 0.0, 20.0, 0.0, -20.0, 0.0, 3.4028235e38, 0.0, 12.5, 1.0, 12.5, 1.0]"],
        );
        check(
            &Transform::Log,
            false,
            &expect!["[0.0, 0.6931472, 3.0445225, -3.0445225, 690.7755, 2.121735, 2.121735]"],
        );
        check(
            &Transform::ZScore,
            false,
            &expect!["[-1.5075567, -1.3869522, 0.90453404, -3.9196475, 10.0, 0.0, 0.0]"],
        );
        check(
            &Transform::LogZScore,
            false,
            &expect!["[-1.693181, -1.1400377, 0.7364002, -4.122762, 10.0, 0.0, 0.0]"],
        );
        check(
            &Transform::MinMax,
            true,
            &expect!["[0.0, 0.0, 0.05, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.625, 1.0, 0.625, 1.0]"],
        );
        check(
            &Transform::Boundaries(vec![0.0, 20.0]),
            false,
            &expect!["[1, 1, 2, 0, 2, 3, 3] of 4"],
        );
        check(
            &Transform::Quantiles(2),
            false,
            &expect!["[0, 0, 1, 0, 1, 2, 2] of 3"],
        );
        check(
            &Transform::Quantiles(100),
            false,
            &expect!["[1, 1, 3, 0, 3, 4, 4] of 5"],
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_not_finite_comes_out(
            fitted in proptest::collection::vec(proptest::num::f64::ANY, 0..20),
            value in proptest::option::of(proptest::num::f64::ANY),
            choice in 0usize..6,
        ) {
            let transform = [
                Transform::None, Transform::Log, Transform::ZScore, Transform::LogZScore, Transform::Quantiles(4),
                Transform::MinMax,
            ][choice].clone();
            let rule = NumberRule::fit(&transform, false, fitted.into_iter());
            let mut column = FeatureColumn::new(rule.kind());
            rule.write(value, &mut column);
            match column {
                FeatureColumn::Dense { values, .. } => prop_assert!(values.iter().all(|value| value.is_finite())),
                FeatureColumn::Bag { ids, cardinality, .. } => prop_assert!(ids[0] < cardinality),
            }
        }
    }
}
