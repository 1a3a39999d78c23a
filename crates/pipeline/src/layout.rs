//! Where things lie in a bundle. The trainer writes by this page and the pipeline reads by it.

use std::path::{Path, PathBuf};

/// The paths inside one bundle (or inside a folder that will become one).
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Which channels, which merge, which ranker: [`crate::PipelineSpec`] as JSON.
    pub fn spec(&self) -> PathBuf {
        self.root.join("pipeline.json")
    }

    /// User ids.
    pub fn user_vocabulary(&self) -> PathBuf {
        self.root.join("vocab/users.parquet")
    }

    /// Item ids.
    pub fn item_vocabulary(&self) -> PathBuf {
        self.root.join("vocab/items.parquet")
    }

    /// Event words.
    pub fn event_vocabulary(&self) -> PathBuf {
        self.root.join("vocab/events.parquet")
    }

    /// The catalogue: titles, categories, availability, …
    pub fn item_attributes(&self) -> PathBuf {
        self.root.join("items/attributes.parquet")
    }

    /// User attributes.
    pub fn user_attributes(&self) -> PathBuf {
        self.root.join("users/attributes.parquet")
    }

    /// What every user did before the bundle was made.
    pub fn histories(&self) -> PathBuf {
        self.root.join("users/histories.parquet")
    }

    /// The fitted features.
    pub fn features(&self) -> PathBuf {
        self.root.join("features")
    }

    /// What the towers of a channel see.
    pub fn tower_features(&self, channel: &str) -> PathBuf {
        self.channel(channel).join("features")
    }

    /// One channel's model.
    pub fn channel(&self, name: &str) -> PathBuf {
        self.root.join("channels").join(name)
    }

    /// Since when each item is there, of a channel of the newest.
    pub fn newest_times(&self, channel: &str) -> PathBuf {
        self.channel(channel).join("times.parquet")
    }

    /// Which items are near which, of a channel of item vectors that is asked item by item.
    pub fn neighbours(&self, channel: &str) -> PathBuf {
        self.channel(channel).join("neighbours.parquet")
    }

    /// The ranker's weights and calibration.
    pub fn ranker(&self) -> PathBuf {
        self.root.join("ranker")
    }

    /// Queries with the answers that were given when the bundle was made.
    pub fn golden(&self) -> PathBuf {
        self.root.join("golden.parquet")
    }
}
