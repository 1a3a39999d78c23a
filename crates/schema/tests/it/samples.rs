//! A small, made-up file of every kind.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use catchment_schema::attributes::ATTRIBUTES;
use catchment_schema::embeddings::EMBEDDINGS;
use catchment_schema::interactions::INTERACTIONS;
use catchment_schema::lists::{CANDIDATES, RECOMMENDATIONS};
use catchment_schema::neighbours::NEIGHBOURS;
use catchment_schema::parquet_file::FileKind;
use catchment_schema::vocabulary::VOCABULARY;
use catchment_schema::{
    AttributeTable, CandidateRow, CandidateRows, Embeddings, EmbeddingsMeta, Event, EventKind, Interactions,
    ItemIdx, Metadata, Metric, NeighbourTable, RecommendationRow, RecommendationRows, Result, Score,
    ScoredItem, Time, UserIdx, Vocabulary,
};

/// A kind of file: its name, how to write the sample, and how to read it and compare it with the sample.
pub(crate) struct Sample {
    pub(crate) kind: FileKind,
    pub(crate) write: fn(&Path) -> Result<()>,
    /// Whether what is there equals the sample.
    pub(crate) read: fn(&Path) -> Result<bool>,
}

impl Sample {
    pub(crate) fn file_name(&self) -> String {
        format!("{}.parquet", self.kind.name)
    }
}

/// One sample of every kind of file that this crate writes.
pub(crate) const SAMPLES: [Sample; 7] = [
    Sample {
        kind: VOCABULARY,
        write: |path| vocabulary().write(path, &Metadata::new()),
        read: |path| Ok(Vocabulary::read(path)? == vocabulary()),
    },
    Sample {
        kind: INTERACTIONS,
        write: |path| interactions().write(path, &Metadata::new()),
        read: |path| Ok(Interactions::read(path)? == interactions()),
    },
    Sample {
        kind: EMBEDDINGS,
        write: |path| embeddings().write(path),
        read: |path| Ok(Embeddings::read(path)? == embeddings()),
    },
    Sample {
        kind: NEIGHBOURS,
        write: |path| neighbours().write(path, &vocabulary(), "item_cf"),
        read: |path| Ok(NeighbourTable::read(path, &vocabulary())? == neighbours()),
    },
    Sample {
        kind: ATTRIBUTES,
        write: |path| attributes().write(path),
        read: |path| Ok(AttributeTable::read(path, 3)? == attributes()),
    },
    Sample {
        kind: CANDIDATES,
        write: |path| candidates().write(path),
        read: |path| Ok(CandidateRows::read(path)? == candidates()),
    },
    Sample {
        kind: RECOMMENDATIONS,
        write: |path| recommendations().write(path),
        read: |path| Ok(RecommendationRows::read(path)? == recommendations()),
    },
];

pub(crate) fn vocabulary() -> Vocabulary {
    Vocabulary::from_counts([("tea", 5), ("milk", 2), ("h\u{f6}ney", 2)])
}

pub(crate) fn interactions() -> Interactions {
    let event = |item, millis: Option<i64>, value, dwell_ms| Event {
        item: ItemIdx(item),
        kind: EventKind(1),
        time: Time::from(millis),
        value,
        dwell_ms,
    };
    Interactions {
        users: vec![UserIdx(0), UserIdx(0), UserIdx(7)],
        events: vec![
            event(2, None, 1.0, None),
            event(0, Some(-5), -0.5, Some(0)),
            event(9, Some(1_795_509_000_000), 5.0, Some(u32::MAX)),
        ],
        sessions: vec![0, 1, 2],
    }
}

pub(crate) fn embeddings() -> Embeddings {
    Embeddings {
        meta: EmbeddingsMeta {
            kind: "item".to_owned(),
            model: "ials".to_owned(),
            metric: Metric::InnerProduct,
            normalised: false,
            run: "run-1".to_owned(),
        },
        dim: 2,
        ids: vec![Arc::from("tea"), Arc::from("milk"), Arc::from("h\u{f6}ney")],
        vectors: vec![0.5, -1.0, 0.0, 2.0, 1e-20, 3.25],
        bias: Some(vec![0.0, 0.25, -4.0]),
    }
}

pub(crate) fn neighbours() -> NeighbourTable {
    let scored = |item, score| ScoredItem::new(ItemIdx(item), Score::new(score).expect("finite"));
    NeighbourTable::from_lists([
        vec![scored(1, 0.5), scored(2, 0.75)],
        vec![],
        vec![scored(0, 0.5)],
    ])
}

pub(crate) fn attributes() -> AttributeTable {
    let columns: [(&str, ArrayRef); 3] = [
        (
            "item_id",
            Arc::new(StringArray::from(vec!["milk", "tea", "coffee"])),
        ),
        (
            "title",
            Arc::new(StringArray::from(vec![Some("Milk"), None, Some("Coffee")])),
        ),
        (
            "price",
            Arc::new(Float32Array::from(vec![Some(1.5), Some(4.0), None])),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)));
    AttributeTable::align(
        Path::new("sample"),
        &batch.expect("a batch"),
        "item_id",
        &vocabulary(),
    )
    .expect("aligns")
}

pub(crate) fn candidates() -> CandidateRows {
    let row = |user: &str, item: &str, channel: &str, rank, score| CandidateRow {
        user_id: Arc::from(user),
        item_id: Arc::from(item),
        channel: Arc::from(channel),
        rank,
        score: Score::new(score).expect("finite"),
    };
    CandidateRows {
        bundle: "2026-11-24-1".to_owned(),
        rows: vec![
            row("u1", "tea", "popular", 1, 9.0),
            row("u1", "milk", "item_cf", 1, 0.25),
            row("u2", "tea", "popular", 2, -1.0),
        ],
    }
}

pub(crate) fn recommendations() -> RecommendationRows {
    let row = |user: &str, item: &str, rank, channels: &[&str]| RecommendationRow {
        user_id: Arc::from(user),
        item_id: Arc::from(item),
        rank,
        score: Score::new(0.5).expect("finite"),
        channels: channels.iter().copied().map(Arc::from).collect(),
    };
    RecommendationRows {
        bundle: "2026-11-24-1".to_owned(),
        rows: vec![
            row("u1", "tea", 1, &["popular", "item_cf"]),
            row("u1", "milk", 2, &[]),
        ],
    }
}
