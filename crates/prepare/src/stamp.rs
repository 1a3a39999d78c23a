//! Whether a folder was made from these very inputs by these very settings.

use std::fs;
use std::path::Path;

use catchment_schema::AtomicFile;
use catchment_schema::import::source_files;
use xxhash_rust::xxh3::Xxh3Default;

use crate::layout::STAMP;
use crate::prepared::read_summary;
use crate::summary::{FORMAT, hash_file, hash_files};
use crate::{Inputs, PrepareConfig, Result, SplitConfig, Summary};

/// Raised whenever equal inputs and settings make other files: what older programs made is then made again.
/// 2: where times are equal, a lot says which row is the last. 3: what says no goes with what was taken at its moment, or
/// drawn by lot, and a minimum of 1 asks nothing of it.
const RULES: u32 = 3;

/// The summary of a folder that [`crate::prepare`] would only write again: it was made from files with the same bytes,
/// by the same settings, seed and version, and its own files are whole. `None` where it has to be made.
///
/// Where the inputs lie does not matter, and neither does `memory_limit`: the files come out the same.
///
/// # Errors
/// [`crate::Error::File`] for an input that cannot be read.
pub fn already_prepared(
    inputs: &Inputs,
    config: &PrepareConfig,
    split: &SplitConfig,
    seed: u64,
    out: &Path,
) -> Result<Option<Summary>> {
    let Ok(found) = fs::read_to_string(out.join(STAMP)) else {
        return Ok(None);
    };
    if found != stamp(inputs, config, split, seed)? {
        return Ok(None);
    }
    let Ok(summary) = read_summary(out) else {
        return Ok(None);
    };
    let is_whole = hash_files(|name| out.join(name)).is_ok_and(|hash| hash == summary.hash);
    Ok(is_whole.then_some(summary))
}

/// A hash of all that decides what is written.
pub(crate) fn stamp(
    inputs: &Inputs,
    config: &PrepareConfig,
    split: &SplitConfig,
    seed: u64,
) -> Result<String> {
    let mut hasher = Xxh3Default::new();
    let config = PrepareConfig {
        memory_limit: None,
        ..config.clone()
    };
    let version = env!("CARGO_PKG_VERSION");
    hasher.update(format!("{FORMAT} {RULES} {version} {seed} {config:?} {split:?}").as_bytes());
    for (table, source) in inputs.sources() {
        let mut settings = source.clone();
        let files = source_files(source, table)?;
        settings.path.clear();
        hasher.update(format!("{table:?} {settings:?} {}", files.len()).as_bytes());
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            hasher.update(format!("{name} ").as_bytes());
            hash_file(&mut hasher, &file)?;
        }
    }
    Ok(format!("{:032x}", hasher.digest128()))
}

pub(crate) fn write(path: &Path, stamp: &str) -> Result<()> {
    Ok(AtomicFile::write(path, stamp.as_bytes())?)
}
