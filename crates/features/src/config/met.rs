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
