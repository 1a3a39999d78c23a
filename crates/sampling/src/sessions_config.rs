//! Sessions as a recipe asks for them.

use catchment_schema::EventKind;
use serde::{Deserialize, Serialize};

use crate::{SamplingError, SessionRules};

/// What a session is, before pauses and goals cut it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionsFrom {
    /// Where the log names sessions (`session_id`), those; else all that a user did.
    #[default]
    Auto,
    /// The sessions of the encoded log: named by it or, where they are not, cut by `session_gap` of `[prepare]`.
    Log,
    /// All that a user did, whatever sessions the log names.
    User,
}

/// A recipe's `sessions`: how users' events become sessions, in the words of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// What a session is to begin with: `auto`, `log` or `user`.
    #[serde(skip_serializing_if = "is_default")]
    pub from: SessionsFrom,
    /// A pause of more than so many minutes begins another session; none: only another session of the log does.
    pub gap_minutes: Option<f64>,
    /// Events known to have lasted less than so many seconds are left out.
    pub min_dwell_seconds: Option<f64>,
    /// The events that count; empty: all of them.
    pub events: Vec<String>,
    /// Shorter sessions are left out. From 2.
    pub min_items: usize,
    /// The same item several times in a row counts once.
    pub merge_repeats: bool,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self {
            from: SessionsFrom::default(),
            gap_minutes: None,
            min_dwell_seconds: None,
            events: Vec::new(),
            min_items: 2,
            merge_repeats: true,
        }
    }
}

impl SessionsConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`SamplingError::Config`].
    pub fn validate(&self) -> Result<(), SamplingError> {
        millis("gap_minutes", self.gap_minutes, 60_000.0)?;
        millis("min_dwell_seconds", self.min_dwell_seconds, 1000.0)?;
        if self.min_items < 2 {
            return Err(SamplingError::Config {
                key: "min_items",
                value: self.min_items.to_string(),
                allowed: "2 or more: one item alone goes with nothing",
            });
        }
        Ok(())
    }

    /// The rules, with the words of the log: an event's kind is the position of its word. `is_named`: whether the log
    /// names sessions.
    ///
    /// # Errors
    /// [`SamplingError::Config`]; [`SamplingError::UnknownEvent`].
    pub fn rules(&self, words: &[String], is_named: bool) -> Result<SessionRules, SamplingError> {
        self.rules_with_goal(words, is_named, None)
    }

    /// The rules of sessions that an event with this word ends, for which they are.
    ///
    /// # Errors
    /// As [`SessionsConfig::rules`].
    pub fn rules_with_goal(
        &self,
        words: &[String],
        is_named: bool,
        goal: Option<&str>,
    ) -> Result<SessionRules, SamplingError> {
        self.validate()?;
        let gap_ms = millis("gap_minutes", self.gap_minutes, 60_000.0)?;
        let dwell = millis("min_dwell_seconds", self.min_dwell_seconds, 1000.0)?;
        Ok(SessionRules {
            gap_ms,
            min_dwell_ms: dwell.map(|dwell| u32::try_from(dwell).unwrap_or(u32::MAX)),
            kinds: self
                .events
                .iter()
                .map(|word| kind_of(word, words))
                .collect::<Result<_, _>>()?,
            goal: goal.map(|word| kind_of(word, words)).transpose()?,
            min_items: self.min_items,
            merge_repeats: self.merge_repeats,
            as_given: match self.from {
                SessionsFrom::Auto => is_named,
                SessionsFrom::Log => true,
                SessionsFrom::User => false,
            },
        })
    }
}

/// What is not said is not written, so that older descriptions stay as they were.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_default(from: &SessionsFrom) -> bool {
    *from == SessionsFrom::default()
}

/// The kind of a word: its position among those of the log.
///
/// # Errors
/// [`SamplingError::UnknownEvent`].
pub fn kind_of(word: &str, words: &[String]) -> Result<EventKind, SamplingError> {
    let position = words.iter().position(|known| known == word);
    let kind = position
        .and_then(|position| u16::try_from(position).ok())
        .map(EventKind);
    kind.ok_or_else(|| SamplingError::UnknownEvent {
        word: word.to_owned(),
        words: words.join(", "),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
fn millis(key: &'static str, value: Option<f64>, unit: f64) -> Result<Option<i64>, SamplingError> {
    match value.map(|value| value * unit) {
        None => Ok(None),
        Some(millis) if (1.0..1e15).contains(&millis) => Ok(Some(millis as i64)),
        Some(_) => Err(SamplingError::Config {
            key,
            value: value.unwrap_or_default().to_string(),
            allowed: "at least a millisecond, below 30000 years",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_kinds_and_unknown_ones_are_named() {
        let words = ["view", "purchase"].map(str::to_owned);
        let config = SessionsConfig {
            gap_minutes: Some(30.0),
            min_dwell_seconds: Some(0.5),
            events: vec!["purchase".to_owned()],
            ..SessionsConfig::default()
        };
        let rules = config.rules(&words, false).expect("known words");
        assert_eq!(rules.gap_ms, Some(1_800_000));
        assert_eq!(rules.min_dwell_ms, Some(500));
        assert_eq!((&rules.kinds[..], rules.goal), (&[EventKind(1)][..], None));
        let rules = config
            .rules_with_goal(&words, false, Some("view"))
            .expect("known words");
        assert_eq!(rules.goal, Some(EventKind(0)));
        assert!(config.rules_with_goal(&words, false, Some("buy")).is_err());
        let unknown = SessionsConfig {
            events: vec!["buy".to_owned()],
            ..SessionsConfig::default()
        };
        let message = unknown.rules(&words, false).expect_err("unknown").to_string();
        assert!(
            message.contains("buy") && message.contains("view, purchase"),
            "{message}"
        );
    }

    #[test]
    fn sessions_that_the_log_names_are_taken_unless_the_recipe_says_otherwise() {
        let taken = |from, is_named| {
            let config = SessionsConfig {
                from,
                ..SessionsConfig::default()
            };
            config.rules(&[], is_named).expect("settings").as_given
        };
        let found = [SessionsFrom::Auto, SessionsFrom::Log, SessionsFrom::User]
            .map(|from| [false, true].map(|is_named| taken(from, is_named)));
        assert_eq!(found, [[false, true], [true, true], [false, false]]);
    }

    #[test]
    fn ranges_are_checked() {
        let failed = |config: SessionsConfig| config.validate().expect_err("refused").to_string();
        let some = SessionsConfig::default;
        for gap in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(
                failed(SessionsConfig {
                    gap_minutes: Some(gap),
                    ..some()
                })
                .contains("gap_minutes")
            );
        }
        assert!(
            failed(SessionsConfig {
                min_dwell_seconds: Some(0.0),
                ..some()
            })
            .contains("min_dwell_seconds")
        );
        assert!(
            failed(SessionsConfig {
                min_items: 1,
                ..some()
            })
            .contains("min_items")
        );
        assert!(some().validate().is_ok());
    }
}
