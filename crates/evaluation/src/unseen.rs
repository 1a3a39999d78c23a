//! Lists without what a user had before.

use catchment_schema::{Histories, UserIdx};

use crate::recommends::{Recommends, TopKLists};

/// Somebody's lists with the items of each user's history taken out: the seen-item rule for lists whose maker did not
/// apply it. Longer lists are asked for, so that k are left where there are k.
pub struct Unseen<'a, L> {
    lists: L,
    histories: &'a Histories,
}

impl<'a, L: Recommends> Unseen<'a, L> {
    /// `lists` without the items of `histories`.
    pub fn new(lists: L, histories: &'a Histories) -> Self {
        Self { lists, histories }
    }
}

impl<L: Recommends> Recommends for Unseen<'_, L> {
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        let longest = users
            .iter()
            .map(|&user| self.histories.of(user).len())
            .max()
            .unwrap_or(0);
        let mut whole = TopKLists::default();
        self.lists.top_k(users, k.saturating_add(longest), &mut whole)?;
        lists.clear();
        let mut seen = Vec::new();
        for (position, &user) in users.iter().enumerate().take(whole.len()) {
            seen.clear();
            seen.extend(self.histories.of(user).events().iter().map(|event| event.item));
            seen.sort_unstable();
            let unseen = whole
                .list(position)
                .iter()
                .filter(|scored| seen.binary_search(&scored.item).is_err());
            lists.push(unseen.take(k).copied());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, ItemIdx, Score, ScoredItem, Time};

    use super::*;

    /// Everybody gets 0, 1, 2, … up to k.
    struct Counting;

    impl Recommends for Counting {
        fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
            lists.clear();
            for _ in users {
                let scored = |item: u32| ScoredItem::new(ItemIdx(item), Score::clamped(-(item as f32)));
                lists.push((0..u32::try_from(k).unwrap_or(0)).map(scored));
            }
            Ok(())
        }
    }

    #[test]
    fn seen_items_make_room_for_the_next_ones() {
        let events = [0, 2].map(|item| Event::new(ItemIdx(item), Time::UNKNOWN));
        let histories = Histories::group(2, &[UserIdx(1), UserIdx(1)], &events);
        let mut lists = TopKLists::default();
        let unseen = Unseen::new(Counting, &histories);
        unseen
            .top_k(&[UserIdx(0), UserIdx(1)], 3, &mut lists)
            .expect("counting cannot fail");
        let items = |position| {
            lists
                .list(position)
                .iter()
                .map(|scored| scored.item.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(items(0), [0, 1, 2]);
        assert_eq!(items(1), [1, 3, 4]);
    }
}
