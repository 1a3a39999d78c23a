//! The channels, one file each.

pub mod embedding;
pub mod item_to_item;
pub mod item_vectors;
pub mod newest;
pub mod popular;
pub mod popular_by_category;
mod walk;

pub use embedding::EmbeddingChannel;
pub use item_to_item::{ItemToItemChannel, ItemToItemConfig};
pub use item_vectors::{Against, ItemVectorsConfig, QueryForm};
pub use newest::{NewestChannel, NewestQueryConfig};
pub use popular::PopularChannel;
pub use popular_by_category::{PopularByCategoryChannel, PopularQueryConfig};

/// How many items a channel looks at between two looks at the deadline: a few microseconds of work.
const ITEMS_BETWEEN_LOOKS: usize = 1024;
