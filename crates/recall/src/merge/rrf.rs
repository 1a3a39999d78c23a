//! Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

use std::collections::BTreeMap;

use catchment_schema::Score;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::config::{check_limit, check_weights};
use super::union::{Found, Union};
use super::{ChannelList, MergeConfig, Merged};
use crate::ConfigError;

/// Each channel votes for its items by their ranks alone:
///
/// ```text
/// score(i) = Σ_c weight(c) / (k + rank_c(i))      over the channels c that found i
/// ```
/// Ties stand in the order of their best rank, then of the item. The terms are added from small to
/// large, so that neither the order of the lists nor the numbering of the channels can matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RrfConfig {
    /// How flat the votes are: the larger, the less a first place counts above a tenth. Above 0 and finite.
    pub k: f32,
    /// Votes of a channel by its name; a channel that is not named has weight 1. At least 0 and finite, not 0 for
    /// every channel.
    pub weights: BTreeMap<String, f32>,
    /// How many candidates there are at most; 1 to [`MergeConfig::MAX_LIMIT`].
    pub limit: usize,
}

impl RrfConfig {
    /// The paper's `k`, which it found to be good and uncritical.
    pub const DEFAULT_K: f32 = 60.0;

    pub(super) fn validate(&self, channels: &[&str]) -> Result<(), ConfigError> {
        check_limit(self.limit)?;
        if !(self.k > 0.0 && self.k.is_finite()) {
            return Err(ConfigError::OutOfRange {
                key: "k of [merge]".to_owned(),
                value: self.k.to_string(),
                allowed: "above 0 and finite",
            });
        }
        check_weights(&self.weights, channels)
    }
}

impl Default for RrfConfig {
    fn default() -> Self {
        Self {
            k: Self::DEFAULT_K,
            weights: BTreeMap::new(),
            limit: MergeConfig::DEFAULT_LIMIT,
        }
    }
}

pub(super) fn fuse(lists: &[ChannelList<'_>], union: Union, config: &RrfConfig) -> Merged {
    let weight = |list: &ChannelList<'_>| config.weights.get(list.name).copied().unwrap_or(1.0);
    let weights: Vec<(u16, f32)> = lists.iter().map(|list| (list.channel, weight(list))).collect();
    let best = union.best_by(config.limit, |found| votes(found, &weights, config.k));
    union.into_merged(best)
}

fn votes(found: &Found, weights: &[(u16, f32)], k: f32) -> Score {
    let mut terms: SmallVec<[f32; 4]> = SmallVec::new();
    for source in &found.sources {
        let weight = weights.iter().find(|(channel, _)| *channel == source.channel);
        terms.push(weight.map_or(1.0, |weight| weight.1) / (k + source.rank as f32));
    }
    terms.sort_unstable_by(f32::total_cmp);
    Score::clamped(terms.iter().sum())
}
