//! Where a bundle grows before anybody can see it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::lock::{self, RootLock};
use crate::{Error, Result};

const PREFIX: &str = ".staging-";
const UNFINISHED: &str = ".unfinished-";
const LOCK: &str = "lock";
const FILES: &str = "files";

/// A hidden folder in the folder of all bundles, so that the last rename stays within one file system:
/// `.staging-…/lock`, held while its publisher lives, and `.staging-…/files/`, which becomes the bundle.
/// Dropped, it takes everything with it.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: TempDir,
    _lock: File,
}

impl Staging {
    /// Makes the folder. Under the root lock, so that no cleaner sees it without its own lock.
    pub(crate) fn begin(root: &Path, _held: &RootLock) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(root)
            .map_err(Error::io(root))?;
        let lock = lock::claim(&folder.path().join(LOCK))?;
        let staging = Self { folder, _lock: lock };
        fs::create_dir(staging.files()).map_err(Error::io(staging.files()))?;
        Ok(staging)
    }

    /// The folder that becomes the bundle.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join(FILES)
    }
}

/// Removes what dead publishers left. What cannot be removed is left for the next time: it is invisible
/// and hinders nobody.
pub(crate) fn clean(root: &Path, _held: &RootLock) -> Result<()> {
    for entry in fs::read_dir(root).map_err(Error::io(root))? {
        let entry = entry.map_err(Error::io(root))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        // A living publisher may take its folder away while we look.
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with(PREFIX) && kind.is_dir() && lock::is_abandoned(&path.join(LOCK)) {
            let _ = fs::remove_dir_all(&path);
        }
        // A `CURRENT` that was begun and never renamed; whoever writes one holds the root lock.
        if name.starts_with(UNFINISHED) && kind.is_file() {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}
