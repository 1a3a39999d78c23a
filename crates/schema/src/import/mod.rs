//! What a user brings: raw logs and tables in the forms that people have them in.
//!
//! A [`Source`] says where the files lie and what they look like; [`import_interactions`] streams a log,
//! [`import_items`] and [`import_users`] read a table; [`import_samples`] streams labelled rows and
//! [`import_judgements`] what is relevant to which query. All formats go the same way: a reader cuts a file into chunks
//! of columns as they stand in it, and one place gives those columns their meaning. So a rule holds for every
//! format:
//!
//! 1. Ids are text and never interpreted; an integer of any width is written in decimal. Null and empty are refused.
//! 2. Times are UTC milliseconds; see [`TimeUnit`]. Typed times without a zone are UTC. Finer parts are cut off.
//! 3. Numbers are finite. An empty cell of a text file is null; a line break inside quotes is read as `\n`.
//! 4. Columns that the contract does not name are kept. Parquet keeps their types. In a text format such a column
//!    is Float64 if every value is a number (finite, without leading zeros, whole ones within 2^53), else Utf8; for a
//!    log the first 65,536 rows decide, and a later value that is no number is an error of its row.
//! 5. The files of a folder or glob are read in the order of their paths; the same files give the same rows.
//! 6. A row that cannot be read is [`crate::Error::BadValue`] with file, line, column and value, or with
//!    [`OnError::Skip`] is left out, counted, and among the first ten listed in a finding `bad_row`. A missing
//!    column, a wrong column type and a damaged file are errors in either case.
//!
//! ```
//! use catchment_schema::import::{Format, Source, import_interactions};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("log.csv");
//! std::fs::write(&path, "user,item_id,timestamp\nu1,7,1500000000\nu2,9,1500000060\n")?;
//!
//! let mut source = Source::new(path.to_string_lossy(), Format::Csv);
//! source.columns.insert("user_id".to_owned(), "user".to_owned());
//! let mut n_rows = 0;
//! let report = import_interactions(&source, &mut |batch| {
//!     n_rows += batch.num_rows();
//!     Ok(())
//! })?;
//! assert_eq!((report.rows, n_rows), (2, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cells;
mod chunk;
mod clock;
mod conform;
mod delimited;
mod extras;
mod faults;
mod files;
mod jsonl;
mod lightgcn;
mod lines;
mod meaning;
mod movielens;
mod parquet;
mod peek;
mod samples;
mod source;
mod table;
mod trec;

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use serde::Serialize;

use chunk::{Chunk, ChunkReader, Textual};
pub use clock::{TIME_FORMS, is_moment};
pub use conform::Located;
use conform::{Conform, Known, optional, required};
use extras::Extras;
use faults::FaultLog;
pub use files::{Table, resolve as source_files};
use meaning::Meaning;
pub use peek::{Peek, PeekColumn, guess_format, peek};
pub use samples::{import_samples, samples_schema};
pub use source::{Format, OnError, Source, TimeUnit};
pub use trec::{import_judgements, judgements_schema};

use crate::{Error, Finding, Result};

const INTERACTIONS: &[Known] = &[
    required("user_id", Meaning::Id),
    required("item_id", Meaning::Id),
    optional("timestamp", Meaning::Time),
    optional("event", Meaning::Text),
    optional("value", Meaning::Number),
    optional("session_id", Meaning::Text),
    optional("dwell_ms", Meaning::Duration),
    optional("order", Meaning::Order),
];
const ITEMS: &[Known] = &[
    required("item_id", Meaning::Id),
    optional("title", Meaning::Text),
    optional("category", Meaning::Words),
    optional("price", Meaning::Number),
    optional("latitude", Meaning::Latitude),
    optional("longitude", Meaning::Longitude),
    optional("market", Meaning::Text),
    optional("published_at", Meaning::Time),
    optional("expires_at", Meaning::Time),
    optional("available", Meaning::Flag),
];
const USERS: &[Known] = &[required("user_id", Meaning::Id)];

/// What an import brought in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows that were handed on.
    pub rows: u64,
    /// Rows that could not be read and were left out.
    pub skipped: u64,
    /// What should be known about it.
    pub findings: Vec<Finding>,
}

/// The columns that every imported log begins with, in this order: `user_id`, `item_id` Utf8 without nulls;
/// `timestamp` Timestamp(ms, UTC), `event` Utf8, `value` Float32, `session_id` Utf8, `dwell_ms` Int64,
/// `order` `UInt32`, all nullable. Further columns of the log follow.
pub fn interactions_schema() -> SchemaRef {
    Arc::new(Schema::new(
        INTERACTIONS.iter().map(Known::field).collect::<Vec<_>>(),
    ))
}

/// Streams a log in batches of up to 65,536 rows, all of one schema that begins as [`interactions_schema`]. Memory
/// does not grow with the log.
///
/// # Errors
/// [`crate::Error::BadSource`], [`crate::Error::Io`], [`crate::Error::Parquet`], [`crate::Error::MissingColumn`], [`crate::Error::WrongType`],
/// [`crate::Error::BadValue`] for the first row that cannot be read (with [`OnError::Skip`]
/// [`crate::Error::NothingReadable`], only where no row can),
/// [`crate::Error::Damaged`], [`crate::Error::NoFiles`],
/// [`crate::Error::Empty`] where there is no row at all, and whatever `sink` returns. Batches that went to the sink before
/// an error are to be thrown away.
pub fn import_interactions(
    source: &Source,
    sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<ImportReport> {
    import_located_interactions(source, &mut |located| sink(located.batch))
}

/// As [`import_interactions`], with the place of every row: for whoever has something to say about it.
///
/// # Errors
/// As [`import_interactions`].
pub fn import_located_interactions(
    source: &Source,
    sink: &mut dyn FnMut(Located) -> Result<()>,
) -> Result<ImportReport> {
    source.validate()?;
    let mut conform = Conform::new(source, INTERACTIONS, Extras::streamed())?;
    let mut log = FaultLog::new(source.on_error);
    let mut n_rows = 0;
    each_chunk(source, Table::Interactions, &mut |chunk| {
        let located = conform.conform(chunk, &mut log)?;
        n_rows += located.rows.len() as u64;
        if located.rows.is_empty() {
            Ok(())
        } else {
            sink(located)
        }
    })?;
    finish(source, n_rows, log, conform)
}

/// Reads a table of items: `item_id` Utf8, then those columns of the contract that are there (`title` Utf8,
/// `category` Utf8 or `List<Utf8>`, `price` Float32, `latitude`, `longitude` Float64, `market` Utf8, `published_at`,
/// `expires_at` Timestamp(ms, UTC), `available` Boolean), then all others.
///
/// # Errors
/// As [`import_interactions`]; also [`crate::Error::BadValue`] for an id that has a row already.
pub fn import_items(source: &Source) -> Result<(RecordBatch, ImportReport)> {
    table::import_table(source, Table::Items, ITEMS)
}

/// Reads a table of users: `user_id` Utf8, then all other columns.
///
/// # Errors
/// As [`import_items`].
pub fn import_users(source: &Source) -> Result<(RecordBatch, ImportReport)> {
    table::import_table(source, Table::Users, USERS)
}

/// Every chunk of every file of a source.
fn each_chunk(source: &Source, table: Table, take: &mut dyn FnMut(Chunk) -> Result<()>) -> Result<()> {
    for path in files::resolve(source, table)? {
        let mut reader = open(source, &path, table)?;
        while let Some(chunk) = reader.next_chunk()? {
            take(chunk)?;
        }
    }
    Ok(())
}

fn open(source: &Source, path: &Path, table: Table) -> Result<Box<dyn ChunkReader>> {
    Ok(match source.format {
        Format::Parquet => Box::new(parquet::ParquetChunks::open(path)?),
        Format::Csv | Format::Tsv => {
            let usual = if source.format == Format::Csv { ',' } else { '\t' };
            let delimiter = u8::try_from(source.delimiter.unwrap_or(usual));
            let delimiter = delimiter.map_err(|_| source.bad("delimiter", "must be ASCII"))?;
            Box::new(Textual::new(path, delimited::Delimited::open(path, delimiter)?))
        }
        Format::Jsonl => Box::new(Textual::new(path, jsonl::JsonLines::open(path)?)),
        Format::MovieLens100k => movielens::open_100k(path, table)?,
        Format::MovieLens1m => movielens::open_1m(path, table)?,
        Format::LightGcn if table == Table::Interactions => {
            Box::new(Textual::new(path, lightgcn::LightGcn::open(path)?))
        }
        Format::LightGcn => return Err(source.bad("format", "lightgcn has neither items nor users")),
        Format::LibSvm | Format::LibFfm => {
            let reason = "holds labelled samples; a log, items and users come in another format";
            return Err(source.bad("format", format!("{} {reason}", source.format.name())));
        }
        Format::Trec => {
            let reason = "trec holds judgements; a log, items and users come in another format";
            return Err(source.bad("format", reason));
        }
    })
}

/// Why an import brought in no row at all.
fn nothing(source: &Source, log: FaultLog) -> Error {
    let rows = log.n_skipped();
    match log.into_first() {
        Some(first) => Error::NothingReadable {
            path: source.path().to_owned(),
            rows,
            first: Box::new(first),
        },
        None => files::empty(source.path()),
    }
}

/// The report of an import that has come to its end.
fn finish(source: &Source, rows: u64, log: FaultLog, conform: Conform<'_>) -> Result<ImportReport> {
    let skipped = log.n_skipped();
    let mut findings = Vec::from_iter(log.finding(rows));
    if rows == 0 {
        return Err(nothing(source, log));
    }
    findings.extend(conform.finish()?);
    Ok(ImportReport {
        rows,
        skipped,
        findings,
    })
}
