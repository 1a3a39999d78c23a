//! What a channel usually costs.

use std::sync::atomic::{AtomicU64, Ordering};

/// A new measurement moves the estimate by one part in this many.
const INERTIA: i64 = 8;

const UNKNOWN: u64 = u64::MAX;

/// A moving estimate of a channel's cost. It decides where a channel runs, never what it answers, so it
/// does not matter when two requests that end together lose one of their measurements.
#[derive(Debug)]
pub(super) struct Cost(AtomicU64);

impl Cost {
    pub(super) fn unknown() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }

    /// In microseconds; 0 while nothing was measured.
    pub(super) fn micros(&self) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => 0,
            micros => micros,
        }
    }

    pub(super) fn measured(&self, micros: u64) {
        let micros = micros.min(i64::MAX.unsigned_abs());
        let estimate = match self.0.load(Ordering::Relaxed) {
            UNKNOWN => micros,
            old => old.saturating_add_signed((micros.cast_signed() - old.cast_signed()) / INERTIA),
        };
        self.0.store(estimate, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_answer_does_not_make_a_channel_dear_and_many_do() {
        let cost = Cost::unknown();
        assert_eq!(cost.micros(), 0);
        cost.measured(100);
        assert_eq!(cost.micros(), 100);
        cost.measured(900);
        assert_eq!(cost.micros(), 200);
        for _ in 0..50 {
            cost.measured(900);
        }
        assert!((890..=900).contains(&cost.micros()));
        for _ in 0..100 {
            cost.measured(0);
        }
        assert!(cost.micros() < 10);
    }
}
