//! What models were trained on, and by what of it that their description does not say.

use std::fs;

use catchment_pipeline::Layout;
use catchment_prepare::{Prepared, Refit};
use catchment_schema::AtomicFile;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::recipe::Recipe;

/// Its file in a folder of models; no part of a bundle.
pub(crate) const TRAINED_ON: &str = "trained_on.hash";

/// Lies beside models, as JSON. One that is missing, or was written when it was the hash of the data alone, is of models
/// of which nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// The hash of the prepared data.
    pub(crate) data: String,
    /// The seed of everything random.
    pub(crate) seed: u64,
    /// Which rows the final models were fitted on.
    pub(crate) refit: Refit,
    /// A hash of what the ranker sees; none where there is no ranker.
    pub(crate) features: Option<String>,
}

impl Stamp {
    /// Of models that are trained by this recipe on these data.
    pub(crate) fn new(recipe: &Recipe, prepared: &Prepared) -> anyhow::Result<Self> {
        let features = match &recipe.ranker {
            Some(_) => Some(format!(
                "{:016x}",
                xxh3_64(&serde_json::to_vec(&recipe.features)?)
            )),
            None => None,
        };
        Ok(Self {
            data: prepared.summary().hash.clone(),
            seed: recipe.seed,
            refit: recipe.split.refit,
            features,
        })
    }

    /// Puts it beside the models below `layout`.
    pub(crate) fn write(&self, layout: &Layout) -> anyhow::Result<()> {
        Ok(AtomicFile::write(
            layout.root().join(TRAINED_ON),
            &serde_json::to_vec(self)?,
        )?)
    }

    /// Of the models below `layout`.
    pub(crate) fn read(layout: &Layout) -> Option<Self> {
        serde_json::from_slice(&fs::read(layout.root().join(TRAINED_ON)).ok()?).ok()
    }
}
