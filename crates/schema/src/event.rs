//! Events and the histories that they form.

use serde::{Deserialize, Serialize};

use crate::{ItemIdx, UserIdx};

/// A moment in milliseconds since the Unix epoch, or unknown (some logs have an order but no time).
/// Unknown sorts before every known moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Time(i64);

impl Time {
    /// No time was recorded.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// A moment, in milliseconds since the Unix epoch.
    #[inline]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch, where known.
    #[inline]
    pub fn millis(self) -> Option<i64> {
        (self != Self::UNKNOWN).then_some(self.0)
    }
}

impl From<Option<i64>> for Time {
    fn from(millis: Option<i64>) -> Self {
        millis.map_or(Self::UNKNOWN, Self)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.millis().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.into())
    }
}

/// What kind of event it was: an index into the dataset's event words (`view`, `purchase`, …).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventKind(pub u16);

/// One thing that a user did with an item.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// With which item.
    pub item: ItemIdx,
    /// What was done.
    pub kind: EventKind,
    /// When.
    pub time: Time,
    /// How much: rating, watched fraction, amount; 1 where the log says nothing. Finite.
    pub value: f32,
    /// For how long, in milliseconds, where known (saturating at `u32::MAX`).
    pub dwell_ms: Option<u32>,
}

impl Event {
    /// An event of kind 0 with value 1 and no dwell time.
    pub fn new(item: ItemIdx, time: Time) -> Self {
        Self {
            item,
            kind: EventKind(0),
            time,
            value: 1.0,
            dwell_ms: None,
        }
    }
}

/// A user's events, oldest first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct History<'a>(&'a [Event]);

impl<'a> History<'a> {
    /// Nobody's history.
    pub const EMPTY: History<'static> = History(&[]);

    /// Events that are already in order, oldest first: known times never fall. Events of unknown time may stand
    /// between them, where the log has an order beside its times.
    pub fn new(events: &'a [Event]) -> Self {
        debug_assert!(
            events
                .iter()
                .filter(|event| event.time != Time::UNKNOWN)
                .is_sorted_by_key(|event| event.time)
        );
        Self(events)
    }

    /// Some events of one history, in its order: whatever order that is, it is not looked at again.
    pub fn kept(events: &'a [Event]) -> Self {
        Self(events)
    }

    /// The events, oldest first.
    #[inline]
    pub fn events(self) -> &'a [Event] {
        self.0
    }

    /// How many events there are.
    #[inline]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The first `n` events (all, if there are fewer), oldest first.
    #[must_use]
    pub fn first(self, n: usize) -> Self {
        Self(&self.0[..n.min(self.0.len())])
    }

    /// The last `n` events (all, if there are fewer), oldest first.
    #[must_use]
    pub fn last(self, n: usize) -> Self {
        Self(&self.0[self.0.len().saturating_sub(n)..])
    }

    /// The events strictly before `time`: what was known at that moment. Events of unknown time count as before
    /// it while no event at or after `time` precedes them.
    #[must_use]
    pub fn before(self, time: Time) -> Self {
        // Unknown times may stand anywhere, so this is no place for a binary search.
        let end = self.0.iter().position(|event| event.time >= time);
        Self(&self.0[..end.unwrap_or(self.0.len())])
    }
}

/// The histories of all users, one after the other (compressed sparse rows).
#[derive(Clone, Debug, PartialEq)]
pub struct Histories {
    offsets: Vec<usize>,
    events: Vec<Event>,
}

impl Default for Histories {
    fn default() -> Self {
        Self::empty(0)
    }
}

impl Histories {
    /// `n_users` empty histories.
    pub fn empty(n_users: usize) -> Self {
        Self {
            offsets: vec![0; n_users + 1],
            events: Vec::new(),
        }
    }

    /// Groups events by user, keeping the order they come in within each user.
    /// `users[i]` did `events[i]`; a user at or beyond `n_users` is left out (cold users have no row).
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn group(n_users: usize, users: &[UserIdx], events: &[Event]) -> Self {
        assert_eq!(users.len(), events.len(), "one user for each event");
        let mut offsets = vec![0usize; n_users + 1];
        for user in users.iter().filter(|user| user.index() < n_users) {
            offsets[user.index() + 1] += 1;
        }
        for user in 0..n_users {
            offsets[user + 1] += offsets[user];
        }
        let mut next = offsets.clone();
        let placeholder = Event::new(ItemIdx(0), Time::UNKNOWN);
        let mut grouped = vec![placeholder; offsets[n_users]];
        for (user, event) in users
            .iter()
            .zip(events)
            .filter(|(user, _)| user.index() < n_users)
        {
            grouped[next[user.index()]] = *event;
            next[user.index()] += 1;
        }
        Self {
            offsets,
            events: grouped,
        }
    }

    /// How many users there are.
    pub fn n_users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many events there are in all.
    pub fn n_events(&self) -> usize {
        self.events.len()
    }

    /// The user's history; empty for a user beyond the last row.
    pub fn of(&self, user: UserIdx) -> History<'_> {
        match self.offsets.get(user.index() + 1) {
            Some(&end) => History(&self.events[self.offsets[user.index()]..end]),
            None => History::EMPTY,
        }
    }

    /// Every user with their history, in index order.
    pub fn iter(&self) -> impl Iterator<Item = (UserIdx, History<'_>)> {
        (0..self.n_users()).map(|user| (UserIdx::from_index(user), self.of(UserIdx::from_index(user))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouping_keeps_order_and_leaves_cold_users_out() {
        let at = |item, millis| Event::new(ItemIdx(item), Time::from_millis(millis));
        let users = [UserIdx(1), UserIdx(0), UserIdx(1), UserIdx(7)];
        let histories = Histories::group(3, &users, &[at(4, 1), at(5, 2), at(6, 3), at(9, 9)]);
        let items = |user| {
            histories
                .of(UserIdx(user))
                .events()
                .iter()
                .map(|event| event.item.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(items(0), [5]);
        assert_eq!(items(1), [4, 6]);
        assert!(items(2).is_empty());
        assert!(items(7).is_empty());
        assert_eq!(histories.n_events(), 3);
    }

    #[test]
    fn before_is_strict() {
        let events = [1, 2, 2, 3].map(|t| Event::new(ItemIdx(0), Time::from_millis(t)));
        assert_eq!(History::new(&events).before(Time::from_millis(2)).len(), 1);
        assert_eq!(History::new(&events).last(2).len(), 2);
    }

    #[test]
    fn unknown_times_between_known_ones_do_not_let_the_future_in() {
        let unknown = Time::UNKNOWN;
        let times = [
            Time::from_millis(5),
            unknown,
            Time::from_millis(7),
            unknown,
            Time::from_millis(9),
        ];
        let events = times.map(|time| Event::new(ItemIdx(0), time));
        let n_before = |millis| History::new(&events).before(Time::from_millis(millis)).len();
        assert_eq!([5, 6, 7, 8, 9, 10].map(n_before), [0, 2, 2, 4, 4, 5]);
    }
}
