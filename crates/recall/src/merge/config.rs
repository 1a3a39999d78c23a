//! The `[merge]` table of a recipe.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PriorityConfig, QuotaConfig, RrfConfig, SnakeConfig, WeightedConfig};
use crate::ConfigError;

/// How the channels' lists become one. In a recipe:
///
/// ```toml
/// [merge]
/// kind = "quota"
/// quotas = { popular = 20, ials = 120 }
/// limit = 200
/// ```
/// Without a `[merge]` table it is `rrf` with its defaults; [why](super).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MergeConfig {
    /// Reciprocal rank fusion.
    Rrf(RrfConfig),
    /// Seats for each channel.
    Quota(QuotaConfig),
    /// In turn, there and back.
    Snake(SnakeConfig),
    /// A sum of comparable scores.
    Weighted(WeightedConfig),
    /// One channel after the other.
    Priority(PriorityConfig),
    /// A blend learned from logged outcomes: refused with [`ConfigError::NotYet`], so that there is no such value.
    Learned(NotYet),
}

/// A kind that has a word but no merge yet; it has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotYet {}

impl Serialize for NotYet {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> Deserialize<'de> for NotYet {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        let error = ConfigError::NotYet {
            key: "kind of [merge]",
            value: "learned",
            available: MergeConfig::AVAILABLE,
        };
        Err(serde::de::Error::custom(error))
    }
}

impl Default for MergeConfig {
    fn default() -> Self {
        Self::Rrf(RrfConfig::default())
    }
}

impl MergeConfig {
    /// How many candidates there are at most, unless a config says otherwise: what a ranker scores
    /// within a few milliseconds.
    pub const DEFAULT_LIMIT: usize = 500;

    /// The highest `limit`: a request with so many candidates answers nobody in time.
    pub const MAX_LIMIT: usize = 100_000;

    /// The words of the kinds that there are.
    pub const AVAILABLE: &[&str] = &["rrf", "quota", "snake", "weighted", "priority"];

    /// Checks every key against its range, and every name against the channels of the recipe.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`], [`ConfigError::UnknownChannel`], [`ConfigError::QuotasAboveLimit`].
    pub fn validate(&self, channels: &[&str]) -> Result<(), ConfigError> {
        match self {
            Self::Rrf(config) => config.validate(channels),
            Self::Quota(config) => config.validate(channels),
            Self::Snake(config) => config.validate(),
            Self::Weighted(config) => config.validate(channels),
            Self::Priority(config) => config.validate(channels),
            Self::Learned(never) => match *never {},
        }
    }
}

pub(super) fn check_limit(limit: usize) -> Result<(), ConfigError> {
    if (1..=MergeConfig::MAX_LIMIT).contains(&limit) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        key: "limit of [merge]".to_owned(),
        value: limit.to_string(),
        allowed: "1 to 100000",
    })
}

pub(super) fn check_names<'a>(
    key: &'static str,
    mut named: impl Iterator<Item = &'a String>,
    channels: &[&str],
) -> Result<(), ConfigError> {
    match named.find(|name| !channels.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(ConfigError::UnknownChannel {
            key,
            name: name.clone(),
            known: channels.iter().map(|&channel| channel.to_owned()).collect(),
        }),
    }
}

pub(super) fn check_weights(weights: &BTreeMap<String, f32>, channels: &[&str]) -> Result<(), ConfigError> {
    for (name, &weight) in weights {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(ConfigError::OutOfRange {
                key: format!("weights.{name} of [merge]"),
                value: weight.to_string(),
                allowed: "at least 0 and finite",
            });
        }
    }
    check_names("weights of [merge]", weights.keys(), channels)?;
    let is_mute = |channel: &&str| weights.get(*channel) == Some(&0.0);
    if !channels.is_empty() && channels.iter().all(is_mute) {
        return Err(ConfigError::OutOfRange {
            key: "weights of [merge]".to_owned(),
            value: "0 for every channel".to_owned(),
            allowed: "above 0 for at least one channel; without votes the order would be that of the items",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(recipe: &str, expected: &Expect) {
        let answer = match toml::from_str::<MergeConfig>(recipe) {
            Err(error) => format!("unreadable: {}", error.message()),
            Ok(config) => match config.validate(&["ials", "popular"]) {
                Err(error) => format!("refused: {error}"),
                Ok(()) => format!("{config:?}"),
            },
        };
        expected.assert_eq(&answer);
    }

    #[test]
    fn recipes_are_read_with_defaults_for_what_they_leave_out() {
        check(
            "kind = 'rrf'",
            &expect!["Rrf(RrfConfig { k: 60.0, weights: {}, limit: 500 })"],
        );
        check(
            "kind = 'rrf'\nk = 10\nweights = { popular = 0.5 }\nlimit = 20",
            &expect![[r#"Rrf(RrfConfig { k: 10.0, weights: {"popular": 0.5}, limit: 20 })"#]],
        );
        check(
            "kind = 'quota'\nquotas = { popular = 20 }\nlimit = 200",
            &expect![[r#"Quota(QuotaConfig { quotas: {"popular": 20}, limit: 200 })"#]],
        );
    }

    #[test]
    fn misspelt_keys_kinds_and_channels_are_refused() {
        check(
            "kind = 'rff'",
            &expect![
                "unreadable: unknown variant `rff`, expected one of `rrf`, `quota`, `snake`, `weighted`, `priority`, `learned`"
            ],
        );
        check(
            "kind = 'rrf'\nquotas = {}",
            &expect!["unreadable: unknown field `quotas`, expected one of `k`, `weights`, `limit`"],
        );
        check(
            "kind = 'quota'\nquotas = { populr = 20 }",
            &expect![
                "refused: quotas of [merge] names the channel `populr`, which is not there; channels: ials, popular"
            ],
        );
    }

    #[test]
    fn the_other_kinds_are_read_with_their_keys() {
        check("kind = 'snake'", &expect!["Snake(SnakeConfig { limit: 500 })"]);
        check(
            "kind = 'priority'\norder = ['popular']\nlimit = 9",
            &expect![[r#"Priority(PriorityConfig { order: ["popular"], limit: 9 })"#]],
        );
        check(
            "kind = 'weighted'\nnormalise = 'z_score'\nweights = { ials = 2 }",
            &expect![[
                r#"Weighted(WeightedConfig { normalise: ZScore, weights: {"ials": 2.0}, limit: 500 })"#
            ]],
        );
        check(
            "kind = 'priority'\norder = ['popular', 'popular']",
            &expect!["refused: order of [merge] = popular is out of range: each channel once"],
        );
        check(
            "kind = 'priority'\norder = ['populr']",
            &expect![
                "refused: order of [merge] names the channel `populr`, which is not there; channels: ials, popular"
            ],
        );
        check(
            "kind = 'weighted'\nweights = { ials = -1 }",
            &expect!["refused: weights.ials of [merge] = -1 is out of range: at least 0 and finite"],
        );
    }

    #[test]
    fn what_is_not_there_yet_says_what_is() {
        check(
            "kind = 'learned'",
            &expect![
                "unreadable: kind of [merge] = learned is not there yet; there are: rrf, quota, snake, weighted, priority"
            ],
        );
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        check(
            "kind = 'quota'\nlimit = 0",
            &expect!["refused: limit of [merge] = 0 is out of range: 1 to 100000"],
        );
        check(
            "kind = 'snake'\nlimit = 100001",
            &expect!["refused: limit of [merge] = 100001 is out of range: 1 to 100000"],
        );
        check(
            "kind = 'quota'\nquotas = { popular = 20, ials = 5 }\nlimit = 24",
            &expect!["refused: the quotas of [merge] add up to 25, above limit = 24"],
        );
        check(
            "kind = 'rrf'\nk = 0",
            &expect!["refused: k of [merge] = 0 is out of range: above 0 and finite"],
        );
        check(
            "kind = 'rrf'\nweights = { ials = -1 }",
            &expect!["refused: weights.ials of [merge] = -1 is out of range: at least 0 and finite"],
        );
    }

    #[test]
    fn a_merge_that_could_seat_or_hear_nobody_is_refused() {
        check(
            "kind = 'quota'\nquotas = { popular = 0, ials = 0 }",
            &expect![
                "refused: quotas of [merge] = 0 for every channel is out of range: at least 1 for some channel, or one left out: it takes what is left of limit"
            ],
        );
        check(
            "kind = 'quota'\nquotas = { popular = 0 }",
            &expect![[r#"Quota(QuotaConfig { quotas: {"popular": 0}, limit: 500 })"#]],
        );
        for kind in ["rrf", "weighted"] {
            check(
                &format!("kind = '{kind}'\nweights = {{ popular = 0, ials = 0 }}"),
                &expect![
                    "refused: weights of [merge] = 0 for every channel is out of range: above 0 for at least one channel; without votes the order would be that of the items"
                ],
            );
        }
        check(
            "kind = 'rrf'\nweights = { popular = 0 }",
            &expect![[r#"Rrf(RrfConfig { k: 60.0, weights: {"popular": 0.0}, limit: 500 })"#]],
        );
    }
}
