//! The channels, one file each.

pub mod embedding;
pub mod item_to_item;
pub mod popular;

pub use embedding::EmbeddingChannel;
pub use item_to_item::{ItemToItemChannel, ItemToItemConfig};
pub use popular::PopularChannel;

/// How many items a channel looks at between two looks at the deadline: a few microseconds of work.
const ITEMS_BETWEEN_LOOKS: usize = 1024;
