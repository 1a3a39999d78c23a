//! The form in which the authors of `LightGCN` and NGCF publish their data: a user and then the user's items on every line.

use std::path::Path;

use super::chunk::{RowReader, TextRows, Typing};
use super::lines::Lines;
use crate::Result;

/// Reads pairs. A user without items is no row.
pub(super) struct LightGcn {
    lines: Lines,
    names: Vec<String>,
    user: String,
    /// The rest of the current line: a line may be longer than a chunk.
    items: std::vec::IntoIter<String>,
}

impl LightGcn {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            lines: Lines::open(path)?,
            names: vec!["user_id".to_owned(), "item_id".to_owned()],
            user: String::new(),
            items: Vec::new().into_iter(),
        })
    }
}

impl RowReader for LightGcn {
    fn typing(&self) -> Typing {
        Typing::Typed
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn read_row(&mut self, rows: &mut TextRows) -> Result<bool> {
        if let Some(item) = self.items.next() {
            rows.push(self.lines.number(), &[Some(&self.user), Some(&item)]);
            return Ok(true);
        }
        if !self.lines.advance(&rows.origin.path)? {
            return Ok(false);
        }
        if let Some(line) = self.lines.text(&mut rows.origin) {
            let mut words = line.split_ascii_whitespace().map(str::to_owned);
            self.user = words.next().unwrap_or_default();
            self.items = words.collect::<Vec<_>>().into_iter();
        }
        Ok(true)
    }
}
