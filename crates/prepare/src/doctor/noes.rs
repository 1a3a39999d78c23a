//! Rows that say no: evidence of nothing, and nothing to find.

use catchment_schema::{Event, EventKind, Interactions, UserIdx};

use crate::Prepared;

/// The kinds of event that say no.
pub(super) struct Noes {
    kinds: Vec<EventKind>,
}

impl Noes {
    /// Those of these words that the prepared log has.
    pub(super) fn of(prepared: &Prepared, negative: &[String]) -> Self {
        let words = prepared.event_words().iter().zip(0..);
        let noes = words.filter(|(word, _)| negative.contains(word));
        Self {
            kinds: noes.map(|(_, kind)| EventKind(kind)).collect(),
        }
    }

    /// The rows of a part that do not say no.
    pub(super) fn left_out_of<'a>(
        &'a self,
        part: &'a Interactions,
    ) -> impl Iterator<Item = (UserIdx, &'a Event)> {
        let rows = part.users.iter().copied().zip(&part.events);
        rows.filter(|(_, event)| !self.kinds.contains(&event.kind))
    }
}
