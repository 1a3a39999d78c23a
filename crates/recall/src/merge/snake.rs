//! Round after round, there and back.

use serde::{Deserialize, Serialize};

use super::config::check_limit;
use super::seating::Seating;
use super::union::Union;
use super::{ChannelList, MergeConfig, Merged};
use crate::ConfigError;

/// Every channel in turn seats its best item that nobody has seated yet: in the order of the recipe, then back from the
/// last to the first, and so on. So no channel is first twice as often as another, as children choose teams.
///
/// An item found twice takes a seat of the channel whose turn it was, and the other may reach further down its list.
/// A channel without further items is passed over. Candidates stand in the order in which they were seated, and score
/// the reciprocal of their place: scores of different channels are never compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnakeConfig {
    /// How many candidates there are at most; 1 to [`MergeConfig::MAX_LIMIT`].
    pub limit: usize,
}

impl Default for SnakeConfig {
    fn default() -> Self {
        Self {
            limit: MergeConfig::DEFAULT_LIMIT,
        }
    }
}

impl SnakeConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        check_limit(self.limit)
    }
}

pub(super) fn draft(lists: &[ChannelList<'_>], union: Union, config: &SnakeConfig) -> Merged {
    let mut seating = Seating::new(&union, config.limit);
    let (mut in_play, mut back) = (true, false);
    while in_play {
        in_play = false;
        for turn in 0..lists.len() {
            let list = if back { lists.len() - 1 - turn } else { turn };
            in_play |= seating.seat_next_of(list);
        }
        back = !back;
    }
    let seated = seating.seated();
    union.into_merged(seated)
}
