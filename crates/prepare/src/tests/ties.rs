//! Which row is the last where nothing says so.

use std::collections::BTreeSet;

use catchment_schema::{Interactions, Vocabulary};

use super::table::{Engine, PLAIN, run};
use crate::{PrepareConfig, Prepared, SplitConfig, SplitKind};

/// Users who had the same five items, all on one day.
fn on_one_day() -> Vec<String> {
    let items = ["i1", "i2", "i3", "i4", "i5"];
    (0..60)
        .flat_map(|user| items.map(|item| format!("u{user} {item} t=1")))
        .collect()
}

/// `user item` of a part, by their ids; an item that is in no other part is `cold`.
fn pairs(prepared: &Prepared, part: &Interactions) -> BTreeSet<String> {
    let rows = part.users.iter().zip(&part.events);
    let id = |vocabulary: &Vocabulary, index: usize| vocabulary.id(index).unwrap_or("cold").to_owned();
    rows.map(|(user, event)| {
        let user = id(prepared.users(), user.index());
        format!("{user} {}", id(prepared.items(), event.item.index()))
    })
    .collect()
}

#[test]
fn among_equal_times_a_lot_says_which_row_is_the_last_whatever_reads_the_log() {
    let home = tempfile::tempdir().expect("temporary folder");
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let held_out = |engine, log: &[String], split: &SplitConfig, name: &str| {
        let out = home.path().join(name);
        run(engine, log, None, &PrepareConfig::default(), split, &out).expect("prepared");
        let prepared = Prepared::open(&out).expect("opened");
        let test = pairs(&prepared, &prepared.test().expect("read"));
        let validation = pairs(&prepared, &prepared.validation().expect("read"));
        (test, validation)
    };
    let log = on_one_day();
    let (test, _) = held_out(PLAIN, &log, &split, "plain");
    assert_eq!(test.len(), 60);
    for item in ["i1", "i2", "i3", "i4", "i5"] {
        // 12 of 60 are expected; 3 is three standard deviations below.
        let count = test.iter().filter(|pair| pair.ends_with(item)).count();
        assert!((3..=21).contains(&count), "{item} is held out {count} times");
    }

    let many = Engine {
        threads: 4,
        partitions: 7,
        rows_per_batch: 5,
    };
    let backwards: Vec<String> = log.iter().rev().cloned().collect();
    assert_eq!(held_out(many, &backwards, &split, "backwards").0, test);

    // One order for both parts: one row and one more are the last two.
    let one_more = split
        .clone()
        .with_validation(SplitKind::LeaveLast { n: 1, since: None });
    let (last, last_but_one) = held_out(PLAIN, &log, &one_more, "one more");
    assert_eq!(last, test);
    let two = SplitConfig::new(SplitKind::LeaveLast { n: 2, since: None });
    let both: BTreeSet<String> = last.union(&last_but_one).cloned().collect();
    assert_eq!(held_out(PLAIN, &log, &two, "two").0, both);

    // An `order` leaves nothing to the lot.
    let with_order = |line: &String| format!("{line} o={}", u8::from(line.contains(" i3 ")) + 1);
    let ordered: Vec<String> = log.iter().map(with_order).collect();
    let (test, _) = held_out(PLAIN, &ordered, &split, "ordered");
    // i3, all of whose rows are held out, is in no vocabulary.
    assert!(
        test.len() == 60 && test.iter().all(|pair| pair.ends_with("cold")),
        "{test:?}"
    );
}
