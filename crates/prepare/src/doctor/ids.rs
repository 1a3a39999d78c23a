//! Ids that are probably one, or that are taken twice.

use catchment_schema::{Finding, Severity};

use super::seen::{Ids, Seen};
use super::{N_EXAMPLES, finding};

/// Ids that differ only in case, blanks around them, or leading zeros.
pub(super) fn alike(what: &str, ids: &Ids) -> Option<Finding> {
    let mut plain: Vec<(String, usize)> = ids
        .texts
        .iter()
        .enumerate()
        .map(|(at, id)| (plain(id), at))
        .collect();
    plain.sort_unstable();
    let groups: Vec<&[(String, usize)]> = plain
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
        .collect();
    let n_ids = groups.iter().map(|group| group.len() as u64).sum();
    let examples = groups.iter().take(N_EXAMPLES).map(|group| {
        let ids = group
            .iter()
            .map(|(_, at)| format!("{:?} ({} rows)", ids.texts[*at], ids.counts[*at]));
        format!("{what} {}", ids.collect::<Vec<_>>().join(" and "))
    });
    finding(
        n_ids,
        Severity::Warning,
        "ids_alike",
        format!("{n_ids} {what} ids differ from another only in case, blanks or leading zeros"),
        examples.collect(),
        "write each id in one way before the import: to us they are different",
    )
}

fn plain(id: &str) -> String {
    let lower = id.trim().to_lowercase();
    let without_zeros = lower.trim_start_matches('0');
    // `007` is 7, but `0` is not nothing, and `0x` is no number.
    if without_zeros.starts_with(|first: char| first.is_ascii_digit()) {
        without_zeros.to_owned()
    } else {
        lower
    }
}

/// Texts that are the id of a user and of an item. Whole numbers are: they often count both from 1.
pub(super) fn in_two_types(seen: &Seen) -> Option<Finding> {
    let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
    let (users, items) = (seen.users(), seen.items());
    let mut both: Vec<&str> = users.texts.iter().map(AsRef::as_ref).collect();
    both.retain(|id| !is_number(id) && items.contains(id));
    both.sort_unstable();
    let examples = both.iter().take(N_EXAMPLES);
    let examples = examples
        .map(|id| format!("{id:?} is a user and an item"))
        .collect();
    let count = both.len() as u64;
    finding(
        count,
        Severity::Warning,
        "id_in_two_types",
        format!("{count} ids are the id of a user and of an item"),
        examples,
        "check that user_id and item_id are mapped to the right columns",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_without_case_blanks_and_leading_zeros() {
        assert_eq!(plain(" Ab "), plain("aB"));
        assert_eq!(plain("007"), plain("7"));
        assert_ne!(plain("0"), plain(""));
        assert_ne!(plain("0a"), plain("a"));
        assert_ne!(plain("70"), plain("7"));
    }
}
