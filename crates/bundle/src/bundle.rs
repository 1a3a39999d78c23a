//! Reading a bundle.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::manifest::{MANIFEST_CHECKSUM_FILE, MANIFEST_FILE};
use crate::tree::Tree;
use crate::{Error, FileEntry, Manifest, Result, Version, checksum, entry_path, root};

/// A bundle that was verified whole: every file present, none besides, all of the right length and checksum.
///
/// It is immutable, so what was verified stays true; the files are read by whoever understands them.
#[derive(Clone, Debug)]
pub struct Bundle {
    path: PathBuf,
    manifest: Manifest,
}

/// One part of a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its folder.
    pub path: PathBuf,
    /// Its configuration, where the manifest has one.
    pub entry: Option<Value>,
}

impl Bundle {
    /// Opens and verifies the bundle in this folder. Reads every byte of it once.
    ///
    /// # Errors
    /// [`Error::NotABundle`], [`Error::WrongFormat`], [`Error::BadManifest`]; [`Error::MissingFile`],
    /// [`Error::UnlistedFile`], [`Error::NotPlain`], [`Error::BadPath`], [`Error::WrongSize`] and
    /// [`Error::WrongChecksum`], which name the file; [`Error::Io`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let bundle = Self {
            path: folder.as_ref().to_owned(),
            manifest: Manifest::read(folder.as_ref())?,
        };
        bundle.verify()?;
        Ok(bundle)
    }

    /// Opens and verifies the current bundle of `root`, the folder of all bundles.
    ///
    /// # Errors
    /// As [`root::current`] and [`Bundle::open_version`].
    pub fn open_current(root: impl AsRef<Path>) -> Result<Self> {
        let version = root::current(root.as_ref())?;
        Self::open_version(root, &version)
    }

    /// Opens and verifies one version of `root`, the folder of all bundles.
    ///
    /// # Errors
    /// [`Error::NoSuchVersion`]; [`Error::OtherVersion`] when its manifest names another version; as
    /// [`Bundle::open`].
    pub fn open_version(root: impl AsRef<Path>, version: &Version) -> Result<Self> {
        let path = root.as_ref().join(version.to_string());
        if !path.is_dir() {
            return Err(Error::NoSuchVersion {
                root: root.as_ref().to_owned(),
                version: *version,
            });
        }
        let bundle = Self::open(&path)?;
        match bundle.manifest.version {
            found if found == *version => Ok(bundle),
            found => Err(Error::OtherVersion {
                path,
                expected: *version,
                found,
            }),
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name.
    pub fn version(&self) -> Version {
        self.manifest.version
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder of a part (`channels/dssm`, `features`) and its configuration.
    ///
    /// # Errors
    /// [`Error::NoSuchPart`] when the bundle has no file in it; the error names the parts that there are.
    pub fn part(&self, name: &str) -> Result<Part> {
        let prefix = format!("{name}/");
        let files = &self.manifest.files;
        if !files.iter().any(|file| file.path.starts_with(&prefix)) {
            return Err(self.no_such(name));
        }
        Ok(Part {
            path: entry_path::join(&self.path, name)?,
            entry: self.manifest.config(name).cloned(),
        })
    }

    /// One file (`golden.parquet`, `channels/ials/items.parquet`).
    ///
    /// # Errors
    /// [`Error::NoSuchPart`] when the manifest does not list it.
    pub fn file(&self, path: &str) -> Result<PathBuf> {
        if !self.manifest.files.iter().any(|file| file.path == path) {
            return Err(self.no_such(path));
        }
        entry_path::join(&self.path, path)
    }

    fn no_such(&self, name: &str) -> Error {
        let available: BTreeSet<_> = self
            .manifest
            .files
            .iter()
            .map(|file| {
                file.path
                    .rsplit_once('/')
                    .map_or(&*file.path, |(folder, _)| folder)
            })
            .collect();
        Error::NoSuchPart {
            path: self.path.clone(),
            name: name.to_owned(),
            available: available.into_iter().map(str::to_owned).collect(),
        }
    }

    fn verify(&self) -> Result<()> {
        let present: BTreeSet<_> = Tree::read(&self.path)?.files.into_iter().collect();
        let mut listed = BTreeSet::from([MANIFEST_FILE, MANIFEST_CHECKSUM_FILE]);
        for file in &self.manifest.files {
            let path = entry_path::join(&self.path, &file.path)?;
            if !listed.insert(&file.path) {
                return Err(Error::BadManifest {
                    path: self.path.join(MANIFEST_FILE),
                    reason: format!("`{}` is listed twice or is the manifest's own", file.path),
                });
            }
            // The walk follows no link, so a path through one is not present.
            if !present.contains(&file.path) {
                return Err(Error::MissingFile { path });
            }
            verify_file(&path, file)?;
        }
        match present.iter().find(|path| !listed.contains(path.as_str())) {
            None => Ok(()),
            Some(path) => Err(Error::UnlistedFile {
                path: self.path.join(path),
            }),
        }
    }
}

fn verify_file(path: &Path, expected: &FileEntry) -> Result<()> {
    let file = File::open(path).map_err(Error::io(path))?;
    // The length first: it is free, and says more than a checksum does.
    let bytes = file.metadata().map_err(Error::io(path))?.len();
    if bytes != expected.bytes {
        return Err(Error::WrongSize {
            path: path.to_owned(),
            expected: expected.bytes,
            found: bytes,
        });
    }
    let found = checksum::of_file(path, &file)?;
    if found.sha256 == expected.sha256 {
        Ok(())
    } else {
        Err(Error::WrongChecksum {
            path: path.to_owned(),
            expected: expected.sha256.clone(),
            found: found.sha256,
        })
    }
}
