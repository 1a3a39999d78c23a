//! Who and what there is: ids, attributes, histories.

use std::path::Path;
use std::sync::Arc;

use catchment_recall::{Availability, AvailableAt};
use catchment_schema::{
    AttributeTable, EventKind, Histories, History, Interactions, ItemIdx, ItemSet, Time, UserIdx, Vocabulary,
};

use crate::{Error, Layout, NegativeEvents, PipelineSpec};

/// The vocabularies of a bundle with everything that is known about their entries.
#[derive(Clone, Debug)]
pub struct Catalogue {
    users: Vocabulary,
    items: Vocabulary,
    events: Vocabulary,
    negative: NegativeEvents,
    user_attributes: AttributeTable,
    item_attributes: AttributeTable,
    histories: Histories,
    /// `None` where every item is.
    available: Option<ItemSet>,
    /// The same, and from when until when each item is there.
    availability: Arc<Availability>,
    /// The newest event of all histories.
    last_event: Time,
}

impl Catalogue {
    /// Reads everything below `layout`.
    ///
    /// # Errors
    /// When a file is missing, damaged, or contradicts another.
    pub fn open(layout: &Layout) -> Result<Self, Error> {
        let users = Vocabulary::read(layout.user_vocabulary())?;
        let items = Vocabulary::read(layout.item_vocabulary())?;
        let events = Vocabulary::read(layout.event_vocabulary())?;
        let negative = negative_events(layout, &events)?;
        let user_attributes = AttributeTable::read(layout.user_attributes(), users.len())?;
        let item_attributes = AttributeTable::read(layout.item_attributes(), items.len())?;
        let interactions = Interactions::read(layout.histories())?;
        check_rows(&layout.histories(), &interactions, items.len())?;
        let last_event = interactions
            .events
            .iter()
            .map(|event| event.time)
            .max()
            .unwrap_or(Time::UNKNOWN);
        let histories = interactions.histories(users.len());
        check_order(&layout.histories(), &histories)?;
        let available = available_items(&item_attributes);
        let availability = Arc::new(Availability::new(
            items.len(),
            available.as_ref(),
            |item| item_attributes.time("published_at", item.index()),
            |item| item_attributes.time("expires_at", item.index()),
        ));
        Ok(Self {
            users,
            items,
            events,
            negative,
            user_attributes,
            item_attributes,
            histories,
            available,
            availability,
            last_event,
        })
    }

    /// User ids.
    pub fn users(&self) -> &Vocabulary {
        &self.users
    }

    /// Item ids.
    pub fn items(&self) -> &Vocabulary {
        &self.items
    }

    /// Event words.
    pub fn events(&self) -> &Vocabulary {
        &self.events
    }

    /// The events that say no.
    pub fn negative_events(&self) -> &NegativeEvents {
        &self.negative
    }

    /// The kind of event with this word.
    pub fn event_kind(&self, word: &str) -> Option<EventKind> {
        self.events
            .position(word)
            .and_then(|position| u16::try_from(position).ok())
            .map(EventKind)
    }

    /// User attributes, by index.
    pub fn user_attributes(&self) -> &AttributeTable {
        &self.user_attributes
    }

    /// Item attributes, by index.
    pub fn item_attributes(&self) -> &AttributeTable {
        &self.item_attributes
    }

    /// The title of an item, where it has one.
    pub fn title(&self, item: ItemIdx) -> Option<&str> {
        self.item_attributes.text("title", item.index())
    }

    /// What a user did before the bundle was made.
    pub fn history(&self, user: UserIdx) -> History<'_> {
        self.histories.of(user)
    }

    /// All histories.
    pub fn histories(&self) -> &Histories {
        &self.histories
    }

    /// The items that may be shown; `None` where all may.
    pub fn available(&self) -> Option<&ItemSet> {
        self.available.as_ref()
    }

    /// The items that may be shown at a moment: available, published, and not expired.
    pub fn available_at(&self, now: Time) -> Arc<AvailableAt> {
        self.availability.at(now)
    }

    /// The moment after the newest event: what `now` is where nobody says.
    pub fn now(&self) -> Time {
        Time::from(self.last_event.millis().map(|millis| millis + 1))
    }
}

/// Those that the description names. One that the log does not have would say yes unnoticed under another word.
fn negative_events(layout: &Layout, events: &Vocabulary) -> Result<NegativeEvents, Error> {
    let spec = PipelineSpec::read(&layout.spec())?;
    if let Some(word) = spec.negative.iter().find(|word| events.position(word).is_none()) {
        return Err(Error::Spec {
            path: layout.spec(),
            reason: format!(
                "`negative` names the event {word:?}, and the log has only: {}",
                events.ids().join(", ")
            ),
        });
    }
    Ok(NegativeEvents::new(&spec.negative, events.ids()))
}

/// Known times never fall. Unknown ones may stand between them: a log can have an order beside its times.
fn check_order(path: &Path, histories: &Histories) -> Result<(), Error> {
    let in_order = |history: History<'_>| {
        let times = history.events().iter().map(|event| event.time);
        times.filter(|&time| time != Time::UNKNOWN).is_sorted()
    };
    match histories.iter().find(|&(_, history)| !in_order(history)) {
        None => Ok(()),
        Some((user, _)) => Err(catchment_schema::Error::Inconsistent {
            path: path.to_owned(),
            reason: format!(
                "the events of user {} are not in the order of their times",
                user.0
            ),
        }
        .into()),
    }
}

/// A history may only hold items of the vocabulary: everything behind it indexes tables by item.
fn check_rows(path: &Path, interactions: &Interactions, n_items: usize) -> Result<(), Error> {
    match interactions
        .events
        .iter()
        .position(|event| event.item.index() >= n_items)
    {
        None => Ok(()),
        Some(row) => Err(catchment_schema::Error::BadValue {
            path: path.to_owned(),
            row: row as u64 + 1,
            column: "item".to_owned(),
            value: interactions.events[row].item.0.to_string(),
            reason: format!("beyond the item vocabulary of {n_items}"),
        }
        .into()),
    }
}

fn available_items(attributes: &AttributeTable) -> Option<ItemSet> {
    let unavailable: Vec<usize> = (0..attributes.n_rows())
        .filter(|&row| attributes.flag("available", row) == Some(false))
        .collect();
    if unavailable.is_empty() {
        return None;
    }
    let mut available = ItemSet::all(attributes.n_rows());
    for row in unavailable {
        available.remove(ItemIdx::from_index(row));
    }
    Some(available)
}
