//! Which items stood beside the one that was taken.

use catchment_schema::{ItemIdx, Time, UserIdx};

/// The items that were shown at each event, by who took what and when.
#[derive(Clone, Debug, Default)]
pub struct ShownItems {
    /// Rising.
    events: Vec<(UserIdx, Time, ItemIdx)>,
    /// Where the items of each event end.
    ends: Vec<usize>,
    items: Vec<ItemIdx>,
}

impl ShownItems {
    /// Of events in any order, each with what was shown; of an event that is there twice, both lists.
    pub fn new<L: AsRef<[ItemIdx]>>(rows: impl IntoIterator<Item = ((UserIdx, Time, ItemIdx), L)>) -> Self {
        let mut events = vec![];
        let (mut ends, mut items) = (vec![], vec![]);
        for (event, list) in rows {
            if !list.as_ref().is_empty() {
                items.extend_from_slice(list.as_ref());
                events.push(event);
                ends.push(items.len());
            }
        }
        if events.is_sorted_by(|a, b| a < b) {
            return Self { events, ends, items };
        }
        let mut order: Vec<usize> = (0..events.len()).collect();
        order.sort_by_key(|&row| events[row]);
        let mut sorted = Self::default();
        for row in order {
            let begin = row.checked_sub(1).map_or(0, |before| ends[before]);
            sorted.items.extend_from_slice(&items[begin..ends[row]]);
            if sorted.events.last() == Some(&events[row]) {
                sorted.ends.pop();
            } else {
                sorted.events.push(events[row]);
            }
            sorted.ends.push(sorted.items.len());
        }
        sorted
    }

    /// What was shown when `user` took `item`; nothing where it is not known.
    pub fn of(&self, user: UserIdx, time: Time, item: ItemIdx) -> &[ItemIdx] {
        let Ok(at) = self.events.binary_search(&(user, time, item)) else {
            return &[];
        };
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[begin..self.ends[at]]
    }

    /// How many events have anything beside them.
    pub fn n_events(&self) -> usize {
        self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_in_any_order_and_those_that_are_there_twice_once() {
        let event = |user, time, item| (UserIdx(user), Time::from_millis(time), ItemIdx(item));
        let rows = [
            (event(2, 5, 1), vec![7, 8]),
            (event(0, 9, 4), vec![]),
            (event(0, 3, 4), vec![1]),
            (event(2, 5, 1), vec![9]),
            (event(1, 1, 1), vec![2, 3]),
        ];
        let rows = rows.map(|(event, list)| (event, list.into_iter().map(ItemIdx).collect::<Vec<_>>()));
        let shown = ShownItems::new(rows);
        let of = |user, time, item| {
            let (user, time, item) = event(user, time, item);
            let items = shown.of(user, time, item).iter();
            items.map(|item| item.0).collect::<Vec<_>>()
        };
        assert_eq!(of(2, 5, 1), [7, 8, 9]);
        assert_eq!(of(0, 3, 4), [1]);
        assert_eq!(of(1, 1, 1), [2, 3]);
        assert!(of(0, 9, 4).is_empty());
        assert!(of(2, 5, 2).is_empty());
        assert_eq!(shown.n_events(), 3);
    }
}
