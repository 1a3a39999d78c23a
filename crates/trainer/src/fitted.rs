//! Channels that were fitted before: recognised by everything that decides about them, and not fitted again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use catchment_pipeline::ChannelSpec;
use catchment_prepare::Prepared;
use catchment_schema::{AtomicFile, Result};
use serde_json::{Value, json};

use crate::folder;
use crate::work::Work;

/// In the folder of a channel, written when all the rest is there.
pub(crate) const FITTED: &str = "fitted.json";

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
            "seed": work.recipe.seed,
            "program": program(),
        }))
    }

    /// Copies the channel from the first of the folders that holds just this one. Whether one did.
    pub(crate) fn take(&self, folders: &[PathBuf], to: &Path) -> Result<bool> {
        for folder in folders {
            let mark = fs::read(folder.join(FITTED)).ok();
            let mark = mark.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            if mark.as_ref() == Some(&self.0) {
                folder::copy(folder, to)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says that the channel in `folder` is complete.
    pub(crate) fn put(&self, folder: &Path) -> Result<()> {
        AtomicFile::write(folder.join(FITTED), self.0.to_string().as_bytes())
    }
}

/// The version, and which build of it: models of a program that was changed since are not its own.
fn program() -> Value {
    let build = std::env::current_exe().and_then(fs::metadata).ok();
    let modified = build.as_ref().and_then(|file| file.modified().ok());
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "bytes": build.map(|file| file.len()),
        "modified": modified.map(|time| time.as_secs_f64()),
    })
}
