//! What comes from outside, in a form that a test controls.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use catchment_schema::{History, ItemFilter, Time};

use crate::{Deadline, NoDeadline, RecallQuery, Stopwatch};

/// A deadline that expires when it was looked at often enough.
#[derive(Debug)]
pub struct FakeDeadline {
    looks_left: AtomicUsize,
}

impl FakeDeadline {
    /// Not expired for the first `looks` looks, expired from then on.
    pub fn after(looks: usize) -> Self {
        Self {
            looks_left: AtomicUsize::new(looks),
        }
    }

    /// Expired from the beginning.
    pub fn expired() -> Self {
        Self::after(0)
    }
}

impl Deadline for FakeDeadline {
    fn expired(&self) -> bool {
        let less_one = |left: usize| left.checked_sub(1);
        self.looks_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one)
            .is_err()
    }
}

/// A stopwatch on which the same time passes between any two looks.
#[derive(Debug)]
pub struct FakeStopwatch {
    micros: AtomicU64,
    step: u64,
}

impl FakeStopwatch {
    /// `step` microseconds between two looks.
    pub fn stepping(step: u64) -> Self {
        Self {
            micros: AtomicU64::new(0),
            step,
        }
    }
}

impl Stopwatch for FakeStopwatch {
    fn micros(&self) -> u64 {
        self.micros.fetch_add(self.step, Ordering::Relaxed)
    }
}

/// A query by nobody in particular: no user, no history, no filter, no hurry. Change what a test is about:
/// `RecallQuery { history, ..query() }`.
pub fn query() -> RecallQuery<'static> {
    RecallQuery {
        user: None,
        history: History::EMPTY,
        seeds: &[],
        user_id: None,
        user_attributes: None,
        filter: ItemFilter::NONE,
        now: Time::from_millis(0),
        deadline: &NoDeadline,
    }
}
