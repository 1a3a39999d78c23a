//! Amounts of memory as they stand in a recipe: `2GiB`.

const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The bytes in a text such as `512MiB`, `2GiB`, `4 GB`; `None` where it is not one.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, bytes) = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    number.parse::<u64>().ok()?.checked_mul(*bytes)
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn a_whole_number_with_a_unit_is_an_amount_and_nothing_else_is() {
        assert_eq!(parse_bytes("2GiB"), Some(1 << 31));
        assert_eq!(parse_bytes(" 512 mib "), Some(1 << 29));
        assert_eq!(parse_bytes("3MB"), Some(3_000_000));
        for bad in ["", "2", "GiB", "1.5GiB", "-1GiB", "2 bytes", "99999999999999TiB"] {
            assert_eq!(parse_bytes(bad), None, "{bad}");
        }
    }
}
