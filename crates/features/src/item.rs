//! The item side: the catalogue, the same for everybody.

use catchment_schema::{AttributeTable, Histories, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::attribute::AttributeRule;
use crate::attribute_source::{AttributeSource, NamedTable};
use crate::cross::CrossRule;
use crate::fingerprint::StateHash;
use crate::number::NumberRule;
use crate::report::Seen;
use crate::spec::wrong_side;
use crate::state::{Feature, Rule};
use crate::vocabulary_mark::VocabularyMark;
use crate::{ColumnKind, FeatureColumn, FeatureConfig, FitTables, Result, Side};

pub(crate) const TABLE: &str = "item attributes";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ItemRule {
    Attribute(AttributeRule),
    /// Events of each item at fit, by index; 0 for items beyond.
    Count {
        items: VocabularyMark,
        counts: Vec<u32>,
        rule: NumberRule,
    },
    Cross(CrossRule),
}

/// How many events each item has.
fn events_of_items(histories: &Histories, n_items: usize) -> Vec<u32> {
    let mut counts = vec![0u32; n_items];
    for (_, history) in histories.iter() {
        for event in history.events() {
            if let Some(count) = counts.get_mut(event.item.index()) {
                *count = count.saturating_add(1);
            }
        }
    }
    counts
}

impl ItemRule {
    pub(crate) fn fit(
        config: &FeatureConfig,
        tables: &FitTables<'_>,
        fitted: &[Feature<Self>],
        previous: Option<&Self>,
    ) -> Result<(Self, Seen)> {
        let source = AttributeSource::of(Side::Item, tables);
        let attribute = match previous {
            Some(Self::Attribute(rule)) => Some(rule),
            _ => None,
        };
        if let Some((rule, seen)) = AttributeRule::fit(config, source, attribute)? {
            return Ok((Self::Attribute(rule), seen));
        }
        let rule = match config {
            FeatureConfig::ItemCount(count) => {
                let counts = events_of_items(tables.histories, tables.items.len());
                let values = counts.iter().copied().map(f64::from);
                Self::Count {
                    items: VocabularyMark::of(tables.items),
                    rule: NumberRule::fit(&count.transform, false, values),
                    counts,
                }
            }
            FeatureConfig::Cross(cross) => {
                let find = |name: &str| Feature::find(fitted, Side::Item, name);
                Self::Cross(CrossRule::fit(
                    cross,
                    Side::Item,
                    find,
                    previous.and_then(Rule::cross),
                )?)
            }
            other => return Err(wrong_side(other, Side::Item)),
        };
        Ok((rule, Seen::default()))
    }

    /// Counts anew; what stands beside the counts stays.
    pub(crate) fn recount(&mut self, histories: &Histories) {
        if let Self::Count { counts, .. } = self {
            *counts = events_of_items(histories, counts.len());
        }
    }

    /// The column of words that it reads, where it reads one.
    pub(crate) fn words_column(&self) -> Option<&str> {
        match self {
            Self::Attribute(rule) => rule.words_column(),
            Self::Count { .. } | Self::Cross(_) => None,
        }
    }

    /// See [`AttributeRule::text_ids`].
    pub(crate) fn text_ids(&self) -> Option<u128> {
        match self {
            Self::Attribute(rule) => rule.text_ids(),
            _ => None,
        }
    }

    /// Whether it looks at the table of attributes.
    pub(crate) fn reads_table(&self) -> bool {
        matches!(self, Self::Attribute(rule) if rule.reads_table())
    }

    /// Adds one row for each item of the vocabulary; `before` are the columns of the features before this one, which
    /// have them (only a cross looks at them).
    pub(crate) fn write(
        &self,
        feature: &str,
        items: &Vocabulary,
        attributes: &AttributeTable,
        before: &[FeatureColumn],
        column: &mut FeatureColumn,
    ) -> Result<()> {
        column.reserve(items.len());
        match self {
            Self::Attribute(rule) => {
                let table = NamedTable {
                    name: TABLE,
                    table: attributes,
                };
                rule.reader(feature, Some(table))?.write_all(items.ids(), column);
            }
            Self::Count { counts, rule, .. } => {
                for item in 0..items.len() {
                    let count = counts.get(item).copied().unwrap_or(0);
                    rule.write(Some(f64::from(count)), column);
                }
            }
            Self::Cross(cross) => (0..items.len()).for_each(|row| cross.write_row(row, before, column)),
        }
        Ok(())
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        match self {
            Self::Attribute(rule) => rule.hash(hash),
            Self::Count { items, counts, rule } => {
                hash.text("item_count");
                items.hash(hash);
                for &count in counts {
                    hash.count(u64::from(count));
                }
                rule.hash(hash);
            }
            Self::Cross(cross) => cross.hash(hash),
        }
    }
}

impl Rule for ItemRule {
    fn kind(&self) -> ColumnKind {
        match self {
            Self::Attribute(rule) => rule.kind(),
            Self::Count { rule, .. } => rule.kind(),
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
