//! Our own Parquet files: one way to write them, one way to read them.
//!
//! Every file carries its kind and format version in its metadata (`catchment.file`, `catchment.format`)
//! and is plain Parquet to every other reader.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::WriterProperties;

use crate::{AtomicFile, Error, Result};

/// Metadata key of the format version.
pub const FORMAT_KEY: &str = "catchment.format";
/// Metadata key of what the file is.
pub const FILE_KEY: &str = "catchment.file";

/// Which of our files it is, and the newest version of its format that we write and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKind {
    /// Its name in `catchment.file`.
    pub name: &'static str,
    /// The version that we write; older ones are read, newer ones refused.
    pub version: u32,
}

/// Further metadata of a file, by key.
pub type Metadata = BTreeMap<String, String>;

/// A file being written, batch by batch; nothing is visible before [`ParquetFileWriter::commit`].
pub struct ParquetFileWriter {
    path: std::path::PathBuf,
    writer: ArrowWriter<AtomicFile>,
}

impl ParquetFileWriter {
    /// Begins a file. Equal batches give equal bytes: no clock and no random name goes into it.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be written.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand on what `RecordBatch::schema` gives them"
    )]
    pub fn create(
        path: impl AsRef<Path>,
        kind: FileKind,
        schema: SchemaRef,
        metadata: &Metadata,
    ) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let mut pairs = vec![
            KeyValue::new(FILE_KEY.to_owned(), kind.name.to_owned()),
            KeyValue::new(FORMAT_KEY.to_owned(), kind.version.to_string()),
        ];
        pairs.extend(
            metadata
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
        );
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("catchment".to_owned())
            .set_key_value_metadata(Some(pairs))
            .build();
        // The metadata of an Arrow schema is a hash map: its order would make the bytes differ from run to run.
        let schema = Arc::new(Schema::new(schema.fields().clone()));
        let writer = ArrowWriter::try_new(AtomicFile::create(&path)?, schema, Some(properties))
            .map_err(|error| parquet_error(&path, &error))?;
        Ok(Self { path, writer })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full, [`Error::Parquet`] when the batch has another schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer
            .write(batch)
            .map_err(|error| parquet_error(&self.path, &error))
    }

    /// Ends a row group here; without it one ends after about a million rows.
    ///
    /// # Errors
    /// As [`ParquetFileWriter::write`].
    pub fn end_row_group(&mut self) -> Result<()> {
        self.writer
            .flush()
            .map_err(|error| parquet_error(&self.path, &error))
    }

    /// Makes the file durable and visible.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn commit(self) -> Result<()> {
        let path = self.path;
        self.writer
            .into_inner()
            .map_err(|error| parquet_error(&path, &error))?
            .commit()
    }
}

/// Writes one batch as a file of ours.
///
/// # Errors
/// As [`ParquetFileWriter`].
pub fn write_parquet(
    path: impl AsRef<Path>,
    kind: FileKind,
    batch: &RecordBatch,
    metadata: &Metadata,
) -> Result<()> {
    let mut writer = ParquetFileWriter::create(path, kind, batch.schema(), metadata)?;
    writer.write(batch)?;
    writer.commit()
}

/// Reads a whole file of ours.
///
/// # Errors
/// [`Error::Io`], [`Error::Empty`], [`Error::Parquet`]; [`Error::WrongVersion`] when it is of another kind or a
/// newer version.
pub fn read_parquet(path: impl AsRef<Path>, kind: FileKind) -> Result<(RecordBatch, Metadata)> {
    let opened = Opened::open(path.as_ref())?;
    opened.check_kind(kind)?;
    opened.read()
}

/// As [`read_parquet`], of these columns only; those that the file does not have are left out.
///
/// # Errors
/// As [`read_parquet`].
pub fn read_parquet_columns(
    path: impl AsRef<Path>,
    kind: FileKind,
    names: &[&str],
) -> Result<(RecordBatch, Metadata)> {
    let opened = Opened::open(path.as_ref())?;
    opened.check_kind(kind)?;
    opened.only(names).read()
}

/// The names of a file's columns, in its order.
///
/// # Errors
/// As [`read_parquet`].
pub fn parquet_columns(path: impl AsRef<Path>, kind: FileKind) -> Result<Vec<String>> {
    let opened = Opened::open(path.as_ref())?;
    opened.check_kind(kind)?;
    let fields = opened.builder.schema().fields().iter();
    Ok(fields.map(|field| field.name().clone()).collect())
}

/// As [`read_parquet`], but a file that does not say what it is will be read as well: somebody else wrote it.
///
/// # Errors
/// As [`read_parquet`].
pub fn read_own_or_foreign_parquet(
    path: impl AsRef<Path>,
    kind: FileKind,
) -> Result<(RecordBatch, Metadata)> {
    let opened = Opened::open(path.as_ref())?;
    if opened.metadata.contains_key(FILE_KEY) || opened.metadata.contains_key(FORMAT_KEY) {
        opened.check_kind(kind)?;
    }
    opened.read()
}

/// Reads a whole Parquet file, whoever wrote it.
///
/// # Errors
/// [`Error::Io`], [`Error::Empty`] for a file without bytes, [`Error::Parquet`].
pub fn read_any_parquet(path: impl AsRef<Path>) -> Result<(RecordBatch, Metadata)> {
    Opened::open(path.as_ref())?.read()
}

/// A file of which the footer has been read: its metadata is known before any column is.
struct Opened<'a> {
    path: &'a Path,
    builder: ParquetRecordBatchReaderBuilder<File>,
    metadata: Metadata,
}

impl<'a> Opened<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = not_empty(path)?;
        let builder = decoding(path, || ParquetRecordBatchReaderBuilder::try_new(file))?;
        let metadata = pairs(builder.metadata());
        Ok(Self {
            path,
            builder,
            metadata,
        })
    }

    fn check_kind(&self, kind: FileKind) -> Result<()> {
        check_kind(self.path, &self.metadata, kind)
    }

    fn only(mut self, names: &[&str]) -> Self {
        let fields = self.builder.schema().fields().iter().enumerate();
        let wanted = fields.filter(|(_, field)| names.contains(&field.name().as_str()));
        let wanted: Vec<usize> = wanted.map(|(place, _)| place).collect();
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), wanted);
        self.builder = self.builder.with_projection(mask);
        self
    }

    fn read(self) -> Result<(RecordBatch, Metadata)> {
        let path = self.path;
        let (schema, batches) = decoding(path, || {
            let batches = self.builder.build()?;
            let schema = batches.schema();
            Ok::<_, ParquetError>((schema, batches.collect::<Result<Vec<_>, _>>()?))
        })?;
        // The reader repeats the file's metadata in the schema. Rows are equal whatever their file says.
        let schema = Arc::new(Schema::new(schema.fields().clone()));
        let batch = concat_batches(&schema, &batches).map_err(|error| parquet_error(path, &error))?;
        Ok((batch, self.metadata))
    }
}

/// The footer of a file of ours, with the places of its pages: what readers of some of its rows begin with.
pub(crate) fn footer(path: &Path, kind: FileKind) -> Result<ArrowReaderMetadata> {
    let file = not_empty(path)?;
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let footer = decoding(path, || ArrowReaderMetadata::load(&file, options))?;
    check_kind(path, &pairs(footer.metadata()), kind)?;
    Ok(footer)
}

fn not_empty(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(Error::io(path))?;
    if file.metadata().map_err(Error::io(path))?.len() == 0 {
        return Err(Error::Empty {
            path: path.to_owned(),
            expected: "a Parquet file".to_owned(),
        });
    }
    Ok(file)
}

fn pairs(footer: &ParquetMetaData) -> Metadata {
    let pairs = footer.file_metadata().key_value_metadata();
    pairs
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
        .collect()
}

fn check_kind(path: &Path, metadata: &Metadata, kind: FileKind) -> Result<()> {
    let found = metadata.get(FORMAT_KEY).map_or("none", String::as_str);
    let name = metadata.get(FILE_KEY);
    let of_this_kind = name.is_some_and(|name| name == kind.name);
    match found.parse::<u32>() {
        Ok(version) if of_this_kind && version <= kind.version => Ok(()),
        _ => Err(Error::WrongVersion {
            path: path.to_owned(),
            kind: kind.name,
            found: match name {
                Some(name) if !of_this_kind => format!("{name} {found}"),
                _ => found.to_owned(),
            },
            supported: kind.version,
        }),
    }
}

/// Runs a step of the Parquet decoder. On damaged pages some of its assertions fail instead of returning an error;
/// what it was reading is then thrown away, so nothing half-done is seen.
pub(crate) fn decoding<T, E: std::error::Error + 'static>(
    path: &Path,
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(result) => result.map_err(|error| parquet_error(path, &error)),
        Err(_) => Err(Error::Parquet {
            path: path.to_owned(),
            reason: "the decoder gave up on a damaged page".to_owned(),
        }),
    }
}

/// An error of arrow or parquet with its path. Where the operating system is behind it, it is [`Error::Io`];
/// an end that comes too early is not: then the file is to blame.
pub(crate) fn parquet_error(path: &Path, error: &(dyn std::error::Error + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && !matches!(io.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
        {
            return Error::io(path)(std::io::Error::new(io.kind(), io.to_string()));
        }
        cause = error.source();
    }
    Error::Parquet {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
