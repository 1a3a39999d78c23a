//! What was recommended in the end: `recommendations.parquet`.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, ListArray, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::BUNDLE_KEY;
use super::ranked::{ListWriter, Ranked, scores, text};
use crate::columns::required_column_as;
use crate::parquet_file::{FileKind, read_own_or_foreign_parquet};
use crate::{Result, Score};

/// The recommendations file.
pub const RECOMMENDATIONS: FileKind = FileKind {
    name: "recommendations",
    version: 1,
};

/// One item that one user was recommended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecommendationRow {
    /// Raw id of the user.
    pub user_id: Arc<str>,
    /// Raw id of the item.
    pub item_id: Arc<str>,
    /// Place in the list, from 1.
    pub rank: u32,
    /// What the last stage thinks of it; falls with the rank unless a re-ranker had reasons.
    pub score: Score,
    /// The channels that found it.
    pub channels: Vec<Arc<str>>,
}

/// The rows of `recommendations.parquet`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecommendationRows {
    /// Version of the bundle that made them; empty where a peer's file does not say.
    pub bundle: String,
    /// The rows, in file order.
    pub rows: Vec<RecommendationRow>,
}

impl RecommendationRows {
    /// The Arrow schema of the file.
    pub fn schema() -> SchemaRef {
        let words = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
        Arc::new(Schema::new(vec![
            Field::new("user_id", DataType::Utf8, false),
            Field::new("item_id", DataType::Utf8, false),
            Field::new("rank", DataType::UInt32, false),
            Field::new("score", DataType::Float32, false),
            Field::new("channels", words, false),
        ]))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`RecommendationWriter`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut writer = RecommendationWriter::create(path, &self.bundle)?;
        writer.write(&self.rows)?;
        writer.commit()
    }

    /// Reads what [`RecommendationRows::write`] wrote, or a peer's file with the same columns.
    ///
    /// # Errors
    /// As [`CandidateRows::read`](super::CandidateRows::read).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (batch, metadata) = read_own_or_foreign_parquet(path, RECOMMENDATIONS)?;
        let lists = Ranked::read(path, &batch)?;
        let words = Self::schema().field(4).data_type().clone();
        let channels = required_column_as(path, &batch, "channels", &words)?;
        let channels: &ListArray = channels.as_list();
        let rows = (0..batch.num_rows()).map(|row| {
            let names = channels.value(row);
            Ok(RecommendationRow {
                user_id: Arc::from(lists.users.value(row)),
                item_id: Arc::from(lists.items.value(row)),
                rank: lists.rank(path, row)?,
                score: lists.score(path, row)?,
                channels: names.as_string::<i32>().iter().flatten().map(Arc::from).collect(),
            })
        });
        Ok(Self {
            rows: rows.collect::<Result<_>>()?,
            bundle: metadata.get(BUNDLE_KEY).cloned().unwrap_or_default(),
        })
    }
}

/// Writes `recommendations.parquet` piece by piece; nothing is visible before [`RecommendationWriter::commit`].
pub struct RecommendationWriter(ListWriter);

impl RecommendationWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// As [`CandidateWriter::create`](super::CandidateWriter::create).
    pub fn create(path: impl AsRef<Path>, bundle: &str) -> Result<Self> {
        ListWriter::create(
            path.as_ref(),
            RECOMMENDATIONS,
            RecommendationRows::schema(),
            bundle,
        )
        .map(Self)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// As [`CandidateWriter::write`](super::CandidateWriter::write).
    pub fn write(&mut self, rows: &[RecommendationRow]) -> Result<()> {
        let mut channels = ListBuilder::new(StringBuilder::new());
        for row in rows {
            channels.append_value(row.channels.iter().map(Some));
        }
        self.0.write(vec![
            text(rows.iter().map(|row| &row.user_id)),
            text(rows.iter().map(|row| &row.item_id)),
            self.0.ranks(rows.iter().map(|row| row.rank))?,
            scores(rows.iter().map(|row| row.score)),
            Arc::new(channels.finish()),
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
