//! What users did since the bundle was made.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use catchment_pipeline::{Catalogue, UserState};
use catchment_schema::{Event, EventKind, History, Time, UserIdx};

use crate::event::StoredEvent;

/// Live events by raw user id, each user's in time order.
#[derive(Debug, Default)]
pub struct UserStore {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    users: HashMap<String, Arc<Vec<StoredEvent>>>,
    event_ids: HashSet<String>,
    n_events: usize,
}

impl Inner {
    fn apply(&mut self, event: StoredEvent) {
        if let Some(id) = &event.event_id
            && !self.event_ids.insert(id.clone())
        {
            return;
        }
        let events = Arc::make_mut(self.users.entry(event.user_id.clone()).or_default());
        let position = events.partition_point(|earlier| earlier.timestamp <= event.timestamp);
        events.insert(position, event);
        self.n_events += 1;
    }
}

impl UserStore {
    /// Whether an event with this id was taken already.
    pub fn has_event(&self, event_id: &str) -> bool {
        self.inner
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .event_ids
            .contains(event_id)
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

    /// How many users have live events, and how many events there are.
    pub fn size(&self) -> (usize, usize) {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        (inner.users.len(), inner.n_events)
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

/// A user as one bundle sees them: its own history, with the live events on top.
#[derive(Debug)]
pub struct LiveUser {
    /// The user, where the bundle knows them.
    pub user: Option<UserIdx>,
    events: Vec<Event>,
}

impl LiveUser {
    /// Joins the bundle's history with live events. Items that the bundle does not know are left out here; they stay
    /// in the store, and the next bundle may know them.
    pub fn new(catalogue: &Catalogue, user_id: &str, live: &[StoredEvent]) -> Self {
        let user = catalogue.users().user(user_id);
        let mut events = user
            .map_or(&[][..], |user| catalogue.history(user).events())
            .to_vec();
        events.extend(live.iter().filter_map(|event| in_catalogue(catalogue, event)));
        events.sort_by_key(|event| event.time);
        Self { user, events }
    }

    /// Everything known, oldest first.
    pub fn history(&self) -> History<'_> {
        History::new(&self.events)
    }

    /// The moment of a request at `now_millis`: never before what is known of the user, or the features, which see
    /// only what lies before the moment, would miss an event from a client whose clock runs ahead.
    pub fn moment(&self, now_millis: i64) -> Time {
        let newest = self.events.last().and_then(|event| event.time.millis());
        Time::from_millis(newest.map_or(now_millis, |newest| now_millis.max(newest + 1)))
    }

    /// As the pipeline takes it.
    pub fn state(&self) -> UserState<'_> {
        UserState {
            user: self.user,
            history: self.history(),
        }
    }
}

/// A live event in the bundle's indices; `None` where the bundle does not know the item.
pub fn in_catalogue(catalogue: &Catalogue, event: &StoredEvent) -> Option<Event> {
    Some(Event {
        item: catalogue.items().item(&event.item_id)?,
        // A word that the log never had gets a kind of its own beyond the vocabulary.
        kind: catalogue.event_kind(&event.kind).unwrap_or(EventKind(u16::MAX)),
        time: Time::from_millis(event.timestamp),
        value: event.value,
        dwell_ms: event.dwell_ms,
    })
}
