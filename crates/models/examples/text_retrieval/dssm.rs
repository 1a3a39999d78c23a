//! DSSM over texts: from pairs of a query and a document to a score for each pair.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use catchment_features::trigrams::words;
use catchment_features::{FeatureBatch, FeatureSpec, FitTables, FittedFeatures, UserInput};
use catchment_models::progress::Silent;
use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::training::{self, Towers, TowersData};
use catchment_models::towers::{DssmConfig, HistoryExamples, Preset, QueryScratch};
use catchment_schema::arrow::array::{ArrayRef, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;
use serde_json::Value;

use crate::collection::Collection;
use crate::judge::Scores;

/// Which pairs of a text and a document are learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pairs {
    /// A query of the training part and each document that is relevant to it.
    Judged,
    /// A document's title and the document.
    Titles,
    /// Each sentence of a document and the document.
    Sentences,
    /// Three runs of one to three words of a document's title, and the document: as short as somebody types.
    Runs,
}

/// What a text is to the towers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sees {
    Trigrams,
    Words,
    Both,
}

/// A way to train.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) pairs: Vec<Pairs>,
    pub(crate) sees: Sees,
    /// Whether texts are shares of their pieces instead of counts.
    #[serde(default)]
    shares: bool,
    /// Over the preset.
    model: Value,
    #[serde(default)]
    preset: Preset,
}

impl Settings {
    fn config(&self) -> Result<DssmConfig> {
        let mut whole = serde_json::to_value(DssmConfig::preset(self.preset))?;
        let (Some(whole), Some(over)) = (whole.as_object_mut(), self.model.as_object()) else {
            anyhow::bail!("`model` is a table of settings");
        };
        for (key, value) in over {
            whole.insert(key.clone(), value.clone());
        }
        Ok(serde_json::from_value(Value::Object(whole.clone()))?)
    }

    /// Both sides see the pieces of the documents of the collection, in one numbering.
    fn features(&self) -> Result<FeatureSpec> {
        let kinds: &[&str] = match self.sees {
            Sees::Trigrams => &["trigrams"],
            Sees::Words => &["words"],
            Sees::Both => &["trigrams", "words"],
        };
        let pooling = if self.shares { "mean" } else { "sum" };
        let side = |name: &str| {
            let features = kinds.iter().map(|kind| {
                format!(
                    r#"{{ name = "{kind}", kind = "{kind}", column = "text", vocabulary = ["item.text"], oov_buckets = 0, pooling = "{pooling}" }}"#
                )
            });
            format!("{name} = [{}]\n", features.collect::<Vec<_>>().join(", "))
        };
        Ok(toml::from_str(&(side("user") + &side("item")))?)
    }
}

/// Texts as attributes of made-up ids, in their order.
fn table(texts: &[String]) -> Result<(Vocabulary, AttributeTable)> {
    let ids: Vec<String> = (0..texts.len()).map(|place| format!("{place:07}")).collect();
    let vocabulary = Vocabulary::from_counts(ids.iter().map(|id| (id, 1_u64)));
    let column = |texts: &[String]| -> ArrayRef { Arc::new(StringArray::from_iter_values(texts)) };
    let batch = RecordBatch::try_from_iter([("id", column(&ids)), ("text", column(texts))])?;
    let table = AttributeTable::align(Path::new("texts"), &batch, "id", &vocabulary)?;
    Ok((vocabulary, table))
}

/// The sentences of a text that have at least four words.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(['.', ';', '?', '!', ',']);
    parts.filter(|part| part.split_whitespace().count() >= 4)
}

/// Runs of words of a title that are asked for the document.
const RUNS: usize = 3;
/// Words of one at most.
const RUN: usize = 3;

/// Trained towers that can be asked.
pub(crate) struct Dssm {
    features: FittedFeatures,
    towers: Towers,
}

impl Dssm {
    /// From the pairs of these queries, and others that need none.
    pub(crate) fn fit(
        collection: &Collection,
        train: &[usize],
        settings: &Settings,
        seed: u64,
    ) -> Result<Self> {
        let documents: Vec<String> = collection
            .documents
            .iter()
            .map(super::collection::Document::text)
            .collect();
        let (mut texts, mut users, mut events) = (vec![], vec![], vec![]);
        let mut pair = |text: &str, documents: &mut dyn Iterator<Item = (usize, f32)>| {
            let user = UserIdx::from_index(texts.len());
            texts.push(text.to_owned());
            for (document, grade) in documents {
                users.push(user);
                let event = Event::new(ItemIdx::from_index(document), Time::UNKNOWN);
                events.push(Event {
                    value: grade,
                    ..event
                });
            }
        };
        for pairs in &settings.pairs {
            match pairs {
                Pairs::Judged => {
                    for &query in train {
                        let query = &collection.queries[query];
                        pair(&query.text, &mut query.relevant());
                    }
                }
                Pairs::Titles => {
                    for (place, document) in collection.documents.iter().enumerate() {
                        if !document.title.trim().is_empty() {
                            pair(&document.title, &mut std::iter::once((place, 1.0)));
                        }
                    }
                }
                Pairs::Runs => {
                    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                    for (place, document) in collection.documents.iter().enumerate() {
                        let words: Vec<String> = words(&document.title).collect();
                        for _ in 0..words.len().min(RUNS) {
                            let first = rng.random_range(0..words.len());
                            let last = (first + rng.random_range(1..=RUN)).min(words.len());
                            let run = words[first..last].join(" ");
                            pair(&run, &mut std::iter::once((place, 1.0)));
                        }
                    }
                }
                Pairs::Sentences => {
                    for (place, document) in collection.documents.iter().enumerate() {
                        for sentence in sentences(&document.body) {
                            pair(sentence, &mut std::iter::once((place, 1.0)));
                        }
                    }
                }
            }
        }
        let (queries, query_texts) = table(&texts)?;
        let (items, item_texts) = table(&documents)?;
        let histories = Histories::group(texts.len(), &users, &events);
        let features = settings.features()?.fit(&FitTables {
            users: &queries,
            items: &items,
            user_attributes: &query_texts,
            item_attributes: &item_texts,
            histories: &histories,
            channels: &[],
        })?;
        let mut plan = settings.config()?.plan();
        // A query has no past: every pair is an example.
        plan.examples.min_past = 0;
        let mut batch = FeatureBatch::default();
        features.transform_items(&items, &item_texts, &mut batch)?;
        let examples = HistoryExamples::new(&histories, &features, &queries, &query_texts, &plan.examples)?;
        let data = TowersData {
            features: &features,
            items: &batch,
            n_items: items.len(),
            histories: &histories,
            histories_of: &[],
            item_id: None,
            examples: &examples,
        };
        let towers = training::fit(&plan, &data, TrainingDevice::Cpu, seed, &mut Silent)
            .with_context(|| settings.name.clone())?;
        Ok(Self { features, towers })
    }

    /// Losses by epoch.
    pub(crate) fn losses(&self) -> &[f64] {
        &self.towers.report.losses
    }

    /// The cosine of each document with each of these texts.
    pub(crate) fn scores<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Scores> {
        let texts: Vec<String> = texts.map(str::to_owned).collect();
        let (_, attributes) = table(&texts)?;
        let (mut row, mut scratch) = (FeatureBatch::default(), QueryScratch::default());
        let mut query = vec![0.0; self.towers.dim];
        let mut all = vec![];
        for place in 0..texts.len() {
            let input = UserInput {
                attributes: Some((&attributes, place)),
                ..UserInput::anonymous(Time::UNKNOWN)
            };
            row.clear();
            self.features.transform_user(&input, &mut row)?;
            self.towers
                .query
                .encode(&row, &FeatureBatch::default(), &mut scratch, &mut query)?;
            let documents = self.towers.items.chunks_exact(self.towers.dim);
            all.push(
                documents
                    .map(|document| query.iter().zip(document).map(|(a, b)| a * b).sum())
                    .collect(),
            );
        }
        Ok(all)
    }
}
