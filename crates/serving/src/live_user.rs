//! A user as one bundle sees them.

use catchment_pipeline::{Catalogue, Pipeline, UserState};
use catchment_schema::{Event, EventKind, History, Time, UserIdx, merge_by_time};

use crate::event::StoredEvent;

/// A user as one bundle sees them: its own history, with the live events on top that it does not hold. An event counts
/// once, also when the bundle has learned from it and it is kept beside the bundle still.
#[derive(Debug)]
pub struct LiveUser {
    /// The user, where the bundle knows them.
    pub user: Option<UserIdx>,
    events: Vec<Event>,
}

impl LiveUser {
    /// Joins the bundle's history with the live events that count. The others stay in the store, and may count for the
    /// next bundle.
    pub fn new(pipeline: &Pipeline, user_id: &str, live: &[StoredEvent]) -> Self {
        let catalogue = pipeline.catalogue();
        let user = catalogue.users().user(user_id);
        let known = user.map_or(&[][..], |user| catalogue.history(user).events());
        let live: Vec<Event> = beyond(catalogue, user_id, live)
            .filter(|event| counts(pipeline, event))
            .filter_map(|event| in_catalogue(catalogue, event))
            .collect();
        Self {
            user,
            events: merge_by_time(known, &live, |event| event.time),
        }
    }

    /// Everything known, oldest first.
    pub fn history(&self) -> History<'_> {
        History::new(&self.events)
    }

    /// The moment of a request at `now_millis`: never before what is known of the user, or the features, which see
    /// only what lies before the moment, would miss an event from a client whose clock runs ahead.
    pub fn moment(&self, now_millis: i64) -> Time {
        let newest = self.events.iter().rev().find_map(|event| event.time.millis());
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

/// Whether answers take a live event into account: the bundle knows its item, and training would not have left it out.
pub fn counts(pipeline: &Pipeline, event: &StoredEvent) -> bool {
    pipeline.counts(&event.kind, event.value, event.dwell_ms)
        && pipeline.catalogue().items().item(&event.item_id).is_some()
}

/// Those live events of a user that the bundle's history does not hold, in their order.
pub fn beyond<'a>(
    catalogue: &Catalogue,
    user_id: &str,
    live: &'a [StoredEvent],
) -> impl Iterator<Item = &'a StoredEvent> {
    let held = held(catalogue, user_id, live);
    live.iter()
        .zip(held)
        .filter(|(_, held)| !held)
        .map(|(event, _)| event)
}

/// For each live event of a user whether the bundle's history holds it: the same item, kind and millisecond. Of several
/// that are equal as many are held as the history has.
pub fn held(catalogue: &Catalogue, user_id: &str, live: &[StoredEvent]) -> Vec<bool> {
    let user = catalogue.users().user(user_id);
    let history = user.map_or(&[][..], |user| catalogue.history(user).events());
    let mut is_taken = vec![false; history.len()];
    // Where some times are unknown, there is no order to search by.
    let is_timed = history.iter().all(|past| past.time != Time::UNKNOWN);
    let mut holds = |event: &StoredEvent| {
        let Some(event) = in_catalogue(catalogue, event) else {
            return false;
        };
        let (first, end) = if is_timed {
            let first = history.partition_point(|past| past.time < event.time);
            (first, history.partition_point(|past| past.time <= event.time))
        } else {
            (0, history.len())
        };
        let mut same = history[first..end]
            .iter()
            .zip(first..)
            .filter(|(past, _)| (past.item, past.kind, past.time) == (event.item, event.kind, event.time));
        let free = same.find(|&(_, position)| !is_taken[position]);
        free.is_some_and(|(_, position)| !std::mem::replace(&mut is_taken[position], true))
    };
    live.iter().map(&mut holds).collect()
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
