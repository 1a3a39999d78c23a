//! The store at one moment.

use std::sync::Arc;

use super::EventId;
use crate::event::StoredEvent;

/// All live events and remembered ids at one moment, in an order that depends on nothing else.
#[derive(Debug)]
pub struct Frozen {
    users: Vec<(String, Arc<Vec<StoredEvent>>)>,
    event_ids: Vec<EventId>,
}

impl Frozen {
    pub(super) fn new(mut users: Vec<(String, Arc<Vec<StoredEvent>>)>, mut event_ids: Vec<EventId>) -> Self {
        users.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        event_ids.sort_unstable();
        Self { users, event_ids }
    }

    /// By user, and each user's in time order.
    pub fn events(&self) -> impl Iterator<Item = &StoredEvent> {
        self.users.iter().flat_map(|(_, events)| events.iter())
    }

    /// The ids of all events that were ever taken with one.
    pub fn event_ids(&self) -> &[EventId] {
        &self.event_ids
    }
}
