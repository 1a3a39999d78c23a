//! Parquet that somebody else wrote.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatchReader;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::chunk::{CHUNK_ROWS, Chunk, ChunkReader, Typing, named_once};
use super::faults::Origin;
use super::files;
use crate::Result;
use crate::parquet_file::decoding;

/// Reads batches; rows are counted over the whole file.
pub(super) struct ParquetChunks {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    n_rows: u64,
}

impl ParquetChunks {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = files::open_seekable(path)?;
        let batches = decoding(path, || {
            ParquetRecordBatchReaderBuilder::try_new(file)?
                .with_batch_size(CHUNK_ROWS)
                .build()
        })?;
        let schema = batches.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        named_once(path, &names)?;
        Ok(Self {
            path: path.to_owned(),
            batches,
            n_rows: 0,
        })
    }
}

impl ChunkReader for ParquetChunks {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let Some(batch) = decoding(&self.path, || self.batches.next().transpose())? else {
            return Ok(None);
        };
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
