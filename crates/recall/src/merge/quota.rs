//! Seats for each channel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::{check_limit, check_names};
use super::seating::Seating;
use super::union::Union;
use super::{ChannelList, MergeConfig, Merged};
use crate::ConfigError;

/// Every channel fills its own seats, in the order of the recipe.
///
/// 1. A channel named in `quotas` has that many seats; the channels that are not named share what is
///    left of `limit` equally, the first in the recipe taking what does not divide.
/// 2. In the order of the recipe each channel fills its seats with its best items that nobody has
///    seated yet. So an item found twice takes a seat of the first of its channels, and the second may
///    reach further down its list.
/// 3. Seats that stayed empty, also those of a channel that is missing from the answer, go to the
///    others in turn: one item each, again and again in the order of the recipe, until the seats or the
///    items are used up.
///
/// Candidates stand in the order in which they were seated, and score the reciprocal of their place:
/// scores of different channels are never compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaConfig {
    /// Seats of a channel by its name. 0: it only fills seats that others leave. Their sum is at most `limit`, and at
    /// least 1 where every channel is named.
    pub quotas: BTreeMap<String, usize>,
    /// How many seats there are for all; 1 to [`MergeConfig::MAX_LIMIT`]. When every channel is named, their quotas are all the seats.
    pub limit: usize,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            quotas: BTreeMap::new(),
            limit: MergeConfig::DEFAULT_LIMIT,
        }
    }
}

impl QuotaConfig {
    pub(super) fn validate(&self, channels: &[&str]) -> Result<(), ConfigError> {
        check_limit(self.limit)?;
        check_names("quotas of [merge]", self.quotas.keys(), channels)?;
        let total = self.promised();
        if total > self.limit {
            return Err(ConfigError::QuotasAboveLimit {
                total,
                limit: self.limit,
            });
        }
        let names_all = channels.iter().all(|&channel| self.quotas.contains_key(channel));
        if total == 0 && names_all && !channels.is_empty() {
            return Err(ConfigError::OutOfRange {
                key: "quotas of [merge]".to_owned(),
                value: "0 for every channel".to_owned(),
                allowed: "at least 1 for some channel, or one left out: it takes what is left of limit",
            });
        }
        Ok(())
    }

    fn promised(&self) -> usize {
        self.quotas
            .values()
            .fold(0, |sum, &quota| sum.saturating_add(quota))
    }

    /// The seats of each list, and of all channels together.
    fn seats(&self, lists: &[ChannelList<'_>]) -> (Vec<usize>, usize) {
        let n_unnamed = lists
            .iter()
            .filter(|list| !self.quotas.contains_key(list.name))
            .count();
        let left = self.limit.saturating_sub(self.promised());
        let mut unnamed = 0;
        let of_list = |list: &ChannelList<'_>| {
            self.quotas.get(list.name).copied().unwrap_or_else(|| {
                unnamed += 1;
                left / n_unnamed + usize::from(unnamed <= left % n_unnamed)
            })
        };
        let seats = lists.iter().map(of_list).collect();
        let total = if n_unnamed > 0 {
            self.limit
        } else {
            self.promised().min(self.limit)
        };
        (seats, total)
    }
}

pub(super) fn fill(lists: &[ChannelList<'_>], union: Union, config: &QuotaConfig) -> Merged {
    let (seats, total) = config.seats(lists);
    let mut table = Seating::new(&union, total);
    for (list, &seats) in seats.iter().enumerate() {
        for _ in 0..seats {
            if !table.seat_next_of(list) {
                break;
            }
        }
    }
    table.in_turn();
    let seated = table.seated();
    union.into_merged(seated)
}
