//! Vocabularies: raw ids to dense indices and back.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columns::required_column;
use crate::parquet_file::{FileKind, Metadata, read_parquet, write_parquet};
use crate::{Error, ItemIdx, Result, UserIdx};

/// The vocabulary file.
pub const VOCABULARY: FileKind = FileKind {
    name: "vocabulary",
    version: 1,
};

/// Raw ids with a dense index each, from 0, by falling count with ties by id when it was made.
/// Rows that are added later keep what was there and are appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    ids: Vec<Arc<str>>,
    counts: Vec<u64>,
    positions: HashMap<Arc<str>, u32>,
}

impl Vocabulary {
    /// Sorts by falling count, ties by id. Equal ids are counted together.
    pub fn from_counts<S: AsRef<str>>(counts: impl IntoIterator<Item = (S, u64)>) -> Self {
        let mut sums: std::collections::BTreeMap<Arc<str>, u64> = std::collections::BTreeMap::new();
        for (id, count) in counts {
            *sums.entry(Arc::from(id.as_ref())).or_default() += count;
        }
        let mut rows: Vec<_> = sums.into_iter().collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut vocabulary = Self::default();
        for (id, count) in rows {
            vocabulary.push(id, count);
        }
        vocabulary
    }

    fn push(&mut self, id: Arc<str>, count: u64) {
        let position = u32::try_from(self.ids.len()).expect("a vocabulary holds at most u32::MAX ids");
        self.positions.insert(id.clone(), position);
        self.ids.push(id);
        self.counts.push(count);
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The position of a raw id.
    pub fn position(&self, id: &str) -> Option<u32> {
        self.positions.get(id).copied()
    }

    /// The user with this raw id, where this is the user vocabulary.
    pub fn user(&self, id: &str) -> Option<UserIdx> {
        self.position(id).map(UserIdx)
    }

    /// The item with this raw id, where this is the item vocabulary.
    pub fn item(&self, id: &str) -> Option<ItemIdx> {
        self.position(id).map(ItemIdx)
    }

    /// The raw id at a position.
    pub fn id(&self, position: usize) -> Option<&str> {
        self.ids.get(position).map(AsRef::as_ref)
    }

    /// The raw ids by position.
    pub fn ids(&self) -> &[Arc<str>] {
        &self.ids
    }

    /// How often each id occurred, by position.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Writes `id`, `index`, `count`.
    ///
    /// # Errors
    /// As [`write_parquet`].
    pub fn write(&self, path: impl AsRef<Path>, metadata: &Metadata) -> Result<()> {
        let n = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(&self.ids)),
            Arc::new(UInt32Array::from_iter_values(0..n)),
            Arc::new(UInt64Array::from_iter_values(self.counts.iter().copied())),
        ];
        let schema = Schema::new(vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("index", DataType::UInt32, false),
            Field::new("count", DataType::UInt64, false),
        ]);
        let batch = RecordBatch::try_new(Arc::new(schema), columns)
            .map_err(|error| crate::parquet_file::parquet_error(path.as_ref(), &error))?;
        write_parquet(path, VOCABULARY, &batch, metadata)
    }

    /// Reads what [`Vocabulary::write`] wrote.
    ///
    /// # Errors
    /// As [`read_parquet`]; [`Error::Inconsistent`] when an id occurs twice or an index is not its row.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (batch, _) = read_parquet(path, VOCABULARY)?;
        let ids = required_column::<StringArray>(path, &batch, "id")?;
        let indices = required_column::<UInt32Array>(path, &batch, "index")?;
        let counts = required_column::<UInt64Array>(path, &batch, "count")?;
        let mut vocabulary = Self::default();
        for row in 0..batch.num_rows() {
            let id = ids.value(row);
            let inconsistent = |reason: String| Error::Inconsistent {
                path: path.to_owned(),
                reason,
            };
            if indices.value(row) as usize != row {
                return Err(inconsistent(format!(
                    "row {row} has index {}",
                    indices.value(row)
                )));
            }
            if vocabulary.positions.contains_key(id) {
                return Err(inconsistent(format!("the id {id:?} occurs twice")));
            }
            vocabulary.push(Arc::from(id), counts.value(row));
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_falling_count_then_id() {
        let vocabulary = Vocabulary::from_counts([("b", 1), ("a", 1), ("c", 2), ("a", 0)]);
        assert_eq!(
            vocabulary.ids().iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            ["c", "a", "b"]
        );
        assert_eq!(vocabulary.item("b"), Some(ItemIdx(2)));
        assert_eq!(vocabulary.position("z"), None);
    }

    #[test]
    fn files_round_trip_and_other_kinds_are_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("items.parquet");
        let vocabulary = Vocabulary::from_counts([("b", 1), ("a", 4)]);
        vocabulary.write(&path, &Metadata::new()).expect("written");
        assert_eq!(Vocabulary::read(&path).expect("read"), vocabulary);
        let other = FileKind {
            name: "other",
            version: 1,
        };
        assert!(matches!(
            read_parquet(&path, other),
            Err(Error::WrongVersion { .. })
        ));
    }
}
