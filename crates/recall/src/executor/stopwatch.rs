//! How long something took, measured from outside.

/// A clock that only knows differences. Made outside (from a monotonic clock at serving, a fake in tests).
pub trait Stopwatch: Sync {
    /// Microseconds since some fixed moment; never falls.
    fn micros(&self) -> u64;
}

/// Measures nothing: every report says 0, and every channel counts as cheap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmeasured;

impl Stopwatch for Unmeasured {
    fn micros(&self) -> u64 {
        0
    }
}
