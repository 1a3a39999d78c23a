//! Two sequences of one user's events, made one.

use crate::Time;

/// Merges two sequences, each in its own order, oldest first, by time; where times agree, `left` comes first.
///
/// Times may be unknown ([`Time::UNKNOWN`]) wherever the log had an order beside them. Such a row stays where its
/// sequence has it: right after what precedes it there, or, at the beginning, right before what follows. A sequence
/// without any known time is taken to begin when the other has ended.
///
/// # Laws
/// 1. Every row comes once, and the rows of each sequence keep their order.
/// 2. If known times never fall in both sequences, they never fall in the result.
///
/// ```
/// use catchment_schema::{Time, merge_by_time};
///
/// let (known, unknown) = (Time::from_millis, Time::UNKNOWN);
/// let rows = merge_by_time(&[known(1), unknown, known(7)], &[known(5)], |&time| time);
/// assert_eq!(rows, [known(1), unknown, known(5), known(7)]);
/// ```
pub fn merge_by_time<T: Copy>(left: &[T], right: &[T], time: impl Fn(&T) -> Time) -> Vec<T> {
    let (left_places, right_places) = (places(left, &time), places(right, &time));
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut taken = 0;
    for (row, place) in left.iter().zip(left_places) {
        while taken < right.len() && right_places[taken] < place {
            merged.push(right[taken]);
            taken += 1;
        }
        merged.push(*row);
    }
    merged.extend_from_slice(&right[taken..]);
    merged
}

/// For each row, in milliseconds: the newest known time up to it; before any, the first known one; without any,
/// the end of time.
fn places<T>(rows: &[T], time: impl Fn(&T) -> Time) -> Vec<i64> {
    let known = |row: &T| time(row).millis();
    let mut place = rows.iter().find_map(known).unwrap_or(i64::MAX);
    let mut at = |row: &T| {
        place = known(row).unwrap_or(place);
        place
    };
    rows.iter().map(&mut at).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(left: &str, right: &str, merged: &str) {
        // A row is its time and its name; `?` is unknown.
        let rows = |text: &str| -> Vec<(Time, char)> {
            text.split_whitespace()
                .map(|word| {
                    let (time, name) = word.split_at(word.len() - 1);
                    let time = time.parse().map_or(Time::UNKNOWN, Time::from_millis);
                    (time, name.chars().next().unwrap_or_default())
                })
                .collect()
        };
        let found = merge_by_time(&rows(left), &rows(right), |row| row.0);
        assert_eq!(found, rows(merged), "{left} | {right}");
    }

    #[test]
    fn rows_come_by_time_and_left_ones_first_where_times_agree() {
        check("1a 3b 3c", "0d 3e 4f", "0d 1a 3b 3c 3e 4f");
        check("", "1a 2b", "1a 2b");
        check("1a", "", "1a");
    }

    #[test]
    fn a_row_of_unknown_time_stays_behind_what_precedes_it() {
        check("1a ?b 7c", "5d ?e", "1a ?b 5d ?e 7c");
        check("?a 4b", "3c 4d", "3c ?a 4b 4d");
    }

    #[test]
    fn a_sequence_without_times_begins_when_the_other_has_ended() {
        check("1a 2b", "?c ?d", "1a 2b ?c ?d");
        check("?a ?b", "?c", "?a ?b ?c");
        check("?a", "1b", "1b ?a");
    }

    fn sequence() -> impl Strategy<Value = Vec<Option<i64>>> {
        proptest::collection::vec((0..20_i64, any::<bool>()), 0..12).prop_map(|mut rows| {
            rows.sort_unstable();
            rows.into_iter()
                .map(|(time, known)| known.then_some(time))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_each_order_is_kept_and_known_times_never_fall(left in sequence(), right in sequence()) {
            let rows = |times: &[Option<i64>], side: u8| -> Vec<(u8, usize, Time)> {
                let row = |(position, &time): (usize, &Option<i64>)| (side, position, Time::from(time));
                times.iter().enumerate().map(row).collect()
            };
            let (left, right) = (rows(&left, 0), rows(&right, 1));
            let merged = merge_by_time(&left, &right, |row| row.2);
            for part in [&left, &right] {
                let side = part.first().map(|row| row.0);
                let kept: Vec<_> = merged.iter().copied().filter(|row| Some(row.0) == side).collect();
                prop_assert_eq!(&kept, part);
            }
            prop_assert_eq!(merged.len(), left.len() + right.len());
            let known = merged.iter().map(|row| row.2).filter(|&time| time != Time::UNKNOWN);
            prop_assert!(known.is_sorted());
        }
    }
}
