//! The user side.

use catchment_schema::{AttributeTable, History, Time};
use serde::{Deserialize, Serialize};

use crate::attribute::AttributeRule;
use crate::attribute_source::{AttributeSource, NamedTable};
use crate::cross::CrossRule;
use crate::fingerprint::StateHash;
use crate::history::HistoryRule;
use crate::number::NumberRule;
use crate::report::Seen;
use crate::spec::wrong_side;
use crate::state::{Feature, Rule};
use crate::{ColumnKind, FeatureColumn, FeatureConfig, FitTables, Result, Side};

pub(crate) const TABLE: &str = "user attributes";

/// What is known of a user at one moment.
#[derive(Clone, Copy, Debug)]
pub struct UserInput<'a> {
    /// The raw id; `None` for an anonymous user.
    pub id: Option<&'a str>,
    /// A table of user attributes and the user's row there; `None` where nothing is known.
    pub attributes: Option<(&'a AttributeTable, usize)>,
    /// What the user did. Events at or after `now` are not looked at, see [`UserInput::known_history`].
    pub history: History<'a>,
    /// The same with events that say no (a rejection, a return), where the log has words for it: for a feature that asks for
    /// events by name. None: `history` is all there is.
    pub everything: Option<History<'a>>,
    /// The moment of the request, or of the event that a training row is about.
    pub now: Time,
}

impl<'a> UserInput<'a> {
    /// Somebody of whom nothing is known.
    pub fn anonymous(now: Time) -> Self {
        Self {
            id: None,
            attributes: None,
            history: History::EMPTY,
            everything: None,
            now,
        }
    }

    /// The events strictly before `now`. Where `now` is unknown the order of a log is all there is:
    /// the history is then taken as given, and the caller has to end it before the event in question.
    pub fn known_history(&self) -> History<'a> {
        self.known(self.history)
    }

    /// The same of everything, events that say no among it.
    pub(crate) fn known_everything(&self) -> History<'a> {
        self.known(self.everything.unwrap_or(self.history))
    }

    fn known(&self, history: History<'a>) -> History<'a> {
        match self.now {
            Time::UNKNOWN => history,
            now => history.before(now),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum UserRule {
    Attribute(AttributeRule),
    History(HistoryRule),
    EventCount(NumberRule),
    Cross(CrossRule),
}

impl UserRule {
    pub(crate) fn fit(
        config: &FeatureConfig,
        tables: &FitTables<'_>,
        fitted: &[Feature<Self>],
        previous: Option<&Self>,
    ) -> Result<(Self, Seen)> {
        let source = AttributeSource::of(Side::User, tables);
        let attribute = match previous {
            Some(Self::Attribute(rule)) => Some(rule),
            _ => None,
        };
        if let Some((rule, seen)) = AttributeRule::fit(config, source, attribute)? {
            return Ok((Self::Attribute(rule), seen));
        }
        let rule = match config {
            FeatureConfig::History(history) => {
                let previous = match previous {
                    Some(Self::History(rule)) => Some(rule),
                    _ => None,
                };
                Self::History(HistoryRule::fit(history, tables, previous)?)
            }
            FeatureConfig::EventCount(count) => {
                // What a training row would have seen: the count before each event.
                let seen = tables.histories.iter().flat_map(|(_, history)| {
                    let before = move |time| history.before(time).len() as f64;
                    history.events().iter().map(move |event| before(event.time))
                });
                Self::EventCount(NumberRule::fit(&count.transform, false, seen))
            }
            FeatureConfig::Cross(cross) => {
                let find = |name: &str| Feature::find(fitted, Side::User, name);
                Self::Cross(CrossRule::fit(
                    cross,
                    Side::User,
                    find,
                    previous.and_then(Rule::cross),
                )?)
            }
            other => return Err(wrong_side(other, Side::User)),
        };
        Ok((rule, Seen::default()))
    }

    /// See [`AttributeRule::text_ids`].
    pub(crate) fn text_ids(&self) -> Option<u128> {
        match self {
            Self::Attribute(rule) => rule.text_ids(),
            _ => None,
        }
    }

    /// Adds one row, row `row` of the column; `known` is the input's known history, `before` are the columns of the
    /// features before this one, which have the row.
    pub(crate) fn write(
        &self,
        feature: &str,
        input: &UserInput<'_>,
        known: History<'_>,
        row: usize,
        before: &[FeatureColumn],
        column: &mut FeatureColumn,
    ) -> Result<()> {
        match self {
            Self::Attribute(rule) => {
                let named = |(table, _)| NamedTable { name: TABLE, table };
                let reader = rule.reader(feature, input.attributes.map(named))?;
                reader.write(input.id, input.attributes.map_or(0, |(_, row)| row), column);
            }
            Self::History(rule) => rule.write(known, input.now, column),
            Self::EventCount(rule) => rule.write(Some(known.len() as f64), column),
            Self::Cross(cross) => cross.write_row(row, before, column),
        }
        Ok(())
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        match self {
            Self::Attribute(rule) => rule.hash(hash),
            Self::History(rule) => rule.hash(hash),
            Self::EventCount(rule) => {
                hash.text("event_count");
                rule.hash(hash);
            }
            Self::Cross(cross) => cross.hash(hash),
        }
    }
}

impl Rule for UserRule {
    fn kind(&self) -> ColumnKind {
        match self {
            Self::Attribute(rule) => rule.kind(),
            Self::History(rule) => rule.kind(),
            Self::EventCount(rule) => rule.kind(),
            Self::Cross(cross) => cross.kind(),
        }
    }

    fn cross(&self) -> Option<&CrossRule> {
        match self {
            Self::Cross(cross) => Some(cross),
            _ => None,
        }
    }
}
