//! Pieces of a file: columns as they stand in it, before anybody asks what they mean.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};

use super::faults::Origin;
use crate::{Error, Result};

/// Rows of a chunk; the batches that leave an import have at most as many.
pub(super) const CHUNK_ROWS: usize = 1 << 16;
/// A chunk of text is also full at this size, so that neither long cells nor many of them fill the memory.
const CHUNK_BYTES: usize = 1 << 26;
/// What a cell takes beside its text: where it ends in its column.
const CELL_BYTES: usize = size_of::<i32>();
/// No line and no quoted record may be longer; more means a missing line break or quote.
pub(super) const RECORD_BYTES: usize = 1 << 26;

/// Some rows of one file.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The names in the file, one for each column.
    pub(super) names: Vec<String>,
    /// The columns, all of one length.
    pub(super) columns: Vec<ArrayRef>,
    /// Where the rows come from.
    pub(super) origin: Origin,
    /// How much the file says about its columns.
    pub(super) typing: Typing,
}

/// How much a file says about its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typing {
    /// Names and types: Parquet, and formats that we know by heart.
    Typed,
    /// Names, in a header; everything is text.
    Named,
    /// Nothing beforehand: every row brings its own names.
    Loose,
}

/// Refuses a file that gives two of its columns one name.
pub(super) fn named_once(path: &Path, names: &[String]) -> Result<()> {
    let mut first_at: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        if let Some(first) = first_at.insert(name, position) {
            return Err(Error::DuplicateColumn {
                path: path.to_owned(),
                column: name.clone(),
                first: first + 1,
                second: position + 1,
            });
        }
    }
    Ok(())
}

/// Reads a file piece by piece.
pub(super) trait ChunkReader {
    /// The next rows; `None` at the end.
    fn next_chunk(&mut self) -> Result<Option<Chunk>>;
}

/// Reads a text file row by row.
pub(super) trait RowReader {
    /// How much the file says about its columns.
    fn typing(&self) -> Typing;
    /// The names of the columns that were seen so far. Names are only ever added.
    fn names(&self) -> &[String];
    /// Adds one row, or notes that it is unreadable; `false` at the end.
    fn read_row(&mut self, rows: &mut TextRows) -> Result<bool>;
}

/// Rows of text under construction.
#[derive(Debug)]
pub(super) struct TextRows {
    pub(super) origin: Origin,
    columns: Vec<StringBuilder>,
    n_bytes: usize,
}

impl TextRows {
    fn new(path: &Path) -> Self {
        Self {
            origin: Origin::new(path.to_owned()),
            columns: Vec::new(),
            n_bytes: 0,
        }
    }

    /// Adds a row; columns beyond `cells` are null.
    pub(super) fn push(&mut self, row: u64, cells: &[Option<impl AsRef<str>>]) {
        self.widen(cells.len());
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match cell {
                Some(cell) => {
                    self.n_bytes += cell.as_ref().len();
                    column.append_value(cell.as_ref());
                }
                None => column.append_null(),
            }
        }
        for column in self.columns.iter_mut().skip(cells.len()) {
            column.append_null();
        }
        self.n_bytes += self.columns.len() * CELL_BYTES;
        self.origin.rows.push(row);
    }

    fn widen(&mut self, n_columns: usize) {
        while self.columns.len() < n_columns {
            // The usual first room of a builder, for each of fifty thousand columns, is a quarter of a gigabyte.
            let mut column = StringBuilder::with_capacity(0, 0);
            column.append_nulls(self.origin.rows.len());
            self.columns.push(column);
        }
    }

    fn is_full(&self) -> bool {
        self.origin.rows.len() + self.origin.n_unreadable() >= CHUNK_ROWS || self.n_bytes >= CHUNK_BYTES
    }
}

/// A row reader as a chunk reader.
#[derive(Debug)]
pub(super) struct Textual<R> {
    path: PathBuf,
    rows: R,
}

impl<R: RowReader> Textual<R> {
    pub(super) fn new(path: &Path, rows: R) -> Self {
        Self {
            path: path.to_owned(),
            rows,
        }
    }
}

impl<R: RowReader> ChunkReader for Textual<R> {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let mut rows = TextRows::new(&self.path);
        while !rows.is_full() && self.rows.read_row(&mut rows)? {}
        if rows.origin.rows.is_empty() && rows.origin.n_unreadable() == 0 {
            return Ok(None);
        }
        let names = self.rows.names().to_vec();
        rows.widen(names.len());
        let columns = rows.columns.iter_mut();
        Ok(Some(Chunk {
            names,
            columns: columns
                .map(|column| Arc::new(column.finish()) as ArrayRef)
                .collect(),
            origin: rows.origin,
            typing: self.rows.typing(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_of_very_many_columns_is_full_before_it_has_many_rows() {
        let mut rows = TextRows::new(Path::new("log.csv"));
        let cells = vec![None::<&str>; 1 << 16];
        while !rows.is_full() {
            rows.push(1, &cells);
        }
        assert_eq!(rows.origin.rows.len(), CHUNK_BYTES / CELL_BYTES / cells.len());
    }
}
