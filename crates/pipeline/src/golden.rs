//! Golden queries: answers that were given when the bundle was made, replayed when it is opened.
//!
//! They catch what no checksum can: a program, a library or a processor that computes something else from the
//! same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{
    ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
use catchment_schema::columns::{required_column, typed_column};
use catchment_schema::parquet_file::{FileKind, Metadata, read_parquet, write_parquet};
use catchment_schema::{Time, UserIdx};

use crate::{Error, Pipeline, Request, Scratch, UserState};

/// The golden file.
pub const GOLDEN: FileKind = FileKind {
    name: "golden",
    version: 1,
};
/// How many items of each answer are kept.
const DEPTH: usize = 10;
/// By how much a score may differ, relative to its size: the order of additions differs between instruction sets.
const TOLERANCE: f32 = 1e-3;

struct GoldenRow {
    user: String,
    now: Time,
    item: String,
    score: f32,
}

/// Writes the answers for `n_users` users spread over the vocabulary.
///
/// # Errors
/// As [`Pipeline::recommend`], and when the disk refuses.
pub fn record(pipeline: &Pipeline, n_users: usize, path: &Path) -> Result<(), Error> {
    let catalogue = pipeline.catalogue();
    let step = catalogue.users().len().div_ceil(n_users.max(1)).max(1);
    let now = catalogue.now();
    let mut rows = Vec::new();
    let mut scratch = Scratch::default();
    for user in (0..catalogue.users().len())
        .step_by(step)
        .map(UserIdx::from_index)
    {
        for (item, score) in answer(pipeline, user, now, &mut scratch)? {
            let id = catalogue.users().id(user.index()).unwrap_or_default().to_owned();
            rows.push(GoldenRow {
                user: id,
                now,
                item,
                score,
            });
        }
    }
    write(path, &rows)
}

/// Asks again, and compares.
///
/// # Errors
/// [`Error::GoldenMismatch`] at the first answer that differs.
pub fn replay(pipeline: &Pipeline, path: &Path) -> Result<(), Error> {
    let mut expected: BTreeMap<(String, Time), Vec<GoldenRow>> = BTreeMap::new();
    for row in read(path)? {
        expected.entry((row.user.clone(), row.now)).or_default().push(row);
    }
    let mut scratch = Scratch::default();
    for ((id, now), rows) in expected {
        let mismatch = |reason: String| Error::GoldenMismatch {
            user: id.clone(),
            reason,
        };
        let user = pipeline.catalogue().users().user(&id);
        let user = user.ok_or_else(|| mismatch("is not in the vocabulary".to_owned()))?;
        let answered = answer(pipeline, user, now, &mut scratch)?;
        if answered.len() != rows.len() {
            return Err(mismatch(format!(
                "{} items instead of {}",
                answered.len(),
                rows.len()
            )));
        }
        for (rank, ((item, score), row)) in answered.iter().zip(&rows).enumerate() {
            let near = (score - row.score).abs() <= TOLERANCE * row.score.abs().max(1e-3);
            // Neighbours in the list may change places where their scores are equal within the tolerance.
            let moved = || {
                rows.iter().any(|other| {
                    other.item == *item
                        && (other.score - row.score).abs() <= TOLERANCE * row.score.abs().max(1e-3)
                })
            };
            if !near || (*item != row.item && !moved()) {
                let rank = rank + 1;
                return Err(mismatch(format!(
                    "rank {rank} is {item} ({score}), was {} ({})",
                    row.item, row.score
                )));
            }
        }
    }
    Ok(())
}

fn answer(
    pipeline: &Pipeline,
    user: UserIdx,
    now: Time,
    scratch: &mut Scratch,
) -> Result<Vec<(String, f32)>, Error> {
    let catalogue = pipeline.catalogue();
    let state = UserState {
        user: Some(user),
        history: catalogue.history(user),
    };
    let answer = pipeline.recommend(&Request::new(DEPTH, now), &state, scratch)?;
    let name =
        |item: catchment_schema::ItemIdx| catalogue.items().id(item.index()).unwrap_or_default().to_owned();
    Ok(answer
        .items
        .iter()
        .map(|found| (name(found.item), found.score.get()))
        .collect())
}

fn write(path: &Path, rows: &[GoldenRow]) -> Result<(), Error> {
    let schema = Schema::new(vec![
        Field::new("user_id", DataType::Utf8, false),
        Field::new("now", DataType::Int64, true),
        Field::new("rank", DataType::UInt32, false),
        Field::new("item_id", DataType::Utf8, false),
        Field::new("score", DataType::Float32, false),
    ]);
    let mut ranks = Vec::with_capacity(rows.len());
    for (position, row) in rows.iter().enumerate() {
        let follows = position > 0 && rows[position - 1].user == row.user;
        ranks.push(if follows { ranks[position - 1] + 1 } else { 1 });
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.user))),
        Arc::new(rows.iter().map(|row| row.now.millis()).collect::<Int64Array>()),
        Arc::new(UInt32Array::from(ranks)),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.item))),
        Arc::new(Float32Array::from_iter_values(rows.iter().map(|row| row.score))),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| Error::Spec {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(write_parquet(path, GOLDEN, &batch, &Metadata::new())?)
}

fn read(path: &Path) -> Result<Vec<GoldenRow>, Error> {
    let (batch, _) = read_parquet(path, GOLDEN)?;
    let users = required_column::<StringArray>(path, &batch, "user_id")?;
    let times = typed_column::<Int64Array>(path, &batch, "now")?;
    let items = required_column::<StringArray>(path, &batch, "item_id")?;
    let scores = required_column::<Float32Array>(path, &batch, "score")?;
    let times = times.iter();
    Ok(times
        .enumerate()
        .map(|(row, now)| GoldenRow {
            user: users.value(row).to_owned(),
            now: Time::from(now),
            item: items.value(row).to_owned(),
            score: scores.value(row),
        })
        .collect())
}
