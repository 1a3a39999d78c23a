//! The context side: when it is asked.

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::fingerprint::StateHash;
use crate::spec::wrong_side;
use crate::{ColumnKind, FeatureColumn, FeatureConfig, Result, Side};

const MILLIS_PER_HOUR: i64 = 3_600_000;
const HOURS_PER_DAY: i64 = 24;
/// The epoch was a Thursday; weeks begin on Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// What is known of the moment and the place of a request.
#[derive(Clone, Copy, Debug)]
pub struct ContextInput {
    /// The moment.
    pub now: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContextRule {
    Hour,
    Weekday,
}

impl ContextRule {
    pub(crate) fn fit(config: &FeatureConfig) -> Result<Self> {
        match config {
            FeatureConfig::Hour(_) => Ok(Self::Hour),
            FeatureConfig::Weekday(_) => Ok(Self::Weekday),
            other => Err(wrong_side(other, Side::Context, "hour, weekday")),
        }
    }

    /// The last id is for an unknown moment.
    fn unknown(self) -> u32 {
        match self {
            Self::Hour => 24,
            Self::Weekday => 7,
        }
    }

    pub(crate) fn kind(self) -> ColumnKind {
        ColumnKind::Bag {
            cardinality: self.unknown() + 1,
        }
    }

    pub(crate) fn write(self, now: Time, column: &mut FeatureColumn) {
        let id = now.millis().map(|millis| {
            let hours = millis.div_euclid(MILLIS_PER_HOUR);
            match self {
                Self::Hour => hours.rem_euclid(HOURS_PER_DAY),
                Self::Weekday => (hours.div_euclid(HOURS_PER_DAY) + EPOCH_WEEKDAY).rem_euclid(7),
            }
        });
        let id = id.and_then(|id| u32::try_from(id).ok()).unwrap_or(self.unknown());
        column.push_bag([(id, 1.0)]);
    }

    pub(crate) fn hash(self, hash: &mut StateHash) {
        hash.text(match self {
            Self::Hour => "hour",
            Self::Weekday => "weekday",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(rule: ContextRule, now: Time) -> u32 {
        let mut column = FeatureColumn::new(rule.kind());
        rule.write(now, &mut column);
        match column {
            FeatureColumn::Bag { ids, .. } => ids[0],
            FeatureColumn::Dense { .. } => panic!("a bag"),
        }
    }

    #[test]
    fn hours_and_weekdays_are_those_of_utc() {
        // 2026-11-24T13:05:00Z, a Tuesday; 1969-12-31T23:59:59.999Z, a Wednesday.
        for (millis, hour, weekday) in [(1_795_525_500_000, 13, 1), (-1, 23, 2), (0, 0, 3)] {
            let now = Time::from_millis(millis);
            assert_eq!(
                (id(ContextRule::Hour, now), id(ContextRule::Weekday, now)),
                (hour, weekday)
            );
        }
    }

    #[test]
    fn an_unknown_moment_and_the_ends_of_time_have_ids() {
        assert_eq!(id(ContextRule::Hour, Time::UNKNOWN), 24);
        assert_eq!(id(ContextRule::Weekday, Time::UNKNOWN), 7);
        for millis in [i64::MIN + 1, i64::MAX] {
            assert!(id(ContextRule::Weekday, Time::from_millis(millis)) < 7);
        }
    }
}
