//! What one user does, from their first moment to the end.

use catchment_schema::Time;

use super::Marketplace;
use super::config::Part;
use super::law::{FOCUS, Law};
use super::person::Person;
use crate::stream::{Purpose, Stream};

/// A session ends for sure with so many views.
const LONGEST_SESSION: u64 = 30;
/// How likely a session goes on after a view: four views on average.
const GOES_ON: f64 = 0.75;
/// Between the beginnings of two sessions of a user: the longest session (30 views of 170 s, 30 pauses of 20 s, and
/// outcomes), then more than half an hour.
const SESSION_SPACING: i64 = 5_760 + 1_860;
/// Between two views where there are no sessions.
const VIEW_SPACING: i64 = 200;
/// More views a day on average than this leave a user no time; a bound for the configuration.
pub(crate) const MOST_PER_DAY: u32 = 32;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Number of the user.
    pub user: u32,
    /// Number of the item.
    pub item: u32,
    /// When.
    pub time: Time,
    /// What.
    pub kind: HappeningKind,
    /// Which of the user's sessions, from 0.
    pub session: u32,
    /// For how long the item was looked at; 0 for what is not a view.
    pub dwell_ms: u32,
}

/// Kinds of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HappeningKind {
    /// Looked at the item.
    View,
    /// Booked what was just viewed.
    Booking,
    /// Turned down what was just viewed.
    Reject,
}

impl HappeningKind {
    /// The word in the log's `event` column.
    pub fn word(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Booking => "booking",
            Self::Reject => "reject",
        }
    }
}

impl Marketplace {
    /// Adds what a user does, `n_views` views in all, oldest first.
    pub(super) fn walk(&self, user: u32, person: &Person, n_views: u64, events: &mut Vec<Happening>) {
        let mut stream = Stream::new(self.config.seed, Purpose::Walk, user as usize);
        let sizes = self.session_sizes(person, n_views, &mut stream);
        let starts = self.session_starts(person, sizes.len(), &mut stream);
        for ((session, start), n_views) in (0..).zip(starts).zip(sizes) {
            self.session(user, person, session, start, n_views, &mut stream, events);
        }
    }

    fn spacing(&self) -> i64 {
        if self.config.has(Part::Sessions) {
            SESSION_SPACING
        } else {
            VIEW_SPACING
        }
    }

    /// How many views each session has, `n_views` in all, no more sessions than there is time for.
    fn session_sizes(&self, person: &Person, n_views: u64, stream: &mut Stream) -> Vec<u64> {
        let has_sessions = self.config.has(Part::Sessions);
        let mut room = u64::try_from((self.config.end() - person.joined) / self.spacing()).unwrap_or(1);
        let mut left = n_views;
        let mut sizes = Vec::new();
        while left > 0 {
            let mut size = 1;
            while has_sessions && size < LONGEST_SESSION && stream.uniform() < GOES_ON {
                size += 1;
            }
            // Where time is short, sessions are longer.
            size = size.max(left.div_ceil(room.max(1))).min(left);
            sizes.push(size);
            left -= size;
            room = room.saturating_sub(1);
        }
        sizes
    }

    /// When the sessions begin, in Unix seconds, oldest first; the first with the joining.
    fn session_starts(&self, person: &Person, n_sessions: usize, stream: &mut Stream) -> Vec<i64> {
        let (spacing, end) = (self.spacing(), self.config.end());
        let mut starts: Vec<i64> = (0..n_sessions)
            .map(|session| match session {
                0 => person.joined,
                _ => self.calendar.draw(person.joined, end, stream),
            })
            .collect();
        starts.sort_unstable();
        for session in 1..n_sessions {
            starts[session] = starts[session].max(starts[session - 1] + spacing);
        }
        let mut latest = end - spacing;
        for start in starts.iter_mut().rev() {
            *start = (*start).min(latest);
            latest = *start - spacing;
        }
        starts
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one walk, which nobody else has"
    )]
    fn session(
        &self,
        user: u32,
        person: &Person,
        session: u32,
        start: i64,
        n_views: u64,
        stream: &mut Stream,
        events: &mut Vec<Happening>,
    ) {
        let law = &self.law;
        let n_topics = self.n_topics();
        let market = law.draw_market(person.home, stream);
        let has_outcomes = self.config.has(Part::Bookings);
        let has_sessions = self.config.has(Part::Sessions);
        let mut millis = start * 1000;
        let mut of_session = None;
        for _ in 0..n_views {
            let second = millis as f64 / 1000.0;
            let topic = match of_session {
                Some(topic) if stream.uniform() < FOCUS => topic,
                _ => law.draw_topic(&person.topics, second, stream),
            };
            of_session = of_session.or(Some(topic));
            let fit = |item: usize| law.fit(person.budget, self.listings.level(item));
            let item = self.listings.draw(market * n_topics + topic, second, fit, stream);
            let preference = self.preference(person, item, second);
            let dwell_ms = if has_sessions {
                law.draw_dwell(preference, stream)
            } else {
                0
            };
            let mut event = Happening {
                user,
                item: u32::try_from(item).unwrap_or(u32::MAX),
                time: Time::from_millis(millis),
                kind: HappeningKind::View,
                session,
                dwell_ms,
            };
            events.push(event);
            millis += i64::from(dwell_ms) + 1000;
            if has_outcomes {
                let (booking, rejection) = (law.booking(preference), law.rejection(preference));
                let draw = stream.uniform();
                event.kind = match draw {
                    _ if draw < booking => HappeningKind::Booking,
                    _ if draw < booking + rejection => HappeningKind::Reject,
                    _ => HappeningKind::View,
                };
                if event.kind != HappeningKind::View {
                    event.time = Time::from_millis(millis);
                    event.dwell_ms = 0;
                    events.push(event);
                }
            }
            millis += stream.between(1000, 20_000);
        }
    }

    /// (5) of the law, for an item at a moment in Unix seconds.
    pub(super) fn preference(&self, person: &Person, item: usize, second: f64) -> f64 {
        let listings = &self.listings;
        let affinity = person.affinity(listings.topic(item), self.law.drift(second));
        let fit = self.law.fit(person.budget, listings.level(item));
        Law::preference(affinity, fit, listings.quality(item))
    }
}
