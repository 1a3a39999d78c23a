//! What the cells of a column look like.

use std::collections::HashMap;

use catchment_schema::import::{PeekColumn, TimeUnit};

/// Seconds of 1985 and of 2100: times of logs lie between.
const SECONDS: std::ops::Range<f64> = 473_385_600.0..4_102_444_800.0;

/// A column, looked at.
pub(super) struct Looks {
    /// Cells that have a value.
    pub(super) n_values: usize,
    /// Different values.
    pub(super) n_distinct: usize,
    /// The most frequent values with their counts, by falling count; at most 30.
    pub(super) frequent: Vec<(String, usize)>,
    /// Every value is a finite number; the least and the largest.
    pub(super) numbers: Option<(f64, f64)>,
    /// Every value is a whole number.
    pub(super) is_whole: bool,
    /// Every value is a moment of a log; in this unit.
    pub(super) times: Option<TimeUnit>,
}

impl Looks {
    pub(super) fn of(column: &PeekColumn) -> Self {
        let values: Vec<&str> = column.cells.iter().flatten().map(|cell| cell.trim()).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for value in &values {
            *counts.entry(value).or_default() += 1;
        }
        let n_distinct = counts.len();
        let mut frequent: Vec<(String, usize)> = counts
            .into_iter()
            .map(|(value, count)| (value.to_owned(), count))
            .collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        frequent.truncate(30);
        let numbers = numbers(&values);
        Self {
            n_values: values.len(),
            n_distinct,
            frequent,
            numbers,
            is_whole: !values.is_empty() && values.iter().all(|value| value.parse::<i64>().is_ok()),
            times: match numbers {
                Some(range) => unit(range),
                None => (!values.is_empty() && values.iter().all(|value| is_moment(value)))
                    .then_some(TimeUnit::Rfc3339),
            },
        }
    }

    /// How often a value comes, on average.
    pub(super) fn repeats(&self) -> f64 {
        self.n_values as f64 / self.n_distinct.max(1) as f64
    }
}

fn numbers(values: &[&str]) -> Option<(f64, f64)> {
    let mut range: Option<(f64, f64)> = None;
    for value in values {
        let number: f64 = value.parse().ok().filter(|number: &f64| number.is_finite())?;
        let (least, most) = range.unwrap_or((number, number));
        range = Some((least.min(number), most.max(number)));
    }
    range
}

/// The unit in which both ends lie between 1985 and 2100.
fn unit((least, most): (f64, f64)) -> Option<TimeUnit> {
    let units = [
        (TimeUnit::Seconds, 1.0),
        (TimeUnit::Millis, 1e3),
        (TimeUnit::Micros, 1e6),
    ];
    let fits = |per_second: f64| {
        [least, most]
            .iter()
            .all(|end| SECONDS.contains(&(end / per_second)))
    };
    units
        .into_iter()
        .find(|(_, per_second)| fits(*per_second))
        .map(|(unit, _)| unit)
}

/// The importer's own rule for moments in words.
fn is_moment(text: &str) -> bool {
    catchment_schema::import::is_moment(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(cells: &[&str]) -> Looks {
        let cells = cells.iter().map(|cell| Some((*cell).to_owned())).collect();
        Looks::of(&PeekColumn {
            name: "a".to_owned(),
            cells,
        })
    }

    #[test]
    fn times_are_told_with_their_unit_and_small_numbers_are_none() {
        assert_eq!(
            looks(&["978300760", "1396860669.5"]).times,
            Some(TimeUnit::Seconds)
        );
        assert_eq!(looks(&["978300760000"]).times, Some(TimeUnit::Millis));
        assert_eq!(looks(&["978300760000000"]).times, Some(TimeUnit::Micros));
        assert_eq!(
            looks(&["2026-01-02", "2026-01-02T10:00:00Z"]).times,
            Some(TimeUnit::Rfc3339)
        );
        assert_eq!(looks(&["1", "5"]).times, None);
        assert_eq!(looks(&["12/31/2020"]).times, None);
        assert_eq!(looks(&["978300760", "5"]).times, None);
    }
}
