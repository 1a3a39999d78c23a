//! The item side: the catalogue, the same for everybody.

use catchment_schema::{AttributeTable, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::attribute::{AttributeRule, AttributeSource};
use crate::fingerprint::StateHash;
use crate::number::NumberRule;
use crate::spec::wrong_side;
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
}

impl ItemRule {
    pub(crate) fn fit(config: &FeatureConfig, tables: &FitTables<'_>) -> Result<Self> {
        let source = AttributeSource {
            vocabulary: tables.items,
            table: tables.item_attributes,
            name: TABLE,
        };
        if let Some(rule) = AttributeRule::fit(config, source)? {
            return Ok(Self::Attribute(rule));
        }
        match config {
            FeatureConfig::ItemCount(count) => {
                let mut counts = vec![0u32; tables.items.len()];
                for (_, history) in tables.histories.iter() {
                    for event in history.events() {
                        if let Some(count) = counts.get_mut(event.item.index()) {
                            *count = count.saturating_add(1);
                        }
                    }
                }
                let values = counts.iter().copied().map(f64::from);
                Ok(Self::Count {
                    items: VocabularyMark::of(tables.items),
                    rule: NumberRule::fit(&count.transform, false, values),
                    counts,
                })
            }
            other => Err(wrong_side(
                other,
                Side::Item,
                "id, category, number, bag, item_count",
            )),
        }
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        match self {
            Self::Attribute(rule) => rule.kind(),
            Self::Count { rule, .. } => rule.kind(),
        }
    }

    /// The column of words that it reads, where it reads one.
    pub(crate) fn words_column(&self) -> Option<&str> {
        match self {
            Self::Attribute(rule) => rule.words_column(),
            Self::Count { .. } => None,
        }
    }

    /// Adds one row for each item of the vocabulary.
    pub(crate) fn write(
        &self,
        feature: &str,
        items: &Vocabulary,
        attributes: &AttributeTable,
        column: &mut FeatureColumn,
    ) -> Result<()> {
        match self {
            Self::Attribute(rule) => {
                let reader = rule.reader(feature, TABLE, Some(attributes))?;
                for (row, id) in items.ids().iter().enumerate() {
                    reader.write(Some(id), row, column);
                }
            }
            Self::Count { counts, rule, .. } => {
                for item in 0..items.len() {
                    let count = counts.get(item).copied().unwrap_or(0);
                    rule.write(Some(f64::from(count)), column);
                }
            }
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
        }
    }
}
