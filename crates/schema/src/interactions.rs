//! Encoded interactions: the log after raw ids have become dense indices.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, Int64Array, RecordBatch, UInt16Array, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::columns::{all_finite, required_column, typed_column};
use crate::parquet_file::{FileKind, Metadata, parquet_error, read_parquet, write_parquet};
use crate::{Error, Event, EventKind, Histories, ItemIdx, Result, Time, UserIdx};

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
    /// As [`write_parquet`]; [`Error::Inconsistent`] when the columns differ in length, [`Error::BadValue`] for a
    /// value that is not finite.
    pub fn write(&self, path: impl AsRef<Path>, metadata: &Metadata) -> Result<()> {
        let path = path.as_ref();
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
        let batch =
            RecordBatch::try_new(Self::schema(), columns).map_err(|error| parquet_error(path, &error))?;
        write_parquet(path, INTERACTIONS, &batch, metadata)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// As [`read_parquet`]; [`Error::BadValue`] for a null or a value that is not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (batch, _) = read_parquet(path, INTERACTIONS)?;
        let users = required_column::<UInt32Array>(path, &batch, "user")?;
        let items = required_column::<UInt32Array>(path, &batch, "item")?;
        let times = typed_column::<Int64Array>(path, &batch, "time")?;
        let kinds = required_column::<UInt16Array>(path, &batch, "event")?;
        let values = required_column::<Float32Array>(path, &batch, "value")?;
        let sessions = required_column::<UInt32Array>(path, &batch, "session")?;
        let dwells = typed_column::<Int64Array>(path, &batch, "dwell")?;
        all_finite(path, "value", values.values(), 1)?;
        let events = (0..batch.num_rows())
            .map(|row| Event {
                item: ItemIdx(items.value(row)),
                kind: EventKind(kinds.value(row)),
                time: Time::from(times.is_valid(row).then(|| times.value(row))),
                value: values.value(row),
                dwell_ms: dwells
                    .is_valid(row)
                    .then(|| u32::try_from(dwells.value(row).max(0)).unwrap_or(u32::MAX)),
            })
            .collect();
        Ok(Self {
            users: users.values().iter().map(|&user| UserIdx(user)).collect(),
            events,
            sessions: sessions.values().to_vec(),
        })
    }
}
