//! Events that say no: they are in the log, and no evidence of liking.

use std::borrow::Cow;

use catchment_schema::{Event, EventKind, Histories, History, Interactions};

/// The kinds of events that say no: a rejection, a return. They stay in the log and in every history, make an item a seen
/// one, and are read by whoever asks for them by name (`types.reject`, `sessions.events`, `events` of a `similarity`). To
/// all else they are not there: to channels, to the other features, to reasons, to labels and to what is held out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NegativeEvents {
    kinds: Vec<EventKind>,
}

impl NegativeEvents {
    /// Those of these words that the log has; an event's kind is the position of its word.
    pub fn new<W: AsRef<str>>(negative: &[String], words: &[W]) -> Self {
        let kinds = words.iter().zip(0..);
        let kinds = kinds.filter(|(word, _)| negative.iter().any(|no| no == word.as_ref()));
        Self {
            kinds: kinds.map(|(_, kind)| EventKind(kind)).collect(),
        }
    }

    /// Whether no word says no.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Whether an event of this kind says no.
    pub fn contains(&self, kind: EventKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// A history without them; copied only where one is in it.
    pub fn taken_from<'a>(&self, history: History<'a>) -> Cow<'a, [Event]> {
        let events = history.events();
        if !events.iter().any(|event| self.contains(event.kind)) {
            return Cow::Borrowed(events);
        }
        Cow::Owned(
            events
                .iter()
                .filter(|event| !self.contains(event.kind))
                .copied()
                .collect(),
        )
    }

    /// Histories without them; copied only where some word says no.
    pub fn taken_from_histories<'a>(&self, histories: &'a Histories) -> Cow<'a, Histories> {
        if self.is_empty() {
            return Cow::Borrowed(histories);
        }
        let (mut users, mut events) = (Vec::new(), Vec::new());
        for (user, history) in histories.iter() {
            let liked = self.taken_from(history);
            users.extend(std::iter::repeat_n(user, liked.len()));
            events.extend_from_slice(&liked);
        }
        Cow::Owned(Histories::group(histories.n_users(), &users, &events))
    }

    /// A log without them; copied only where some word says no.
    pub fn taken_from_log<'a>(&self, log: &'a Interactions) -> Cow<'a, Interactions> {
        if self.is_empty() {
            return Cow::Borrowed(log);
        }
        let rows = || (0..log.len()).filter(|&row| !self.contains(log.events[row].kind));
        Cow::Owned(Interactions {
            users: rows().map(|row| log.users[row]).collect(),
            events: rows().map(|row| log.events[row]).collect(),
            sessions: rows().map(|row| log.sessions[row]).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{ItemIdx, Time, UserIdx};

    use super::*;

    #[test]
    fn what_says_no_is_taken_out_of_histories_and_logs_and_all_else_stays() {
        let negative = NegativeEvents::new(&["reject".to_owned(), "never".to_owned()], &["view", "reject"]);
        let event = |item, kind| Event {
            kind: EventKind(kind),
            ..Event::new(ItemIdx(item), Time::from_millis(i64::from(item)))
        };
        let events = [event(0, 0), event(1, 1), event(2, 0), event(3, u16::MAX)];
        let liked = negative.taken_from(History::new(&events));
        assert_eq!(liked[..], [events[0], events[2], events[3]]);
        assert!(matches!(
            negative.taken_from(History::new(&events[2..])),
            Cow::Borrowed(_)
        ));
        let log = Interactions {
            users: [0, 0, 1, 1].map(UserIdx).to_vec(),
            events: events.to_vec(),
            sessions: vec![4, 5, 6, 7],
        };
        let left = negative.taken_from_log(&log);
        assert_eq!(left.events, liked[..]);
        assert_eq!(
            (&left.users[..], &left.sessions[..]),
            (&[0, 1, 1].map(UserIdx)[..], &[4, 6, 7][..])
        );
        let histories = log.histories(3);
        assert_eq!(
            *negative.taken_from_histories(&histories),
            negative.taken_from_log(&log).histories(3)
        );
        let none = NegativeEvents::default();
        assert!(matches!(none.taken_from_histories(&histories), Cow::Borrowed(_)));
        assert!(none.is_empty() && matches!(none.taken_from_log(&log), Cow::Borrowed(_)));
    }
}
