//! Parquet that somebody else wrote.

use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::chunk::{CHUNK_ROWS, Chunk, ChunkReader, Typing};
use super::faults::Origin;
use super::files;
use crate::Result;
use crate::parquet_file::parquet_error;

/// Reads batches; rows are counted over the whole file.
pub(super) struct ParquetChunks {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    n_rows: u64,
}

impl ParquetChunks {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let batches = ParquetRecordBatchReaderBuilder::try_new(files::open_seekable(path)?)
            .and_then(|builder| builder.with_batch_size(CHUNK_ROWS).build())
            .map_err(|error| parquet_error(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            batches,
            n_rows: 0,
        })
    }
}

impl ChunkReader for ParquetChunks {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let Some(batch) = self.batches.next() else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| parquet_error(&self.path, &error))?;
        let mut origin = Origin::new(self.path.clone());
        let end = self.n_rows + batch.num_rows() as u64;
        origin.rows.extend(self.n_rows + 1..=end);
        self.n_rows = end;
        let fields = batch.schema_ref().fields().iter();
        Ok(Some(Chunk {
            names: fields.map(|field| field.name().clone()).collect(),
            columns: batch.columns().to_vec(),
            origin,
            typing: Typing::Typed,
        }))
    }
}
