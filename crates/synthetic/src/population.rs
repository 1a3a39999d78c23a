//! The users.

use crate::WorldConfig;
use crate::catalogue::{Category, share, whole};
use crate::config::FEWEST_EVENTS;
use crate::stream::{Purpose, Stream, blend};
use crate::words::{CATEGORIES, COUNTRIES};

const YOUNGEST: u32 = 16;
const OLDEST: u32 = 80;
const BANDS: u32 = 6;

/// A user: what everybody sees, and what only the world knows.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Raw id.
    pub id: String,
    /// In years.
    pub age: u32,
    /// Two letters.
    pub country: &'static str,
    /// Whether all their events come after the split.
    pub is_cold: bool,
    /// Truth: the categories that they were made to like, best first. Age and country add to the taste.
    pub likes: Vec<&'static str>,
    /// Truth: their taste; length one.
    pub taste: Vec<f64>,
}

/// The users, in the order of their ids.
pub(crate) fn users(config: &WorldConfig, categories: &[Category]) -> Vec<User> {
    let mut order = Stream::new(config.seed, Purpose::Places, 0).permutation(config.n_users);
    order.truncate(config.n_cold_users());
    let mut is_cold = vec![false; config.n_users];
    for user in order {
        is_cold[user] = true;
    }
    let directions = |purpose, n: usize| -> Vec<Vec<f64>> {
        (0..n)
            .map(|place| Stream::new(config.seed, purpose, 1 + place).direction(config.n_factors))
            .collect()
    };
    let places = directions(Purpose::Places, COUNTRIES.len() + BANDS as usize);
    let (countries, ages) = places.split_at(COUNTRIES.len());
    (0..config.n_users)
        .map(|user| {
            let mut stream = Stream::new(config.seed, Purpose::User, user);
            let country = stream.long_tail(COUNTRIES.len());
            // The sum of two uniform numbers: more in the middle.
            let years = f64::from(OLDEST - YOUNGEST) * (stream.uniform() + stream.uniform()) / 2.0;
            let age = YOUNGEST + whole(years);
            let band = ((age - YOUNGEST) * BANDS / (OLDEST - YOUNGEST)).min(BANDS - 1);
            let first = stream.below(config.n_categories);
            let second = (first + 1 + stream.below(config.n_categories - 1)) % config.n_categories;
            let own = stream.direction(config.n_factors);
            let taste = blend(&[
                (1.0, &categories[first].centre),
                (0.7, &categories[second].centre),
                (0.3, &countries[country]),
                (0.3, &ages[band as usize]),
                (0.35, &own),
            ]);
            User {
                id: format!("u{user}"),
                age,
                country: COUNTRIES[country],
                is_cold: is_cold[user],
                likes: [first, second].map(|category| CATEGORIES[category].name).into(),
                taste,
            }
        })
        .collect()
}

/// How many events each user has, `config.n_events` in all: a long tail, from a few up to a third of the items.
pub(crate) fn activity(config: &WorldConfig, users: &[User]) -> Vec<usize> {
    let most = config.most_events();
    let mut weights = Vec::with_capacity(users.len());
    let mut counts = Vec::with_capacity(users.len());
    for (position, user) in users.iter().enumerate() {
        let mut stream = Stream::new(config.seed, Purpose::Activity, position);
        let weight = libm::exp(config.activity_spread * stream.normal());
        weights.push(if user.is_cold { 0.0 } else { weight });
        counts.push(if user.is_cold {
            1 + stream.below(FEWEST_EVENTS)
        } else {
            FEWEST_EVENTS
        });
    }
    let total: f64 = weights.iter().sum();
    let left = config.n_events - counts.iter().sum::<usize>();
    for (count, weight) in counts.iter_mut().zip(&weights) {
        *count = (*count + share(left, weight / total)).min(most);
    }
    // What rounding and the cap left over, one each in turn.
    let mut left = config.n_events - counts.iter().sum::<usize>();
    while left > 0 {
        for (count, user) in counts.iter_mut().zip(users) {
            if left > 0 && !user.is_cold && *count < most {
                *count += 1;
                left -= 1;
            }
        }
    }
    counts
}
