//! The manifest: what a bundle says about itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result, Version, checksum};

/// The version of the format that we write. Older ones are read, newer ones refused.
pub const FORMAT_VERSION: u32 = 1;
/// The manifest's name in a bundle.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The manifest's own checksum, as `sha256sum` writes it, so that `sha256sum -c` checks it.
pub const MANIFEST_CHECKSUM_FILE: &str = "manifest.json.sha256";

/// What the publishing side knows about a bundle; the rest of the [`Manifest`] is computed at the commit.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestInfo {
    /// Program and version, such as `catchment-train 0.1.0`.
    pub created_by: String,
    /// When, in Unix milliseconds. Given, because libraries have no clock.
    pub created_at_ms: i64,
    /// The data that was learned from.
    pub trained_on: TrainedOn,
    /// The seed of all random streams.
    pub seed: u64,
    /// Fingerprint of the fitted features, where there are any.
    pub feature_fingerprint: Option<String>,
    /// What was measured, by name (`recall@20`, …); finite.
    pub metrics: BTreeMap<String, f64>,
    /// The channels and the ranker, in the order in which they run.
    pub parts: Vec<PartEntry>,
}

/// The data that a bundle was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// Name of the data set.
    pub dataset: String,
    /// Which part of it, such as `train+validation`.
    pub split: String,
    /// How many rows.
    pub rows: u64,
    /// Hash of those rows.
    pub hash: String,
}

/// One part of a bundle and how it is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Its folder, such as `channels/ials` or `ranker`.
    pub part: String,
    /// Its configuration, which only the rooms that write and open it understand.
    pub config: Value,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the bundle, `/` between names.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256: 64 hexadecimal digits.
    pub sha256: String,
}

/// What a bundle says about itself: `manifest.json`.
///
/// Fields that a newer program added within the same format version are passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// See [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The bundle's name.
    pub version: Version,
    /// Program and version that wrote it.
    pub created_by: String,
    /// When, in Unix milliseconds.
    pub created_at_ms: i64,
    /// The data that was learned from.
    pub trained_on: TrainedOn,
    /// The seed of all random streams.
    pub seed: u64,
    /// Fingerprint of the fitted features, where there are any.
    #[serde(default)]
    pub feature_fingerprint: Option<String>,
    /// What was measured, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The channels and the ranker, in the order in which they run.
    pub parts: Vec<PartEntry>,
    /// Every file but the manifest itself and its checksum, by path.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// The configuration of a part (`channels/ials`).
    pub fn config(&self, part: &str) -> Option<&Value> {
        self.parts
            .iter()
            .find(|entry| entry.part == part)
            .map(|entry| &entry.config)
    }

    /// The bytes of `manifest.json` and of the file with their checksum.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<(Vec<u8>, Vec<u8>)> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        let sum = format!("{}  {MANIFEST_FILE}\n", checksum::of_bytes(&bytes));
        Ok((bytes, sum.into_bytes()))
    }

    /// Reads and checks the manifest of the bundle in `folder`; the files that it lists are not looked at.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound if folder.is_dir() => Error::NotABundle {
                path: folder.to_owned(),
            },
            _ => Error::io(&path)(source),
        })?;
        // The format comes first: a newer one may be checked in another way.
        if let Ok(Format {
            format_version: found,
        }) = serde_json::from_slice(&bytes)
            && !(1..=u64::from(FORMAT_VERSION)).contains(&found)
        {
            return Err(Error::WrongFormat {
                path,
                found,
                supported: FORMAT_VERSION,
            });
        }
        let expected = read_own_checksum(&folder.join(MANIFEST_CHECKSUM_FILE))?;
        let found = checksum::of_bytes(&bytes);
        if expected != found {
            return Err(Error::WrongChecksum {
                path,
                expected,
                found,
            });
        }
        serde_json::from_slice(&bytes).map_err(|error| Error::BadManifest {
            path,
            reason: error.to_string(),
        })
    }
}

#[derive(Deserialize)]
struct Format {
    format_version: u64,
}

fn read_own_checksum(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::MissingFile {
            path: path.to_owned(),
        },
        std::io::ErrorKind::InvalidData => bad_own_checksum(path),
        _ => Error::io(path)(source),
    })?;
    text.strip_suffix(&format!("  {MANIFEST_FILE}\n"))
        .map(str::to_owned)
        .ok_or_else(|| bad_own_checksum(path))
}

fn bad_own_checksum(path: &Path) -> Error {
    Error::BadManifest {
        path: path.to_owned(),
        reason: format!("expected a SHA-256, two spaces and `{MANIFEST_FILE}`"),
    }
}
