//! The `[prepare]` table of a recipe.

use catchment_schema::Condition;
use serde::{Deserialize, Serialize};

use crate::duration::parse_millis;
use crate::memory::parse_bytes;
use crate::{Error, Result};

/// What is kept of the log, before it is split.
///
/// The steps come in this order: `events`, `positive`, the k-core of `min_user_events` and
/// `min_item_events`, `deduplicate`, sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareConfig {
    /// The event words to keep; empty keeps all.
    pub events: Vec<String>,
    /// The event words that say no, such as a rejection or what was shown and not taken; in a recipe, `negative` of
    /// `[data]`. The log must have each of them, and `events` keep it. Their rows stay, and are evidence of nothing: no
    /// minimum and no vocabulary counts them, `positive` does not ask them, nobody's last event is one, and they are no
    /// duplicates of what was taken. A split in the order of time puts them where they happened; a random one leaves them
    /// in train, but for those about an item that it draws from the same user.
    #[serde(skip)]
    pub negative: Vec<String>,
    /// Users with fewer rows are left out, again and again until no user and no item is below its
    /// minimum (k-core). Counted on the log alone; a given test part is not thinned. Above 1 it leaves out users of whom
    /// all rows say no; 1 asks nothing.
    pub min_user_events: u32,
    /// As `min_user_events`, for items.
    pub min_item_events: u32,
    /// What to keep of several rows of one user with one item, or of an event that the log repeats; in a given test log apart from the rest. Of any other
    /// log this comes before the split, so that with `last` a row that is held out later takes the place of an earlier
    /// one that would have trained.
    pub deduplicate: Deduplicate,
    /// A pause longer than this begins a new session, where the log names none: `500ms`, `90s`, `30m`, `2h`, `1d`.
    pub session_gap: String,
    /// Keep only rows for which this holds: `value >= 4`, `dwell_ms > 3000 and value != 0`. Columns are
    /// `value` (1 where the log has none), `dwell_ms` and numeric extra columns of the log; a row without
    /// the column's value is not kept.
    pub positive: Option<String>,
    /// About how much memory may be taken, such as `2GiB`; at least [`LEAST_MEMORY`]. What does not fit goes to disk,
    /// beside the folder that is written, and is gone at the end. The files that come out are the same, byte for
    /// byte. Without a limit the log is held in memory.
    ///
    /// Half of it is for what the query engine counts and for ids and tables; the other half for what nobody counts:
    /// batches on their way, pages being written, the program. That second part does not shrink below some hundreds of
    /// megabytes, so a limit below `1GiB` is exceeded.
    pub memory_limit: Option<String>,
}

/// The smallest `memory_limit`: the program itself and one batch on its way through every plan.
pub const LEAST_MEMORY: &str = "64MiB";

impl Default for PrepareConfig {
    fn default() -> Self {
        Self {
            events: vec![],
            negative: vec![],
            min_user_events: 1,
            min_item_events: 1,
            deduplicate: Deduplicate::None,
            session_gap: "30m".to_owned(),
            positive: None,
            memory_limit: None,
        }
    }
}

/// What to keep of several rows of one user with one item, or of several copies of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deduplicate {
    /// All of them.
    #[default]
    None,
    /// One of those that agree in user, item, time and event word: what a log has twice by mistake. Several events with
    /// one item (view, cart, order) stay. No time is a time of its own here, and no word is `interaction`.
    Exact,
    /// The first in the user's order.
    First,
    /// The last in the user's order.
    Last,
}

/// A [`PrepareConfig`] that was read and found good.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checked {
    pub(crate) events: Vec<String>,
    pub(crate) negative: Vec<String>,
    pub(crate) min_user_events: u32,
    pub(crate) min_item_events: u32,
    pub(crate) deduplicate: Deduplicate,
    pub(crate) session_gap_ms: i64,
    pub(crate) positive: Option<Condition>,
    /// In bytes.
    pub(crate) memory_limit: Option<u64>,
}

impl PrepareConfig {
    /// Checks every key; the error names the key and what is allowed.
    ///
    /// # Errors
    /// [`Error::BadSetting`].
    pub fn validate(&self) -> Result<()> {
        self.check().map(|_| ())
    }

    pub(crate) fn check(&self) -> Result<Checked> {
        let at_least_one = |key, value: u32| match value {
            0 => Err(Error::BadSetting {
                key,
                value: value.to_string(),
                reason: "must be at least 1".to_owned(),
            }),
            _ => Ok(value),
        };
        let gap = parse_millis(&self.session_gap).ok_or_else(|| Error::BadSetting {
            key: "prepare.session_gap",
            value: format!("{:?}", self.session_gap),
            reason: "must be a whole number above 0 with ms, s, m, h or d, such as \"30m\"".to_owned(),
        })?;
        let positive = self.positive.as_ref().map(|text| {
            text.parse().map_err(|reason| Error::BadSetting {
                key: "prepare.positive",
                value: format!("{text:?}"),
                reason: format!("{reason}"),
            })
        });
        let memory_limit = self.memory_limit.as_ref().map(|text| {
            let least = parse_bytes(LEAST_MEMORY).unwrap_or_default();
            let bytes = parse_bytes(text).filter(|&bytes| bytes >= least);
            bytes.ok_or_else(|| Error::BadSetting {
                key: "prepare.memory_limit",
                value: format!("{text:?}"),
                reason: format!(
                    "must be a whole number with MiB, GiB, MB or GB, such as \"2GiB\", and at least {LEAST_MEMORY}"
                ),
            })
        });
        Ok(Checked {
            events: self.events.clone(),
            negative: self.negative.clone(),
            min_user_events: at_least_one("prepare.min_user_events", self.min_user_events)?,
            min_item_events: at_least_one("prepare.min_item_events", self.min_item_events)?,
            deduplicate: self.deduplicate,
            session_gap_ms: gap,
            positive: positive.transpose()?,
            memory_limit: memory_limit.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_good_and_bad_settings_name_their_key() {
        assert!(PrepareConfig::default().validate().is_ok());
        let bad = |change: fn(&mut PrepareConfig)| {
            let mut config = PrepareConfig::default();
            change(&mut config);
            config.validate().expect_err("refused").to_string()
        };
        assert!(bad(|config| config.session_gap = "soon".into()).contains("prepare.session_gap"));
        assert!(bad(|config| config.positive = Some("value".into())).contains("prepare.positive"));
        assert!(bad(|config| config.memory_limit = Some("2".into())).contains("prepare.memory_limit"));
        assert!(bad(|config| config.memory_limit = Some("1MiB".into())).contains("at least 64MiB"));
        assert!(bad(|config| config.min_item_events = 0).contains("prepare.min_item_events"));
    }
}
