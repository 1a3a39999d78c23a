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
    /// Nearly every value is a moment of a log.
    pub(super) times: Option<Times>,
    /// Nearly every value is written like a date, in whatever form.
    pub(super) is_like_dates: bool,
}

/// A column of moments, with those of its values that are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) unit: TimeUnit,
    /// Values that are no moment between 1985 and 2100.
    pub(super) n_odd: usize,
    /// Those of them that an import cannot read.
    pub(super) n_unread: usize,
    /// The first of these.
    pub(super) unread: Vec<String>,
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
            times: times(&values),
            is_like_dates: is_nearly_all(
                values.iter().filter(|value| is_like_a_date(value)).count(),
                values.len(),
            ),
        }
    }

    /// Whether an import reads every value as a moment of a log.
    pub(super) fn is_read_as_times(&self) -> bool {
        self.times.as_ref().is_some_and(|times| times.n_odd == 0)
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

/// At least 95 of 100, and at least one.
fn is_nearly_all(count: usize, of: usize) -> bool {
    count > 0 && count * 100 >= of * 95
}

/// The unit in which nearly every value is a moment between 1985 and 2100.
fn times(values: &[&str]) -> Option<Times> {
    let number = |value: &&str| value.parse::<f64>().ok().filter(|number| number.is_finite());
    let units = [
        (TimeUnit::Seconds, 1.0),
        (TimeUnit::Millis, 1e3),
        (TimeUnit::Micros, 1e6),
    ];
    let numeric = units.into_iter().map(|(unit, per_second)| {
        let fits =
            |value: &&str| number(value).is_some_and(|number| SECONDS.contains(&(number / per_second)));
        (unit, values.iter().filter(|value| fits(value)).count())
    });
    let in_words = |value: &&str| number(value).is_none() && is_moment(value);
    let words = values.iter().filter(|value| in_words(value)).count();
    let (unit, n_fit) = numeric
        .chain([(TimeUnit::Rfc3339, words)])
        .find(|&(_, n_fit)| is_nearly_all(n_fit, values.len()))?;
    let is_read = |value: &&str| match unit {
        TimeUnit::Rfc3339 => is_moment(value),
        _ => number(value).is_some(),
    };
    let unread = values.iter().filter(|value| !is_read(value));
    Some(Times {
        unit,
        n_odd: values.len() - n_fit,
        n_unread: unread.clone().count(),
        unread: unread.take(3).map(|value| (*value).to_owned()).collect(),
    })
}

/// The importer's own rule for moments in words.
fn is_moment(text: &str) -> bool {
    catchment_schema::import::is_moment(text)
}

/// Three numbers with the same mark between them, one of them a year in four digits: `01.03.2026 10:00`, `3/1/2026`.
fn is_like_a_date(text: &str) -> bool {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    ['.', '/', '-'].iter().any(|&mark| {
        let parts: Vec<&str> = date.split(mark).collect();
        let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        parts.iter().all(is_number) && matches!(lengths[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4])
    })
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
        let unit = |cells: &[&str]| looks(cells).times.map(|times| times.unit);
        assert_eq!(unit(&["978300760", "1396860669.5"]), Some(TimeUnit::Seconds));
        assert_eq!(unit(&["978300760000"]), Some(TimeUnit::Millis));
        assert_eq!(unit(&["978300760000000"]), Some(TimeUnit::Micros));
        assert_eq!(
            unit(&["2026-01-02", "2026-01-02T10:00:00Z"]),
            Some(TimeUnit::Rfc3339)
        );
        assert_eq!(unit(&["1", "5"]), None);
        assert_eq!(unit(&["12/31/2020"]), None);
        assert_eq!(unit(&["978300760", "5"]), None);
        assert_eq!(unit(&[]), None);
    }

    #[test]
    fn a_few_values_that_cannot_be_read_make_no_other_column_of_it() {
        let of = |odd: &str, n_odd: usize| {
            let mut cells = vec!["2026-01-02 10:00:00"; 100 - n_odd];
            cells.resize(100, odd);
            looks(&cells).times
        };
        let times = of("n/a", 1).expect("times");
        assert_eq!((times.n_odd, times.n_unread), (1, 1));
        assert_eq!(times.unread, ["n/a"]);
        assert!(of("0000-00-00 00:00:00", 5).is_some_and(|times| times.n_unread == 5));
        assert_eq!(of("n/a", 6), None);
        let mut seconds = vec!["1700000000"; 40];
        seconds.extend(["0", "NULL"]);
        let times = looks(&seconds).times.expect("times");
        assert_eq!(
            (times.unit, times.n_odd, times.n_unread),
            (TimeUnit::Seconds, 2, 1)
        );
    }

    #[test]
    fn a_date_is_known_in_forms_that_are_not_read() {
        for text in ["01.03.2026 10:00", "3/1/2026", "2026/03/01", "1-3-2026T10:00"] {
            assert!(looks(&[text]).is_like_dates, "{text}");
        }
        for text in ["978-3-16-148410-0", "1.2.3", "2026", "10.0.0.1", "B1"] {
            assert!(!looks(&[text]).is_like_dates, "{text}");
        }
    }
}
