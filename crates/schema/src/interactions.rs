//! Encoded interactions: the log after raw ids have become dense indices.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, UInt16Array, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::columns::{all_finite, required_column, typed_column};
use crate::parquet_file::{FileKind, Metadata, ParquetFileWriter, parquet_error, read_parquet_columns};
use crate::{Error, Event, EventKind, Histories, InteractionColumns, ItemIdx, Result, Time, UserIdx};

/// The encoded-interactions file.
pub const INTERACTIONS: FileKind = FileKind {
    name: "interactions",
    version: 1,
};

/// Rows of encoded interactions, column by column, sorted by user, time, `order`, item.
///
/// In the validation and test parts a user or item that is not in its vocabulary has an index at or
/// beyond the vocabulary's length (distinct ids keep distinct indices): such rows stay in every
/// denominator and are reported as cold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactions {
    /// Who.
    pub users: Vec<UserIdx>,
    /// What they did, with what, when.
    pub events: Vec<Event>,
    /// The session of each row, numbered over the whole log.
    pub sessions: Vec<u32>,
}

impl Interactions {
    /// The Arrow schema of the file. Further columns of the log may follow these.
    pub fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("user", DataType::UInt32, false),
            Field::new("item", DataType::UInt32, false),
            Field::new("time", DataType::Int64, true),
            Field::new("event", DataType::UInt16, false),
            Field::new("value", DataType::Float32, false),
            Field::new("session", DataType::UInt32, false),
            Field::new("dwell", DataType::Int64, true),
        ]))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Each of `n_users` users' events, in file order.
    pub fn histories(&self, n_users: usize) -> Histories {
        Histories::group(n_users, &self.users, &self.events)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`ParquetFileWriter`]; [`Error::Inconsistent`] when the columns differ in length, [`Error::BadValue`] for a
    /// value that is not finite.
    pub fn write(&self, path: impl AsRef<Path>, metadata: &Metadata) -> Result<()> {
        let mut writer = InteractionsWriter::create(path, metadata)?;
        writer.write(self)?;
        writer.commit()
    }

    fn batch(&self, path: &Path) -> Result<RecordBatch> {
        let events = &self.events;
        if self.users.len() != events.len() || self.sessions.len() != events.len() {
            return Err(Error::Inconsistent {
                path: path.to_owned(),
                reason: format!(
                    "{} users, {} events, {} sessions",
                    self.users.len(),
                    events.len(),
                    self.sessions.len()
                ),
            });
        }
        let values: Vec<f32> = events.iter().map(|event| event.value).collect();
        all_finite(path, "value", &values, 1)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(
                self.users.iter().map(|user| user.0),
            )),
            Arc::new(UInt32Array::from_iter_values(
                events.iter().map(|event| event.item.0),
            )),
            Arc::new(
                events
                    .iter()
                    .map(|event| event.time.millis())
                    .collect::<Int64Array>(),
            ),
            Arc::new(UInt16Array::from_iter_values(
                events.iter().map(|event| event.kind.0),
            )),
            Arc::new(Float32Array::from(values)),
            Arc::new(UInt32Array::from_iter_values(self.sessions.iter().copied())),
            Arc::new(
                events
                    .iter()
                    .map(|event| event.dwell_ms.map(i64::from))
                    .collect::<Int64Array>(),
            ),
        ];
        RecordBatch::try_new(Self::schema(), columns).map_err(|error| parquet_error(path, &error))
    }

    /// Reads the file, without further columns.
    ///
    /// # Errors
    /// As [`read_parquet_columns`]; [`Error::BadValue`] for a null or a value that is not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let schema = Self::schema();
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let (batch, _) = read_parquet_columns(path, INTERACTIONS, &names)?;
        let mut read = Self::default();
        read.push(path, &batch, InteractionColumns::ALL)?;
        Ok(read)
    }

    /// Adds the rows of a batch; columns that are not asked for have what [`Event::new`] says.
    pub(crate) fn push(
        &mut self,
        path: &Path,
        batch: &RecordBatch,
        columns: InteractionColumns,
    ) -> Result<()> {
        let users = required_column::<UInt32Array>(path, batch, "user")?;
        let items = required_column::<UInt32Array>(path, batch, "item")?;
        self.users
            .extend(users.values().iter().map(|&user| UserIdx(user)));
        let first = self.events.len();
        let event = |&item: &u32| Event::new(ItemIdx(item), Time::UNKNOWN);
        self.events.extend(items.values().iter().map(event));
        let events = &mut self.events[first..];
        if columns.time {
            let times = typed_column::<Int64Array>(path, batch, "time")?;
            for (event, time) in events.iter_mut().zip(times) {
                event.time = Time::from(time);
            }
        }
        if columns.event {
            let kinds = required_column::<UInt16Array>(path, batch, "event")?;
            for (event, &kind) in events.iter_mut().zip(kinds.values()) {
                event.kind = EventKind(kind);
            }
        }
        if columns.value {
            let values = required_column::<Float32Array>(path, batch, "value")?;
            all_finite(path, "value", values.values(), 1)?;
            for (event, &value) in events.iter_mut().zip(values.values()) {
                event.value = value;
            }
        }
        if columns.dwell {
            let dwells = typed_column::<Int64Array>(path, batch, "dwell")?;
            for (event, dwell) in events.iter_mut().zip(dwells) {
                event.dwell_ms = dwell.map(|dwell| u32::try_from(dwell.max(0)).unwrap_or(u32::MAX));
            }
        }
        if columns.session {
            let sessions = required_column::<UInt32Array>(path, batch, "session")?;
            self.sessions.extend_from_slice(sessions.values());
        } else {
            self.sessions.resize(self.users.len(), 0);
        }
        Ok(())
    }

    /// Forgets all rows; the memory is kept.
    pub fn clear(&mut self) {
        self.users.clear();
        self.events.clear();
        self.sessions.clear();
    }
}

/// An interactions file being written, some rows at a time; nothing is visible before
/// [`InteractionsWriter::commit`].
pub struct InteractionsWriter {
    path: PathBuf,
    writer: ParquetFileWriter,
}

impl InteractionsWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// As [`ParquetFileWriter::create`].
    pub fn create(path: impl AsRef<Path>, metadata: &Metadata) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let writer = ParquetFileWriter::create(&path, INTERACTIONS, Interactions::schema(), metadata)?;
        Ok(Self { path, writer })
    }

    /// Adds rows, which go on where the last ones ended: by user, and each user's in order.
    ///
    /// # Errors
    /// As [`Interactions::write`].
    pub fn write(&mut self, rows: &Interactions) -> Result<()> {
        self.writer.write(&rows.batch(&self.path)?)
    }

    /// Ends a row group here; without it one ends after about a million rows.
    ///
    /// # Errors
    /// As [`ParquetFileWriter::write`].
    pub fn end_row_group(&mut self) -> Result<()> {
        self.writer.end_row_group()
    }

    /// Makes the file durable and visible.
    ///
    /// # Errors
    /// As [`ParquetFileWriter::commit`].
    pub fn commit(self) -> Result<()> {
        self.writer.commit()
    }
}
