//! Lengths of time as they stand in a recipe: `30m`.

const UNITS: [(&str, i64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// The milliseconds in a text such as `500ms`, `90s`, `30m`, `2h`, `1d`; `None` where it is not one, or is 0.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    let number: i64 = number.parse().ok()?;
    number.checked_mul(*millis).filter(|millis| *millis > 0)
}

/// The shortest text that [`parse_millis`] reads as these milliseconds.
pub(crate) fn write_millis(millis: i64) -> String {
    let whole = UNITS.iter().rev().find(|(_, unit)| millis % unit == 0);
    let (name, unit) = whole.copied().unwrap_or(UNITS[0]);
    format!("{}{name}", millis / unit)
}

#[cfg(test)]
mod tests {
    use super::{parse_millis, write_millis};

    #[test]
    fn durations_are_written_in_their_largest_whole_unit() {
        for text in ["7d", "36h", "90m", "1s", "1500ms"] {
            let millis = parse_millis(text).expect("a duration");
            assert_eq!(write_millis(millis), text);
        }
    }

    #[test]
    fn a_number_with_a_unit_is_a_duration_and_nothing_else_is() {
        assert_eq!(parse_millis("30m"), Some(1_800_000));
        assert_eq!(parse_millis(" 500 ms "), Some(500));
        assert_eq!(parse_millis("1d"), Some(86_400_000));
        for bad in [
            "",
            "30",
            "m",
            "-1m",
            "0s",
            "1.5h",
            "3 weeks",
            "99999999999999999d",
            "9223372036854775807d",
        ] {
            assert_eq!(parse_millis(bad), None, "{bad}");
        }
    }
}
