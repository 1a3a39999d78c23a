//! What an import hands on, as text.

use std::fs;
use std::path::Path;

use catchment_schema::Result;
use catchment_schema::arrow::array::{ArrayRef, AsArray, RecordBatch};
use catchment_schema::arrow::datatypes::TimestampMillisecondType;
use catchment_schema::arrow::util::display::array_value_to_string;
use catchment_schema::import::{Format, ImportReport, Source, import_interactions, interactions_schema};
use expect_test::Expect;

/// Everything that an import hands on, as one text: a header, then a line for each row.
pub(super) fn shown(batches: &[RecordBatch]) -> String {
    let mut text = String::new();
    if let Some(first) = batches.first() {
        let fields = first.schema_ref().fields().iter();
        text += &fields
            .map(|field| field.name().clone())
            .collect::<Vec<_>>()
            .join("|");
        text += "\n";
    }
    for batch in batches {
        assert_eq!(batch.schema(), batches[0].schema());
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| cell(column, row));
            text += &cells.collect::<Vec<_>>().join("|");
            text += "\n";
        }
    }
    text
}

/// A cell as text. Moments are milliseconds here: without time zone data arrow does not even print UTC.
pub(super) fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    match column.as_primitive_opt::<TimestampMillisecondType>() {
        Some(times) => times.value(row).to_string(),
        None => array_value_to_string(column, row).expect("prints"),
    }
}

pub(super) fn import(source: &Source) -> Result<(Vec<RecordBatch>, ImportReport)> {
    let mut batches = Vec::new();
    let report = import_interactions(source, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    for batch in &batches {
        let schema = interactions_schema();
        let start = &batch.schema_ref().fields()[..schema.fields().len()];
        assert_eq!(start, &schema.fields()[..]);
    }
    Ok((batches, report))
}

pub(super) fn source(path: &Path, format: Format) -> Source {
    Source::new(path.to_string_lossy(), format)
}

pub(super) fn check(
    name: &str,
    content: &str,
    format: Format,
    change: impl FnOnce(&mut Source),
    expected: &Expect,
) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("writes");
    let mut source = source(&path, format);
    change(&mut source);
    let (batches, _) = import(&source).expect("imports");
    expected.assert_eq(&shown(&batches));
}

pub(super) fn map(source: &mut Source, ours: &str, theirs: &str) {
    source.columns.insert(ours.to_owned(), theirs.to_owned());
}
