//! Histories cut into sessions, and where a training reads them from.

use catchment_schema::{Event, EventKind, Histories, History, Interactions, ItemIdx, Result};

/// How a user's events become sessions.
///
/// Nothing here knows the words of a dataset: `goal` may be a booking, a purchase or a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRules {
    /// A pause longer than this, in milliseconds, begins another session; without one a user is one session. Between
    /// events whose times are not both known there is no pause. An event that is left out for being short ends a
    /// pause as well.
    pub gap_ms: Option<i64>,
    /// Events known to have lasted less than this, in milliseconds, are left out; a goal never is.
    pub min_dwell_ms: Option<u32>,
    /// The kinds that count; empty means all.
    pub kinds: Vec<EventKind>,
    /// The kind that a session is about: it ends the session, which then has a goal.
    pub goal: Option<EventKind>,
    /// Shorter sessions are left out. At least 2: one item alone is no pair.
    pub min_items: usize,
    /// The same item several times in a row counts once.
    pub merge_repeats: bool,
    /// Rows of different sessions of the log are never in one session, and rows of one belong together wherever they
    /// stand; all other rules hold within each. Where nothing says which session a row is of, it has no effect.
    pub as_given: bool,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            gap_ms: None,
            min_dwell_ms: None,
            kinds: Vec::new(),
            goal: None,
            min_items: 2,
            merge_repeats: true,
            as_given: false,
        }
    }
}

/// One session: items in order and, where it led to one, the goal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// In the order in which they were looked at; the goal's item is the last of them.
    pub items: Vec<ItemIdx>,
    /// What the session ended in.
    pub goal: Option<ItemIdx>,
    /// Pairs that were offered and turned down: wherever the first stands in the session, the second does not go with
    /// it. [`SessionRules`] make none.
    pub rejects: Vec<[ItemIdx; 2]>,
}

impl Session {
    /// Empty again, with its memory kept.
    pub fn clear(&mut self) {
        self.items.clear();
        self.goal = None;
        self.rejects.clear();
    }
}

impl SessionRules {
    /// Calls `visit` with each session of a history, oldest first.
    ///
    /// # Errors
    /// What `visit` fails with.
    pub fn cut<E>(
        &self,
        history: History<'_>,
        session: &mut Session,
        mut visit: impl FnMut(&Session) -> Result<(), E>,
    ) -> Result<(), E> {
        session.clear();
        let mut before: Option<&Event> = None;
        for event in history.events() {
            let is_goal = self.goal == Some(event.kind);
            if !is_goal && !self.is_kind(event) {
                continue;
            }
            if before.is_some_and(|before| self.is_pause(before, event)) {
                self.end(session, &mut visit)?;
            }
            before = Some(event);
            if !is_goal && self.is_short(event) {
                continue;
            }
            if !(self.merge_repeats && session.items.last() == Some(&event.item)) {
                session.items.push(event.item);
            }
            if is_goal {
                session.goal = Some(event.item);
                self.end(session, &mut visit)?;
            }
        }
        self.end(session, &mut visit)
    }

    /// As [`SessionRules::cut`], of one user's rows in order, `sessions[i]` being the session that `events[i]` is of.
    /// Changes their order where sessions of the log are interwoven.
    ///
    /// # Errors
    /// What `visit` fails with.
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn cut_rows<E>(
        &self,
        events: &mut [Event],
        sessions: &mut [u32],
        session: &mut Session,
        mut visit: impl FnMut(&Session) -> Result<(), E>,
    ) -> Result<(), E> {
        assert_eq!(events.len(), sessions.len(), "one session for each event");
        if !self.as_given {
            return self.cut(History::new(events), session, visit);
        }
        if !sessions.is_sorted() {
            // They are numbered in the order in which they begin.
            let mut rows: Vec<(u32, Event)> = sessions.iter().copied().zip(events.iter().copied()).collect();
            rows.sort_by_key(|(session, _)| *session);
            for (place, (session, event)) in rows.into_iter().enumerate() {
                sessions[place] = session;
                events[place] = event;
            }
        }
        let mut begin = 0;
        for rows in sessions.chunk_by(|a, b| a == b) {
            let end = begin + rows.len();
            self.cut(History::new(&events[begin..end]), session, &mut visit)?;
            begin = end;
        }
        Ok(())
    }

    fn is_kind(&self, event: &Event) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&event.kind)
    }

    fn is_short(&self, event: &Event) -> bool {
        matches!((self.min_dwell_ms, event.dwell_ms), (Some(least), Some(dwell)) if dwell < least)
    }

    fn is_pause(&self, before: &Event, after: &Event) -> bool {
        match (self.gap_ms, before.time.millis(), after.time.millis()) {
            (Some(gap), Some(before), Some(after)) => after.saturating_sub(before) > gap,
            _ => false,
        }
    }

    fn end<E>(
        &self,
        session: &mut Session,
        visit: &mut impl FnMut(&Session) -> Result<(), E>,
    ) -> Result<(), E> {
        let done = if session.items.len() >= self.min_items.max(2) {
            visit(session)
        } else {
            Ok(())
        };
        session.clear();
        done
    }
}

/// Sessions that are read over and over, in pieces that threads share between them.
///
/// # Laws
/// 1. A shard gives the same sessions in the same order whenever it is read, on any thread.
/// 2. Every session is in one shard.
pub trait SessionSource: Sync {
    /// How many pieces there are.
    fn n_shards(&self) -> usize;

    /// Reads one piece from its beginning.
    ///
    /// # Errors
    /// When its file cannot be read.
    fn shard(&self, shard: usize) -> Result<Box<dyn SessionStream + '_>>;
}

/// The sessions of one shard, one after the other.
pub trait SessionStream: Send {
    /// Overwrites `session` with the next one; whether there was one.
    ///
    /// # Errors
    /// When the file cannot be read on.
    fn next_session(&mut self, session: &mut Session) -> Result<bool>;
}

/// Sessions in memory: four bytes an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySessions {
    items: Vec<ItemIdx>,
    rejects: Vec<[ItemIdx; 2]>,
    goals: Vec<Option<ItemIdx>>,
    /// Where each session ends, in `items` and in `rejects`.
    ends: Vec<[usize; 2]>,
    /// Which session each shard begins with.
    shards: Vec<usize>,
}

/// Events that make a shard full.
pub(crate) const SHARD_EVENTS: usize = 1 << 13;

impl MemorySessions {
    /// All sessions of all histories.
    pub fn new(histories: &Histories, rules: &SessionRules) -> Self {
        let mut sessions = Self::default();
        let mut session = Session::default();
        for (_, history) in histories.iter() {
            let done: Result<(), std::convert::Infallible> = rules.cut(history, &mut session, |session| {
                sessions.push(session);
                Ok(())
            });
            match done {
                Ok(()) => {}
            }
        }
        sessions
    }

    /// All sessions of an encoded log, which says of each row the session that it is of.
    pub fn of_log(log: &Interactions, rules: &SessionRules) -> Self {
        let mut sessions = Self::default();
        let mut session = Session::default();
        let mut begin = 0;
        for rows in log.users.chunk_by(|a, b| a == b) {
            let rows = begin..begin + rows.len();
            begin = rows.end;
            let mut events = log.events[rows.clone()].to_vec();
            let mut given = log.sessions[rows].to_vec();
            let done: Result<(), std::convert::Infallible> =
                rules.cut_rows(&mut events, &mut given, &mut session, |session| {
                    sessions.push(session);
                    Ok(())
                });
            match done {
                Ok(()) => {}
            }
        }
        sessions
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.goals.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.goals.is_empty()
    }

    /// Adds a session at the end.
    pub fn push(&mut self, session: &Session) {
        let begin = self.shards.last().copied().unwrap_or(0);
        if self.goals.is_empty() || self.items.len() - self.begin(begin)[0] >= SHARD_EVENTS {
            self.shards.push(self.goals.len());
        }
        self.items.extend_from_slice(&session.items);
        self.rejects.extend_from_slice(&session.rejects);
        self.goals.push(session.goal);
        self.ends.push([self.items.len(), self.rejects.len()]);
    }

    /// Where a session begins, in `items` and in `rejects`.
    fn begin(&self, session: usize) -> [usize; 2] {
        session.checked_sub(1).map_or([0, 0], |before| self.ends[before])
    }
}

impl SessionSource for MemorySessions {
    fn n_shards(&self) -> usize {
        self.shards.len()
    }

    fn shard(&self, shard: usize) -> Result<Box<dyn SessionStream + '_>> {
        Ok(Box::new(MemoryStream {
            sessions: self,
            next: self.shards[shard],
            end: self.shards.get(shard + 1).copied().unwrap_or(self.goals.len()),
        }))
    }
}

struct MemoryStream<'a> {
    sessions: &'a MemorySessions,
    next: usize,
    end: usize,
}

impl SessionStream for MemoryStream<'_> {
    fn next_session(&mut self, session: &mut Session) -> Result<bool> {
        session.clear();
        if self.next == self.end {
            return Ok(false);
        }
        let ([items, rejects], ends) = (self.sessions.begin(self.next), self.sessions.ends[self.next]);
        session
            .items
            .extend_from_slice(&self.sessions.items[items..ends[0]]);
        session
            .rejects
            .extend_from_slice(&self.sessions.rejects[rejects..ends[1]]);
        session.goal = self.sessions.goals[self.next];
        self.next += 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Time, UserIdx};

    use super::*;

    /// `item@seconds` with `!` for a goal and `~` for a short look.
    fn check(rules: &SessionRules, events: &str, expect: &str) {
        let parse = |word: &str| {
            let (item, rest) = word.split_once('@').expect("item@seconds");
            let seconds: i64 = rest.trim_end_matches(['!', '~']).parse().expect("seconds");
            Event {
                kind: EventKind(u16::from(rest.ends_with('!'))),
                dwell_ms: Some(if rest.ends_with('~') { 10_000 } else { 60_000 }),
                ..Event::new(
                    ItemIdx(item.parse().expect("item")),
                    Time::from_millis(seconds * 1000),
                )
            }
        };
        let events: Vec<Event> = events.split_whitespace().map(parse).collect();
        let mut found = Vec::new();
        let done: Result<(), std::convert::Infallible> =
            rules.cut(History::new(&events), &mut Session::default(), |session| {
                let items: Vec<String> = session.items.iter().map(|item| item.0.to_string()).collect();
                let goal = session.goal.map_or(String::new(), |goal| format!("!{}", goal.0));
                found.push(items.join(" ") + &goal);
                Ok(())
            });
        assert!(done.is_ok());
        assert_eq!(found.join(" | "), expect);
    }

    fn airbnb() -> SessionRules {
        SessionRules {
            gap_ms: Some(30 * 60 * 1000),
            min_dwell_ms: Some(30_000),
            goal: Some(EventKind(1)),
            ..SessionRules::default()
        }
    }

    #[test]
    fn a_long_pause_begins_another_session_and_a_pause_of_just_the_gap_does_not() {
        check(&airbnb(), "1@0 2@1800 3@3601 4@3602", "1 2 | 3 4");
        check(&SessionRules::default(), "1@0 2@99999999", "1 2");
    }

    #[test]
    fn a_goal_ends_its_session() {
        check(&airbnb(), "1@0 2@10 2@20! 3@30 4@40", "1 2!2 | 3 4");
        check(&airbnb(), "1@0 5@20! 3@30", "1 5!5");
        // A booking without a look at anything else is no pair.
        check(&airbnb(), "5@20! 3@30 4@31", "3 4");
    }

    #[test]
    fn short_looks_are_left_out_but_not_a_goal() {
        check(&airbnb(), "1@0 9@5~ 2@10", "1 2");
        let mut rules = airbnb();
        rules.min_dwell_ms = Some(100_000);
        check(&rules, "1@0 2@10 3@20!", "");
    }

    #[test]
    fn a_short_look_is_no_pause() {
        // At 0, 20 and 40 minutes: nobody was away for half an hour.
        check(&airbnb(), "1@0 9@1200~ 2@2400", "1 2");
        check(&airbnb(), "1@0 2@1 9@1802~ 3@1803 4@1804", "1 2 | 3 4");
        check(&airbnb(), "1@0 2@1 9@1802~ 3@3603 4@3604", "1 2 | 3 4");
        let mut rules = airbnb();
        rules.kinds = vec![EventKind(1)];
        rules.goal = None;
        // What is of no kind that counts was not seen at all.
        check(&rules, "1@0! 9@1200 2@2400! 3@2401!", "2 3");
    }

    #[test]
    fn repeats_in_a_row_count_once_unless_asked() {
        check(&SessionRules::default(), "1@0 1@1 2@2 1@3", "1 2 1");
        check(&SessionRules::default(), "1@0 1@1", "");
        let all = SessionRules {
            merge_repeats: false,
            ..SessionRules::default()
        };
        check(&all, "1@0 1@1 2@2", "1 1 2");
    }

    #[test]
    fn kinds_that_do_not_count_are_left_out() {
        let rules = SessionRules {
            kinds: vec![EventKind(1)],
            ..SessionRules::default()
        };
        check(&rules, "1@0 2@1! 3@2!", "2 3");
    }

    #[test]
    fn sessions_of_the_log_stay_apart_and_whole() {
        let check = |rules: &SessionRules, given: &[u32], expect: &str| {
            let log = Interactions {
                users: vec![UserIdx(0); given.len()],
                events: (0..)
                    .take(given.len())
                    .map(|row: u32| Event::new(ItemIdx(row), Time::from_millis(i64::from(row) * 1000)))
                    .collect(),
                sessions: given.to_vec(),
            };
            let sessions = MemorySessions::of_log(&log, rules);
            let found: Vec<String> = (0..sessions.len())
                .map(|at| {
                    let items = &sessions.items[sessions.begin(at)[0]..sessions.ends[at][0]];
                    let items: Vec<String> = items.iter().map(|item| item.0.to_string()).collect();
                    items.join(" ")
                })
                .collect();
            assert_eq!(found.join(" | "), expect);
        };
        let mut rules = SessionRules::default();
        check(&rules, &[4, 4, 5, 5], "0 1 2 3");
        rules.as_given = true;
        check(&rules, &[4, 4, 5, 5], "0 1 | 2 3");
        check(&rules, &[4, 5, 4, 5, 5], "0 2 | 1 3 4");
        check(&rules, &[4, 5, 6, 7], "");
        rules.gap_ms = Some(1_500);
        check(&rules, &[4, 4, 5, 4, 4], "0 1 | 3 4");
    }

    #[test]
    fn shards_hold_every_session_once() {
        let n = 3 * SHARD_EVENTS / 4;
        let mut users = Vec::new();
        let mut events = Vec::new();
        for user in 0..n {
            for item in 0..4_u32 {
                users.push(UserIdx::from_index(user));
                events.push(Event::new(
                    ItemIdx(item + u32::try_from(user).expect("small")),
                    Time::UNKNOWN,
                ));
            }
        }
        let sessions = MemorySessions::new(&Histories::group(n, &users, &events), &SessionRules::default());
        assert_eq!(sessions.len(), n);
        assert_eq!(sessions.n_shards(), 3);
        let mut session = Session::default();
        let mut next = 0;
        for shard in 0..sessions.n_shards() {
            let mut stream = sessions.shard(shard).expect("in memory");
            while stream.next_session(&mut session).expect("in memory") {
                assert_eq!((session.items[0].index(), session.items.len()), (next, 4));
                next += 1;
            }
        }
        assert_eq!(next, n);
        assert_eq!(
            MemorySessions::new(&Histories::empty(3), &SessionRules::default()).n_shards(),
            0
        );
    }
}
