//! Channels that were fitted before: recognised by everything that decides about them, and not fitted again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use catchment_pipeline::ChannelSpec;
use catchment_prepare::Prepared;
use catchment_schema::{AtomicFile, Error, Result};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::folder;
use crate::work::Work;

/// In the folder of a channel, written when all the rest is there.
pub(crate) const FITTED: &str = "fitted.json";

/// Where a channel that is taken over lies until all of it is there.
const TAKEN: &str = ".taken";

/// What decides about a fitted channel: the data, the settings, the seed, and the program.
pub(crate) struct Mark(Value);

impl Mark {
    /// For a channel of the models called `part`, `selection` or `model`, which see different rows.
    pub(crate) fn new(work: &Work, prepared: &Prepared, part: &str, channel: &ChannelSpec) -> Self {
        Self(json!({
            "data": prepared.summary().hash,
            "part": part,
            "refit": work.recipe.split.refit,
            "model": channel.model,
            "negative": work.recipe.prepare.negative,
            "seed": work.recipe.seed,
            "program": program(),
        }))
    }

    /// What the training alone is called in short: a checkpoint by this name is of just this one. What is done with its
    /// vectors afterwards, and how they are asked, has no part in it.
    pub(crate) fn training(&self) -> String {
        let mut training = self.0.clone();
        if let Some(model) = training["model"].as_object_mut() {
            for afterwards in ["cold", "types", "query", "index"] {
                model.remove(afterwards);
            }
        }
        format!("{:016x}", xxh3_64(training.to_string().as_bytes()))
    }

    /// Copies the channel from the first of the folders that holds just this one, whole. Whether one did.
    pub(crate) fn take(&self, folders: &[PathBuf], to: &Path) -> Result<bool> {
        for folder in folders {
            let Ok(mark) = fs::read(folder.join(FITTED)) else {
                continue;
            };
            if mark != self.with_files(folder)? {
                continue;
            }
            let taken = to.parent().unwrap_or(to).join(TAKEN);
            folder::remove(&taken)?;
            folder::copy(folder, &taken)?;
            folder::remove(to)?;
            fs::rename(&taken, to).map_err(Error::io(to))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Says that the channel in `folder` is complete.
    pub(crate) fn put(&self, folder: &Path) -> Result<()> {
        AtomicFile::write(folder.join(FITTED), &self.with_files(folder)?)
    }

    /// The mark of the files that lie in `folder`, as it is written.
    fn with_files(&self, folder: &Path) -> Result<Vec<u8>> {
        let mut files = Map::new();
        for (file, name) in folder::files_below(folder)? {
            if name != FITTED {
                let bytes = fs::read(&file).map_err(Error::io(&file))?;
                files.insert(name, format!("{:016x}", xxh3_64(&bytes)).into());
            }
        }
        let mark = json!({ "made_by": self.0, "files": files });
        Ok(mark.to_string().into_bytes())
    }
}

/// The version, and which build of it: models of a program that was changed since are not its own.
pub(crate) fn program() -> Value {
    let build = std::env::current_exe().and_then(fs::metadata).ok();
    let modified = build.as_ref().and_then(|file| file.modified().ok());
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "bytes": build.map(|file| file.len()),
        "modified": modified.map(|time| time.as_secs_f64()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_is_the_same_whatever_is_done_with_its_vectors_afterwards() {
        let mark = |model: Value| Mark(json!({ "data": "d", "seed": 7, "model": model }));
        let plain = mark(json!({ "kind": "airbnb", "model": { "dim": 32 } }));
        let more = mark(json!({
            "kind": "airbnb", "model": { "dim": 32 }, "cold": { "k": 3 }, "types": {}, "query": { "form": "seeds" },
        }));
        assert_eq!(plain.training(), more.training());
        assert_ne!(plain.0, more.0, "but it is another channel");
        let other = mark(json!({ "kind": "airbnb", "model": { "dim": 33 } }));
        assert_ne!(plain.training(), other.training());
    }
}
