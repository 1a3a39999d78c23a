//! What users did since the bundle was made.

mod event_id;
mod frozen;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use catchment_pipeline::Catalogue;

use crate::event::StoredEvent;
use crate::live_user::held;
pub use event_id::EventId;
pub use frozen::Frozen;

/// Live events by raw user id, each user's in time order.
#[derive(Debug, Default)]
pub struct UserStore {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    users: HashMap<String, Arc<Vec<StoredEvent>>>,
    /// Also those whose events are gone: an event that is sent again has been taken still.
    event_ids: HashSet<EventId>,
    n_events: usize,
}

impl Inner {
    fn apply(&mut self, event: StoredEvent) {
        if let Some(id) = &event.event_id
            && !self.event_ids.insert(EventId::of(id))
        {
            return;
        }
        let events = Arc::make_mut(self.users.entry(event.user_id.clone()).or_default());
        let position = events.partition_point(|earlier| earlier.timestamp <= event.timestamp);
        events.insert(position, event);
        self.n_events += 1;
    }
}

impl Inner {
    fn forget(&mut self, user_id: &str, before: &Catalogue, now: &Catalogue) -> usize {
        let Some(events) = self.users.get_mut(user_id) else {
            return 0;
        };
        let (before, now) = (held(before, user_id, events), held(now, user_id, events));
        let in_both: Vec<bool> = before
            .iter()
            .zip(now)
            .map(|(before, now)| *before && now)
            .collect();
        // Of several that are equal all go or none: one that were left would be taken for the one that went.
        let all_equals_go = |event: &StoredEvent| {
            let first = events.partition_point(|other| other.timestamp < event.timestamp);
            let same_time = events[first..]
                .iter()
                .take_while(|other| other.timestamp == event.timestamp);
            let equal = |other: &StoredEvent| (&other.item_id, &other.kind) == (&event.item_id, &event.kind);
            same_time
                .zip(&in_both[first..])
                .all(|(other, goes)| *goes || !equal(other))
        };
        let n_events = events.len();
        let stays = |event: &&StoredEvent| !all_equals_go(event);
        let kept: Vec<StoredEvent> = events.iter().filter(stays).cloned().collect();
        let gone = n_events - kept.len();
        if kept.is_empty() {
            self.users.remove(user_id);
        } else if gone > 0 {
            *events = Arc::new(kept);
        }
        self.n_events -= gone;
        gone
    }
}

impl UserStore {
    /// Whether an event with this id was taken already.
    pub fn has_event(&self, event_id: &str) -> bool {
        self.inner
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .event_ids
            .contains(&EventId::of(event_id))
    }

    /// Takes an event that is durable already. An event whose id was taken before changes nothing.
    pub fn apply(&self, event: StoredEvent) {
        self.write().apply(event);
    }

    /// As [`UserStore::apply`], for all at once: who reads sees all of them or none.
    pub fn apply_all(&self, events: impl IntoIterator<Item = StoredEvent>) {
        let mut inner = self.write();
        events.into_iter().for_each(|event| inner.apply(event));
    }

    /// The users with live events whose ids begin so, by id.
    pub fn ids_with(&self, prefix: &str) -> Vec<String> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let ids = inner.users.keys().filter(|id| id.starts_with(prefix));
        let mut ids: Vec<String> = ids.cloned().collect();
        ids.sort_unstable();
        ids
    }

    /// How many users have live events, and how many events there are.
    pub fn size(&self) -> (usize, usize) {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        (inner.users.len(), inner.n_events)
    }

    /// Remembers the id of an event that is gone.
    pub fn remember(&self, id: EventId) {
        self.write().event_ids.insert(id);
    }

    /// Everything as it is now, for a snapshot. Copies the ids of users, and no event.
    pub fn freeze(&self) -> Frozen {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let users = inner
            .users
            .iter()
            .map(|(id, events)| (id.clone(), events.clone()));
        Frozen::new(users.collect(), inner.event_ids.iter().copied().collect())
    }

    /// Lets go of every event that both bundles hold: the one that is served now and the one before it, so that a roll
    /// back by one step finds all that its bundle lacks. Their ids are remembered. Returns how many events went.
    pub fn forget_held(&self, before: &Catalogue, now: &Catalogue) -> usize {
        let ids: Vec<String> = {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            inner.users.keys().cloned().collect()
        };
        // One user at a time, so that nobody waits for the whole.
        ids.iter().map(|id| self.write().forget(id, before, now)).sum()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A user's live events, oldest first.
    pub fn events(&self, user_id: &str) -> Arc<Vec<StoredEvent>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.users.get(user_id).cloned().unwrap_or_default()
    }
}
