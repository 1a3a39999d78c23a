//! A tiny bundle with everything in it, for tests and examples: no recipe, no files of its own, a moment to make.
//!
//! Its world: users `u0`, `u1`, … with one of three tastes; items `100`, `101`, … with a title, one of the categories
//! `red`, `green` and `blue`, and a price; users mostly take items of their taste. The second item cannot be had. The
//! channels are `popular`, `item_cf` and `ials`; a logistic regression over all four sides of features ranks.

mod fit;
mod world;

use std::path::Path;
use std::sync::Arc;

use catchment_bundle::{ManifestInfo, PartEntry, Publisher, TrainedOn, Version};
use catchment_schema::arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray};
use catchment_schema::{AttributeTable, Time, Vocabulary};

use crate::{Error, Layout, Pipeline, golden};
use world::World;

const ITEM_ID: &str = "item_id";

/// What the tiny bundle is made of. The same settings give the same bundle.
#[derive(Clone, Debug)]
pub struct TinyBundle {
    /// Seed of the histories and of all training.
    pub seed: u64,
    /// How many users; at least 24, so that the ranker's training parts have rows of both kinds.
    pub n_users: usize,
    /// How many items; at least 24.
    pub n_items: usize,
    /// When it was made, in Unix milliseconds: the name of the version.
    pub created_at_ms: i64,
    /// With a fourth channel, `stays` of kind `airbnb`, and a ranker that sees two things alone: `looked`, how near an item is
    /// to what was viewed, each category by itself, and `kind`, how near its category is to the kind of user, who has
    /// purchased or not.
    pub with_spaces: bool,
}

impl Default for TinyBundle {
    fn default() -> Self {
        Self {
            seed: 7,
            n_users: 48,
            n_items: 40,
            created_at_ms: 1_795_472_100_000,
            with_spaces: false,
        }
    }
}

impl TinyBundle {
    /// How many users' answers are replayed at load.
    pub const GOLDEN_USERS: usize = 8;

    /// Writes everything but a manifest into a folder.
    ///
    /// # Errors
    /// When the disk refuses, or for a world too small to learn from.
    pub fn write(&self, layout: &Layout) -> Result<(), Error> {
        let world = World::grow(self)?;
        fit::all(&world, self, layout)?;
        let pipeline = Pipeline::open_folder(layout)?;
        golden::record(&pipeline, Self::GOLDEN_USERS, &layout.golden())
    }

    /// Publishes it below `root`, the folder of all bundles, and makes it current.
    ///
    /// # Errors
    /// As [`TinyBundle::write`], and those of [`Publisher`].
    pub fn publish(&self, root: impl AsRef<Path>) -> Result<Version, Error> {
        self.publish_changed(root, |_| Ok(()))
    }

    /// Says of items when they are there, in the column `published_at` or `expires_at` of a bundle's files, and asks the
    /// golden queries anew: a `change` for [`TinyBundle::publish_changed`]. Items are named by their ids; one that is not
    /// there is passed over.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_moments(layout: &Layout, column: &str, moments: &[(&str, Time)]) -> Result<(), Error> {
        let items = Vocabulary::read(layout.item_vocabulary())?;
        let before = AttributeTable::read(layout.item_attributes(), items.len())?;
        let moment = |id: &Arc<str>| {
            let of_item = moments.iter().find(|(item, _)| **item == **id);
            of_item.and_then(|(_, moment)| moment.millis())
        };
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values(items.ids().iter()));
        let times: TimestampMillisecondArray = items.ids().iter().map(moment).collect();
        let others = before.names().filter(|&name| name != column && name != ITEM_ID);
        let others = others.filter_map(|name| Some((name, before.column(name)?.clone())));
        let columns = [(ITEM_ID, ids), (column, Arc::new(times) as ArrayRef)];
        let batch = RecordBatch::try_from_iter(columns.into_iter().chain(others));
        let batch = batch.map_err(|error| Error::Part {
            part: "testing",
            reason: error.to_string(),
        })?;
        let path = layout.item_attributes();
        AttributeTable::align(&path, &batch, ITEM_ID, &items)?.write(&path)?;
        golden::record(
            &Pipeline::open_folder(layout)?,
            Self::GOLDEN_USERS,
            &layout.golden(),
        )
    }

    /// As [`TinyBundle::publish`], but lets `change` at the files before they are sealed: to make a bundle whose
    /// checksums fit and that is broken all the same.
    ///
    /// # Errors
    /// As [`TinyBundle::publish`], and those of `change`.
    pub fn publish_changed(
        &self,
        root: impl AsRef<Path>,
        change: impl FnOnce(&Layout) -> Result<(), Error>,
    ) -> Result<Version, Error> {
        let publisher = Publisher::begin(root, None)?;
        let spec = publisher.path("pipeline.json")?;
        let layout = Layout::new(spec.parent().unwrap_or(Path::new(".")));
        self.write(&layout)?;
        let pipeline = Pipeline::open_folder(&layout)?;
        let channels = pipeline.spec().channels.iter();
        let parts = channels.map(|channel| PartEntry {
            part: format!("channels/{}", channel.name),
            config: serde_json::json!({ "kind": channel.model.kind() }),
        });
        change(&layout)?;
        Ok(publisher.commit(ManifestInfo {
            created_by: concat!("catchment-pipeline ", env!("CARGO_PKG_VERSION")).to_owned(),
            created_at_ms: self.created_at_ms,
            trained_on: TrainedOn {
                dataset: "tiny".to_owned(),
                split: "none".to_owned(),
                rows: pipeline.catalogue().histories().n_events() as u64,
                hash: String::new(),
            },
            seed: self.seed,
            feature_fingerprint: pipeline.feature_fingerprint(),
            metrics: std::collections::BTreeMap::new(),
            parts: parts.collect(),
        })?)
    }
}
