//! The law books as functions, for every implementor's tests, and fakes of what comes from outside.
//!
//! ```
//! use catchment_recall::{PopularChannel, testing};
//!
//! let channel = PopularChannel::new("popular", &[3.0, 1.0, 2.0])?;
//! testing::channel_laws(&channel, &[testing::query()]);
//! # Ok::<(), catchment_recall::ConfigError>(())
//! ```

pub mod channel_laws;
pub mod fakes;
pub mod merge_laws;
#[cfg(test)]
mod tests;

pub use channel_laws::channel_laws;
pub use fakes::{FakeDeadline, FakeStopwatch, query};
pub use merge_laws::merge_laws;
