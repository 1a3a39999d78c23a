//! Who had what, once.

use catchment_schema::{Histories, UserIdx};

use crate::{Error, Result};

/// A binary matrix in compressed rows: row `r` holds the columns that are 1, rising.
///
/// The models that use it ask *whether* a user had an item: a pair that occurs in many events counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incidence {
    offsets: Vec<usize>,
    columns: Vec<u32>,
    n_columns: usize,
}

impl Incidence {
    /// Users by items.
    ///
    /// # Errors
    /// [`Error::UnknownItem`]; [`Error::NoInteractions`].
    pub(crate) fn of_histories(histories: &Histories, n_items: usize) -> Result<Self> {
        let mut offsets = Vec::with_capacity(histories.n_users() + 1);
        offsets.push(0);
        let mut columns = Vec::with_capacity(histories.n_events());
        let mut distinct = Vec::new();
        for (user, history) in histories.iter() {
            distinct.clear();
            distinct.extend(history.events().iter().map(|event| event.item.0));
            distinct.sort_unstable();
            distinct.dedup();
            if let Some(&item) = distinct.last().filter(|&&item| item as usize >= n_items) {
                let UserIdx(user) = user;
                return Err(Error::UnknownItem { user, item, n_items });
            }
            columns.extend_from_slice(&distinct);
            offsets.push(columns.len());
        }
        if columns.is_empty() {
            return Err(Error::NoInteractions);
        }
        Ok(Self {
            offsets,
            columns,
            n_columns: n_items,
        })
    }

    /// Columns by rows.
    pub(crate) fn transposed(&self) -> Self {
        let mut offsets = vec![0; self.n_columns + 1];
        for &column in &self.columns {
            offsets[column as usize + 1] += 1;
        }
        for column in 0..self.n_columns {
            offsets[column + 1] += offsets[column];
        }
        let mut next = offsets.clone();
        let mut columns = vec![0; self.columns.len()];
        for row in 0..self.n_rows() {
            let row_number = UserIdx::from_index(row).0;
            for &column in self.row(row) {
                columns[next[column as usize]] = row_number;
                next[column as usize] += 1;
            }
        }
        Self {
            offsets,
            columns,
            n_columns: self.n_rows(),
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The columns of a row, rising, each once.
    #[inline]
    pub(crate) fn row(&self, row: usize) -> &[u32] {
        &self.columns[self.offsets[row]..self.offsets[row + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catchment_schema::{Event, ItemIdx, Time};

    fn histories(pairs: &[(u32, u32)]) -> Histories {
        let users: Vec<_> = pairs.iter().map(|&(user, _)| UserIdx(user)).collect();
        let events: Vec<_> = pairs
            .iter()
            .map(|&(_, item)| Event::new(ItemIdx(item), Time::UNKNOWN))
            .collect();
        Histories::group(3, &users, &events)
    }

    #[test]
    fn a_pair_counts_once_and_transposing_twice_changes_nothing() {
        let matrix =
            Incidence::of_histories(&histories(&[(0, 2), (0, 1), (0, 2), (2, 1)]), 4).expect("valid");
        assert_eq!(matrix.row(0), [1, 2]);
        assert!(matrix.row(1).is_empty());
        assert_eq!(matrix.transposed().row(1), [0, 2]);
        assert_eq!(matrix.transposed().transposed(), matrix);
    }

    #[test]
    fn items_beyond_the_vocabulary_and_empty_logs_are_refused() {
        let found = Incidence::of_histories(&histories(&[(1, 4)]), 4);
        assert!(matches!(
            found,
            Err(Error::UnknownItem {
                user: 1,
                item: 4,
                n_items: 4
            })
        ));
        assert!(matches!(
            Incidence::of_histories(&histories(&[]), 4),
            Err(Error::NoInteractions)
        ));
    }
}
