//! Judgements of the Text Retrieval Conference ("qrels"): which document is how relevant to which query.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::chunk::CHUNK_ROWS;
use super::faults::{FaultLog, Origin, WHOLE_LINE};
use super::files::{self, Table};
use super::lines::Lines;
use super::source::{Format, Source};
use super::{ImportReport, nothing};
use crate::Result;
use crate::parquet_file::parquet_error;

/// The columns of imported judgements: `query`, `document` Utf8 (their raw ids), `label` Float32 (the grade), no nulls.
pub fn judgements_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("query", DataType::Utf8, false),
        Field::new("document", DataType::Utf8, false),
        Field::new("label", DataType::Float32, false),
    ]))
}

/// Streams judgements ([`Format::Trec`]) in batches of up to 65,536 rows of [`judgements_schema`]. Memory does not grow
/// with the file.
///
/// A line is `query iteration document grade`, between blanks or tabs; the iteration is read over. A grade is a whole
/// number; 0 and below say that the document was judged and is not relevant.
///
/// # Errors
/// As [`super::import_interactions`].
pub fn import_judgements(
    source: &Source,
    sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<ImportReport> {
    source.validate()?;
    if source.format != Format::Trec {
        let reason = format!("{} is no form of judgements: trec", source.format.name());
        return Err(source.bad("format", reason));
    }
    let mut log = FaultLog::new(source.on_error);
    let mut n_rows = 0;
    for path in files::resolve(source, Table::Interactions)? {
        let mut lines = Lines::open(&path)?;
        let mut more = true;
        while more {
            let mut origin = Origin::new(path.clone());
            let mut rows = Rows::default();
            while more && rows.len + origin.n_unreadable() < CHUNK_ROWS {
                more = lines.advance(&path)?;
                if more {
                    rows.read(&lines, &mut origin);
                }
            }
            log.take(origin)?;
            if rows.len > 0 {
                n_rows += rows.len as u64;
                sink(rows.finish().map_err(|error| parquet_error(&path, &error))?)?;
            }
        }
    }
    if n_rows == 0 {
        return Err(nothing(source, log));
    }
    Ok(ImportReport {
        rows: n_rows,
        skipped: log.n_skipped(),
        findings: Vec::from_iter(log.finding(n_rows)),
    })
}

/// Rows under construction.
#[derive(Default)]
struct Rows {
    queries: StringBuilder,
    documents: StringBuilder,
    grades: Float32Builder,
    len: usize,
}

impl Rows {
    /// Adds the line, or notes that it is unreadable.
    fn read(&mut self, lines: &Lines, origin: &mut Origin) {
        let number = lines.number();
        let Some(line) = lines.text(origin) else {
            return;
        };
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [query, _, document, grade] = words[..] else {
            let reason = format!(
                "has {} words, expected query, iteration, document, grade",
                words.len()
            );
            origin.unreadable(number, WHOLE_LINE, line, reason);
            return;
        };
        let Ok(whole) = grade.parse::<i16>() else {
            origin.unreadable(number, "grade", grade, "must be a whole number");
            return;
        };
        self.queries.append_value(query);
        self.documents.append_value(document);
        self.grades.append_value(f32::from(whole));
        self.len += 1;
    }

    fn finish(mut self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.queries.finish()),
            Arc::new(self.documents.finish()),
            Arc::new(self.grades.finish()),
        ];
        RecordBatch::try_new(judgements_schema(), columns)
    }
}
