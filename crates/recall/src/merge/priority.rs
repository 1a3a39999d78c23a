//! One channel after the other.

use serde::{Deserialize, Serialize};

use super::config::{check_limit, check_names};
use super::seating::Seating;
use super::union::Union;
use super::{ChannelList, MergeConfig, Merged};
use crate::ConfigError;

/// The first channel seats its whole list, the second what is left of its own, and so on until the seats are used up.
///
/// Candidates stand in the order in which they were seated, and score the reciprocal of their place: scores of
/// different channels are never compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriorityConfig {
    /// The channels by name, the most important first, none twice; those that are not named follow in the order of the
    /// recipe.
    pub order: Vec<String>,
    /// How many candidates there are at most; 1 to [`MergeConfig::MAX_LIMIT`].
    pub limit: usize,
}

impl Default for PriorityConfig {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            limit: MergeConfig::DEFAULT_LIMIT,
        }
    }
}

impl PriorityConfig {
    pub(super) fn validate(&self, channels: &[&str]) -> Result<(), ConfigError> {
        check_limit(self.limit)?;
        check_names("order of [merge]", self.order.iter(), channels)?;
        let repeated =
            |(place, name): (usize, &String)| self.order[..place].contains(name).then(|| name.clone());
        match self.order.iter().enumerate().find_map(repeated) {
            None => Ok(()),
            Some(value) => Err(ConfigError::OutOfRange {
                key: "order of [merge]".to_owned(),
                value,
                allowed: "each channel once",
            }),
        }
    }
}

pub(super) fn fill(lists: &[ChannelList<'_>], union: Union, config: &PriorityConfig) -> Merged {
    let rank = |name: &str| {
        let named = config.order.iter().position(|other| other == name);
        named.unwrap_or(config.order.len())
    };
    let mut order: Vec<usize> = (0..lists.len()).collect();
    // Stable: those that are not named stay in the order of the recipe.
    order.sort_by_key(|&list| rank(lists[list].name));
    let mut seating = Seating::new(&union, config.limit);
    for list in order {
        while seating.seat_next_of(list) {}
    }
    let seated = seating.seated();
    union.into_merged(seated)
}
