//! Writes files of lists for the other tests.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use catchment_schema::parquet_file::{FileKind, write_parquet};
use catchment_schema::{Metadata, Vocabulary};

/// A row: user, item, channel, rank, score.
pub(crate) type Row<'a> = (&'a str, &'a str, &'a str, u32, f32);

/// A `candidates.parquet`.
pub(crate) fn write(path: &Path, rows: &[Row<'_>]) {
    let texts = |column: fn(&Row<'_>) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(column)))
    };
    let ranks = UInt32Array::from_iter_values(rows.iter().map(|row| row.3));
    let scores = Float32Array::from_iter_values(rows.iter().map(|row| row.4));
    write_columns(
        path,
        vec![
            ("user_id", texts(|row| row.0.to_owned())),
            ("item_id", texts(|row| row.1.to_owned())),
            ("channel", texts(|row| row.2.to_owned())),
            ("rank", Arc::new(ranks)),
            ("score", Arc::new(scores)),
        ],
    );
}

/// A file of any columns.
pub(crate) fn write_columns(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let kind = FileKind {
        name: "candidates",
        version: 1,
    };
    write_parquet(path, kind, &batch, &Metadata::new()).expect("written");
}

/// A vocabulary in which ids have the order of the list.
pub(crate) fn vocabulary(ids: &[&str]) -> Vocabulary {
    Vocabulary::from_counts(ids.iter().rev().zip(1..).map(|(id, count)| (*id, count)))
}
