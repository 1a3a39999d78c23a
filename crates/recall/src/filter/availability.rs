//! Which items of a catalogue may be shown, and when.

use std::sync::{Arc, Mutex, PoisonError};

use catchment_schema::{ItemIdx, ItemSet, Time};

/// What a catalogue says of its items: that they are not to be had, and from when until when they are.
///
/// An item may be shown at `now` when `published_at ≤ now < expires_at`; a time that is unknown forbids nothing, and
/// neither does a `now` that is unknown.
#[derive(Debug)]
pub struct Availability {
    n_items: usize,
    unavailable: ItemSet,
    /// The items with a `published_at`, by it.
    published: Vec<(i64, ItemIdx)>,
    /// The items with an `expires_at`, by it.
    expiring: Vec<(i64, ItemIdx)>,
    /// The answer of last time: from one request to the next hardly ever an item comes or goes.
    last: Mutex<Option<Arc<AvailableAt>>>,
}

impl Availability {
    /// Of a catalogue of `n_items`: `available` has the items that are to be had (none: all are), and the two functions
    /// say of each item when it begins and ends to be.
    pub fn new(
        n_items: usize,
        available: Option<&ItemSet>,
        published_at: impl Fn(ItemIdx) -> Time,
        expires_at: impl Fn(ItemIdx) -> Time,
    ) -> Self {
        let items = || (0..n_items).map(ItemIdx::from_index);
        let by_time = |time: &dyn Fn(ItemIdx) -> Time| {
            let mut timed: Vec<(i64, ItemIdx)> = items()
                .filter_map(|item| Some((time(item).millis()?, item)))
                .collect();
            timed.sort_unstable();
            timed
        };
        Self {
            n_items,
            unavailable: match available {
                Some(available) => items().filter(|&item| !available.contains(item)).collect(),
                None => ItemSet::new(),
            },
            published: by_time(&published_at),
            expiring: by_time(&expires_at),
            last: Mutex::new(None),
        }
    }

    /// What may be shown at `now`. Costs a look, and a walk over the catalogue when an item has come or gone since the
    /// last call.
    pub fn at(&self, now: Time) -> Arc<AvailableAt> {
        let (n_published, n_expired) = match now.millis() {
            None => (self.published.len(), 0),
            Some(now) => (
                self.published.partition_point(|&(time, _)| time <= now),
                self.expiring.partition_point(|&(time, _)| time <= now),
            ),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(there) if (there.n_published, there.n_expired) == (n_published, n_expired) => there.clone(),
            _ => last.insert(Arc::new(self.with(n_published, n_expired))).clone(),
        }
    }

    fn with(&self, n_published: usize, n_expired: usize) -> AvailableAt {
        let set = |timed: &[(i64, ItemIdx)]| timed.iter().map(|&(_, item)| item).collect::<ItemSet>();
        let not_yet = set(&self.published[n_published..]);
        let expired = set(&self.expiring[..n_expired]);
        let mut closed = self.unavailable.clone();
        closed.union_with(&not_yet);
        closed.union_with(&expired);
        let open = (!closed.is_empty()).then(|| {
            let items = (0..self.n_items).map(ItemIdx::from_index);
            items.filter(|&item| !closed.contains(item)).collect()
        });
        AvailableAt {
            n_published,
            n_expired,
            unavailable: self.unavailable.clone(),
            not_yet,
            expired,
            open,
        }
    }
}

/// What a catalogue says of its items at one moment.
#[derive(Debug)]
pub struct AvailableAt {
    n_published: usize,
    n_expired: usize,
    pub(super) unavailable: ItemSet,
    pub(super) not_yet: ItemSet,
    pub(super) expired: ItemSet,
    /// The items in none of the three; `None` where that is all of them.
    pub(super) open: Option<ItemSet>,
}

impl AvailableAt {
    /// The items that may be shown; `None` where all may.
    pub fn open(&self) -> Option<&ItemSet> {
        self.open.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Item 0 is not to be had, 1 from 10 on, 2 until 20, 3 from 10 until 20, 4 always.
    fn availability() -> Availability {
        let available: ItemSet = (1..5).map(ItemIdx).collect();
        let published = |item: ItemIdx| Time::from([None, Some(10), None, Some(10), None][item.index()]);
        let expires = |item: ItemIdx| Time::from([None, None, Some(20), Some(20), None][item.index()]);
        Availability::new(5, Some(&available), published, expires)
    }

    fn open(now: Option<i64>) -> Vec<u32> {
        let there = availability().at(Time::from(now));
        there
            .open()
            .expect("item 0 never is")
            .iter()
            .map(|item| item.0)
            .collect()
    }

    #[test]
    fn an_item_is_there_from_its_first_moment_until_before_its_last() {
        assert_eq!(open(Some(9)), [2, 4]);
        assert_eq!(open(Some(10)), [1, 2, 3, 4]);
        assert_eq!(open(Some(19)), [1, 2, 3, 4]);
        assert_eq!(open(Some(20)), [1, 4]);
        assert_eq!(open(None), [1, 2, 3, 4]);
    }

    #[test]
    fn moments_between_which_nothing_happens_share_one_answer() {
        let availability = availability();
        let first = availability.at(Time::from_millis(11));
        assert!(Arc::ptr_eq(&first, &availability.at(Time::from_millis(19))));
        assert!(!Arc::ptr_eq(&first, &availability.at(Time::from_millis(20))));
        let back = availability.at(Time::from_millis(12));
        assert_eq!(back.open(), first.open());
    }

    #[test]
    fn where_nothing_is_said_everything_is_there() {
        let unknown = |_: ItemIdx| Time::UNKNOWN;
        let availability = Availability::new(3, None, unknown, unknown);
        assert!(availability.at(Time::from_millis(1)).open().is_none());
    }
}
