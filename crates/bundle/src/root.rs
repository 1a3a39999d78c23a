//! The folder of all bundles: which there are, and which one is current.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use catchment_schema::AtomicFile;

use crate::lock::RootLock;
use crate::{Bundle, Error, Result, Version};

/// The file in the folder of all bundles that names the current one.
pub const CURRENT_FILE: &str = "CURRENT";

/// The versions that are published in `root`, oldest first. Other names are passed over.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn list(root: impl AsRef<Path>) -> Result<Vec<Version>> {
    let root = root.as_ref();
    let mut versions = Vec::new();
    for entry in fs::read_dir(root).map_err(Error::io(root))? {
        let entry = entry.map_err(Error::io(root))?;
        // The name first: whatever else lies here may vanish while we look, but a version never does.
        let Some(Ok(version)) = entry.file_name().to_str().map(str::parse) else {
            continue;
        };
        if entry.file_type().map_err(Error::io(entry.path()))?.is_dir() {
            versions.push(version);
        }
    }
    versions.sort_unstable();
    Ok(versions)
}

/// The version that `CURRENT` names. The bundle itself is not looked at.
///
/// # Errors
/// [`Error::NoFolder`] where there is none, [`Error::NoCurrent`] where nothing was published, [`Error::BadCurrent`] where the file holds something
/// else, [`Error::Io`].
pub fn current(root: impl AsRef<Path>) -> Result<Version> {
    let root = root.as_ref();
    let path = root.join(CURRENT_FILE);
    let file = File::open(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound if !root.is_dir() => Error::NoFolder {
            root: root.to_owned(),
        },
        std::io::ErrorKind::NotFound => Error::NoCurrent {
            root: root.to_owned(),
        },
        _ => Error::io(&path)(source),
    })?;
    let mut bytes = Vec::new();
    // More than a version is no version, and need not be read.
    file.take(64).read_to_end(&mut bytes).map_err(Error::io(&path))?;
    let text = String::from_utf8_lossy(&bytes);
    text.trim_end().parse().map_err(|_| Error::BadCurrent {
        path,
        found: text.trim_end().to_owned(),
    })
}

/// Makes a published version the current one, after verifying it whole.
///
/// # Errors
/// As [`Bundle::open_version`]; then, and when the file cannot be written, the current one stays.
pub fn activate(root: impl AsRef<Path>, version: &Version) -> Result<()> {
    let root = root.as_ref();
    let held = RootLock::take(root)?;
    Bundle::open_version(root, version)?;
    set_current(root, version, &held)
}

/// Makes the newest version that is older than the current one current, after verifying it whole; returns it.
/// The version that is left stays published.
///
/// # Errors
/// [`Error::NothingBefore`] at the oldest; as [`current`] and [`activate`].
pub fn roll_back(root: impl AsRef<Path>) -> Result<Version> {
    let root = root.as_ref();
    let held = RootLock::take(root)?;
    let current = current(root)?;
    let previous = list(root)?
        .into_iter()
        .rfind(|version| *version < current)
        .ok_or(Error::NothingBefore { current })?;
    Bundle::open_version(root, &previous)?;
    set_current(root, &previous, &held)?;
    Ok(previous)
}

/// Writes `CURRENT` by rename.
pub(crate) fn set_current(root: &Path, version: &Version, _held: &RootLock) -> Result<()> {
    AtomicFile::write(root.join(CURRENT_FILE), format!("{version}\n").as_bytes())?;
    Ok(())
}
