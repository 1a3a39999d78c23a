//! What the lists are held against.

use std::collections::BTreeMap;

use catchment_schema::{Interactions, ItemIdx, UserIdx};
use xxhash_rust::xxh3::Xxh3Default;

/// Each user's held-out items (a set: an item counts once).
///
/// Items at or beyond `n_items` are cold: they do not compete, no list can hit them, and they stay in every
/// denominator. So do held-out items that are also in the user's history, where lists leave seen items out.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTruth {
    users: Vec<UserIdx>,
    offsets: Vec<usize>,
    items: Vec<ItemIdx>,
    n_users: usize,
    n_items: usize,
}

impl GroundTruth {
    /// From the rows of a validation or test part, for vocabularies of `n_users` and `n_items`.
    pub fn new(held_out: &Interactions, n_users: usize, n_items: usize) -> Self {
        let pairs = held_out
            .users
            .iter()
            .zip(&held_out.events)
            .map(|(&user, event)| (user, event.item));
        Self::from_pairs(pairs, n_users, n_items)
    }

    /// From pairs of user and item, in any order.
    pub fn from_pairs(
        pairs: impl IntoIterator<Item = (UserIdx, ItemIdx)>,
        n_users: usize,
        n_items: usize,
    ) -> Self {
        let mut by_user: BTreeMap<UserIdx, Vec<ItemIdx>> = BTreeMap::new();
        for (user, item) in pairs {
            by_user.entry(user).or_default().push(item);
        }
        let mut truth = Self {
            users: vec![],
            offsets: vec![0],
            items: vec![],
            n_users,
            n_items,
        };
        for (user, mut items) in by_user {
            items.sort_unstable();
            items.dedup();
            truth.users.push(user);
            truth.items.extend(items);
            truth.offsets.push(truth.items.len());
        }
        truth
    }

    /// The users with held-out items, in index order.
    pub fn users(&self) -> &[UserIdx] {
        &self.users
    }

    /// The held-out items of the user at `position` of [`GroundTruth::users`], sorted, cold ones last.
    pub fn relevant(&self, position: usize) -> &[ItemIdx] {
        &self.items[self.offsets[position]..self.offsets[position + 1]]
    }

    /// Those of [`GroundTruth::relevant`] that compete: what a list can hit.
    pub fn reachable(&self, position: usize) -> &[ItemIdx] {
        let relevant = self.relevant(position);
        &relevant[..relevant.partition_point(|item| item.index() < self.n_items)]
    }

    /// How many held-out pairs there are.
    pub fn n_pairs(&self) -> usize {
        self.items.len()
    }

    /// How many users are not in the vocabulary.
    pub fn n_cold_users(&self) -> usize {
        self.users
            .iter()
            .filter(|user| user.index() >= self.n_users)
            .count()
    }

    /// How many held-out pairs have an item that is not in the vocabulary.
    pub fn n_cold_pairs(&self) -> usize {
        self.items
            .iter()
            .filter(|item| item.index() >= self.n_items)
            .count()
    }

    /// A hash of everything here: two runs were judged against the same truth where it is the same. Over indices, so
    /// that it means something within one prepared log alone.
    pub fn identity(&self) -> u128 {
        let mut hasher = Xxh3Default::new();
        let mut add = |number: u64| hasher.update(&number.to_le_bytes());
        add(self.n_users as u64);
        add(self.n_items as u64);
        self.users.iter().for_each(|user| add(u64::from(user.0)));
        self.offsets.iter().for_each(|&offset| add(offset as u64));
        self.items.iter().for_each(|item| add(u64::from(item.0)));
        hasher.digest128()
    }

    /// How many users the vocabulary has.
    pub fn n_users(&self) -> usize {
        self.n_users
    }

    /// How many items compete.
    pub fn n_items(&self) -> usize {
        self.n_items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_counts_once_and_cold_ones_stay_relevant_out_of_reach() {
        let pairs =
            [(4, 2), (0, 7), (4, 9), (4, 2), (4, 0)].map(|(user, item)| (UserIdx(user), ItemIdx(item)));
        let truth = GroundTruth::from_pairs(pairs, 4, 7);
        assert_eq!(truth.users(), [UserIdx(0), UserIdx(4)]);
        assert_eq!(truth.relevant(1), [ItemIdx(0), ItemIdx(2), ItemIdx(9)]);
        assert_eq!(truth.reachable(1), [ItemIdx(0), ItemIdx(2)]);
        assert!(truth.reachable(0).is_empty());
        assert_eq!(truth.identity(), GroundTruth::from_pairs(pairs, 4, 7).identity());
        for other in [
            GroundTruth::from_pairs(pairs, 4, 8),
            GroundTruth::from_pairs(pairs, 5, 7),
            GroundTruth::from_pairs(pairs[..4].iter().copied(), 4, 7),
            GroundTruth::from_pairs(pairs.map(|(user, item)| (user, ItemIdx(item.0 + 1))), 4, 7),
        ] {
            assert_ne!(truth.identity(), other.identity());
        }
        assert_eq!(
            (truth.n_pairs(), truth.n_cold_pairs(), truth.n_cold_users()),
            (4, 2, 1)
        );
    }
}
