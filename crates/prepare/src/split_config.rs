//! The `[split]` table of a recipe.

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::rolling::Rolling;
use crate::split_table::Table;
use crate::{Error, Result};

/// Which rows train, which choose settings, which are read once at the end.
///
/// In a recipe it is one flat table, in which each kind has its own keys:
/// ```toml
/// [split]
/// kind = "temporal"          # given | random (fraction) | leave-last (n, since) | temporal (at)
/// at = "2020-06-01T00:00:00Z"   # | rolling (windows, horizon, step, gap, window)
/// validation = { kind = "random", fraction = 0.1 }
/// refit = "train+validation"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct SplitConfig {
    /// How the test part is cut off.
    pub kind: SplitKind,
    /// How a validation part is cut off what is left; without it there is none.
    pub validation: Option<SplitKind>,
    /// What the final models are fitted on, and so where the vocabularies come from.
    pub refit: Refit,
}

/// A rule that cuts rows off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SplitKind {
    /// The test part is a log of its own (`data.test`).
    Given,
    /// A share of each user's rows, drawn by a seeded permutation of them. The share holds in
    /// expectation for each user; a user's only row is never taken. What says no is not drawn, and goes with the row
    /// of the same user and item that is.
    Random {
        /// The share, above 0 and below 1.
        fraction: f64,
    },
    /// The last rows of each user. Users with no more than `n` rows keep them all, and rows whose place
    /// is unknown (`order` 0) are never taken. Where time and `order` are equal, a lot of the seed decides. What says no
    /// does not count, and goes with the row that it comes after, or whose moment it shares.
    LeaveLast {
        /// How many, at least 1.
        n: u32,
        /// Only of users whose last row is at or after this moment: whoever was there lately. Every row then needs a
        /// time.
        since: Option<Moment>,
    },
    /// Everything at or after a moment.
    Temporal {
        /// The moment.
        at: Moment,
    },
    /// One of several test windows that follow each other up to the end of the log; see [`Rolling`].
    Rolling(Rolling),
}

/// A moment, as itself or by how much of the log lies before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The moment itself.
    Time(Time),
    /// The time of the row before which this share of the rows lies, above 0 and below 1.
    Fraction(f64),
}

/// What the final models are fitted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refit {
    /// On train and validation together, once the settings are chosen.
    #[default]
    #[serde(rename = "train+validation")]
    TrainAndValidation,
    /// On train alone.
    #[serde(rename = "none")]
    None,
}

impl SplitConfig {
    /// A test log that is given, no validation.
    pub fn given() -> Self {
        Self::new(SplitKind::Given)
    }

    /// Test by `kind`, no validation.
    pub fn new(kind: SplitKind) -> Self {
        Self {
            kind,
            validation: None,
            refit: Refit::default(),
        }
    }

    /// With a validation part by `kind`.
    #[must_use]
    pub fn with_validation(self, kind: SplitKind) -> Self {
        Self {
            validation: Some(kind),
            ..self
        }
    }

    /// Whether some part takes each user's last rows.
    pub(crate) fn needs_order(&self) -> bool {
        let is_last = |kind: &SplitKind| matches!(kind, SplitKind::LeaveLast { .. });
        is_last(&self.kind) || self.validation.as_ref().is_some_and(is_last)
    }

    /// Checks every key; the error names the key and what is allowed.
    ///
    /// # Errors
    /// [`Error::BadSetting`].
    pub fn validate(&self) -> Result<()> {
        self.kind.validate()?;
        match self.validation {
            Some(kind @ (SplitKind::Given | SplitKind::Rolling(_))) => Err(Error::BadSetting {
                key: "split.validation.kind",
                value: format!("{:?}", kind.name()),
                reason: "must be random, leave-last or temporal".to_owned(),
            }),
            Some(kind) => kind.validate(),
            None => Ok(()),
        }
    }
}

impl SplitKind {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Random { .. } => "random",
            Self::LeaveLast { .. } => "leave-last",
            Self::Temporal { .. } => "temporal",
            Self::Rolling(_) => "rolling",
        }
    }

    fn validate(self) -> Result<()> {
        let share = |key, fraction: f64| {
            if fraction > 0.0 && fraction < 1.0 {
                return Ok(());
            }
            Err(Error::BadSetting {
                key,
                value: fraction.to_string(),
                reason: "must be above 0 and below 1".to_owned(),
            })
        };
        match self {
            Self::Random { fraction } => share("split.fraction", fraction),
            Self::LeaveLast { n: 0, .. } => Err(Error::BadSetting {
                key: "split.n",
                value: "0".to_owned(),
                reason: "must be at least 1".to_owned(),
            }),
            Self::Temporal {
                at: Moment::Fraction(fraction),
            } => share("split.at", fraction),
            Self::LeaveLast {
                since: Some(Moment::Fraction(fraction)),
                ..
            } => share("split.since", fraction),
            Self::Rolling(rolling) => rolling.validate(),
            Self::Given | Self::LeaveLast { .. } | Self::Temporal { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn read(json: &str) -> Result<SplitConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_has_its_own_keys_and_survives_a_round_trip() {
        let moment = Moment::Time(Time::from_millis(1_590_969_600_000));
        for (json, expected) in [
            (r#"{"kind": "given"}"#, SplitConfig::given()),
            (
                r#"{"kind": "leave-last"}"#,
                SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None }),
            ),
            (
                r#"{"kind": "given", "validation": {"kind": "random", "fraction": 0.1}}"#,
                SplitConfig::given().with_validation(SplitKind::Random { fraction: 0.1 }),
            ),
            (
                r#"{"kind": "temporal", "at": "2020-06-01T00:00:00Z"}"#,
                SplitConfig::new(SplitKind::Temporal { at: moment }),
            ),
            (
                r#"{"kind": "rolling", "windows": 3, "horizon": "7d"}"#,
                SplitConfig::new(SplitKind::Rolling(Rolling::new(3, 7 * DAY))),
            ),
            (
                r#"{"kind": "rolling", "windows": 3, "horizon": "7d", "step": "36h", "gap": "1d", "window": 2}"#,
                SplitConfig::new(SplitKind::Rolling(Rolling {
                    step_ms: 36 * DAY / 24,
                    gap_ms: DAY,
                    window: 2,
                    ..Rolling::new(3, 7 * DAY)
                })),
            ),
            (
                r#"{"kind": "leave-last", "n": 2, "since": "2020-06-01T00:00:00Z"}"#,
                SplitConfig::new(SplitKind::LeaveLast {
                    n: 2,
                    since: Some(moment),
                }),
            ),
            (
                r#"{"kind": "temporal", "at": 0.8}"#,
                SplitConfig::new(SplitKind::Temporal {
                    at: Moment::Fraction(0.8),
                }),
            ),
        ] {
            let config = read(json).expect(json);
            assert_eq!(config, expected, "{json}");
            let again = serde_json::to_string(&config).expect("written");
            assert_eq!(read(&again).expect("read again"), config, "{again}");
        }
    }

    #[test]
    fn what_does_not_belong_is_refused_by_name() {
        for (json, part) in [
            (r#"{"kind": "sideways"}"#, "sideways"),
            (r#"{"kind": "random"}"#, "fraction"),
            (r#"{"kind": "temporal", "at": "yesterday"}"#, "yesterday"),
            (r#"{"kind": "given", "n": 1}"#, "`n`"),
            (r#"{"kind": "temporal", "at": 0.5, "since": 0.5}"#, "`since`"),
            (r#"{"kind": "leave-last", "since": "soon"}"#, "`since`"),
            (
                r#"{"kind": "random", "fraction": 0.1, "horizon": "1d"}"#,
                "`horizon`",
            ),
            (r#"{"kind": "rolling", "windows": 2}"#, "`horizon`"),
            (
                r#"{"kind": "rolling", "windows": 2, "horizon": "soon"}"#,
                "`horizon`",
            ),
            (r#"{"kind": "given", "refit": "all"}"#, "all"),
            (
                r#"{"kind": "given", "validation": {"kind": "random", "n": 2}}"#,
                "validation",
            ),
            (r#"{"kind": "given", "seed": 3}"#, "seed"),
        ] {
            let reason = read(json).expect_err(json);
            assert!(reason.contains(part), "{json}: {reason}");
        }
        for kind in [
            SplitKind::Random { fraction: 1.0 },
            SplitKind::Random { fraction: f64::NAN },
            SplitKind::LeaveLast { n: 0, since: None },
            SplitKind::LeaveLast {
                n: 1,
                since: Some(Moment::Fraction(1.0)),
            },
            SplitKind::Rolling(Rolling::new(0, DAY)),
            SplitKind::Rolling(Rolling {
                window: 3,
                ..Rolling::new(2, DAY)
            }),
            SplitKind::Rolling(Rolling {
                window: 0,
                ..Rolling::new(2, DAY)
            }),
            SplitKind::Temporal {
                at: Moment::Fraction(0.0),
            },
        ] {
            assert!(SplitConfig::new(kind).validate().is_err(), "{kind:?}");
            assert!(
                SplitConfig::given().with_validation(kind).validate().is_err(),
                "{kind:?}"
            );
        }
        assert!(
            SplitConfig::given()
                .with_validation(SplitKind::Given)
                .validate()
                .is_err()
        );
    }
}
