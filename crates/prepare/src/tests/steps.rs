//! Each step by itself.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes the expected texts, with hashes"
)]

use catchment_schema::Time;
use expect_test::{Expect, expect};

use super::table::{MINUTE, check};
use crate::{Deduplicate, Moment, PrepareConfig, Refit, SplitConfig, SplitKind};

/// A split that takes nothing from these logs.
fn nothing() -> SplitConfig {
    SplitConfig::new(SplitKind::LeaveLast { n: 1000, since: None })
}

fn check_kept(log: &str, change: impl FnOnce(&mut PrepareConfig), expected: &Expect) {
    let mut config = PrepareConfig::default();
    change(&mut config);
    check(log, &config, &nothing(), expected);
}

fn check_split(log: &str, split: &SplitConfig, expected: &Expect) {
    check(log, &PrepareConfig::default(), split, expected);
}

#[test]
fn ids_are_numbered_by_falling_count_then_id_and_rows_sorted_by_time() {
    check_kept(
        "b y t=2
         a y t=9
         b x t=1
         a z t=3
         b y t=1 e=click v=2.5 d=400",
        |_| {},
        &expect![[r#"
            users: b(3) a(2)
            items: y(3) x(1) z(1)
            train:
              b y 1 s0 click value 2.5 dwell 400
              b x 1 s0
              b y 2 s0
              a z 3 s1
              a y 9 s1
        "#]],
    );
}

#[test]
fn only_the_named_events_stay() {
    check_kept(
        "a x t=1 e=view
         a y t=2 e=buy
         b x t=1",
        |config| config.events = vec!["buy".into(), "interaction".into()],
        &expect![[r#"
            users: a(1) b(1)
            items: x(1) y(1)
            train:
              a y 2 s0 buy
              b x 1 s1
        "#]],
    );
}

#[test]
fn only_positive_rows_stay_and_a_missing_value_counts_as_one() {
    check_kept(
        "a w t=1 v=4
         a x t=2 v=3.9
         a y t=3
         a z t=4 v=4.1 x=3",
        |config| config.positive = Some("value >= 4".into()),
        &expect![[r#"
            users: a(2)
            items: w(1) z(1)
            train:
              a w 1 s0 value 4
              a z 4 s0 value 4.1
        "#]],
    );
    check_kept(
        "a w t=1 v=4 x=2 d=9
         a x t=2 v=4 x=3
         a y t=3 v=4 x=3 d=10
         a z t=4 v=4 d=10",
        |config| config.positive = Some("user = 3 and dwell_ms > 9".into()),
        &expect![[r#"
            users: a(1)
            items: y(1)
            train:
              a y 3 s0 value 4 dwell 10
        "#]],
    );
}

#[test]
fn the_core_is_found_by_repeating_until_nothing_changes() {
    // d goes with its one row, which leaves z too rare; without z, c is; without c, y; then it is stable.
    check_kept(
        "a w t=1
         a x t=1
         b w t=1
         b x t=1
         b y t=1
         c y t=1
         c z t=1
         d z t=1",
        |config| {
            config.min_user_events = 2;
            config.min_item_events = 2;
        },
        &expect![[r#"
            users: a(2) b(2)
            items: w(2) x(2)
            train:
              a w 1 s0
              a x 1 s0
              b w 1 s1
              b x 1 s1
        "#]],
    );
}

#[test]
fn of_equal_pairs_the_first_or_the_last_stays() {
    let log = "a x t=1 v=1.5
               a y t=2
               a x t=3 v=3.5
               b x t=9";
    check_kept(
        log,
        |config| config.deduplicate = Deduplicate::First,
        &expect![[r#"
            users: a(2) b(1)
            items: x(2) y(1)
            train:
              a x 1 s0 value 1.5
              a y 2 s0
              b x 9 s1
        "#]],
    );
    check_kept(
        log,
        |config| config.deduplicate = Deduplicate::Last,
        &expect![[r#"
            users: a(2) b(1)
            items: x(2) y(1)
            train:
              a y 2 s0
              a x 3 s0 value 3.5
              b x 9 s1
        "#]],
    );
}

#[test]
fn of_copies_of_one_event_one_stays_and_other_events_with_the_item_all_do() {
    check_kept(
        "a x t=1 e=view v=2
         a x t=1 e=view v=1
         a x t=2 e=view
         a x t=2 e=order
         a y
         a y e=interaction
         b x t=1 e=view",
        |config| config.deduplicate = Deduplicate::Exact,
        &expect![[r#"
            users: a(4) b(1)
            items: x(4) y(1)
            train:
              a y ? s0
              a x 1 s1 view
              a x 2 s1 order
              a x 2 s1 view
              b x 1 s2 view
        "#]],
    );
}

#[test]
fn a_pause_longer_than_the_gap_begins_a_session() {
    check_kept(
        "a u t=0
         a v t=30
         a w t=61
         b x
         b y
         b z t=5",
        |_| {},
        &expect![[r#"
            users: a(3) b(3)
            items: u(1) v(1) w(1) x(1) y(1) z(1)
            train:
              a u 0 s0
              a v 30 s0
              a w 61 s1
              b x ? s2
              b y ? s2
              b z 5 s3
        "#]],
    );
}

#[test]
fn named_sessions_hold_together_across_pauses_and_between_each_other() {
    check_kept(
        "a u t=0 s=p
         a v t=1 s=q
         a w t=99 s=p
         a x t=2
         a y t=3
         a z t=80
         b z t=1 s=p",
        |_| {},
        &expect![[r#"
            users: a(6) b(1)
            items: z(2) u(1) v(1) w(1) x(1) y(1)
            train:
              a u 0 s0
              a v 1 s1
              a x 2 s2
              a y 3 s2
              a z 80 s3
              a w 99 s0
              b z 1 s4
        "#]],
    );
}

#[test]
fn where_times_are_partly_known_the_order_column_leads() {
    // a's times alone would put the unknown rows first; b's are all known, and lead themselves.
    check_kept(
        "a v t=10 o=1
         a w o=2
         a x t=20 o=3
         a y o=4
         a z o=0
         b v t=2 o=1
         b w t=1 o=1",
        |_| {},
        &expect![[r#"
            users: a(5) b(2)
            items: v(2) w(2) x(1) y(1) z(1)
            train:
              a z ? s0
              a v 10 s1
              a w ? s1
              a x 20 s1
              a y ? s1
              b w 1 s2
              b v 2 s2
        "#]],
    );
}

#[test]
fn a_given_test_part_keeps_cold_rows_at_indices_beyond_the_vocabulary() {
    check_split(
        "a x
         a y
         b x
         test
         b z
         c x
         b w
         a q",
        &SplitConfig::given(),
        &expect![[r#"
            users: a(2) b(1)
            items: x(2) y(1)
            train:
              a x ? s0
              a y ? s0
              b x ? s1
            test:
              a #2 ? s0
              b #3 ? s1
              b #4 ? s1
              #2 x ? s2
        "#]],
    );
}

#[test]
fn the_last_rows_are_left_out_unless_a_user_would_have_none_or_their_place_is_unknown() {
    let log = "a x t=1
               a y t=2
               a z t=3
               b x t=1
               c x o=0
               c y o=0
               d x o=0
               d y o=1
               e z
               e y t=0";
    check_split(
        log,
        &SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None }),
        &expect![[r#"
            users: a(2) c(2) b(1) d(1) e(1)
            items: x(4) y(2) z(1)
            train:
              a x 1 s0
              a y 2 s0
              c x ? s1
              c y ? s1
              b x 1 s2
              d x ? s3
              e z ? s4
            test:
              a z 3 s0
              d y ? s3
              e y 0 s5
        "#]],
    );
    check_split(
        log,
        &SplitConfig::new(SplitKind::LeaveLast { n: 2, since: None }),
        &expect![[r#"
            users: c(2) d(2) e(2) a(1) b(1)
            items: x(4) y(3) z(1)
            train:
              c x ? s0
              c y ? s0
              d x ? s1
              d y ? s1
              e z ? s2
              e y 0 s3
              a x 1 s4
              b x 1 s5
            test:
              a y 2 s4
              a z 3 s4
        "#]],
    );
}

#[test]
fn validation_is_cut_off_what_the_test_left() {
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None })
        .with_validation(SplitKind::LeaveLast { n: 1, since: None });
    let log = "a w t=1
               a x t=2
               a y t=3
               a z t=4
               b x t=1
               b w t=2";
    check_split(
        log,
        &split,
        &expect![[r#"
            users: a(2) b(1)
            items: x(2) w(1) y(0)
            train:
              a w 1 s0
              a x 2 s0
              b x 1 s1
            validation:
              a y 3 s0
            test:
              a #3 4 s0
              b w 2 s1
        "#]],
    );
    let without = SplitConfig {
        refit: Refit::None,
        ..split
    };
    check_split(
        log,
        &without,
        &expect![[r#"
        users: a(2) b(1)
        items: x(2) w(1)
        train:
          a w 1 s0
          a x 2 s0
          b x 1 s1
        validation:
          a #2 3 s0
        test:
          a #3 4 s0
          b w 2 s1
    "#]],
    );
}

#[test]
fn a_moment_belongs_to_the_test_part() {
    let log = "a w t=1
               a x t=2
               b y t=2
               b z t=3
               b w t=4";
    let at = Moment::Time(Time::from_millis(3 * MINUTE));
    check_split(
        log,
        &SplitConfig::new(SplitKind::Temporal { at }),
        &expect![[r#"
        users: a(2) b(1)
        items: w(1) x(1) y(1)
        train:
          a w 1 s0
          a x 2 s0
          b y 2 s1
        test:
          b #3 3 s1
          b w 4 s1
    "#]],
    );
    // 2 of 5 rows lie before the third, whose time it shares with the second.
    let at = Moment::Fraction(0.5);
    check_split(
        log,
        &SplitConfig::new(SplitKind::Temporal { at }),
        &expect![[r#"
        users: a(1)
        items: w(1)
        train:
          a w 1 s0
        test:
          a #1 2 s0
          #1 #2 2 s1
          #1 #3 3 s1
          #1 w 4 s1
    "#]],
    );
}

#[test]
fn leave_last_since_a_moment_spares_who_was_not_there_any_more() {
    let split = |since| {
        SplitConfig::new(SplitKind::LeaveLast { n: 1, since })
            .with_validation(SplitKind::LeaveLast { n: 1, since })
    };
    let log = "a w t=1
         a x t=2
         a y t=9
         b w t=1
         b x t=7
         b y t=8
         c w t=9";
    let since = Some(Moment::Time(Time::from_millis(9 * MINUTE)));
    check_split(
        log,
        &split(since),
        &expect![[r#"
        users: b(3) a(2) c(1)
        items: w(3) x(2) y(1)
        train:
          b w 1 s0
          b x 7 s0
          b y 8 s0
          a w 1 s1
          a x 2 s1
          c w 9 s2
        test:
          a y 9 s1
    "#]],
    );
    let late = Some(Moment::Time(Time::from_millis(10 * MINUTE)));
    check_split(
        log,
        &split(late),
        &expect![[r#"
        users: a(3) b(3) c(1)
        items: w(3) x(2) y(2)
        train:
          a w 1 s0
          a x 2 s0
          a y 9 s0
          b w 1 s1
          b x 7 s1
          b y 8 s1
          c w 9 s2
    "#]],
    );
}
