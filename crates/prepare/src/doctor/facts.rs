//! What a log is like, in numbers.

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use super::seen::Seen;

/// The most popular items, by which the long tail is told.
const HEADS: [f64; 3] = [0.01, 0.1, 0.2];

/// What a log is like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Rows that could be read.
    pub rows: u64,
    /// Distinct users.
    pub users: u64,
    /// Distinct items.
    pub items: u64,
    /// Rows over users × items; above 1 where pairs repeat.
    pub density: f64,
    /// How many rows have a time.
    pub timed_rows: u64,
    /// The first moment, where any is known.
    pub first_time: Time,
    /// The last moment, where any is known.
    pub last_time: Time,
    /// Rows of a user: least, median, nine tenths have at most this many, most.
    pub rows_of_a_user: [u64; 4],
    /// Rows of an item: least, median, nine tenths have at most this many, most.
    pub rows_of_an_item: [u64; 4],
    /// The long tail: how much of the log the most popular items hold.
    pub tail: Vec<Tail>,
    /// Event words with their rows, the most frequent first; at most 20.
    pub events: Vec<(String, u64)>,
}

/// One point of the long tail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// This share of the items, the most popular ones, …
    pub items: f64,
    /// … holds this share of the rows.
    pub rows: f64,
}

impl Facts {
    pub(super) fn of(seen: &Seen) -> Self {
        let (users, items) = (seen.users().counts.len() as u64, seen.items().counts.len() as u64);
        let mut popular = seen.items().counts.clone();
        popular.sort_unstable_by(|a, b| b.cmp(a));
        let tail = HEADS.map(|share| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a number of items"
            )]
            let n_head = ((items as f64 * share).ceil() as usize).min(popular.len());
            let head: u64 = popular[..n_head].iter().sum();
            Tail {
                items: share,
                rows: head as f64 / seen.n_rows().max(1) as f64,
            }
        });
        let mut events = seen.events();
        events.truncate(20);
        Self {
            rows: seen.n_rows(),
            users,
            items,
            density: seen.n_rows() as f64 / (users as f64 * items as f64).max(1.0),
            timed_rows: seen.times.timed_rows(),
            first_time: Time::from(seen.times.first),
            last_time: Time::from(seen.times.last),
            rows_of_a_user: quantiles(&seen.users().counts),
            rows_of_an_item: quantiles(&seen.items().counts),
            tail: tail.to_vec(),
            events,
        }
    }
}

fn quantiles(counts: &[u64]) -> [u64; 4] {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let Some(last) = sorted.len().checked_sub(1) else {
        return [0; 4];
    };
    [0, last / 2, last * 9 / 10, last].map(|at| sorted[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_counts() {
        assert_eq!(quantiles(&[5, 1, 3]), [1, 3, 3, 5]);
        assert_eq!(quantiles(&[]), [0; 4]);
    }
}
