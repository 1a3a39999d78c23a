//! The latest items of a user, as ids with weights.

use catchment_schema::{Histories, History, Time};
use serde::{Deserialize, Serialize};

use crate::config::{HalfLife, HistoryConfig};
use crate::exact::Exact;
use crate::fingerprint::StateHash;
use crate::number::weight;
use crate::vocabulary_mark::VocabularyMark;
use crate::{ColumnKind, Error, FeatureColumn, FitTables, Pooling, Result, Side};

const MILLIS_PER_HOUR: f64 = 3_600_000.0;
const HOURS_PER_DAY: f64 = 24.0;

/// A fitted `history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryRule {
    last: usize,
    mean: bool,
    items: VocabularyMark,
    /// The id of items that the fit did not know; behind all others where absent. Items that a later fit added
    /// stand behind it, so that no id ever moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    half_life: Option<Decay>,
}

/// After how much an event weighs half.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decay {
    Positions(Exact),
    Millis(Exact),
}

impl HistoryRule {
    pub(crate) fn fit(
        config: &HistoryConfig,
        tables: &FitTables<'_>,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let half_life = config.half_life.map(|half_life| match half_life {
            HalfLife::Positions(positions) => Decay::Positions(Exact(positions)),
            HalfLife::Hours(hours) => Decay::Millis(Exact(hours * MILLIS_PER_HOUR)),
            HalfLife::Days(days) => Decay::Millis(Exact(days * HOURS_PER_DAY * MILLIS_PER_HOUR)),
        });
        let key = || format!("features.{}.{}.half_life", Side::User, config.name);
        match half_life {
            Some(Decay::Millis(millis)) if !millis.0.is_finite() => {
                return Err(Error::BadConfig {
                    key: key(),
                    reason: "longer than any time; leave `half_life` out".to_owned(),
                });
            }
            Some(Decay::Millis(_)) if has_no_times(tables.histories) => {
                return Err(Error::BadConfig {
                    key: key(),
                    reason: "no event of the log has a time; choose { positions = … }".to_owned(),
                });
            }
            _ => {}
        }
        let items = VocabularyMark::of(tables.items);
        let unknown = previous.map(Self::unknown).filter(|&unknown| unknown < items.len);
        Ok(Self {
            last: config.last,
            mean: config.pooling == Pooling::Mean,
            items,
            unknown,
            half_life,
        })
    }

    pub(crate) fn fades_with_time(&self) -> bool {
        matches!(self.half_life, Some(Decay::Millis(_)))
    }

    fn unknown(&self) -> u32 {
        self.unknown.unwrap_or(self.items.len)
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        ColumnKind::Bag {
            cardinality: self.items.len.saturating_add(1),
        }
    }

    /// Adds one row; `known` is what had happened before `now`. With a half-life in time, events without a time are
    /// left out, and all of them where `now` is unknown.
    pub(crate) fn write(&self, known: History<'_>, now: Time, column: &mut FeatureColumn) {
        let events = known.last(self.last).events();
        let unknown = self.unknown();
        let mut row = column.bag_row();
        for (place, event) in events.iter().enumerate() {
            let half_lives = match self.half_life {
                None => Some(0.0),
                Some(Decay::Positions(half)) => Some((events.len() - 1 - place) as f64 / half.0),
                Some(Decay::Millis(half)) => {
                    let age = now.millis().zip(event.time.millis());
                    age.map(|(now, then)| now.saturating_sub(then) as f64 / half.0)
                }
            };
            let Some(half_lives) = half_lives else {
                continue;
            };
            let item = event.item.0;
            let id = match item {
                item if item < unknown => item,
                item if item < self.items.len => item + 1,
                _ => unknown,
            };
            row.push(id, weight((-half_lives).exp2()));
        }
        row.finish(self.mean);
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        hash.text("history");
        hash.count(self.last as u64);
        hash.count(u64::from(self.mean));
        self.items.hash(hash);
        if let Some(unknown) = self.unknown {
            hash.extension("grown from");
            hash.count(u64::from(unknown));
        }
        match self.half_life {
            None => {}
            Some(Decay::Positions(half)) => {
                hash.extension("positions");
                hash.number(half.0);
            }
            Some(Decay::Millis(half)) => {
                hash.extension("millis");
                hash.number(half.0);
            }
        }
    }
}

fn has_no_times(histories: &Histories) -> bool {
    let mut events = histories.iter().flat_map(|(_, history)| history.events());
    histories.n_events() > 0 && events.all(|event| event.time == Time::UNKNOWN)
}
