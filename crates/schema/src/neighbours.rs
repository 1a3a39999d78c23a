//! Item-to-item tables.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::required_column;
use crate::parquet_file::{FileKind, Metadata, parquet_error, read_parquet, write_parquet};
use crate::{Error, ItemIdx, Result, Score, ScoredItem, Vocabulary};

/// The neighbours file.
pub const NEIGHBOURS: FileKind = FileKind {
    name: "neighbours",
    version: 1,
};

/// For each item a list of others with a score, best first (compressed sparse rows).
/// Row `s` answers: a user who has item `s`, which items does it speak for, and how strongly?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeighbourTable {
    offsets: Vec<usize>,
    neighbours: Vec<ScoredItem>,
}

impl NeighbourTable {
    /// One list for each item; each is sorted here (falling score, ties by item).
    pub fn from_lists(lists: impl IntoIterator<Item = Vec<ScoredItem>>) -> Self {
        let mut offsets = vec![0];
        let mut neighbours = Vec::new();
        for mut list in lists {
            list.sort_unstable();
            neighbours.extend(list);
            offsets.push(neighbours.len());
        }
        Self { offsets, neighbours }
    }

    /// How many items have a list, empty ones included.
    pub fn n_items(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// How many entries there are in all.
    pub fn n_entries(&self) -> usize {
        self.neighbours.len()
    }

    /// The neighbours of an item, best first; none for an item beyond the table.
    pub fn of(&self, item: ItemIdx) -> &[ScoredItem] {
        match self.offsets.get(item.index() + 1) {
            Some(&end) => &self.neighbours[self.offsets[item.index()]..end],
            None => &[],
        }
    }

    /// Writes `item_id`, `neighbour_id`, `rank` from 1, `score`.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when the table knows items that the vocabulary does not.
    pub fn write(&self, path: impl AsRef<Path>, items: &Vocabulary, model: &str) -> Result<()> {
        let path = path.as_ref();
        let name = |item: ItemIdx| {
            items.id(item.index()).ok_or_else(|| Error::Inconsistent {
                path: path.to_owned(),
                reason: format!("item {} is not in a vocabulary of {}", item.0, items.len()),
            })
        };
        let (mut ids, mut others, mut ranks, mut scores) = (vec![], vec![], vec![], vec![]);
        for row in 0..self.n_items() {
            let item = ItemIdx::from_index(row);
            for (rank, neighbour) in (1u32..).zip(self.of(item)) {
                ids.push(name(item)?);
                others.push(name(neighbour.item)?);
                ranks.push(rank);
                scores.push(neighbour.score.get());
            }
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(ids)),
            Arc::new(StringArray::from(others)),
            Arc::new(UInt32Array::from(ranks)),
            Arc::new(Float32Array::from(scores)),
        ];
        let schema = Schema::new(vec![
            Field::new("item_id", DataType::Utf8, false),
            Field::new("neighbour_id", DataType::Utf8, false),
            Field::new("rank", DataType::UInt32, false),
            Field::new("score", DataType::Float32, false),
        ]);
        let batch =
            RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| parquet_error(path, &error))?;
        let metadata = Metadata::from([("catchment.model".to_owned(), model.to_owned())]);
        write_parquet(path, NEIGHBOURS, &batch, &metadata)
    }

    /// Reads what [`NeighbourTable::write`] wrote, against the same vocabulary.
    ///
    /// # Errors
    /// As [`read_parquet`]; [`Error::BadValue`] for an id that the vocabulary does not know or a score that is not finite.
    pub fn read(path: impl AsRef<Path>, items: &Vocabulary) -> Result<Self> {
        let path = path.as_ref();
        let (batch, _) = read_parquet(path, NEIGHBOURS)?;
        let ids = required_column::<StringArray>(path, &batch, "item_id")?;
        let others = required_column::<StringArray>(path, &batch, "neighbour_id")?;
        let scores = required_column::<Float32Array>(path, &batch, "score")?;
        let mut lists = vec![Vec::new(); items.len()];
        for row in 0..batch.num_rows() {
            let bad = |column: &str, value: String, reason: &str| Error::BadValue {
                path: path.to_owned(),
                row: row as u64 + 1,
                column: column.to_owned(),
                value,
                reason: reason.to_owned(),
            };
            let known = |column: &str, id: &str| {
                items
                    .item(id)
                    .ok_or_else(|| bad(column, id.to_owned(), "not in the item vocabulary"))
            };
            let score = Score::new(scores.value(row))
                .ok_or_else(|| bad("score", scores.value(row).to_string(), "must be finite"))?;
            let item = known("item_id", ids.value(row))?;
            let neighbour = known("neighbour_id", others.value(row))?;
            lists[item.index()].push(ScoredItem::new(neighbour, score));
        }
        Ok(Self::from_lists(lists))
    }
}
