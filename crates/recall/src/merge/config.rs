//! The `[merge]` table of a recipe.

use serde::{Deserialize, Serialize};

use super::{QuotaConfig, RrfConfig};
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

    /// Checks every key against its range, and every name against the channels of the recipe.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`], [`ConfigError::UnknownChannel`], [`ConfigError::QuotasAboveLimit`].
    pub fn validate(&self, channels: &[&str]) -> Result<(), ConfigError> {
        match self {
            Self::Rrf(config) => config.validate(channels),
            Self::Quota(config) => config.validate(channels),
        }
    }
}

pub(super) fn check_limit(limit: usize) -> Result<(), ConfigError> {
    if limit > 0 {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        key: "limit of [merge]".to_owned(),
        value: limit.to_string(),
        allowed: "at least 1",
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
            &expect!["unreadable: unknown variant `rff`, expected `rrf` or `quota`"],
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
    fn values_outside_their_range_are_refused() {
        check(
            "kind = 'quota'\nlimit = 0",
            &expect!["refused: limit of [merge] = 0 is out of range: at least 1"],
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
}
