//! One number for each item, as a file.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
use catchment_schema::columns::{all_finite, required_column};
use catchment_schema::parquet_file::{FileKind, read_parquet, write_parquet};
use catchment_schema::{Error, Metadata, Result, Vocabulary};

/// The item-scores file: `id` Utf8, `score` Float32, a row for each item in vocabulary order; `catchment.model` in its
/// metadata says what the numbers are.
pub const ITEM_SCORES: FileKind = FileKind {
    name: "item_scores",
    version: 1,
};

/// # Errors
/// [`Error::Inconsistent`] when `scores` has not one value for each item; [`Error::BadValue`] for one that is not
/// finite.
pub(crate) fn write(path: &Path, items: &Vocabulary, scores: &[f32], model: &str) -> Result<()> {
    if scores.len() != items.len() {
        return Err(Error::Inconsistent {
            path: path.to_owned(),
            reason: format!("{} scores for a vocabulary of {}", scores.len(), items.len()),
        });
    }
    all_finite(path, "score", scores, 1)?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(items.ids())),
        Arc::new(Float32Array::from(scores.to_vec())),
    ];
    let schema = Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("score", DataType::Float32, false),
    ]);
    let batch = RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| Error::Parquet {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let metadata = Metadata::from([("catchment.model".to_owned(), model.to_owned())]);
    write_parquet(path, ITEM_SCORES, &batch, &metadata)
}

/// Reads what [`write`] wrote, against the same vocabulary.
///
/// # Errors
/// As [`read_parquet`]; [`Error::Inconsistent`] when the ids are not those of the vocabulary; [`Error::BadValue`].
pub(crate) fn read(path: &Path, items: &Vocabulary) -> Result<Vec<f32>> {
    let (batch, _) = read_parquet(path, ITEM_SCORES)?;
    let ids = required_column::<StringArray>(path, &batch, "id")?;
    let scores = required_column::<Float32Array>(path, &batch, "score")?;
    if !ids.iter().flatten().eq(items.ids().iter().map(AsRef::as_ref)) {
        return Err(Error::Inconsistent {
            path: path.to_owned(),
            reason: "its ids are not those of the item vocabulary".to_owned(),
        });
    }
    all_finite(path, "score", scores.values(), 1)?;
    Ok(scores.values().to_vec())
}
