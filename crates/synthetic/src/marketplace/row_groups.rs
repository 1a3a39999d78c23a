//! A Parquet file whose row groups are encoded beside each other and written one after another.
//!
//! The file is as `catchment_schema::parquet_file` writes it: zstd, the kind and format version in its metadata.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::arrow::datatypes::{Schema, SchemaRef};
use catchment_schema::parquet::arrow::ArrowWriter;
use catchment_schema::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves,
};
use catchment_schema::parquet::basic::{Compression, ZstdLevel};
use catchment_schema::parquet::errors::ParquetError;
use catchment_schema::parquet::file::metadata::KeyValue;
use catchment_schema::parquet::file::properties::{EnabledStatistics, WriterProperties};
use catchment_schema::parquet::file::writer::SerializedFileWriter;
use catchment_schema::parquet::schema::types::ColumnPath;
use catchment_schema::parquet_file::{FILE_KEY, FORMAT_KEY, FileKind};
use catchment_schema::{AtomicFile, Error, Metadata};

use crate::Result;

/// A file being written; nothing is visible before [`RowGroupFile::commit`].
pub(crate) struct RowGroupFile {
    path: PathBuf,
    writer: SerializedFileWriter<AtomicFile>,
    encoder: RowGroupEncoder,
}

/// Turns a batch into a row group, on any thread.
pub(crate) struct RowGroupEncoder {
    path: PathBuf,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
}

impl RowGroupFile {
    pub(crate) fn create(path: &Path, kind: FileKind, schema: &Schema, metadata: &Metadata) -> Result<Self> {
        let own = [
            (FILE_KEY.to_owned(), kind.name.to_owned()),
            (FORMAT_KEY.to_owned(), kind.version.to_string()),
        ];
        let given = metadata.iter().map(|(key, value)| (key.clone(), value.clone()));
        let pairs = own
            .into_iter()
            .chain(given)
            .map(|(key, value)| KeyValue::new(key, value));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("catchment".to_owned())
            // Rows are sorted by user, so no reader could skip anything by them.
            .set_statistics_enabled(EnabledStatistics::None)
            .set_key_value_metadata(Some(pairs.collect()));
        // Hardly any value of these comes twice, or only in a run, which the compression finds.
        let properties = ["timestamp", "dwell_ms", "user_id", "session_id"]
            .into_iter()
            .fold(properties, |properties, name| {
                properties.set_column_dictionary_enabled(ColumnPath::from(name), false)
            })
            .build();
        let schema = Arc::new(Schema::new(schema.fields().clone()));
        let file = AtomicFile::create(path)?;
        let (writer, factory) = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|error| refused(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            encoder: RowGroupEncoder {
                path: path.to_owned(),
                factory,
                schema,
            },
        })
    }

    pub(crate) fn encoder(&self) -> &RowGroupEncoder {
        &self.encoder
    }

    pub(crate) fn append(&mut self, row_group: Vec<ArrowColumnChunk>) -> Result<()> {
        let append = || {
            let mut writer = self.writer.next_row_group()?;
            for column in row_group {
                column.append_to_row_group(&mut writer)?;
            }
            writer.close().map(|_| ())
        };
        Ok(append().map_err(|error| refused(&self.path, &error))?)
    }

    pub(crate) fn commit(self) -> Result<()> {
        let path = self.path;
        let file = self.writer.into_inner().map_err(|error| refused(&path, &error))?;
        Ok(file.commit()?)
    }
}

impl RowGroupEncoder {
    pub(crate) fn encode(&self, batch: &RecordBatch) -> Result<Vec<ArrowColumnChunk>> {
        let encode = || {
            let writers = self.factory.create_column_writers(0)?;
            let columns = self.schema.fields().iter().zip(batch.columns());
            let mut writers = writers.into_iter();
            let mut chunks = Vec::new();
            for (field, column) in columns {
                for leaf in compute_leaves(field, column)? {
                    let Some(mut writer) = writers.next() else {
                        return Err(ParquetError::General("more columns than the file has".to_owned()));
                    };
                    writer.write(&leaf)?;
                    chunks.push(writer.close()?);
                }
            }
            Ok(chunks)
        };
        Ok(encode().map_err(|error: ParquetError| refused(&self.path, &error))?)
    }
}

/// Where the operating system is behind it, it says so.
fn refused(path: &Path, error: &ParquetError) -> Error {
    let reason = error.to_string();
    if let ParquetError::External(source) = error
        && let Some(io) = source.downcast_ref::<std::io::Error>()
        && io.kind() != ErrorKind::InvalidData
    {
        return Error::io(path)(std::io::Error::new(io.kind(), io.to_string()));
    }
    Error::Parquet {
        path: path.to_owned(),
        reason,
    }
}
