//! Test windows that follow each other through the log.

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Several train and test pairs from one log, of which one is prepared at a time.
///
/// The last window's test part ends with the last row of the log that does not say no; each earlier one lies `step_ms`
/// before the next.
/// ```text
/// time ─────────────────────────────────────────▶ last row
/// 1    train ───────────┤ gap ├ test ┤
/// 2    train ──────────────────┤ gap ├ test ┤
/// 3    train ─────────────────────────┤ gap ├ test ┤      horizon: the length of test
/// ```
/// # Laws
/// 1. A window's train part ends `gap_ms` before its test part begins: it never sees its test.
/// 2. Rows in the gap, and rows after the window's test part, are in no part.
/// 3. Window `w` of `n` depends on the log and on `n - w`, not on which other windows are prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// How many windows there are, at least 1.
    pub windows: u32,
    /// The length of a test part in milliseconds, above 0.
    pub horizon_ms: i64,
    /// From the begin of one test part to that of the next, above 0. Below the horizon, test parts overlap.
    pub step_ms: i64,
    /// How long before the test part the train part ends, at least 0.
    pub gap_ms: i64,
    /// Which window is prepared: 1, the oldest, to `windows`, the newest.
    pub window: u32,
}

/// The moments of one window: `prepared.json` tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Which one, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// Train rows are before this moment.
    pub train_before: Time,
    /// Test rows are at or after this moment …
    pub test_from: Time,
    /// … and before this one.
    pub test_before: Time,
}

impl Rolling {
    /// Windows that follow each other without a gap and without overlap; the newest is prepared.
    pub fn new(windows: u32, horizon_ms: i64) -> Self {
        Self {
            windows,
            horizon_ms,
            step_ms: horizon_ms,
            gap_ms: 0,
            window: windows,
        }
    }

    pub(crate) fn validate(self) -> Result<()> {
        let bad = |key, value: String, reason: &str| {
            Err(Error::BadSetting {
                key,
                value,
                reason: reason.to_owned(),
            })
        };
        if self.windows == 0 {
            return bad("split.windows", "0".to_owned(), "must be at least 1");
        }
        if self.horizon_ms <= 0 {
            return bad("split.horizon", self.horizon_ms.to_string(), "must be above 0 ms");
        }
        if self.step_ms <= 0 {
            return bad("split.step", self.step_ms.to_string(), "must be above 0 ms");
        }
        if self.gap_ms < 0 {
            return bad("split.gap", self.gap_ms.to_string(), "must be at least 0 ms");
        }
        if self.window == 0 || self.window > self.windows {
            let allowed = format!("must be from 1 to split.windows = {}", self.windows);
            return bad("split.window", self.window.to_string(), &allowed);
        }
        Ok(())
    }

    /// The chosen window of a log whose last row, of those that do not say no, is at `last_ms`.
    pub(crate) fn window_of(self, last_ms: i64) -> Window {
        let later = i64::from(self.windows - self.window);
        let test_before = last_ms
            .saturating_add(1)
            .saturating_sub(later.saturating_mul(self.step_ms));
        let test_from = test_before.saturating_sub(self.horizon_ms);
        Window {
            number: self.window,
            of: self.windows,
            train_before: Time::from_millis(test_from.saturating_sub(self.gap_ms)),
            test_from: Time::from_millis(test_from),
            test_before: Time::from_millis(test_before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_window_ends_with_the_log_and_earlier_ones_lie_a_step_before() {
        let rolling = Rolling {
            gap_ms: 3,
            step_ms: 5,
            ..Rolling::new(3, 10)
        };
        let moments = |window| {
            let window = Rolling { window, ..rolling }.window_of(99);
            [window.train_before, window.test_from, window.test_before].map(Time::millis)
        };
        assert_eq!(moments(3), [Some(87), Some(90), Some(100)]);
        assert_eq!(moments(2), [Some(82), Some(85), Some(95)]);
        assert_eq!(moments(1), [Some(77), Some(80), Some(90)]);
    }
}
