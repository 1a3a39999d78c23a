//! What the files of lists have in common.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, SchemaRef};

use super::BUNDLE_KEY;
use crate::columns::required_column_as;
use crate::parquet_file::{FileKind, Metadata, ParquetFileWriter, parquet_error};
use crate::{Error, Result, Score};

/// The columns that both files share.
pub(super) struct Ranked {
    pub(super) users: StringArray,
    pub(super) items: StringArray,
    ranks: UInt32Array,
    scores: Float32Array,
}

impl Ranked {
    pub(super) fn read(path: &Path, batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str, data_type: DataType| required_column_as(path, batch, name, &data_type);
        Ok(Self {
            users: column("user_id", DataType::Utf8)?.as_string().clone(),
            items: column("item_id", DataType::Utf8)?.as_string().clone(),
            ranks: column("rank", DataType::UInt32)?.as_primitive().clone(),
            scores: column("score", DataType::Float32)?.as_primitive().clone(),
        })
    }

    pub(super) fn rank(&self, path: &Path, row: usize) -> Result<u32> {
        match self.ranks.value(row) {
            0 => Err(bad_value(path, row, "rank", "0", "ranks count from 1")),
            rank => Ok(rank),
        }
    }

    pub(super) fn score(&self, path: &Path, row: usize) -> Result<Score> {
        let score = self.scores.value(row);
        Score::new(score).ok_or_else(|| bad_value(path, row, "score", &score.to_string(), "must be finite"))
    }
}

pub(super) fn bad_value(path: &Path, row: usize, column: &str, value: &str, reason: &str) -> Error {
    Error::BadValue {
        path: path.to_owned(),
        row: row as u64 + 1,
        column: column.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Writes either file.
pub(super) struct ListWriter {
    path: std::path::PathBuf,
    schema: SchemaRef,
    pub(super) writer: ParquetFileWriter,
}

impl ListWriter {
    pub(super) fn create(path: &Path, kind: FileKind, schema: SchemaRef, bundle: &str) -> Result<Self> {
        let metadata = Metadata::from([(BUNDLE_KEY.to_owned(), bundle.to_owned())]);
        Ok(Self {
            path: path.to_owned(),
            writer: ParquetFileWriter::create(path, kind, schema.clone(), &metadata)?,
            schema,
        })
    }

    pub(super) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<()> {
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| parquet_error(&self.path, &error))?;
        self.writer.write(&batch)
    }

    pub(super) fn ranks(&self, ranks: impl Iterator<Item = u32>) -> Result<ArrayRef> {
        let ranks = UInt32Array::from_iter_values(ranks);
        match ranks.values().iter().position(|&rank| rank == 0) {
            Some(row) => Err(bad_value(&self.path, row, "rank", "0", "ranks count from 1")),
            None => Ok(Arc::new(ranks)),
        }
    }
}

pub(super) fn text<'a>(cells: impl Iterator<Item = &'a Arc<str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(cells))
}

pub(super) fn scores(scores: impl Iterator<Item = Score>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(scores.map(Score::get)))
}
