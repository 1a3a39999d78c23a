//! What somebody who knows the law of the marketplace knows.

use std::collections::BTreeSet;

use catchment_schema::Time;
use rayon::prelude::*;

use super::law::FOCUS;
use super::listings::LEVELS;
use super::walk::{Happening, HappeningKind};
use super::{Marketplace, seconds};

/// Users whose likings are summed as one piece of work.
const PIECE: u32 = 1 << 14;

/// What a session has shown of itself: the market it is in, and the topic of its first view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionContext {
    /// Position in [`Marketplace::markets`].
    pub market: usize,
    /// The topic of the first view.
    pub topic: usize,
}

/// A moment of a user at which the next item is to be guessed, with all that is known by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The user.
    pub user: u32,
    /// When.
    pub at: Time,
    /// Of the session that is going on; `None` for a first view.
    pub session: Option<SessionContext>,
    /// Items that are no answer.
    pub seen: BTreeSet<u32>,
    /// What came.
    pub target: u32,
}

/// A view with what came of it and how likely that was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// The view.
    pub view: Happening,
    /// Whether it ended in a booking.
    pub is_booked: bool,
    /// Truth: how likely it was to.
    pub probability: f64,
}

impl Marketplace {
    /// P(item | user, time) of the next view for every item, by number: equation 1 of [`super::law`], or what it is
    /// within a session. 1 in sum.
    pub fn view_probabilities(&self, user: u32, at: Time, session: Option<SessionContext>) -> Vec<f64> {
        let (person, second) = (self.person(user), seconds(at));
        let (listings, n_topics) = (&self.listings, self.n_topics());
        let mut probabilities = vec![0.0; listings.len()];
        let mut totals = vec![0.0; n_topics * self.markets.len()];
        for (item, value) in probabilities.iter_mut().enumerate() {
            *value = listings.appeal(item, second) * self.law.fit(person.budget, listings.level(item));
            totals[listings.cell(item)] += *value;
        }
        let shares: Vec<f64> = (0..totals.len())
            .map(|cell| {
                let (market, topic) = (cell / n_topics, cell % n_topics);
                let drawn = self.law.topic(&person.topics, topic, second);
                let share = match session {
                    None => self.law.market(person.home, market) * drawn,
                    Some(session) if session.market != market => 0.0,
                    Some(session) if session.topic == topic => FOCUS + (1.0 - FOCUS) * drawn,
                    Some(_) => (1.0 - FOCUS) * drawn,
                };
                share / totals[cell]
            })
            .collect();
        for (item, value) in probabilities.iter_mut().enumerate() {
            *value *= shares[listings.cell(item)];
        }
        probabilities
    }

    /// P(item | the next view ends in a booking, user, time): in proportion to the probability of the view times that
    /// of the booking. 1 in sum.
    pub fn booking_probabilities(&self, user: u32, at: Time, session: Option<SessionContext>) -> Vec<f64> {
        let (person, second) = (self.person(user), seconds(at));
        let mut probabilities = self.view_probabilities(user, at, session);
        for (item, value) in probabilities.iter_mut().enumerate() {
            *value *= self.law.booking(self.preference(&person, item, second));
        }
        let total: f64 = probabilities.iter().sum();
        for value in &mut probabilities {
            *value /= total;
        }
        probabilities
    }

    /// The share of all views at a moment that falls on each item, over the users who have joined by then, each in
    /// proportion to their activity: true popularity. 1 in sum, where somebody has joined.
    pub fn popularity(&self, at: Time) -> Vec<f64> {
        let second = seconds(at);
        let (n_topics, n_markets) = (self.n_topics(), self.markets.len());
        let liked = self.likings(second);
        let (listings, law) = (&self.listings, &self.law);
        let mut totals = vec![0.0; n_markets * n_topics * LEVELS];
        for item in 0..listings.len() {
            let appeal = listings.appeal(item, second);
            for budget in 0..LEVELS {
                totals[listings.cell(item) * LEVELS + budget] +=
                    appeal * law.fit(budget, listings.level(item));
            }
        }
        let mut rates = vec![0.0; totals.len()];
        for market in 0..n_markets {
            for home in 0..n_markets {
                let share = law.market(home, market);
                for place in 0..n_topics * LEVELS {
                    rates[market * n_topics * LEVELS + place] +=
                        share * liked[home * n_topics * LEVELS + place];
                }
            }
        }
        let sum: f64 = rates.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        (0..listings.len())
            .map(|item| {
                let appeal = listings.appeal(item, second);
                let cell = listings.cell(item) * LEVELS;
                let of_budget = |budget: usize| {
                    let fit = law.fit(budget, listings.level(item));
                    rates[cell + budget] * appeal * fit / totals[cell + budget]
                };
                (0..LEVELS).map(of_budget).sum::<f64>() / sum
            })
            .collect()
    }

    /// Activity by home, topic and budget of the users who have joined.
    fn likings(&self, second: f64) -> Vec<f64> {
        let (n_topics, n_users) = (self.n_topics(), self.config.n_users);
        let n = self.markets.len() * n_topics * LEVELS;
        let pieces: Vec<Vec<f64>> = (0..n_users.div_ceil(PIECE))
            .into_par_iter()
            .map(|piece| {
                let mut liked = vec![0.0; n];
                for user in piece * PIECE..(piece * PIECE + PIECE).min(n_users) {
                    let person = self.person(user);
                    if person.joined as f64 > second {
                        continue;
                    }
                    for topic in 0..n_topics {
                        let place = (person.home * n_topics + topic) * LEVELS + person.budget;
                        liked[place] += person.activity * self.law.topic(&person.topics, topic, second);
                    }
                }
                liked
            })
            .collect();
        let mut sum = vec![0.0; n];
        for piece in pieces {
            for (sum, value) in sum.iter_mut().zip(piece) {
                *sum += value;
            }
        }
        sum
    }

    /// The `k` items of the highest values, with their values, `seen` ones and zeros left out; ties by number.
    pub fn ideal_list(values: &[f64], seen: &BTreeSet<u32>, k: usize) -> Vec<(u32, f64)> {
        let mut list: Vec<(u32, f64)> = (0..)
            .zip(values.iter().copied())
            .filter(|(item, value)| *value > 0.0 && !seen.contains(item))
            .collect();
        let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if k < list.len() {
            list.select_nth_unstable_by(k, order);
            list.truncate(k);
        }
        list.sort_unstable_by(order);
        list
    }

    /// The user's last view, if it was the first one of its item: earlier items are no answer.
    pub fn last_view(&self, user: u32) -> Option<Question> {
        let events = self.events_of(user);
        let last = events
            .iter()
            .rposition(|event| event.kind == HappeningKind::View)?;
        let question = self.question(&events, last);
        (!question.seen.contains(&question.target)).then_some(question)
    }

    /// The last view that was the first one of its item: what leave-last holds out where only first views are kept.
    pub fn last_new_view(&self, user: u32) -> Option<Question> {
        let events = self.events_of(user);
        let mut seen = BTreeSet::new();
        let mut last = None;
        for (place, event) in events.iter().enumerate() {
            if event.kind == HappeningKind::View && seen.insert(event.item) {
                last = Some(place);
            }
        }
        last.map(|last| self.question(&events, last))
    }

    /// The view that led to the first booking at or after the split; every item is an answer.
    pub fn first_booking(&self, user: u32) -> Option<Question> {
        let events = self.events_of(user);
        let split = self.config.split_time();
        let booking = events
            .iter()
            .position(|event| event.kind == HappeningKind::Booking && event.time >= split)?;
        let mut question = self.question(&events, booking - 1);
        question.seen.clear();
        Some(question)
    }

    /// Every view of a user with its true probability of a booking.
    pub fn labels_of(&self, user: u32) -> Vec<Label> {
        let (person, events) = (self.person(user), self.events_of(user));
        let next_kinds = events.iter().skip(1).map(|event| Some(event.kind)).chain([None]);
        events
            .iter()
            .zip(next_kinds)
            .filter(|(event, _)| event.kind == HappeningKind::View)
            .map(|(&view, next)| {
                let preference = self.preference(&person, view.item as usize, seconds(view.time));
                Label {
                    view,
                    is_booked: next == Some(HappeningKind::Booking),
                    probability: self.law.booking(preference),
                }
            })
            .collect()
    }

    fn question(&self, events: &[Happening], place: usize) -> Question {
        let target = events[place];
        let session = events[..place]
            .iter()
            .find(|event| event.session == target.session);
        Question {
            user: target.user,
            at: target.time,
            session: session.map(|first| SessionContext {
                market: self.market_of(first.item as usize),
                topic: self.topic_of(first.item as usize),
            }),
            seen: events[..place].iter().map(|event| event.item).collect(),
            target: target.item,
        }
    }
}
