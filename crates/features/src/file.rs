//! Fitted features on disk: `features.json`, and `item_times.parquet` where an item's count up to a
//! moment is asked for.

use std::fs;
use std::path::Path;

use catchment_schema::AtomicFile;
use serde::{Deserialize, Serialize};

use crate::candidate::CandidateRule;
use crate::item_times::ItemTimes;
use crate::state::State;
use crate::{Error, Fingerprint, FittedFeatures, Result, Side};

/// The format of `features.json` that is written; older ones are read.
pub const FORMAT: u32 = 4;

/// The one that is written where nothing reads text, so that older programs can read it.
const WITHOUT_TEXTS: u32 = 3;
/// And where nothing looks into a channel's vectors.
const WITHOUT_SPACES: u32 = 2;
/// The name of the file in its folder.
pub const FEATURES_FILE: &str = "features.json";
/// The name of the file of item times.
pub const ITEM_TIMES_FILE: &str = "item_times.parquet";

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    fingerprint: Fingerprint,
    features: &'a State,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "format")]
    _format: u32,
    fingerprint: Fingerprint,
    features: State,
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl FittedFeatures {
    /// Writes the features into `folder`. `features.json` comes last and by rename, and names the
    /// fingerprint of the whole, so that an interrupted save is noticed when it is opened.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, folder: &Path) -> Result<()> {
        if let Some(times) = &self.state().item_times {
            times.write(&folder.join(ITEM_TIMES_FILE))?;
        }
        let path = folder.join(FEATURES_FILE);
        let written = Written {
            format: self.format(),
            fingerprint: self.fingerprint(),
            features: self.state(),
        };
        let json = serde_json::to_vec(&written).map_err(|error| bad_file(&path, &error))?;
        Ok(AtomicFile::write(&path, &json)?)
    }

    /// The oldest format that can say this.
    fn format(&self) -> u32 {
        let has_text = |side| !self.texts(side).is_empty();
        if has_text(Side::User) || has_text(Side::Item) {
            FORMAT
        } else if self.spaces().is_empty() {
            WITHOUT_SPACES
        } else {
            WITHOUT_TEXTS
        }
    }

    /// Reads what [`FittedFeatures::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read; [`Error::WrongVersion`] for a newer format;
    /// [`Error::BadFile`] for anything that `save` does not write;
    /// [`Error::FingerprintMismatch`] when the parts are not of one fit.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FEATURES_FILE);
        let json = fs::read(&path).map_err(catchment_schema::Error::io(&path))?;
        let head: Head = serde_json::from_slice(&json).map_err(|error| bad_file(&path, &error))?;
        if head.format > FORMAT {
            return Err(Error::WrongVersion {
                path,
                found: head.format,
                supported: FORMAT,
            });
        }
        let read: Read = serde_json::from_slice(&json).map_err(|error| bad_file(&path, &error))?;
        let mut state = read.features;
        let n_channels = state.channels.len();
        let beyond = |rule: &CandidateRule| match rule {
            CandidateRule::Channel { channel, .. } => usize::from(*channel) >= n_channels,
            _ => false,
        };
        if state.candidate.iter().any(|feature| beyond(&feature.rule)) {
            return Err(Error::BadFile {
                path,
                reason: format!("a feature reads a channel beyond the {n_channels} that there are"),
            });
        }
        if !state.has_sound_crosses() {
            return Err(Error::BadFile {
                path,
                reason: "a cross reads a feature that is not there or has no ids".to_owned(),
            });
        }
        let counts = |rule: &CandidateRule| matches!(rule, CandidateRule::ItemCount(_));
        if state.candidate.iter().any(|feature| counts(&feature.rule)) {
            let n_items = state.items.len as usize;
            state.item_times = Some(ItemTimes::read(&folder.join(ITEM_TIMES_FILE), n_items)?);
        }
        let opened = Self::new(state);
        if head.format.max(WITHOUT_SPACES) != opened.format() {
            return Err(Error::BadFile {
                path,
                reason: format!("format {} does not have just these features", head.format),
            });
        }
        if opened.fingerprint() != read.fingerprint {
            return Err(Error::FingerprintMismatch {
                path: folder.to_owned(),
                expected: read.fingerprint,
                found: opened.fingerprint(),
            });
        }
        Ok(opened)
    }
}

fn bad_file(path: &Path, error: &serde_json::Error) -> Error {
    Error::BadFile {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
