//! Rows of which only the non-zero features are kept.

use crate::{Error, Result};

/// One row: `(feature, value)` by rising feature, each feature once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparseRow<'a> {
    /// The features that are not zero.
    pub entries: &'a [(u32, f32)],
}

/// Rows in compressed form: 8 bytes for each feature that is not zero, 8 for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseRows {
    n_features: usize,
    offsets: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl SparseRows {
    /// No row yet; features are numbered from 0 to below `n_features`.
    pub fn new(n_features: usize) -> Self {
        Self {
            n_features,
            offsets: vec![0],
            entries: Vec::new(),
        }
    }

    /// Adds a row. A feature that is named twice counts with the sum of its values.
    ///
    /// # Errors
    /// [`Error::Row`] for an index beyond the features or a value that is not finite; nothing is added then.
    pub fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) -> Result<()> {
        let start = self.entries.len();
        self.entries.extend(entries);
        self.entries[start..].sort_by_key(|&(index, _)| index);
        let mut end = start;
        for next in start..self.entries.len() {
            let (index, value) = self.entries[next];
            if end > start && self.entries[end - 1].0 == index {
                self.entries[end - 1].1 += value;
            } else {
                self.entries[end] = (index, value);
                end += 1;
            }
        }
        self.entries.truncate(end);
        let is_wrong =
            |&&(index, value): &&(u32, f32)| index as usize >= self.n_features || !value.is_finite();
        if let Some(&(index, value)) = self.entries[start..].iter().find(is_wrong) {
            self.entries.truncate(start);
            return Err(Error::Row {
                row: self.len(),
                index,
                value,
                n_features: self.n_features,
            });
        }
        self.offsets.push(end);
        Ok(())
    }

    /// Forgets all rows from the `len`th on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.offsets.truncate(len + 1);
            self.entries.truncate(self.offsets[len]);
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// A row.
    ///
    /// # Panics
    /// When `row` is not below [`SparseRows::len`].
    pub fn row(&self, row: usize) -> SparseRow<'_> {
        SparseRow {
            entries: &self.entries[self.offsets[row]..self.offsets[row + 1]],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_sorted_and_repeated_features_are_summed() {
        let mut rows = SparseRows::new(10);
        rows.push([(4, 1.0), (2, 0.5), (4, 2.0)]).expect("good row");
        rows.push([]).expect("an empty row is a row");
        assert_eq!(rows.row(0).entries, [(2, 0.5), (4, 3.0)]);
        assert_eq!(rows.row(1).entries, []);
    }

    #[test]
    fn a_bad_row_is_refused_and_leaves_nothing_behind() {
        let mut rows = SparseRows::new(3);
        rows.push([(0, 1.0)]).expect("good row");
        for bad in [(3, 1.0), (1, f32::NAN), (1, f32::INFINITY)] {
            let error = rows.push([(0, 1.0), bad]).expect_err("bad row");
            assert!(
                matches!(error, Error::Row { row: 1, index, .. } if index == bad.0),
                "{error}"
            );
        }
        assert_eq!(rows.len(), 1);
        rows.push([(2, 1.0)]).expect("good row");
        assert_eq!(rows.row(1).entries, [(2, 1.0)]);
        rows.truncate(1);
        rows.truncate(5);
        rows.push([(1, 1.0)]).expect("good row");
        assert_eq!((rows.len(), rows.row(1).entries), (2, [(1, 1.0)].as_slice()));
    }
}
