//! Fitted attributes with their columns at hand: rows to columns.

use std::sync::Arc;

use catchment_schema::Time;
use catchment_schema::arrow::array::TimestampMillisecondArray;

use crate::FeatureColumn;
use crate::config::Keep;
use crate::hashing::HashRule;
use crate::lookup::Lookup;
use crate::number::NumberRule;
use crate::number_column::{NumberColumn, NumberLists, is_there};
use crate::text_column::TextColumn;
use crate::text_unit::TextUnit;
use crate::time_part::TimePart;

/// A rule with its columns, which are absent where nothing is known.
pub(crate) enum AttributeReader<'a> {
    Id(&'a Lookup),
    Words(WordsReader<'a>),
    HashedId(HashRule, bool),
    HashedWords(HashRule, bool, Option<TextColumn<'a>>),
    Text(TextReader<'a>),
    Number(&'a NumberRule, Option<NumberColumn<'a>>),
    Time(TimePart, Option<&'a TimestampMillisecondArray>),
}

/// The words of a row, through a vocabulary.
pub(crate) struct WordsReader<'a> {
    pub(crate) lookup: &'a Lookup,
    pub(crate) texts: Option<TextColumn<'a>>,
    /// Whether words have weights, which `weights` are where there is a table.
    pub(crate) weighted: bool,
    pub(crate) weights: Option<NumberLists<'a>>,
    pub(crate) lists: bool,
    pub(crate) mean: bool,
    pub(crate) max: Option<usize>,
    pub(crate) keep: Keep,
}

/// The pieces of a row's text, through a vocabulary.
pub(crate) struct TextReader<'a> {
    pub(crate) lookup: &'a Lookup,
    pub(crate) texts: Option<TextColumn<'a>>,
    pub(crate) unit: TextUnit,
    pub(crate) mean: bool,
}

impl AttributeReader<'_> {
    /// Adds one row. Nothing known, a null, and an unknown word without a bucket are empty bags.
    pub(crate) fn write(&self, id: Option<&str>, row: usize, column: &mut FeatureColumn) {
        match self {
            Self::Id(lookup) => write_id(lookup, id, column),
            Self::Words(words) => words.write(row, column),
            Self::HashedId(rule, mean) => write_hashed_id(*rule, *mean, id, column),
            Self::HashedWords(rule, mean, texts) => write_hashed(*rule, *mean, *texts, row, column),
            Self::Text(text) => text.write(row, column),
            Self::Number(rule, numbers) => {
                rule.write(numbers.and_then(|numbers| numbers.value(row)), column);
            }
            Self::Time(part, times) => part.write(time_of(*times, row), column),
        }
    }

    /// Adds a row for each id, in order: what [`AttributeReader::write`] gives for each, with the rule told apart once.
    pub(crate) fn write_all(&self, ids: &[Arc<str>], column: &mut FeatureColumn) {
        let rows = 0..ids.len();
        match self {
            Self::Id(lookup) => ids.iter().for_each(|id| write_id(lookup, Some(id), column)),
            Self::Words(words) => rows.for_each(|row| words.write(row, column)),
            Self::HashedId(rule, mean) => ids
                .iter()
                .for_each(|id| write_hashed_id(*rule, *mean, Some(id), column)),
            Self::HashedWords(rule, mean, texts) => {
                rows.for_each(|row| write_hashed(*rule, *mean, *texts, row, column));
            }
            Self::Text(text) => rows.for_each(|row| text.write(row, column)),
            Self::Number(rule, numbers) => {
                rows.for_each(|row| rule.write(numbers.and_then(|numbers| numbers.value(row)), column));
            }
            Self::Time(part, times) => rows.for_each(|row| part.write(time_of(*times, row), column)),
        }
    }
}

#[inline]
fn write_id(lookup: &Lookup, id: Option<&str>, column: &mut FeatureColumn) {
    let mut entries = column.bag_row();
    if let Some(id) = id.and_then(|id| lookup.id(id)) {
        entries.push(id, 1.0);
    }
    entries.finish(false);
}

#[inline]
fn write_hashed_id(rule: HashRule, mean: bool, id: Option<&str>, column: &mut FeatureColumn) {
    let mut entries = column.bag_row();
    if let Some(id) = id {
        rule.write(id, &mut entries);
    }
    entries.finish(mean);
}

#[inline]
fn write_hashed(
    rule: HashRule,
    mean: bool,
    texts: Option<TextColumn<'_>>,
    row: usize,
    column: &mut FeatureColumn,
) {
    let mut entries = column.bag_row();
    if let Some(texts) = texts {
        texts.visit(row, |_, word| rule.write(word, &mut entries));
    }
    entries.finish(mean);
}

fn time_of(times: Option<&TimestampMillisecondArray>, row: usize) -> Time {
    let times = times.filter(|times| is_there(*times, row));
    times.map_or(Time::UNKNOWN, |times| Time::from_millis(times.value(row)))
}

impl TextReader<'_> {
    #[inline]
    fn write(&self, row: usize, column: &mut FeatureColumn) {
        let mut entries = column.bag_row();
        if let Some(texts) = self.texts {
            texts.visit(row, |_, text| {
                self.unit.visit(text, |piece| {
                    if let Some(id) = self.lookup.id(piece) {
                        entries.push(id, 1.0);
                    }
                });
            });
        }
        entries.count();
        entries.finish(self.mean);
    }
}

impl WordsReader<'_> {
    #[inline]
    fn write(&self, row: usize, column: &mut FeatureColumn) {
        let mut entries = column.bag_row();
        if let Some(texts) = self.texts {
            // What cannot be kept need not be looked up: without weights the first words are known when they come.
            let enough = match (self.weighted, self.keep, self.max) {
                (false, Keep::First, Some(max)) => max,
                _ => usize::MAX,
            };
            texts.visit(row, |place, word| {
                if entries.len() >= enough {
                    return;
                }
                if self.weighted {
                    if let Some(weight) = self.weight(row, place)
                        && let Some(id) = self.lookup.id(word)
                    {
                        entries.add(id, weight);
                    }
                } else if let Some(id) = self.lookup.id(word) {
                    if self.lists {
                        entries.push_once(id);
                    } else {
                        entries.push(id, 1.0);
                    }
                }
            });
        }
        if let Some(max) = self.max {
            entries.keep(max, self.keep);
        }
        entries.finish(self.mean);
    }

    /// A weight above 0; `None` where it is missing, NaN, infinite, 0 (also after rounding to `f32`) or negative.
    fn weight(&self, row: usize, place: usize) -> Option<f32> {
        let weight = self.weights?.value(row, place)?;
        let narrow = crate::number::to_f32(weight);
        (weight.is_finite() && narrow > 0.0).then_some(narrow)
    }
}
