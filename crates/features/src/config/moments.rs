//! Settings of the features that look at times: histories and parts of a moment.

use serde::{Deserialize, Serialize};

use super::Pooling;

/// Events of a history that are looked at, where the recipe says nothing.
pub const DEFAULT_LAST: usize = 100;

/// After how much an event of a history weighs half. Finite; at least 0.001 positions or 1 ms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HalfLife {
    /// So many later events; the latest event weighs 1.
    Positions(f64),
    /// So many hours before now.
    Hours(f64),
    /// So many days before now.
    Days(f64),
}

impl HalfLife {
    /// The number, in whatever it counts.
    pub(crate) fn value(self) -> f64 {
        match self {
            Self::Positions(value) | Self::Hours(value) | Self::Days(value) => value,
        }
    }
}

/// The items of the user's history, oldest first, repeats included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// The feature's name.
    pub name: String,
    /// How many of the latest events are taken. At least 1.
    pub last: usize,
    /// The weights of the items.
    pub pooling: Pooling,
    /// How fast an event loses weight; not at all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_life: Option<HalfLife>,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            last: DEFAULT_LAST,
            pooling: Pooling::default(),
            half_life: None,
        }
    }
}

/// A part of a moment: of now (context), or of an attribute (user, item).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the attributes, a timestamp; absent on the context side, needed on the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Whose clock: `+05:30`, `-03:00`, within ±14:00; UTC where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<String>,
    /// As a point on the circle, `[sin, cos]` of part / period · 2π, instead of an id. Not for `weekend`.
    pub cyclic: bool,
}
