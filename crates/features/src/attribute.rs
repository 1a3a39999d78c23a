//! Features of one row of attributes: the same for users and items.

use serde::{Deserialize, Serialize};

use crate::attribute_reader::{AttributeReader, TextReader, WordsReader};
use crate::attribute_source::{AttributeSource, NamedTable};
use crate::config::{IdConfig, Keep, TextConfig, WordsConfig};
use crate::fingerprint::StateHash;
use crate::hashing::HashRule;
use crate::lookup::Lookup;
use crate::number::NumberRule;
use crate::report::Seen;
use crate::text_unit::TextUnit;
use crate::time_part::TimePart;
use crate::word_counts::WordCounts;
use crate::{ColumnKind, Error, FeatureConfig, Pooling, Result};

/// A fitted feature of attributes.
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
        #[serde(default, skip_serializing_if = "Trim::is_none")]
        trim: Trim,
    },
    Hash {
        /// The raw id where absent.
        column: Option<String>,
        mean: bool,
        rule: HashRule,
    },
    Text {
        column: String,
        mean: bool,
        unit: TextUnit,
        lookup: Lookup,
    },
    Number {
        column: String,
        rule: NumberRule,
    },
    Time {
        column: String,
        part: TimePart,
    },
}

/// What is done to the words of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trim {
    /// The column of their weights.
    pub(crate) weights: Option<String>,
    pub(crate) max: Option<usize>,
    pub(crate) keep: Keep,
}

impl Trim {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn hash(&self, hash: &mut StateHash) {
        if self.is_none() {
            return;
        }
        hash.extension("trim");
        hash.count(u64::from(self.weights.is_some()));
        hash.text(self.weights.as_deref().unwrap_or_default());
        hash.count(self.max.map_or(0, |max| max as u64));
        hash.text(match self.keep {
            Keep::First => "first",
            Keep::Last => "last",
            Keep::Heaviest => "heaviest",
        });
    }
}

impl AttributeRule {
    /// `None` when this kind is no attribute. Words that `previous` knows keep their ids.
    pub(crate) fn fit(
        config: &FeatureConfig,
        source: AttributeSource<'_>,
        previous: Option<&Self>,
    ) -> Result<Option<(Self, Seen)>> {
        let mut seen = Seen::default();
        let rule = match config {
            FeatureConfig::Id(id) => Self::fit_id(id, source, previous, &mut seen)?,
            FeatureConfig::Category(words) => Self::fit_words(words, false, source, previous, &mut seen)?,
            FeatureConfig::Bag(words) => Self::fit_words(words, true, source, previous, &mut seen)?,
            FeatureConfig::Hash(hash) => {
                let rule = HashRule::of(hash);
                if let Some(column) = &hash.column {
                    let n_rows = source.n_rows()?;
                    let counts = WordCounts::of(source.table.texts(&hash.name, column, true)?, n_rows);
                    seen.words = counts.n_words();
                    seen.collisions = rule.collisions(counts.words());
                } else {
                    seen.words = source.vocabulary.len() as u64;
                    seen.collisions = rule.collisions(source.vocabulary.ids().iter().map(AsRef::as_ref));
                }
                Self::Hash {
                    column: hash.column.clone(),
                    mean: hash.pooling == Pooling::Mean,
                    rule,
                }
            }
            FeatureConfig::Words(text) => Self::fit_text(text, TextUnit::Words, source, previous, &mut seen)?,
            FeatureConfig::Trigrams(text) => {
                Self::fit_text(text, TextUnit::Trigrams, source, previous, &mut seen)?
            }
            FeatureConfig::Number(number) => {
                let n_rows = source.n_rows()?;
                let numbers = source.table.numbers(&number.name, &number.column)?;
                let values = (0..n_rows).filter_map(|row| numbers.value(row));
                Self::Number {
                    column: number.column.clone(),
                    rule: NumberRule::fit(&number.transform, number.missing_flag, values),
                }
            }
            other => {
                let Some((part, time)) = TimePart::of(other) else {
                    return Ok(None);
                };
                source.n_rows()?;
                let column = time.column.clone().unwrap_or_default();
                source.table.times(&time.name, &column)?;
                Self::Time { column, part }
            }
        };
        Ok(Some((rule, seen)))
    }

    fn fit_id(
        id: &IdConfig,
        source: AttributeSource<'_>,
        previous: Option<&Self>,
        seen: &mut Seen,
    ) -> Result<Self> {
        let previous = match previous {
            Some(Self::Id { lookup }) => Some(lookup),
            _ => None,
        };
        let rows = source.vocabulary.ids().iter().zip(source.vocabulary.counts());
        let kept = rows
            .filter(|&(_, &count)| count >= id.min_count)
            .map(|(word, _)| word);
        let lookup = grow(
            previous,
            kept,
            id.oov_buckets,
            source.key(&id.name, "oov_buckets"),
        )?;
        seen.words = source.vocabulary.len() as u64;
        let unknown = source.vocabulary.ids().iter().filter(|word| !lookup.knows(word));
        seen.left_out = unknown.count() as u64;
        seen.of_lookup(&lookup, previous);
        Ok(Self::Id { lookup })
    }

    fn fit_words(
        words: &WordsConfig,
        lists: bool,
        source: AttributeSource<'_>,
        previous: Option<&Self>,
        seen: &mut Seen,
    ) -> Result<Self> {
        let n_rows = source.n_rows()?;
        let texts = source.table.texts(&words.name, &words.column, lists)?;
        if let Some(weights) = &words.weights {
            source.table.number_lists(&words.name, weights)?;
        }
        let counts = WordCounts::of(texts, n_rows);
        let previous = match previous {
            Some(Self::Words { column, lookup, .. }) if *column == words.column => Some(lookup),
            _ => None,
        };
        let key = source.key(&words.name, "oov_buckets");
        let lookup = grow(previous, counts.by_count(words.min_count), words.oov_buckets, key)?;
        seen.words = counts.n_words();
        seen.left_out = counts.words().filter(|word| !lookup.knows(word)).count() as u64;
        seen.of_lookup(&lookup, previous);
        Ok(Self::Words {
            column: words.column.clone(),
            mean: words.pooling == Pooling::Mean,
            lists,
            lookup,
            trim: Trim {
                weights: words.weights.clone(),
                max: words.max,
                keep: words.keep,
            },
        })
    }

    fn fit_text(
        text: &TextConfig,
        unit: TextUnit,
        source: AttributeSource<'_>,
        previous: Option<&Self>,
        seen: &mut Seen,
    ) -> Result<Self> {
        let own = (
            source.table.texts(&text.name, &text.column, true)?,
            source.n_rows()?,
        );
        let mut columns = vec![];
        for name in &text.vocabulary {
            if let Some((side, column)) = TextConfig::vocabulary_column(name) {
                let source = AttributeSource::of(side, source.tables);
                columns.push((source.table.texts(&text.name, column, true)?, source.n_rows()?));
            }
        }
        if columns.is_empty() {
            columns.push(own);
        }
        let counts = WordCounts::of_pieces(unit, &columns);
        let previous = match previous {
            Some(Self::Text {
                column,
                unit: old,
                lookup,
                ..
            }) if *column == text.column && *old == unit => Some(lookup),
            _ => None,
        };
        let key = source.key(&text.name, "oov_buckets");
        let lookup = grow(previous, counts.by_count(text.min_count), text.oov_buckets, key)?;
        seen.words = counts.n_words();
        seen.left_out = counts.words().filter(|word| !lookup.knows(word)).count() as u64;
        seen.of_lookup(&lookup, previous);
        Ok(Self::Text {
            column: text.column.clone(),
            mean: text.pooling == Pooling::Mean,
            unit,
            lookup,
        })
    }

    /// What the ids of a text are: equal hashes, the same pieces at the same ids. `None` for what is no text.
    pub(crate) fn text_ids(&self) -> Option<u128> {
        let Self::Text { unit, lookup, .. } = self else {
            return None;
        };
        let mut hash = StateHash::new();
        hash.text(unit.name());
        lookup.hash(&mut hash);
        Some(hash.finish())
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        match self {
            Self::Id { lookup } | Self::Words { lookup, .. } | Self::Text { lookup, .. } => ColumnKind::Bag {
                cardinality: lookup.cardinality(),
            },
            Self::Hash { rule, .. } => ColumnKind::Bag {
                cardinality: rule.buckets,
            },
            Self::Number { rule, .. } => rule.kind(),
            Self::Time { part, .. } => part.kind(),
        }
    }

    /// The column of words that it reads, where it reads one through a vocabulary.
    pub(crate) fn words_column(&self) -> Option<&str> {
        match self {
            Self::Words { column, .. } => Some(column),
            _ => None,
        }
    }

    /// Whether it looks at the table of attributes at all.
    pub(crate) fn reads_table(&self) -> bool {
        !matches!(self, Self::Id { .. } | Self::Hash { column: None, .. })
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
                trim,
            } => {
                hash.text("words");
                hash.text(column);
                hash.count(u64::from(*mean));
                hash.count(u64::from(*lists));
                lookup.hash(hash);
                trim.hash(hash);
            }
            Self::Hash { column, mean, rule } => {
                hash.text("hash");
                hash.count(u64::from(column.is_some()));
                hash.text(column.as_deref().unwrap_or_default());
                hash.count(u64::from(*mean));
                rule.hash(hash);
            }
            Self::Text {
                column,
                mean,
                unit,
                lookup,
            } => {
                hash.text("text");
                hash.text(column);
                hash.count(u64::from(*mean));
                hash.text(unit.name());
                lookup.hash(hash);
            }
            Self::Number { column, rule } => {
                hash.text("number");
                hash.text(column);
                rule.hash(hash);
            }
            Self::Time { column, part } => {
                hash.text("time");
                hash.text(column);
                part.hash(hash);
            }
        }
    }

    /// Finds the columns once, for any number of rows. Without a table every value is missing.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::WrongType`].
    pub(crate) fn reader<'a>(
        &'a self,
        feature: &str,
        table: Option<NamedTable<'a>>,
    ) -> Result<AttributeReader<'a>> {
        Ok(match self {
            Self::Id { lookup } => AttributeReader::Id(lookup),
            Self::Words {
                column,
                mean,
                lists,
                lookup,
                trim,
            } => {
                let texts = table.map(|table| table.texts(feature, column, *lists));
                let weights = trim.weights.as_deref().zip(table);
                let weights = weights.map(|(column, table)| table.number_lists(feature, column));
                AttributeReader::Words(WordsReader {
                    lookup,
                    mean: *mean,
                    lists: *lists,
                    texts: texts.transpose()?,
                    weighted: trim.weights.is_some(),
                    weights: weights.transpose()?,
                    max: trim.max,
                    keep: trim.keep,
                })
            }
            Self::Hash {
                column: None,
                mean,
                rule,
            } => AttributeReader::HashedId(*rule, *mean),
            Self::Hash {
                column: Some(column),
                mean,
                rule,
            } => {
                let texts = table.map(|table| table.texts(feature, column, true));
                AttributeReader::HashedWords(*rule, *mean, texts.transpose()?)
            }
            Self::Text {
                column,
                mean,
                unit,
                lookup,
            } => AttributeReader::Text(TextReader {
                lookup,
                texts: table
                    .map(|table| table.texts(feature, column, true))
                    .transpose()?,
                unit: *unit,
                mean: *mean,
            }),
            Self::Number { column, rule } => {
                let numbers = table.map(|table| table.numbers(feature, column));
                AttributeReader::Number(rule, numbers.transpose()?)
            }
            Self::Time { column, part } => {
                let times = table.map(|table| table.times(feature, column));
                AttributeReader::Time(*part, times.transpose()?)
            }
        })
    }
}

/// The previous lookup with these words behind, or one of these words.
fn grow(
    previous: Option<&Lookup>,
    words: impl IntoIterator<Item = impl AsRef<str>>,
    oov_buckets: u32,
    key: String,
) -> Result<Lookup> {
    match previous {
        None => Ok(Lookup::in_order(words, oov_buckets)),
        Some(previous) if previous.oov_buckets() == oov_buckets => Ok(previous.grown(words)),
        Some(previous) => Err(Error::BadConfig {
            key,
            reason: format!(
                "{oov_buckets}, but the vocabulary that grows has {} buckets, between its old words and its new ones",
                previous.oov_buckets()
            ),
        }),
    }
}
