//! What each channel found: `candidates.parquet`.

use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::BUNDLE_KEY;
use super::ranked::{ListWriter, Ranked, scores, text};
use crate::columns::required_column_as;
use crate::parquet_file::{FileKind, read_own_or_foreign_parquet};
use crate::{Result, Score};

/// The candidates file.
pub const CANDIDATES: FileKind = FileKind {
    name: "candidates",
    version: 1,
};

/// One item that one channel found for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateRow {
    /// Raw id of the user.
    pub user_id: Arc<str>,
    /// Raw id of the item.
    pub item_id: Arc<str>,
    /// The channel, by the name that the recipe gives it.
    pub channel: Arc<str>,
    /// Place in the channel's list, from 1.
    pub rank: u32,
    /// What the channel thinks of it; comparable within one channel only.
    pub score: Score,
}

/// The rows of `candidates.parquet`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CandidateRows {
    /// Version of the bundle that made them; empty where a peer's file does not say.
    pub bundle: String,
    /// The rows, in file order.
    pub rows: Vec<CandidateRow>,
}

impl CandidateRows {
    /// The Arrow schema of the file.
    pub fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("user_id", DataType::Utf8, false),
            Field::new("item_id", DataType::Utf8, false),
            Field::new("channel", DataType::Utf8, false),
            Field::new("rank", DataType::UInt32, false),
            Field::new("score", DataType::Float32, false),
        ]))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`CandidateWriter`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut writer = CandidateWriter::create(path, &self.bundle)?;
        writer.write(&self.rows)?;
        writer.commit()
    }

    /// Reads what [`CandidateRows::write`] wrote, or a peer's file with the same columns (text and numbers of
    /// other widths are fine).
    ///
    /// # Errors
    /// [`crate::Error::Io`], [`crate::Error::Empty`], [`crate::Error::Parquet`], [`crate::Error::WrongVersion`], [`crate::Error::MissingColumn`],
    /// [`crate::Error::WrongType`]; [`crate::Error::BadValue`] for a null, a rank of 0 and a score that is not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (batch, metadata) = read_own_or_foreign_parquet(path, CANDIDATES)?;
        let lists = Ranked::read(path, &batch)?;
        let channels = required_column_as(path, &batch, "channel", &DataType::Utf8)?;
        let channels = channels.as_string::<i32>();
        let rows = (0..batch.num_rows()).map(|row| {
            Ok(CandidateRow {
                user_id: Arc::from(lists.users.value(row)),
                item_id: Arc::from(lists.items.value(row)),
                channel: Arc::from(channels.value(row)),
                rank: lists.rank(path, row)?,
                score: lists.score(path, row)?,
            })
        });
        Ok(Self {
            rows: rows.collect::<Result<_>>()?,
            bundle: metadata.get(BUNDLE_KEY).cloned().unwrap_or_default(),
        })
    }
}

/// Writes `candidates.parquet` piece by piece; nothing is visible before [`CandidateWriter::commit`].
pub struct CandidateWriter(ListWriter);

impl CandidateWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the folder cannot be written.
    pub fn create(path: impl AsRef<Path>, bundle: &str) -> Result<Self> {
        ListWriter::create(path.as_ref(), CANDIDATES, CandidateRows::schema(), bundle).map(Self)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`crate::Error::BadValue`] for a rank of 0, [`crate::Error::Io`] when the disk is full.
    pub fn write(&mut self, rows: &[CandidateRow]) -> Result<()> {
        let channels = rows.iter().map(|row| &row.channel);
        self.0.write(vec![
            text(rows.iter().map(|row| &row.user_id)),
            text(rows.iter().map(|row| &row.item_id)),
            text(channels),
            self.0.ranks(rows.iter().map(|row| row.rank))?,
            scores(rows.iter().map(|row| row.score)),
        ])
    }

    /// Makes the file durable and visible.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn commit(self) -> Result<()> {
        self.0.writer.commit()
    }
}
