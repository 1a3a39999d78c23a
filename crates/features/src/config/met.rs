//! Settings of the candidate side: how this user and this item met.

use serde::{Deserialize, Serialize};

use super::DEFAULT_LAST;

/// A feature that has nothing to set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlainConfig {
    /// The feature's name.
    pub name: String,
}

/// What one channel says of a candidate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelConfig {
    /// The feature's name.
    pub name: String,
    /// The channel's name in the recipe.
    pub channel: String,
}

/// How near the candidate is to what the user did lately, in the space of a channel's item vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimilarityConfig {
    /// The feature's name.
    pub name: String,
    /// The channel whose item vectors are compared.
    pub channel: String,
    /// The words of the events that are looked at; empty: all.
    pub events: Vec<String>,
    /// Only events known to have lasted at least so many seconds.
    pub min_dwell_seconds: Option<f64>,
    /// Only so many of the latest of them. At least 1; none: all.
    pub last: Option<usize>,
    /// How many days back is looked. Above 0.
    pub days: f64,
    /// The column of the item attributes that says which market an item is of: a centroid each, and the nearest counts.
    /// None: there is one centroid.
    pub market: Option<String>,
}

/// How many days back a `similarity` looks where it does not say.
pub const DEFAULT_DAYS: f64 = 14.0;

impl Default for SimilarityConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            channel: String::new(),
            events: Vec::new(),
            min_dwell_seconds: None,
            last: None,
            days: DEFAULT_DAYS,
            market: None,
        }
    }
}

/// How much of the user's history has the candidate's categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AffinityConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the item attributes; an item feature of kind `category` or `bag` must read the same one.
    pub column: String,
    /// How many of the latest events are looked at. At least 1.
    pub last: usize,
}

impl Default for AffinityConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            column: String::new(),
            last: DEFAULT_LAST,
        }
    }
}
