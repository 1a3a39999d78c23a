//! **Who could it be?** Channels, the filter they obey, and the merges that make one list of many.

pub mod channel;
pub mod error;
pub mod query;

pub use channel::{Channel, ChannelScratch, QueryEncoder, Recalled};
pub use error::ChannelError;
pub use query::{Deadline, NoDeadline, RecallQuery};
