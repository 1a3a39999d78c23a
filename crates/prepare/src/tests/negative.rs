//! Events that say no: they stay, and nothing counts them.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes the expected texts, with hashes"
)]

use std::collections::BTreeSet;

use catchment_schema::{Interactions, Time};
use expect_test::{Expect, expect};

use super::table::{Engine, MINUTE, PLAIN, check, lines, run};
use crate::{Deduplicate, Moment, PrepareConfig, Prepared, Rolling, SplitConfig, SplitKind, Summary};

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
    let held_out = |log: &[String], config: &PrepareConfig, name: &str| {
        let out = home.path().join(name);
        run(PLAIN, log, None, config, &split, &out).expect("prepared");
        let prepared = Prepared::open(&out).expect("opened");
        let test = prepared.test().expect("read");
        // Each item was taken at a time of its own.
        test.events
            .iter()
            .map(|event| event.time)
            .collect::<BTreeSet<_>>()
    };
    let with = held_out(&log, &rejecting(), "with");
    assert_eq!(with.len(), 2);
    assert_eq!(
        held_out(&log[..10], &PrepareConfig::default(), "without"),
        with,
        "what says no changes no lot"
    );
}

/// Every item of `a` got a yes and a no from `a`, and a no from `b`, who took nothing.
#[test]
fn a_no_goes_with_the_drawn_row_of_its_user_and_item() {
    let rows = |user: &str, first: i64, word: &str| -> Vec<String> {
        let row = |item: i64| format!("{user} i{item} t={} {word}", first + item);
        (0..10).map(row).collect()
    };
    let log = [rows("a", 0, ""), rows("a", 100, "e=no"), rows("b", 200, "e=no")].concat();
    let draw = SplitKind::Random { fraction: 0.2 };
    let split = SplitConfig::new(draw).with_validation(draw);
    let home = tempfile::tempdir().expect("temporary folder");
    let many = Engine {
        threads: 2,
        partitions: 3,
        rows_per_batch: 4,
    };
    let mut held_out = vec![];
    for (engine, name) in [(PLAIN, "plain"), (many, "many")] {
        let out = home.path().join(name);
        run(engine, &log, None, &rejecting(), &split, &out).expect("prepared");
        let prepared = Prepared::open(&out).expect("opened");
        let minutes = |part: &Interactions| -> BTreeSet<i64> {
            let times = part.events.iter().filter_map(|event| event.time.millis());
            times.map(|millis| millis / MINUTE).collect()
        };
        let parts = [prepared.test(), prepared.validation()].map(|part| minutes(&part.expect("read")));
        for (part, n_drawn) in parts.iter().zip([2..=2, 1..=2]) {
            let yes: BTreeSet<i64> = part.iter().copied().filter(|minute| *minute < 100).collect();
            assert!(n_drawn.contains(&yes.len()), "{parts:?}");
            let both = yes.iter().flat_map(|minute| [*minute, minute + 100]);
            assert_eq!(*part, both.collect(), "its own noes and no other's: {parts:?}");
        }
        let train = minutes(&prepared.train().expect("read"));
        assert_eq!(train.len() + parts[0].len() + parts[1].len(), 30, "none is lost");
        held_out.push(parts);
    }
    assert_eq!(held_out[0], held_out[1]);
}

const WITH_LONELY_NOES: &str = "a x t=1
     a z t=2
     a y t=3 e=no
     b x t=4
     b y t=5 e=no
     c x t=6 e=no
     c z t=7 e=no";

/// Nothing is asked of an item: `y`, that nobody took, stays. Of a user two rows are, and `c` has none that says yes.
#[test]
fn without_a_minimum_of_items_a_no_stays_about_one_that_nobody_took() {
    check_kept(
        WITH_LONELY_NOES,
        &PrepareConfig {
            min_user_events: 2,
            ..rejecting()
        },
        &expect![[r#"
            users: a(2)
            items: x(1) z(1) y(0)
            train:
              a x 1 s0
              a z 2 s0
              a y 3 s0 no
        "#]],
    );
}

/// The other way round: `c`, who took nothing, stays with what says no to `x`; `y` and `z` are below the minimum.
#[test]
fn without_a_minimum_of_users_a_no_stays_of_one_who_took_nothing() {
    check_kept(
        WITH_LONELY_NOES,
        &PrepareConfig {
            min_item_events: 2,
            ..rejecting()
        },
        &expect![[r#"
            users: a(1) b(1) c(0)
            items: x(2)
            train:
              a x 1 s0
              b x 4 s1
              c x 6 s2 no
        "#]],
    );
}

/// A list is one moment: what was taken from it, and what was shown beside it.
#[test]
fn at_one_moment_the_noes_go_with_the_row_that_is_held_out() {
    let list = |user: &str, minute: usize, taken: usize| -> Vec<String> {
        let word = |place| if place == taken { "" } else { "e=no" };
        let row = |place| format!("{user} i{place} t={minute} {}", word(place));
        (0..6).map(row).collect()
    };
    let users: Vec<String> = (0..8).map(|user| format!("u{user}")).collect();
    let of_user = |(taken, user): (usize, &String)| {
        let lists = [1, 2, 3].map(|minute| list(user, minute, (taken + minute) % 6));
        lists.concat()
    };
    let log: Vec<String> = users.iter().enumerate().flat_map(of_user).collect();
    let home = tempfile::tempdir().expect("temporary folder");
    let out = home.path().join("out");
    let both = leave_last(1).with_validation(SplitKind::LeaveLast { n: 1, since: None });
    run(PLAIN, &log, None, &rejecting(), &both, &out).expect("prepared");
    let prepared = Prepared::open(&out).expect("opened");
    for (part, minute) in [
        (prepared.train(), 1),
        (prepared.validation(), 2),
        (prepared.test(), 3),
    ] {
        let part = part.expect("read");
        let times: BTreeSet<Time> = part.events.iter().map(|event| event.time).collect();
        assert_eq!(times, BTreeSet::from([Time::from_millis(minute * MINUTE)]));
        assert_eq!(part.len(), 48, "whole lists");
    }
}

/// The last row that says yes is at minute 29; whatever says no after it is in no part.
#[test]
fn windows_count_back_from_the_last_row_that_was_taken() {
    let rolling = Rolling::new(1, 10 * MINUTE);
    check(
        "a x t=1
         a y t=10
         a p t=19 e=no
         a x t=20
         a q t=25 e=no
         a y t=29
         a r t=50 e=no
         b x t=18
         b p t=90 e=no",
        &rejecting(),
        &SplitConfig::new(SplitKind::Rolling(rolling)),
        &expect![[r#"
            users: a(2) b(1)
            items: x(2) y(1) p(0)
            train:
              a x 1 s0
              a y 10 s0
              a p 19 s0 no
              b x 18 s1
            test:
              a x 20 s0
              a #3 25 s0 no
              a y 29 s0
        "#]],
    );
}

fn summary(train: &str, test: Option<&str>, split: &SplitConfig) -> Summary {
    let home = tempfile::tempdir().expect("temporary folder");
    let out = home.path().join("out");
    let test = test.map(lines);
    run(PLAIN, &lines(train), test.as_deref(), &rejecting(), split, &out).expect("prepared")
}

#[test]
fn a_part_of_noes_is_as_empty_as_one_without_rows() {
    let told = |test: &str, split: &SplitConfig| {
        let summary = summary("a x t=1\n a y t=2\n b x t=3\n b y t=8 e=no", Some(test), split);
        let findings = summary.findings.into_iter();
        findings
            .map(|finding| format!("{}: {}", finding.code, finding.message))
            .collect::<Vec<_>>()
    };
    assert_eq!(told("a x t=9 e=no\n b z t=9", &SplitConfig::given()), [""; 0]);
    // The rows after minute 4 are one of `b`, and it says no.
    let at = Moment::Time(Time::from_millis(4 * MINUTE));
    let validated = SplitConfig::given().with_validation(SplitKind::Temporal { at });
    assert_eq!(
        told("a x t=9 e=no\n b z t=9 e=no", &validated),
        [
            "empty_part: the test part has no row that anybody is to find: all 2 say no",
            "empty_part: the validation part has no row that anybody is to find: all 1 say no",
        ]
    );
    let before = SplitConfig::given().with_validation(SplitKind::Temporal {
        at: Moment::Time(Time::from_millis(1000 * MINUTE)),
    });
    assert_eq!(
        told("b z t=9", &before),
        ["empty_part: the validation part has no row"]
    );
}

#[test]
fn only_who_and_what_is_to_be_found_can_be_cold() {
    let cold = |test: &str| {
        let summary = summary("a x t=1\n a y t=2 e=no", Some(test), &SplitConfig::given());
        (summary.cold_users, summary.cold_items)
    };
    assert_eq!(cold("a x t=9\n a new t=9 e=no\n c x t=9 e=no"), (0, 0));
    assert_eq!(cold("a y t=9\n a new t=9\n c x t=9\n d new t=8 e=no"), (1, 1));
}
