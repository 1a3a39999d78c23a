//! What can be wrong with the settings of one feature.

use super::{
    FeatureConfig, HalfLife, HashConfig, HistoryConfig, Keep, MAX_BUCKETS, MAX_CROSSED, MAX_HASHES,
    MAX_OOV_BUCKETS, Pooling, SimilarityConfig, TextConfig, TimeConfig, WordsConfig,
};
use crate::time_part::parse_offset;
use crate::{Error, Result, Side, Transform};

/// A key and what is wrong with it.
type Fault = (&'static str, String);

impl FeatureConfig {
    /// Checks the settings that need no data and no other feature.
    ///
    /// # Errors
    /// [`Error::BadConfig`], [`Error::WrongSide`].
    pub(crate) fn validate(&self, side: Side) -> Result<()> {
        if !side.kinds().contains(&self.kind()) {
            return Err(Error::WrongSide {
                side,
                feature: self.name().to_owned(),
                kind: self.kind(),
            });
        }
        self.fault(side).map_err(|(key, reason)| Error::BadConfig {
            key: format!("features.{side}.{}.{key}", self.name()),
            reason,
        })
    }

    fn fault(&self, side: Side) -> Result<(), Fault> {
        match self {
            Self::Id(config) => oov_buckets(config.oov_buckets),
            Self::Category(config) => {
                oov_buckets(config.oov_buckets)?;
                column(&config.column)?;
                category(config)
            }
            Self::Bag(config) => {
                oov_buckets(config.oov_buckets)?;
                column(&config.column)?;
                bag(config)
            }
            Self::Hash(config) => hash(config),
            Self::Words(config) | Self::Trigrams(config) => {
                oov_buckets(config.oov_buckets)?;
                column(&config.column)?;
                for name in &config.vocabulary {
                    let found = TextConfig::vocabulary_column(name);
                    check(found.is_some(), "vocabulary", || {
                        format!("{name:?} is no column of a side; write `user.` or `item.` before its name")
                    })?;
                }
                Ok(())
            }
            Self::Number(config) => {
                column(&config.column)?;
                let buckets = matches!(
                    config.transform,
                    Transform::Boundaries(_) | Transform::Quantiles(_)
                );
                check(!(buckets && config.missing_flag), "missing_flag", || {
                    "buckets have one for missing values already".to_owned()
                })?;
                transform(&config.transform)
            }
            Self::EventCount(config) | Self::ItemCount(config) => transform(&config.transform),
            Self::History(config) => history(config),
            Self::Hour(config) | Self::Weekday(config) | Self::Month(config) => time(config, side),
            Self::Weekend(config) => {
                check(!config.cyclic, "cyclic", || {
                    "a weekend is a yes or a no, which has no period".to_owned()
                })?;
                time(config, side)
            }
            Self::Cross(config) => {
                let n_features = config.features.len();
                check((2..=MAX_CROSSED).contains(&n_features), "features", || {
                    format!("{n_features} names; a cross needs 2 to {MAX_CROSSED}")
                })?;
                check(config.buckets <= MAX_BUCKETS, "buckets", || {
                    format!("{} is not in 0..={MAX_BUCKETS}", config.buckets)
                })
            }
            Self::CategoryAffinity(config) => {
                column(&config.column)?;
                last(config.last)
            }
            Self::Similarity(config) => similarity(config),
            Self::Channel(_) | Self::ChannelCount(_) | Self::TypeSimilarity(_) => Ok(()),
        }
    }
}

impl TextConfig {
    /// The side and the column that an entry of `vocabulary` names.
    pub(crate) fn vocabulary_column(name: &str) -> Option<(Side, &str)> {
        let (side, column) = name.split_once('.')?;
        let side = [Side::User, Side::Item]
            .into_iter()
            .find(|one| one.name() == side)?;
        (!column.is_empty()).then_some((side, column))
    }
}

fn check(holds: bool, key: &'static str, reason: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err((key, reason())) }
}

fn oov_buckets(buckets: u32) -> Result<(), Fault> {
    check(buckets <= MAX_OOV_BUCKETS, "oov_buckets", || {
        format!("{buckets} is not in 0..={MAX_OOV_BUCKETS}")
    })
}

fn column(name: &str) -> Result<(), Fault> {
    check(!name.is_empty(), "column", || {
        "this kind reads a column of the attributes; name one".to_owned()
    })
}

fn last(n: usize) -> Result<(), Fault> {
    check(n > 0, "last", || "0 is not at least 1".to_owned())
}

fn transform(transform: &Transform) -> Result<(), Fault> {
    transform
        .fault()
        .map_or(Ok(()), |reason| Err(("transform", reason)))
}

fn category(config: &WordsConfig) -> Result<(), Fault> {
    let only_bag = |key: &str| format!("a category is one word; {key} is for kind `bag`");
    check(config.pooling == Pooling::Sum, "pooling", || only_bag("pooling"))?;
    check(config.weights.is_none(), "weights", || only_bag("weights"))?;
    check(config.max.is_none(), "max", || only_bag("max"))?;
    check(config.keep == Keep::First, "keep", || only_bag("keep"))
}

fn bag(config: &WordsConfig) -> Result<(), Fault> {
    check(config.max != Some(0), "max", || {
        "0 is not at least 1; leave `max` out to keep all words".to_owned()
    })?;
    check(config.keep == Keep::First || config.max.is_some(), "keep", || {
        "nothing is left out without `max`".to_owned()
    })?;
    let heaviest_of_none = config.keep == Keep::Heaviest && config.weights.is_none();
    check(!heaviest_of_none, "keep", || {
        "the heaviest are known only with `weights`".to_owned()
    })?;
    check(config.weights.as_deref() != Some(""), "weights", || {
        "name a column of lists of numbers, or leave `weights` out".to_owned()
    })
}

fn hash(config: &HashConfig) -> Result<(), Fault> {
    check((1..=MAX_BUCKETS).contains(&config.buckets), "buckets", || {
        format!("{} is not in 1..={MAX_BUCKETS}", config.buckets)
    })?;
    check((1..=MAX_HASHES).contains(&config.hashes), "hashes", || {
        format!("{} is not in 1..={MAX_HASHES}", config.hashes)
    })?;
    config.column.as_deref().map_or(Ok(()), column)
}

fn history(config: &HistoryConfig) -> Result<(), Fault> {
    last(config.last)?;
    let Some(half_life) = config.half_life else {
        return Ok(());
    };
    // Times are milliseconds: a shorter half-life leaves nothing of any event but those of this very moment.
    let (least, said) = match half_life {
        HalfLife::Positions(_) => (1e-3, "0.001 positions"),
        HalfLife::Hours(_) => (1.0 / 3.6e6, "1 ms"),
        HalfLife::Days(_) => (1.0 / 8.64e7, "1 ms"),
    };
    let value = half_life.value();
    check(value.is_finite() && value >= least, "half_life", || {
        format!("{value:?} is not finite and at least {said}")
    })
}

fn similarity(config: &SimilarityConfig) -> Result<(), Fault> {
    config.last.map_or(Ok(()), last)?;
    check(config.days.is_finite() && config.days > 0.0, "days", || {
        format!("{:?} is not finite and above 0", config.days)
    })?;
    let dwell = config.min_dwell_seconds;
    check(
        dwell.is_none_or(|dwell| (0.001..4e6).contains(&dwell)),
        "min_dwell_seconds",
        || format!("{:?} is not in 0.001..4000000", dwell.unwrap_or_default()),
    )?;
    config.market.as_deref().map_or(Ok(()), column).map_err(|_| {
        (
            "market",
            "name a column of the item attributes, or leave it out".to_owned(),
        )
    })
}

fn time(config: &TimeConfig, side: Side) -> Result<(), Fault> {
    match (&config.column, side) {
        (Some(_), Side::Context) => check(false, "column", || {
            "the context has only the moment of the request; leave `column` out".to_owned()
        }),
        (name, Side::User | Side::Item) => column(name.as_deref().unwrap_or_default()),
        _ => Ok(()),
    }?;
    let offset = config.utc_offset.as_deref();
    check(
        offset.is_none_or(|text| parse_offset(text).is_some()),
        "utc_offset",
        || {
            format!(
                "{:?} is not an offset from -14:00 to +14:00, as in \"+05:30\"",
                offset.unwrap_or_default()
            )
        },
    )
}
