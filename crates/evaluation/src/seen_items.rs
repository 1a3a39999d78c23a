//! What each user had before.

use catchment_schema::{Histories, ItemIdx, ItemSet, UserIdx};

use crate::Error;

/// Each user's items before the held-out ones, each once, sorted (compressed sparse rows): the seen-item mask, the
/// histories that popularity is compared with, and what an item's popularity is counted from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeenItems {
    offsets: Vec<usize>,
    items: Vec<ItemIdx>,
}

impl SeenItems {
    /// From histories.
    pub fn from_histories(histories: &Histories) -> Self {
        let rows = histories
            .iter()
            .map(|(_, history)| history.events().iter().map(|event| event.item));
        Self::from_rows(rows)
    }

    /// From compressed sparse rows.
    ///
    /// # Shapes
    /// `offsets`: `[n_users + 1]`, from 0, never falling, ending at the length of `items`.
    ///
    /// # Errors
    /// [`Error::Shape`] where they are not.
    pub fn from_csr(offsets: &[i64], items: &[i32]) -> Result<Self, Error> {
        let shape = |reason: String| Error::Shape {
            what: "sparse rows",
            reason,
        };
        let ends: Option<Vec<usize>> = offsets.iter().map(|&end| usize::try_from(end).ok()).collect();
        let ends = ends
            .filter(|ends| ends.is_sorted() && ends.first() == Some(&0) && ends.last() == Some(&items.len()));
        let Some(ends) = ends else {
            let n = items.len();
            return Err(shape(format!("offsets must rise from 0 to the {n} items")));
        };
        let items: Option<Vec<ItemIdx>> = items
            .iter()
            .map(|&item| u32::try_from(item).ok().map(ItemIdx))
            .collect();
        let items = items.ok_or_else(|| shape("an item is below 0".to_owned()))?;
        Ok(Self::from_rows(
            ends.windows(2).map(|row| items[row[0]..row[1]].iter().copied()),
        ))
    }

    fn from_rows<R: Iterator<Item = ItemIdx>>(rows: impl Iterator<Item = R>) -> Self {
        let mut seen = Self {
            offsets: vec![0],
            items: Vec::new(),
        };
        let mut row = Vec::new();
        for items in rows {
            row.clear();
            row.extend(items);
            row.sort_unstable();
            row.dedup();
            seen.items.extend_from_slice(&row);
            seen.offsets.push(seen.items.len());
        }
        seen
    }

    /// How many users there are.
    pub fn n_users(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// How many pairs of a user and an item there are.
    pub fn n_pairs(&self) -> usize {
        self.items.len()
    }

    /// A user's items, sorted; none for a user beyond the last.
    pub fn of(&self, user: UserIdx) -> &[ItemIdx] {
        match self.offsets.get(user.index() + 1) {
            Some(&end) => &self.items[self.offsets[user.index()]..end],
            None => &[],
        }
    }

    /// A user's items as a set.
    pub fn set_of(&self, user: UserIdx) -> ItemSet {
        self.of(user).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, Time};

    use super::*;

    #[test]
    fn rows_are_sets_and_strangers_have_none() {
        let seen = SeenItems::from_csr(&[0, 3, 3, 4], &[5, 1, 5, 0]).expect("rows");
        assert_eq!(seen.of(UserIdx(0)), [ItemIdx(1), ItemIdx(5)]);
        assert!(seen.of(UserIdx(1)).is_empty() && seen.of(UserIdx(9)).is_empty());
        let events = [5, 1, 5, 0].map(|item| Event::new(ItemIdx(item), Time::UNKNOWN));
        let users = [0, 0, 0, 2].map(UserIdx);
        assert_eq!(
            seen,
            SeenItems::from_histories(&Histories::group(3, &users, &events))
        );
    }

    #[test]
    fn rows_that_are_none_are_refused() {
        for (offsets, items) in [
            (&[0i64, 2][..], &[1i32][..]),
            (&[1, 1], &[1]),
            (&[0, 2, 1], &[1]),
            (&[], &[]),
            (&[0, 1], &[-1]),
        ] {
            let error = SeenItems::from_csr(offsets, items).expect_err("no rows");
            assert!(matches!(error, Error::Shape { .. }), "{offsets:?}");
        }
    }
}
