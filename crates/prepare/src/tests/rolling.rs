//! Windows that roll through a log.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes the expected texts, with hashes"
)]

use expect_test::expect;

use super::table::{MINUTE, check};
use crate::{PrepareConfig, Rolling, SplitConfig, SplitKind};

#[test]
fn a_rolling_window_trains_before_its_gap_and_forgets_what_comes_after_it() {
    let log = "a v t=1
         a w t=10
         a x t=18
         a y t=20
         a z t=29
         b v t=9
         b w t=11
         b x t=19";
    let rolling = Rolling {
        gap_ms: MINUTE,
        ..Rolling::new(2, 10 * MINUTE)
    };
    // The last row is at minute 29: the test parts are minutes 9 to 19 and 19 to 29, both without their begin.
    check(
        log,
        &PrepareConfig::default(),
        &SplitConfig::new(SplitKind::Rolling(rolling)),
        &expect![[r#"
            users: a(3) b(2)
            items: v(2) w(2) x(1)
            train:
              a v 1 s0
              a w 10 s0
              a x 18 s0
              b v 9 s1
              b w 11 s1
            test:
              a #3 20 s0
              a #4 29 s0
        "#]],
    );
    check(
        log,
        &PrepareConfig::default(),
        &SplitConfig::new(SplitKind::Rolling(Rolling { window: 1, ..rolling })),
        &expect![[r#"
            users: a(1)
            items: v(1)
            train:
              a v 1 s0
            test:
              a #1 10 s0
              a #2 18 s0
              #1 #1 11 s1
              #1 #2 19 s1
        "#]],
    );
}
