//! Towers over texts: a query finds a document by the letters of both.

use std::path::Path as FilePath;
use std::sync::Arc;

use catchment_features::{FeatureSpec, FitTables, UserInput};
use catchment_schema::arrow::array::{ArrayRef, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Event, Time, UserIdx, Vocabulary};

use super::step::query_columns;
use super::tests::{placed, rows};
use super::*;
use crate::progress::Silent;
use crate::towers::lengths::normalise;
use crate::towers::{DssmConfig, DssmNegatives, HistoryExamples, OwnNegatives, Preset, QueryScratch};

const DOCUMENTS: [Option<&str>; 8] = [
    Some("red wine from the hills"),
    Some("garden chairs of oak, garden tables of oak"),
    Some("winter tyres"),
    Some("a violin and its bow"),
    Some("mountain boots"),
    Some("Éclairs au chocolat"),
    Some(""),
    None,
];

/// Each with the document that was taken for it; the last two say nothing.
const QUERIES: [(Option<&str>, u32); 8] = [
    (Some("red wine"), 0),
    (Some("oak chairs"), 1),
    (Some("tyres for winter"), 2),
    (Some("violin"), 3),
    (Some("boots for the mountain"), 4),
    (Some("éclair"), 5),
    (Some("?!"), 0),
    (None, 1),
];

struct Library {
    queries: Vocabulary,
    documents: Vocabulary,
    query_texts: AttributeTable,
    document_texts: AttributeTable,
    histories: Histories,
}

fn table(letter: &str, texts: &[Option<&str>]) -> (Vocabulary, AttributeTable) {
    let ids: Vec<String> = (0..texts.len()).map(|place| format!("{letter}{place}")).collect();
    let vocabulary = Vocabulary::from_counts(ids.iter().map(|id| (id, 1_u64)));
    let ids: ArrayRef = Arc::new(StringArray::from(ids));
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let batch = RecordBatch::try_from_iter([("id", ids), ("text", texts)]).expect("columns");
    let table = AttributeTable::align(FilePath::new("texts"), &batch, "id", &vocabulary).expect("aligned");
    (vocabulary, table)
}

impl Library {
    fn new() -> Self {
        let texts: Vec<Option<&str>> = QUERIES.iter().map(|&(text, _)| text).collect();
        let (queries, query_texts) = table("q", &texts);
        let (documents, document_texts) = table("d", &DOCUMENTS);
        let users: Vec<UserIdx> = (0..QUERIES.len()).map(UserIdx::from_index).collect();
        let event = |&(_, document): &(Option<&str>, u32)| Event::new(ItemIdx(document), Time::UNKNOWN);
        let events: Vec<Event> = QUERIES.iter().map(event).collect();
        Self {
            histories: Histories::group(QUERIES.len(), &users, &events),
            queries,
            documents,
            query_texts,
            document_texts,
        }
    }

    fn features(&self) -> FittedFeatures {
        let spec: FeatureSpec = toml::from_str(
            r#"
            user = [
                { name = "letters", kind = "trigrams", column = "text", vocabulary = ["item.text"], oov_buckets = 2 },
                { name = "words", kind = "words", column = "text", vocabulary = ["item.text"], pooling = "mean" },
            ]
            item = [
                { name = "letters", kind = "trigrams", column = "text", vocabulary = ["item.text"], oov_buckets = 2 },
                { name = "words", kind = "words", column = "text", vocabulary = ["item.text"], pooling = "mean" },
            ]
            "#,
        )
        .expect("a spec");
        spec.fit(&FitTables {
            users: &self.queries,
            items: &self.documents,
            user_attributes: &self.query_texts,
            item_attributes: &self.document_texts,
            histories: &self.histories,
            channels: &[],
        })
        .expect("fitted")
    }

    fn with<T>(&self, plan: &Plan, run: impl FnOnce(&TowersData<'_>) -> T) -> T {
        let features = self.features();
        let mut items = FeatureBatch::default();
        features
            .transform_items(&self.documents, &self.document_texts, &mut items)
            .expect("transformed");
        let examples = HistoryExamples::new(
            &self.histories,
            &features,
            &self.queries,
            &self.query_texts,
            &plan.examples,
        )
        .expect("examples");
        run(&TowersData {
            features: &features,
            items: &items,
            n_items: DOCUMENTS.len(),
            histories: &self.histories,
            histories_of: &[],
            item_id: None,
            examples: &examples,
        })
    }
}

fn encode(features: &FittedFeatures, tower: &QueryTower, text: Option<&str>) -> Vec<f32> {
    let (_, attributes) = table("asked", &[text]);
    let input = UserInput {
        attributes: Some((&attributes, 0)),
        ..UserInput::anonymous(Time::UNKNOWN)
    };
    let mut row = FeatureBatch::default();
    features.transform_user(&input, &mut row).expect("a row");
    let mut out = vec![0.0; tower.dim()];
    tower
        .encode(
            &row,
            &FeatureBatch::default(),
            &mut QueryScratch::default(),
            &mut out,
        )
        .expect("encoded");
    out
}

/// The paper's shape, small.
fn plan(shared_texts: bool) -> Plan {
    let config = DssmConfig {
        dim: 9,
        user_layers: vec![7, 5],
        item_layers: vec![7, 5],
        shared_texts,
        gamma: 4.0,
        optimizer: crate::towers::plan::Optimizer::Adam,
        learning_rate: 0.02,
        batch: 4,
        epochs: 40,
        ..DssmConfig::preset(Preset::Paper)
    };
    assert_eq!(config.negatives, DssmNegatives::Own(OwnNegatives { own: 4 }));
    let mut plan = config.plan();
    plan.examples.min_past = 0;
    plan
}

#[test]
fn a_query_finds_its_document_and_so_does_a_misspelt_one() {
    let library = Library::new();
    for shared in [false, true] {
        let plan = plan(shared);
        library.with(&plan, |data| {
            let towers = fit(&plan, data, TrainingDevice::Cpu, 5, &mut Silent).expect("fitted");
            let best = |text: &str| {
                let query = encode(data.features, &towers.query, Some(text));
                let cosine = |document: &[f32]| query.iter().zip(document).map(|(a, b)| a * b).sum::<f32>();
                let scores: Vec<f32> = towers.items.chunks_exact(towers.dim).map(cosine).collect();
                (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
            };
            for (text, document) in &QUERIES[..6] {
                assert_eq!(
                    best(text.unwrap_or_default()),
                    Some(*document as usize),
                    "{text:?}"
                );
            }
            assert_eq!(best("violinn"), Some(3));
            assert_eq!(best("mountian boot"), Some(4));
        });
    }
}

#[test]
fn rows_of_trigrams_go_down_the_gradient_by_their_counts() {
    let library = Library::new();
    for (shared, on_device) in [(false, false), (true, false), (false, true), (true, true)] {
        let plan = Plan {
            optimizer: crate::embedding_table::RowOptimizer::Sgd,
            init: crate::towers::plan::Init::Range(0.3),
            ..plan(shared)
        };
        library.with(&plan, |data| {
            let mut batch = ExampleBatch::default();
            let mut stream = data.examples.pass(0, 0, 5);
            stream.next_batch(8, &mut batch).expect("a batch");
            // Biases begin as zeros, where a text without words has a vector of no length, which has no gradient.
            let new = || {
                let mut training = placed(&plan, data, 9, on_device);
                for (table, width) in training.tables.widths().into_iter().enumerate() {
                    let rows = training.tables.all_rows(table).expect("rows");
                    if rows.len() == width {
                        (0..width).for_each(|cell| training.tables.nudge(table, cell, 0.1));
                    }
                }
                training
            };
            let loss = |table: usize, cell: usize, by: f32| {
                let mut training = new();
                training.tables.nudge(table, cell, by);
                training.step(&batch, 0.0).expect("a step").loss
            };
            let mut stepped = new();
            // Letters and words, once or for either side, and a bias for each side.
            assert_eq!(stepped.tables.len(), if shared { 4 } else { 6 });
            let before = rows(&stepped);
            stepped.step(&batch, 1e-2).expect("a step");
            let after = rows(&stepped);
            let mut moved = 0;
            for (table, before) in before.iter().enumerate() {
                for cell in (0..before.len()).step_by(23) {
                    let slope = (before[cell] - after[table][cell]) / 1e-2;
                    let difference = (loss(table, cell, 2e-3) - loss(table, cell, -2e-3)) / 4e-3;
                    moved += usize::from(slope != 0.0);
                    assert!(
                        (f64::from(slope) - difference).abs() < 2e-3,
                        "table {table}, cell {cell}: {slope} {difference}"
                    );
                }
            }
            assert!(moved > 20, "{moved} cells of those looked at moved at all");
        });
    }
}

#[test]
fn what_is_served_of_a_text_is_what_was_trained() {
    let library = Library::new();
    let plan = plan(true);
    library.with(&plan, |data| {
        let mut training = Training::new(&plan, data, TrainingDevice::Cpu, 1).expect("made");
        let mut batch = ExampleBatch::default();
        let mut stream = data.examples.pass(0, 0, 5);
        stream.next_batch(8, &mut batch).expect("a batch");
        for _ in 0..3 {
            training.step(&batch, 0.05).expect("a step");
        }
        let columns = query_columns(&batch, None);
        let inputs = training.tables.input(&training.query.input, columns, batch.len());
        let inputs = inputs.expect("an input");
        let (_, mut trained) = training.query.hidden.forward(&inputs).expect("vectors");
        let dim = training.dim();
        normalise(&mut trained, dim);
        let users = batch.users.clone();
        let towers = training.towers(TowersReport::default(), 1).expect("finished");
        let folder = tempfile::tempdir().expect("a folder");
        towers.query.save(folder.path(), "f").expect("written");
        let read = QueryTower::open(folder.path(), "f").expect("read");
        assert!(read == towers.query);
        let written = std::fs::read_to_string(folder.path().join("query.json")).expect("text");
        assert!(
            written.starts_with(r#"{"format":3,"#),
            "an older program must not leave the bias out"
        );
        for (user, trained) in users.iter().zip(trained.chunks_exact(dim)) {
            let served = encode(data.features, &read, QUERIES[user.index()].0);
            for (served, trained) in served.iter().zip(trained) {
                assert!((served - trained).abs() < 1e-5, "{user:?}: {served} {trained}");
            }
        }
    });
}

#[test]
fn a_text_without_words_is_a_vector_like_any_other() {
    let library = Library::new();
    let plan = Plan {
        epochs: 3,
        ..plan(false)
    };
    library.with(&plan, |data| {
        let towers = fit(&plan, data, TrainingDevice::Cpu, 5, &mut Silent).expect("fitted");
        let of = |text| encode(data.features, &towers.query, text);
        let nothing = of(None);
        let length: f32 = nothing.iter().map(|value| value * value).sum();
        assert!(
            (length - 1.0).abs() < 1e-5,
            "the biases are a direction: {nothing:?}"
        );
        assert_eq!(of(Some("")), nothing);
        assert_eq!(of(Some("?! …")), nothing);
        // What no document has falls into the buckets, and is no error.
        assert_ne!(of(Some("多路 ψωμί")), nothing);
        assert!(of(Some("多路 ψωμί")).iter().all(|value| value.is_finite()));
        let items: Vec<&[f32]> = towers.items.chunks_exact(towers.dim).collect();
        assert_eq!(items[6], items[7], "an empty text and none");
    });
}
