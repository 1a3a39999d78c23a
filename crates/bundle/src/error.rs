//! What can be wrong with a bundle, and whose fault it is.

use std::path::{Path, PathBuf};

use crate::Version;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between "training is done" and "a server reads it".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused. Check that the path may be used and that the disk has room.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file could not be written whole. Check that the disk has room.
    #[error(transparent)]
    Write(#[from] catchment_schema::Error),
    /// A path that a bundle may not hold: absolute, climbing, hidden or not portable. Whoever wrote the
    /// manifest, or asked for the path, must choose another.
    #[error("`{path}` cannot name a file of a bundle: {reason}")]
    BadPath {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Text that is no version. Versions look like `20261123T221500Z-3f9c`.
    #[error("`{text}` is no version (expected the form 20261123T221500Z-3f9c)")]
    BadVersion {
        /// As it was given.
        text: String,
    },
    /// The caller's moment is outside the years 1970 to 9999. Pass Unix milliseconds.
    #[error("created_at_ms = {millis} is not a moment between the years 1970 and 9999")]
    BadMoment {
        /// As it was given.
        millis: i64,
    },
    /// The caller's figures cannot be kept in a manifest. A metric that is not a number was not measured:
    /// leave it out.
    #[error("metric `{name}` is {value}, but must be finite")]
    BadMetric {
        /// Which metric.
        name: String,
        /// As it was given.
        value: f64,
    },
    /// Nothing was written before the commit. The caller forgot, or wrote elsewhere.
    #[error("{} holds no file to publish", path.display())]
    NothingToPublish {
        /// The staging folder.
        path: PathBuf,
    },
    /// A bundle of this version is there already, and bundles never change. Let the version be made from
    /// clock and content, or choose another.
    #[error("version {version} is published already")]
    VersionExists {
        /// Which.
        version: Version,
    },
    /// A folder without a manifest. Point to `bundles/<version>`, not to the folder above or below it.
    #[error("{} is no bundle: it has no {}", path.display(), crate::manifest::MANIFEST_FILE)]
    NotABundle {
        /// The folder.
        path: PathBuf,
    },
    /// Written by a newer program than this one. Read it with that program, or publish it anew.
    #[error("{} has bundle format {found}; this program reads 1 to {supported}", path.display())]
    WrongFormat {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        found: u64,
        /// The newest that can be read.
        supported: u32,
    },
    /// The manifest is not what we write. Publish the bundle anew, or copy it again.
    #[error("{}: {reason}", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A file that the manifest lists is gone. Copy the bundle again.
    #[error("{} is missing", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A file that the manifest does not list: bundles are complete and never change. Take it away.
    #[error("{} is not in the manifest", path.display())]
    UnlistedFile {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link, a device or a pipe: bundles hold only plain files and folders.
    #[error("{} is neither a plain file nor a folder", path.display())]
    NotPlain {
        /// The entry.
        path: PathBuf,
    },
    /// Truncated or replaced. Copy the bundle again.
    #[error("{} has {found} bytes, but the manifest says {expected}", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Bytes in the manifest.
        expected: u64,
        /// Bytes on disk.
        found: u64,
    },
    /// Damaged or replaced. Copy the bundle again.
    #[error("{} has sha256 {found}, but should have {expected}", path.display())]
    WrongChecksum {
        /// The file.
        path: PathBuf,
        /// 64 hexadecimal digits.
        expected: String,
        /// 64 hexadecimal digits.
        found: String,
    },
    /// The folder is called as another version than the bundle in it. Somebody renamed it.
    #[error("{} holds version {found}, not {expected}", path.display())]
    OtherVersion {
        /// The folder.
        path: PathBuf,
        /// The version that was asked for.
        expected: Version,
        /// The version in its manifest.
        found: Version,
    },
    /// The caller asked for a part or file that training did not hand over.
    #[error("{} has no `{name}`; it has: {}", path.display(), available.join(", "))]
    NoSuchPart {
        /// The bundle.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// The parts that there are.
        available: Vec<String>,
    },
    /// Nothing was published here yet. Publish, or point to the right folder.
    #[error("{} has no {}: nothing was published there", root.display(), crate::root::CURRENT_FILE)]
    NoCurrent {
        /// The folder of all bundles.
        root: PathBuf,
    },
    /// There is no such folder. Publish there, or point to the right one.
    #[error("there is no folder {}", root.display())]
    NoFolder {
        /// The folder of all bundles.
        root: PathBuf,
    },
    /// `CURRENT` holds something else than one version. Write it by `activate`.
    #[error("{} holds `{found}`, which is no version", path.display())]
    BadCurrent {
        /// The file.
        path: PathBuf,
        /// Its beginning.
        found: String,
    },
    /// The caller named a version that is not there. `list` names those that are.
    #[error("{} has no version {version}", root.display())]
    NoSuchVersion {
        /// The folder of all bundles.
        root: PathBuf,
        /// What was asked for.
        version: Version,
    },
    /// The oldest version is the current one: there is nothing to roll back to.
    #[error("there is no version before {current}")]
    NothingBefore {
        /// The current version.
        current: Version,
    },
}

impl Error {
    /// For `map_err`: an I/O error with its path.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { path, source }
    }

    /// What to do about it, in one line.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Write(_) => {
                "check that the path exists and may be used, and that the disk has room"
            }
            Self::BadPath { .. } => {
                "use a relative path of plain names with `/` between them, such as channels/ials/items.parquet"
            }
            Self::BadVersion { .. } | Self::NoSuchVersion { .. } => {
                "list the versions and choose one of them"
            }
            Self::BadMoment { .. } => "pass the time in Unix milliseconds",
            Self::BadMetric { .. } => "leave the metric out, or find out why it is not a number",
            Self::NothingToPublish { .. } => "write files to the publisher's paths before the commit",
            Self::VersionExists { .. } => "let the version be made from clock and content",
            Self::NotABundle { .. } => "point to a folder bundles/<version>",
            Self::WrongFormat { .. } => "read it with a newer program, or publish it anew",
            Self::MissingFile { .. }
            | Self::BadManifest { .. }
            | Self::NotPlain { .. }
            | Self::WrongSize { .. }
            | Self::WrongChecksum { .. } => "the bundle is damaged: copy it again, or roll back",
            Self::UnlistedFile { .. } => "bundles never change: take the file away",
            Self::OtherVersion { .. } => "give the folder the name of its version again",
            Self::NoSuchPart { .. } => {
                "train and publish what is missing, or ask for one of those that there are"
            }
            Self::NoCurrent { .. } | Self::NoFolder { .. } => {
                "publish a bundle there first, or point to the right folder"
            }
            Self::BadCurrent { .. } => "activate a version, which writes the file anew",
            Self::NothingBefore { .. } => "publish another bundle, or activate a version by name",
        }
    }
}
