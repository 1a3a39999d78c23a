//! Sums of scores that were made comparable first.

use std::collections::BTreeMap;

use catchment_schema::Score;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::config::{check_limit, check_weights};
use super::union::{Found, Union};
use super::{ChannelList, MergeConfig, Merged, Source};
use crate::ConfigError;

/// What makes a channel's scores comparable with those of others. Each maps a list into 0 to 1, and a list whose scores
/// are all equal, also one of a single item, to [`Normalise::EQUAL`], because it says nothing about its order; by
/// [`Normalise::Rank`] the order of the list itself speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    /// `(s − min) / (max − min)`. One score far from all others decides the rest.
    #[default]
    MinMax,
    /// `½ + (s − mean) / 6σ`, cut to 0 to 1: three standard deviations to both sides.
    ZScore,
    /// `1 − (rank − 1) / n`: the first counts 1 and the last `1/n`, whatever they score.
    Rank,
}

impl Normalise {
    /// What each item of a list counts whose scores are all equal, by `min_max` and `z_score`.
    pub const EQUAL: f64 = 0.5;
}

/// A weighted sum of normalised scores:
///
/// ```text
/// score(i) = Σ_c weight(c) · normalised_c(i)      over the channels c that found i
/// ```
/// An item that a channel did not find gets nothing from it. Ties stand in the order of their best rank, then of the
/// item. The terms are added from small to large, so that neither the order of the lists nor the numbering of the
/// channels can matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightedConfig {
    /// How scores are made comparable: `min_max`, `z_score` or `rank`.
    pub normalise: Normalise,
    /// Weight of a channel by its name; a channel that is not named has weight 1. At least 0 and finite, not 0 for
    /// every channel.
    pub weights: BTreeMap<String, f32>,
    /// How many candidates there are at most; 1 to [`MergeConfig::MAX_LIMIT`].
    pub limit: usize,
}

impl Default for WeightedConfig {
    fn default() -> Self {
        Self {
            normalise: Normalise::default(),
            weights: BTreeMap::new(),
            limit: MergeConfig::DEFAULT_LIMIT,
        }
    }
}

impl WeightedConfig {
    pub(super) fn validate(&self, channels: &[&str]) -> Result<(), ConfigError> {
        check_limit(self.limit)?;
        check_weights(&self.weights, channels)
    }
}

pub(super) fn sum(lists: &[ChannelList<'_>], union: Union, config: &WeightedConfig) -> Merged {
    let scale = |list: &ChannelList<'_>| Scale {
        channel: list.channel,
        weight: f64::from(config.weights.get(list.name).copied().unwrap_or(1.0)),
        map: map(list, &union, config.normalise),
    };
    let scales: Vec<Scale> = lists.iter().map(scale).collect();
    let best = union.best_by(config.limit, |found| total(found, &scales));
    union.into_merged(best)
}

/// What a channel's word counts.
struct Scale {
    channel: u16,
    weight: f64,
    map: Map,
}

/// From a source to 0 to 1.
enum Map {
    Equal,
    /// `offset + (s − origin) / width`, cut.
    Score {
        origin: f64,
        width: f64,
        offset: f64,
    },
    Rank {
        n: f64,
    },
}

impl Map {
    fn of(&self, source: &Source) -> f64 {
        match *self {
            Self::Equal => Normalise::EQUAL,
            Self::Score {
                origin,
                width,
                offset,
            } => (offset + (f64::from(source.score.get()) - origin) / width).clamp(0.0, 1.0),
            Self::Rank { n } => 1.0 - f64::from(source.rank - 1) / n,
        }
    }
}

/// Over the distinct items of the list, in the order of the items: neither repeats nor the channel's number matter.
fn map(list: &ChannelList<'_>, union: &Union, normalise: Normalise) -> Map {
    let of_list = |found: &Found| {
        let source = found.sources.iter().find(|source| source.channel == list.channel);
        source.map(|source| f64::from(source.score.get()))
    };
    let scores = || union.found.iter().filter_map(of_list);
    let (min, max) = (
        scores().fold(f64::INFINITY, f64::min),
        scores().fold(f64::NEG_INFINITY, f64::max),
    );
    match normalise {
        Normalise::Rank => Map::Rank {
            n: list.items.len() as f64,
        },
        Normalise::MinMax if max > min => Map::Score {
            origin: min,
            width: max - min,
            offset: 0.0,
        },
        Normalise::ZScore if max > min => {
            let n = scores().count() as f64;
            let mean = scores().sum::<f64>() / n;
            let variance = scores().map(|score| (score - mean).powi(2)).sum::<f64>() / n;
            Map::Score {
                origin: mean,
                width: 6.0 * variance.sqrt(),
                offset: 0.5,
            }
        }
        Normalise::MinMax | Normalise::ZScore => Map::Equal,
    }
}

fn total(found: &Found, scales: &[Scale]) -> Score {
    let mut terms: SmallVec<[f64; 4]> = SmallVec::new();
    for source in &found.sources {
        let scale = scales.iter().find(|scale| scale.channel == source.channel);
        terms.extend(scale.map(|scale| scale.weight * scale.map.of(source)));
    }
    terms.sort_unstable_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the one rounding to 32 bits; what is too large is clamped"
    )]
    Score::clamped(terms.iter().sum::<f64>() as f32)
}

#[cfg(test)]
mod tests {
    use catchment_schema::{ItemIdx, ScoredItem};

    use super::*;
    use crate::merge;

    /// Lists of scores, each channel's items numbered from 10 times its own number on; the merged score of each.
    fn weighted_scores(normalise: Normalise, scores: &[&[f32]]) -> Vec<Vec<f32>> {
        let lists: Vec<Vec<ScoredItem>> = (0..)
            .zip(scores)
            .map(|(channel, scores)| {
                let items = (channel * 10..).zip(*scores);
                items
                    .map(|(item, &score)| ScoredItem::new(ItemIdx(item), Score::new(score).unwrap()))
                    .collect()
            })
            .collect();
        let named: Vec<ChannelList<'_>> = (0..)
            .zip(&lists)
            .zip(["x", "y", "z"])
            .map(|((channel, items), name)| ChannelList { channel, name, items })
            .collect();
        let config = MergeConfig::Weighted(WeightedConfig {
            normalise,
            ..WeightedConfig::default()
        });
        let merged = merge(&named, &config);
        let score = |scored: &ScoredItem| {
            let candidate = merged
                .candidates
                .iter()
                .find(|candidate| candidate.item == scored.item);
            candidate.unwrap().score.get()
        };
        lists
            .iter()
            .map(|items| items.iter().map(score).collect())
            .collect()
    }

    #[test]
    fn one_item_and_equal_scores_count_a_defined_value_and_not_themselves() {
        for normalise in [Normalise::MinMax, Normalise::ZScore] {
            let found = weighted_scores(normalise, &[&[1e30], &[-7.0, -7.0], &[4.0, 2.0, 0.0]]);
            assert_eq!(found[0], [0.5]);
            assert_eq!(found[1], [0.5, 0.5]);
            assert!(
                found[2][0] > 0.5 && (found[2][1] - 0.5).abs() < 1e-6 && found[2][2] < 0.5,
                "{found:?}"
            );
        }
        let found = weighted_scores(Normalise::Rank, &[&[1e30], &[-7.0, -7.0], &[4.0]]);
        assert_eq!(found, [vec![1.0], vec![1.0, 0.5], vec![1.0]]);
    }

    #[test]
    fn the_largest_scores_that_there_are_do_not_overflow() {
        let found = weighted_scores(Normalise::MinMax, &[&[f32::MAX, 0.0, f32::MIN], &[], &[]]);
        assert_eq!(found[0], [1.0, 0.5, 0.0]);
        let found = weighted_scores(Normalise::ZScore, &[&[f32::MAX, 0.0, f32::MIN], &[], &[]]);
        let expected = 0.5 + 1.0 / (6.0 * (2.0f32 / 3.0).sqrt());
        assert!((found[0][0] - expected).abs() < 1e-6, "{found:?}");
    }
}
