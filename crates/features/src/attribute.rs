//! Features of one row of attributes: the same for users and items.

use std::collections::BTreeMap;

use catchment_schema::{AttributeTable, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::fingerprint::StateHash;
use crate::lookup::Lookup;
use crate::number::NumberRule;
use crate::text_column::TextColumn;
use crate::{ColumnKind, Error, FeatureColumn, FeatureConfig, Pooling, Result};

/// A fitted `id`, `category`, `bag` or `number`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AttributeRule {
    Id {
        lookup: Lookup,
    },
    Words {
        column: String,
        mean: bool,
        lists: bool,
        lookup: Lookup,
    },
    Number {
        column: String,
        rule: NumberRule,
    },
}

/// Where the attributes of a side come from.
#[derive(Clone, Copy)]
pub(crate) struct AttributeSource<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) table: &'a AttributeTable,
    pub(crate) name: &'static str,
}

impl AttributeRule {
    /// `None` when this kind is no attribute.
    pub(crate) fn fit(config: &FeatureConfig, source: AttributeSource<'_>) -> Result<Option<Self>> {
        let rule = match config {
            FeatureConfig::Id(id) => {
                let rows = source.vocabulary.ids().iter().zip(source.vocabulary.counts());
                let kept = rows.filter(|&(_, &count)| count >= id.min_count);
                Self::Id {
                    lookup: Lookup::in_order(kept.map(|(word, _)| word.clone()).collect(), id.oov_buckets),
                }
            }
            FeatureConfig::Category(words) | FeatureConfig::Bag(words) => {
                source.check_rows()?;
                let lists = matches!(config, FeatureConfig::Bag(_));
                let texts = texts_of(source.name, source.table, &words.name, &words.column, lists)?;
                let counts = rows_by_word(texts, source.table.n_rows());
                Self::Words {
                    column: words.column.clone(),
                    mean: words.pooling == Pooling::Mean,
                    lists,
                    lookup: Lookup::by_count(counts, words.min_count, words.oov_buckets),
                }
            }
            FeatureConfig::Number(number) => {
                source.check_rows()?;
                check_number(source.name, source.table, &number.name, &number.column)?;
                let rows = 0..source.table.n_rows();
                let values = rows.filter_map(|row| source.table.number(&number.column, row));
                Self::Number {
                    column: number.column.clone(),
                    rule: NumberRule::fit(&number.transform, number.missing_flag, values),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(rule))
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        match self {
            Self::Id { lookup } | Self::Words { lookup, .. } => ColumnKind::Bag {
                cardinality: lookup.cardinality(),
            },
            Self::Number { rule, .. } => rule.kind(),
        }
    }

    /// The column of words that it reads, where it reads one.
    pub(crate) fn words_column(&self) -> Option<&str> {
        match self {
            Self::Words { column, .. } => Some(column),
            _ => None,
        }
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        match self {
            Self::Id { lookup } => {
                hash.text("id");
                lookup.hash(hash);
            }
            Self::Words {
                column,
                mean,
                lists,
                lookup,
            } => {
                hash.text("words");
                hash.text(column);
                hash.count(u64::from(*mean));
                hash.count(u64::from(*lists));
                lookup.hash(hash);
            }
            Self::Number { column, rule } => {
                hash.text("number");
                hash.text(column);
                rule.hash(hash);
            }
        }
    }

    /// Finds the column once, for any number of rows. Without a table every value is missing.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::WrongType`].
    pub(crate) fn reader<'a>(
        &'a self,
        feature: &str,
        table_name: &'static str,
        table: Option<&'a AttributeTable>,
    ) -> Result<AttributeReader<'a>> {
        Ok(match self {
            Self::Id { lookup } => AttributeReader::Id(lookup),
            Self::Words {
                column,
                mean,
                lists,
                lookup,
            } => {
                let find = |table| texts_of(table_name, table, feature, column, *lists);
                AttributeReader::Words(lookup, *mean, table.map(find).transpose()?)
            }
            Self::Number { column, rule } => {
                if let Some(table) = table {
                    check_number(table_name, table, feature, column)?;
                }
                AttributeReader::Number(rule, table.map(|table| (table, column.as_str())))
            }
        })
    }
}

/// A rule with its column at hand.
pub(crate) enum AttributeReader<'a> {
    Id(&'a Lookup),
    Words(&'a Lookup, bool, Option<TextColumn<'a>>),
    Number(&'a NumberRule, Option<(&'a AttributeTable, &'a str)>),
}

impl AttributeReader<'_> {
    /// Adds one row. Nothing known, a null, and an unknown word without a bucket are empty bags.
    pub(crate) fn write(&self, id: Option<&str>, row: usize, column: &mut FeatureColumn) {
        match self {
            Self::Id(lookup) => {
                let known = id.and_then(|id| lookup.id(id));
                column.push_bag(known.map(|id| (id, 1.0)));
            }
            Self::Words(lookup, mean, texts) => column.push_set(*mean, |push| {
                if let Some(texts) = texts {
                    texts.visit(row, |word| {
                        if let Some(id) = lookup.id(word) {
                            push(id);
                        }
                    });
                }
            }),
            Self::Number(rule, numbers) => {
                rule.write(numbers.and_then(|(table, name)| table.number(name, row)), column);
            }
        }
    }
}

impl AttributeSource<'_> {
    fn check_rows(self) -> Result<()> {
        let (rows, expected) = (self.table.n_rows(), self.vocabulary.len());
        if rows == expected {
            return Ok(());
        }
        Err(Error::RowCount {
            table: self.name,
            rows,
            expected,
        })
    }
}

/// How many rows have each word; a word that a row repeats counts once.
fn rows_by_word(texts: TextColumn<'_>, n_rows: usize) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for row in 0..n_rows {
        texts.visit(row, |word| match counts.get_mut(word) {
            Some((_, last_row)) if *last_row == row => {}
            Some((count, last_row)) => (*count, *last_row) = (*count + 1, row),
            None => {
                counts.insert(word.to_owned(), (1, row));
            }
        });
    }
    counts
        .into_iter()
        .map(|(word, (count, _))| (word, count))
        .collect()
}

fn missing_column(table_name: &'static str, table: &AttributeTable, feature: &str, column: &str) -> Error {
    Error::MissingColumn {
        feature: feature.to_owned(),
        table: table_name,
        column: column.to_owned(),
        available: table.names().map(str::to_owned).collect(),
    }
}

fn texts_of<'a>(
    table_name: &'static str,
    table: &'a AttributeTable,
    feature: &str,
    column: &str,
    lists: bool,
) -> Result<TextColumn<'a>> {
    let array = table
        .column(column)
        .ok_or_else(|| missing_column(table_name, table, feature, column))?;
    let texts = TextColumn::new(array).filter(|texts| lists || !texts.is_list());
    texts.ok_or_else(|| Error::WrongType {
        feature: feature.to_owned(),
        column: column.to_owned(),
        expected: if lists {
            "text, lists of text, integers or flags"
        } else {
            "text, integers or flags (lists are for kind `bag`)"
        },
        found: array.data_type().to_string(),
    })
}

fn check_number(table_name: &'static str, table: &AttributeTable, feature: &str, column: &str) -> Result<()> {
    let array = table
        .column(column)
        .ok_or_else(|| missing_column(table_name, table, feature, column))?;
    let kind = array.data_type();
    if kind.is_numeric() || *kind == catchment_schema::arrow::datatypes::DataType::Boolean {
        return Ok(());
    }
    Err(Error::WrongType {
        feature: feature.to_owned(),
        column: column.to_owned(),
        expected: "numbers or flags",
        found: kind.to_string(),
    })
}
