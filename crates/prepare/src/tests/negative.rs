//! Events that say no: they stay, and nothing counts them.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes the expected texts, with hashes"
)]

use std::collections::BTreeSet;

use expect_test::{Expect, expect};

use super::table::{PLAIN, check, run};
use crate::{Deduplicate, Moment, PrepareConfig, Prepared, SplitConfig, SplitKind};

fn rejecting() -> PrepareConfig {
    PrepareConfig {
        negative: vec!["no".to_owned()],
        ..PrepareConfig::default()
    }
}

fn check_kept(log: &str, config: &PrepareConfig, expected: &Expect) {
    let nothing = SplitConfig::new(SplitKind::LeaveLast { n: 1000, since: None });
    check(log, config, &nothing, expected);
}

fn leave_last(n: u32) -> SplitConfig {
    SplitConfig::new(SplitKind::LeaveLast { n, since: None })
}

#[test]
fn vocabularies_do_not_count_them_and_know_their_items() {
    check_kept(
        "a x t=1
         a y t=2 e=no
         b y t=3 e=no
         b x t=4
         b z t=5",
        &rejecting(),
        &expect![[r#"
            users: b(2) a(1)
            items: x(2) z(1) y(0)
            train:
              b y 3 s0 no
              b x 4 s0
              b z 5 s0
              a x 1 s1
              a y 2 s1 no
        "#]],
    );
}

#[test]
fn minima_do_not_count_them_and_they_stay_where_the_rest_does() {
    // y has two rows, and one that is evidence; c has two, and one.
    check_kept(
        "a x t=1
         a z t=2
         b x t=3
         b z t=4
         a y t=5 e=no
         b y t=6
         b x t=7 e=no
         c x t=8
         c z t=9 e=no",
        &PrepareConfig {
            min_user_events: 2,
            min_item_events: 2,
            ..rejecting()
        },
        &expect![[r#"
            users: a(2) b(2)
            items: x(2) z(2)
            train:
              a x 1 s0
              a z 2 s0
              b x 3 s1
              b z 4 s1
              b x 7 s1 no
        "#]],
    );
}

#[test]
fn a_condition_does_not_ask_them_and_they_are_no_duplicates_of_what_was_taken() {
    check_kept(
        "a x t=1 v=5
         a x t=2 v=4
         a x t=3 e=no v=0
         a x t=4 e=no v=0
         a y t=5 v=1",
        &PrepareConfig {
            positive: Some("value >= 4".to_owned()),
            deduplicate: Deduplicate::Last,
            ..rejecting()
        },
        &expect![[r#"
            users: a(1)
            items: x(1)
            train:
              a x 2 s0 value 4
              a x 4 s0 no value 0
        "#]],
    );
}

/// With the last two held out: `p` comes before both, `q` between them, `r` after them.
#[test]
fn the_last_rows_are_those_that_were_taken_and_a_no_goes_with_what_it_follows() {
    let log = "a w t=1
         a p t=2 e=no
         a x t=3
         a q t=4 e=no
         a y t=5
         a r t=6 e=no
         b x t=1
         b y t=2 e=no
         b z t=3 e=no
         c w t=1 e=no";
    check(
        log,
        &rejecting(),
        &leave_last(2),
        &expect![[r#"
        users: a(1) b(1) c(0)
        items: w(1) x(1) p(0) y(0) z(0)
        train:
          a w 1 s0
          a p 2 s0 no
          b x 1 s1
          b y 2 s1 no
          b z 3 s1 no
          c w 1 s2 no
        test:
          a x 3 s0
          a #5 4 s0 no
          a y 5 s0
          a #6 6 s0 no
    "#]],
    );
    let both = leave_last(1).with_validation(SplitKind::LeaveLast { n: 1, since: None });
    check(
        log,
        &rejecting(),
        &both,
        &expect![[r#"
        users: a(1) b(1) c(0)
        items: w(1) x(1) p(0) q(0) y(0) z(0)
        train:
          a w 1 s0
          a p 2 s0 no
          b x 1 s1
          b y 2 s1 no
          b z 3 s1 no
          c w 1 s2 no
        validation:
          a x 3 s0
          a q 4 s0 no
        test:
          a y 5 s0
          a #6 6 s0 no
    "#]],
    );
}

/// Half of what was taken lies before the third of its four rows, whatever says no between them.
#[test]
fn a_share_of_the_log_is_one_of_what_was_taken() {
    let temporal = SplitConfig::new(SplitKind::Temporal {
        at: Moment::Fraction(0.5),
    });
    check(
        "a x t=1
         a y t=2
         a z t=3
         a x t=4
         a p t=5 e=no
         a q t=6 e=no
         a r t=7 e=no
         a s t=2 e=no",
        &rejecting(),
        &temporal,
        &expect![[r#"
            users: a(2)
            items: x(1) y(1) s(0)
            train:
              a x 1 s0
              a y 2 s0
              a s 2 s0 no
            test:
              a #6 3 s0
              a x 4 s0
              a #3 5 s0 no
              a #4 6 s0 no
              a #5 7 s0 no
        "#]],
    );
}

/// A fifth of ten taken rows is two, whatever else there is, and no lot falls on a row that says no.
#[test]
fn a_random_part_is_of_what_was_taken() {
    let mut log: Vec<String> = (0..10).map(|item| format!("a i{item} t={item}")).collect();
    log.extend((0..30).map(|item| format!("a n{item} t={item} e=no")));
    let home = tempfile::tempdir().expect("temporary folder");
    let split = SplitConfig::new(SplitKind::Random { fraction: 0.2 });
    let held_out = |log: &[String], name: &str| {
        let out = home.path().join(name);
        run(PLAIN, log, None, &rejecting(), &split, &out).expect("prepared");
        let prepared = Prepared::open(&out).expect("opened");
        let test = prepared.test().expect("read");
        // Each item was taken at a time of its own.
        test.events
            .iter()
            .map(|event| event.time)
            .collect::<BTreeSet<_>>()
    };
    let with = held_out(&log, "with");
    assert_eq!(with.len(), 2);
    assert_eq!(
        held_out(&log[..10], "without"),
        with,
        "what says no changes no lot"
    );
}
