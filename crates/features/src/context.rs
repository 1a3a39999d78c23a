//! The context side: when it is asked.

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::cross::CrossRule;
use crate::fingerprint::StateHash;
use crate::spec::wrong_side;
use crate::state::{Feature, Rule};
use crate::time_part::{Part, TimePart};
use crate::{ColumnKind, FeatureColumn, FeatureConfig, Result, Side};

/// What is known of the moment and the place of a request.
#[derive(Clone, Copy, Debug)]
pub struct ContextInput {
    /// The moment.
    pub now: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContextRule {
    /// The hour in UTC, as an id: all that the first format had, with [`ContextRule::Weekday`].
    Hour,
    /// The weekday in UTC, as an id.
    Weekday,
    Part(TimePart),
    Cross(CrossRule),
}

impl ContextRule {
    pub(crate) fn fit(
        config: &FeatureConfig,
        fitted: &[Feature<Self>],
        previous: Option<&Self>,
    ) -> Result<Self> {
        if let FeatureConfig::Cross(cross) = config {
            let find = |name: &str| Feature::find(fitted, Side::Context, name);
            let previous = previous.and_then(Rule::cross);
            return CrossRule::fit(cross, Side::Context, find, previous).map(Self::Cross);
        }
        match TimePart::of(config) {
            Some((part, _)) if part == TimePart::utc(Part::Hour) => Ok(Self::Hour),
            Some((part, _)) if part == TimePart::utc(Part::Weekday) => Ok(Self::Weekday),
            Some((part, _)) => Ok(Self::Part(part)),
            None => Err(wrong_side(config, Side::Context)),
        }
    }

    /// Adds row `row`; `before` are the columns of the features before this one, which have it.
    pub(crate) fn write(&self, now: Time, row: usize, before: &[FeatureColumn], column: &mut FeatureColumn) {
        match self {
            Self::Hour => TimePart::utc(Part::Hour).write(now, column),
            Self::Weekday => TimePart::utc(Part::Weekday).write(now, column),
            Self::Part(part) => part.write(now, column),
            Self::Cross(cross) => cross.write_row(row, before, column),
        }
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        match self {
            Self::Hour => TimePart::utc(Part::Hour).hash(hash),
            Self::Weekday => TimePart::utc(Part::Weekday).hash(hash),
            Self::Part(part) => part.hash(hash),
            Self::Cross(cross) => cross.hash(hash),
        }
    }
}

impl Rule for ContextRule {
    fn kind(&self) -> ColumnKind {
        match self {
            Self::Hour => TimePart::utc(Part::Hour).kind(),
            Self::Weekday => TimePart::utc(Part::Weekday).kind(),
            Self::Part(part) => part.kind(),
            Self::Cross(cross) => cross.kind(),
        }
    }

    fn cross(&self) -> Option<&CrossRule> {
        match self {
            Self::Cross(cross) => Some(cross),
            _ => None,
        }
    }
}
