//! Making a bundle.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::lock::RootLock;
use crate::manifest::{FORMAT_VERSION, MANIFEST_CHECKSUM_FILE, MANIFEST_FILE};
use crate::root::set_current;
use crate::staging::{self, Staging};
use crate::tree::{Tree, sync_folder};
use crate::{Error, FileEntry, Manifest, ManifestInfo, Result, Version, checksum, entry_path};

/// A bundle in the making.
///
/// # Laws
/// 1. Before [`Publisher::commit`] returns or is inside its last two renames, no reader sees anything of it.
/// 2. A version that [`crate::list`] names is complete, at every moment and after any crash.
/// 3. `CURRENT` names a complete version, at every moment and after any crash, once it names any.
/// 4. A publisher that is dropped or whose process dies leaves no version. What it leaves of hidden files
///    is removed by a later [`Publisher::begin`]; those of a living publisher are never touched.
/// 5. Any number of publishers may work at once, in any number of processes. Each commit succeeds, or
///    answers [`Error::VersionExists`]; the last one to commit is current.
#[derive(Debug)]
pub struct Publisher {
    root: PathBuf,
    version: Option<Version>,
    staging: Staging,
}

impl Publisher {
    /// Begins a bundle in `root`, the folder of all bundles, which is made where needed.
    /// Without a `version`, one is made at the commit from the caller's time and the content.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be made or written.
    pub fn begin(root: impl AsRef<Path>, version: Option<Version>) -> Result<Self> {
        let root = root.as_ref().to_owned();
        fs::create_dir_all(&root).map_err(Error::io(&root))?;
        let held = RootLock::take(&root)?;
        staging::clean(&root, &held)?;
        let staging = Staging::begin(&root, &held)?;
        Ok(Self {
            root,
            version,
            staging,
        })
    }

    /// Where to write the file that will be `path` in the bundle (`channels/ials/items.parquet`). The
    /// folders above it are made.
    ///
    /// # Errors
    /// [`Error::BadPath`] for anything but plain relative names, and for the manifest's own;
    /// [`Error::Io`] when a folder cannot be made.
    pub fn path(&self, path: &str) -> Result<PathBuf> {
        if [MANIFEST_FILE, MANIFEST_CHECKSUM_FILE].contains(&path) {
            return Err(reserved(path));
        }
        let joined = entry_path::join(&self.staging.files(), path)?;
        if let Some(folder) = joined.parent() {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        Ok(joined)
    }

    /// The folder of a part (`channels/ials`), made and ready to be written to.
    ///
    /// # Errors
    /// As [`Publisher::path`].
    pub fn part(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path(name)?;
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        Ok(folder)
    }

    /// Makes everything durable, then visible: checksums and syncs all files and folders, writes the
    /// manifest last, gives the bundle its name by one rename, and makes it current by another.
    ///
    /// When only the last step fails, the version is published and complete, but not current:
    /// [`crate::activate`] does that step again.
    ///
    /// # Errors
    /// [`Error::NothingToPublish`], [`Error::BadMoment`], [`Error::BadMetric`] before anything is done;
    /// [`Error::NotPlain`], [`Error::BadPath`] for links, hidden and unfinished files in the bundle;
    /// [`Error::VersionExists`]; [`Error::Io`], [`Error::Write`] when the disk is full.
    pub fn commit(self, info: ManifestInfo) -> Result<Version> {
        if let Some((name, &value)) = info.metrics.iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::BadMetric {
                name: name.clone(),
                value,
            });
        }
        let folder = self.staging.files();
        let tree = Tree::read(&folder)?;
        let files = seal(&folder, &tree)?;
        let version = match self.version {
            Some(version) => version,
            None => Version::new(info.created_at_ms, short_hash(&files))?,
        };
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            version,
            created_by: info.created_by,
            created_at_ms: info.created_at_ms,
            trained_on: info.trained_on,
            seed: info.seed,
            feature_fingerprint: info.feature_fingerprint,
            metrics: info.metrics,
            parts: info.parts,
            files,
        };
        write_manifest(&folder, &manifest)?;
        for folder in &tree.folders {
            sync_folder(folder)?;
        }
        self.reveal(&folder, &version)?;
        Ok(version)
    }

    fn reveal(&self, folder: &Path, version: &Version) -> Result<()> {
        let held = RootLock::take(&self.root)?;
        let home = self.root.join(version.to_string());
        // A rename replaces an empty folder without a word: look first. Under the lock nobody else makes one.
        if home.symlink_metadata().is_ok() {
            return Err(Error::VersionExists { version: *version });
        }
        fs::rename(folder, &home).map_err(Error::io(&home))?;
        sync_folder(&self.root)?;
        set_current(&self.root, version, &held)
    }
}

/// Checksums every file and makes it durable.
fn seal(folder: &Path, tree: &Tree) -> Result<Vec<FileEntry>> {
    if tree.files.is_empty() {
        return Err(Error::NothingToPublish {
            path: folder.to_owned(),
        });
    }
    tree.files
        .iter()
        .map(|name| {
            if [MANIFEST_FILE, MANIFEST_CHECKSUM_FILE].contains(&name.as_str()) {
                return Err(reserved(name));
            }
            let path = entry_path::join(folder, name)?;
            let file = File::open(&path).map_err(Error::io(&path))?;
            let checksum = checksum::of_file(&path, &file)?;
            file.sync_all().map_err(Error::io(&path))?;
            Ok(FileEntry {
                path: name.clone(),
                bytes: checksum.bytes,
                sha256: checksum.sha256,
            })
        })
        .collect()
}

/// The first sixteen bits of the hash over all paths and checksums, in path order.
fn short_hash(files: &[FileEntry]) -> u16 {
    let lines: Vec<_> = files
        .iter()
        .map(|file| format!("{}  {}\n", file.sha256, file.path))
        .collect();
    let hash = checksum::of_bytes(lines.concat().as_bytes());
    u16::from_str_radix(&hash[..4], 16).unwrap_or_default()
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<()> {
    let path = folder.join(MANIFEST_FILE);
    let (bytes, sum) = manifest.to_bytes().map_err(|error| Error::BadManifest {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    for (path, bytes) in [(folder.join(MANIFEST_CHECKSUM_FILE), sum), (path, bytes)] {
        let mut file = File::create(&path).map_err(Error::io(&path))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(Error::io(&path))?;
    }
    Ok(())
}

fn reserved(path: &str) -> Error {
    Error::BadPath {
        path: path.to_owned(),
        reason: "the manifest is written by the commit",
    }
}
