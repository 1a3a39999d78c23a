//! Time, read in this crate and handed down.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use catchment_recall::{Deadline, Stopwatch};

/// Milliseconds since the Unix epoch.
pub fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// One request's time, from its arrival on: how long it has taken, and when its channels have to give up.
#[derive(Clone, Copy, Debug)]
pub struct RequestClock {
    start: Instant,
    budget: Duration,
}

impl RequestClock {
    /// Starts now.
    pub fn start(budget: Duration) -> Self {
        Self {
            start: Instant::now(),
            budget,
        }
    }

    /// Milliseconds since the start, to the microsecond.
    pub fn took_ms(&self) -> f64 {
        self.start.elapsed().as_micros() as f64 / 1e3
    }
}

impl Deadline for RequestClock {
    fn expired(&self) -> bool {
        self.start.elapsed() >= self.budget
    }
}

impl Stopwatch for RequestClock {
    fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
