//! What is written is read back the same, whatever it is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use catchment_schema::{
    CandidateRow, CandidateRows, Embeddings, EmbeddingsMeta, Event, EventKind, Interactions, ItemIdx,
    Metadata, Metric, NeighbourTable, RecommendationRow, RecommendationRows, Score, ScoredItem, Time,
    UserIdx, Vocabulary,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::samples::SAMPLES;

fn id() -> impl Strategy<Value = Arc<str>> {
    "[a-zA-Z0-9 ,\"\u{e9}\u{1f375}]{1,6}".prop_map(|id| Arc::from(id.as_str()))
}

fn score() -> impl Strategy<Value = Score> {
    any::<f32>().prop_map(Score::clamped)
}

fn event() -> impl Strategy<Value = Event> {
    let time = option::of(-1_000_000_000_000i64..4_000_000_000_000);
    (
        any::<u32>(),
        any::<u16>(),
        time,
        score(),
        option::of(any::<u32>()),
    )
        .prop_map(|(item, kind, time, value, dwell_ms)| Event {
            item: ItemIdx(item),
            kind: EventKind(kind),
            time: Time::from(time),
            value: value.get(),
            dwell_ms,
        })
}

fn in_folder(check: impl FnOnce(PathBuf)) {
    let folder = tempfile::tempdir().expect("temporary folder");
    check(folder.path().join("deep/er/file.parquet"));
}

#[test]
fn every_sample_is_read_back_the_same() {
    for sample in &SAMPLES {
        in_folder(|path| {
            (sample.write)(&path).expect("writes");
            assert!((sample.read)(&path).expect("reads"), "{}", sample.kind.name);
        });
    }
}

#[test]
fn files_without_rows_are_files() {
    in_folder(|path| {
        Vocabulary::default()
            .write(&path, &Metadata::new())
            .expect("writes");
        assert!(Vocabulary::read(&path).expect("reads").is_empty());
        CandidateRows::default().write(&path).expect("writes");
        assert_eq!(
            CandidateRows::read(&path).expect("reads"),
            CandidateRows::default()
        );
        RecommendationRows::default().write(&path).expect("writes");
        assert!(RecommendationRows::read(&path).expect("reads").rows.is_empty());
        Interactions::default()
            .write(&path, &Metadata::new())
            .expect("writes");
        assert!(Interactions::read(&path).expect("reads").is_empty());
    });
}

#[test]
fn embeddings_of_several_row_groups_round_trip() {
    let n = 40_000_u32;
    let embeddings = Embeddings {
        dim: 2,
        ids: (0..n).map(|row| format!("i{row}").into()).collect(),
        vectors: (0..2 * n).map(|value| value as f32).collect(),
        bias: Some((0..n).map(|row| -(row as f32)).collect()),
        ..crate::samples::embeddings()
    };
    in_folder(|path| {
        embeddings.write(&path).expect("writes");
        assert_eq!(Embeddings::read(&path).expect("reads"), embeddings);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn vocabularies_round_trip(counts in btree_map(id(), any::<u32>(), 0..20)) {
        let vocabulary = Vocabulary::from_counts(counts.iter().map(|(id, count)| (id, u64::from(*count))));
        prop_assert!(vocabulary.counts().is_sorted_by(|a, b| a >= b));
        in_folder(|path| {
            vocabulary.write(&path, &Metadata::new()).expect("writes");
            assert_eq!(Vocabulary::read(&path).expect("reads"), vocabulary);
        });
    }

    #[test]
    fn interactions_round_trip(rows in vec((any::<u32>(), event(), any::<u32>()), 0..20)) {
        let interactions = Interactions {
            users: rows.iter().map(|row| UserIdx(row.0)).collect(),
            events: rows.iter().map(|row| row.1).collect(),
            sessions: rows.iter().map(|row| row.2).collect(),
        };
        in_folder(|path| {
            interactions.write(&path, &Metadata::new()).expect("writes");
            assert_eq!(Interactions::read(&path).expect("reads"), interactions);
        });
    }

    #[test]
    fn embeddings_round_trip(
        rows in btree_map(id(), (vec(score(), 3), score()), 0..12),
        has_bias: bool,
        metric in prop_oneof![Just(Metric::InnerProduct), Just(Metric::Cosine), Just(Metric::L2)],
    ) {
        let embeddings = Embeddings {
            meta: EmbeddingsMeta {
                kind: "item".to_owned(),
                model: "ials".to_owned(),
                metric,
                normalised: has_bias,
                run: String::new(),
            },
            dim: 3,
            ids: rows.keys().cloned().collect(),
            vectors: rows.values().flat_map(|row| row.0.iter().map(|value| value.get())).collect(),
            bias: has_bias.then(|| rows.values().map(|row| row.1.get()).collect()),
        };
        in_folder(|path| {
            embeddings.write(&path).expect("writes");
            assert_eq!(Embeddings::read(&path).expect("reads"), embeddings);
        });
    }

    #[test]
    fn neighbours_round_trip(lists in vec(btree_map(0u32..5, score(), 0..5), 5)) {
        let items = Vocabulary::from_counts(["a", "b", "c", "d", "e"].map(|id| (id, 1)));
        let list = |list: &BTreeMap<u32, Score>| {
            list.iter().map(|(&item, &score)| ScoredItem::new(ItemIdx(item), score)).collect()
        };
        let table = NeighbourTable::from_lists(lists.iter().map(list));
        in_folder(|path| {
            table.write(&path, &items, "item_cf").expect("writes");
            assert_eq!(NeighbourTable::read(&path, &items).expect("reads"), table);
        });
    }

    #[test]
    fn lists_round_trip(rows in vec((id(), id(), vec(id(), 0..3), 1u32.., score()), 0..12)) {
        let bundle = "b1".to_owned();
        let candidates = CandidateRows {
            bundle: bundle.clone(),
            rows: rows.iter().cloned().map(|(user_id, item_id, _, rank, score)| CandidateRow {
                channel: item_id.clone(), user_id, item_id, rank, score,
            }).collect(),
        };
        let recommendations = RecommendationRows {
            bundle,
            rows: rows.into_iter().map(|(user_id, item_id, channels, rank, score)| RecommendationRow {
                user_id, item_id, rank, score, channels,
            }).collect(),
        };
        in_folder(|path| {
            candidates.write(&path).expect("writes");
            assert_eq!(CandidateRows::read(&path).expect("reads"), candidates);
            recommendations.write(&path).expect("writes");
            assert_eq!(RecommendationRows::read(&path).expect("reads"), recommendations);
        });
    }
}
