//! The user side.

use catchment_schema::{AttributeTable, History, Time};
use serde::{Deserialize, Serialize};

use crate::attribute::{AttributeRule, AttributeSource};
use crate::fingerprint::StateHash;
use crate::number::NumberRule;
use crate::spec::wrong_side;
use crate::vocabulary_mark::VocabularyMark;
use crate::{ColumnKind, FeatureColumn, FeatureConfig, FitTables, Pooling, Result, Side};

const TABLE: &str = "user attributes";

/// What is known of a user at one moment.
#[derive(Clone, Copy, Debug)]
pub struct UserInput<'a> {
    /// The raw id; `None` for an anonymous user.
    pub id: Option<&'a str>,
    /// A table of user attributes and the user's row there; `None` where nothing is known.
    pub attributes: Option<(&'a AttributeTable, usize)>,
    /// What the user did. Events at or after `now` are not looked at, see [`UserInput::known_history`].
    pub history: History<'a>,
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
            now,
        }
    }

    /// The events strictly before `now`. Where `now` is unknown the order of a log is all there is:
    /// the history is then taken as given, and the caller has to end it before the event in question.
    pub fn known_history(&self) -> History<'a> {
        match self.now {
            Time::UNKNOWN => self.history,
            now => self.history.before(now),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum UserRule {
    Attribute(AttributeRule),
    History {
        last: usize,
        mean: bool,
        items: VocabularyMark,
    },
    EventCount(NumberRule),
}

impl UserRule {
    pub(crate) fn fit(config: &FeatureConfig, tables: &FitTables<'_>) -> Result<Self> {
        let source = AttributeSource {
            vocabulary: tables.users,
            table: tables.user_attributes,
            name: TABLE,
        };
        if let Some(rule) = AttributeRule::fit(config, source)? {
            return Ok(Self::Attribute(rule));
        }
        match config {
            FeatureConfig::History(history) => Ok(Self::History {
                last: history.last,
                mean: history.pooling == Pooling::Mean,
                items: VocabularyMark::of(tables.items),
            }),
            FeatureConfig::EventCount(count) => {
                // What a training row would have seen: the count before each event.
                let seen = tables.histories.iter().flat_map(|(_, history)| {
                    let before = move |time| history.before(time).len() as f64;
                    history.events().iter().map(move |event| before(event.time))
                });
                Ok(Self::EventCount(NumberRule::fit(&count.transform, false, seen)))
            }
            other => Err(wrong_side(
                other,
                Side::User,
                "id, category, number, bag, history, event_count",
            )),
        }
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        match self {
            Self::Attribute(rule) => rule.kind(),
            Self::History { items, .. } => ColumnKind::Bag {
                cardinality: items.len.saturating_add(1),
            },
            Self::EventCount(rule) => rule.kind(),
        }
    }

    /// Adds one row; `known` is the input's known history.
    pub(crate) fn write(
        &self,
        feature: &str,
        input: &UserInput<'_>,
        known: History<'_>,
        column: &mut FeatureColumn,
    ) -> Result<()> {
        match self {
            Self::Attribute(rule) => {
                let reader = rule.reader(feature, TABLE, input.attributes.map(|(table, _)| table))?;
                reader.write(input.id, input.attributes.map_or(0, |(_, row)| row), column);
            }
            Self::History { last, mean, items } => {
                let events = known.last(*last).events();
                let weight = if *mean {
                    1.0 / events.len().max(1) as f32
                } else {
                    1.0
                };
                // Items that the fit did not know share the last id.
                column.push_bag(events.iter().map(|event| (event.item.0.min(items.len), weight)));
            }
            Self::EventCount(rule) => rule.write(Some(known.len() as f64), column),
        }
        Ok(())
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        match self {
            Self::Attribute(rule) => rule.hash(hash),
            Self::History { last, mean, items } => {
                hash.text("history");
                hash.count(*last as u64);
                hash.count(u64::from(*mean));
                items.hash(hash);
            }
            Self::EventCount(rule) => {
                hash.text("event_count");
                rule.hash(hash);
            }
        }
    }
}
