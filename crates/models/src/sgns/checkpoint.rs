//! What a training leaves when it is stopped, and what it takes up again.
//!
//! A file of the position and both tables, written under a temporary name and renamed, so that there is a whole one or
//! none: eight bytes that say what it is, the format's version, the length of the header, the header as JSON, the input
//! and the output vectors without padding (little endian, as all numbers), and xxh3 of all of that.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use catchment_schema::{AtomicFile, Error as FileError};
use serde::{Deserialize, Serialize};

use super::SgnsConfig;
use super::deterministic::LanePosition;
use super::rows::Rows;
use super::worker::Done;
use crate::hashed::Hashed;
use crate::{Error, Result};

const MAGIC: &[u8; 8] = b"CTM-SGNS";
const VERSION: u32 = 1;
/// Far more than a header takes: what is longer is damaged.
const LONGEST_HEADER: u64 = 1 << 30;

/// What decides about a training. A checkpoint of another run is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) config: SgnsConfig,
    pub(super) seed: u64,
    pub(super) n_items: usize,
    /// Of the terms that are added to the pairs and their negatives; 0 for none.
    #[serde(default)]
    pub(super) objective: u64,
    /// Of all sessions in their order (xxh3).
    pub(super) sessions: u64,
}

impl Run {
    /// What of another run is not as here.
    fn difference(&self, other: &Self) -> Option<String> {
        if self.config != other.config {
            let json = |config| serde_json::to_value(config).unwrap_or_default();
            let (ours, theirs) = (json(&self.config), json(&other.config));
            let fields = ours.as_object().into_iter().flatten();
            let differs = fields
                .filter(|(key, value)| theirs.get(key.as_str()) != Some(value))
                .map(|(key, value)| format!("`{key}` {} (here {value})", theirs[key.as_str()]));
            return Some(differs.collect::<Vec<_>>().join(", "));
        }
        if self.seed != other.seed {
            return Some(format!("seed {} (here {})", other.seed, self.seed));
        }
        if self.n_items != other.n_items {
            return Some(format!("{} items (here {})", other.n_items, self.n_items));
        }
        if self.objective != other.objective {
            return Some("another objective".to_owned());
        }
        (self.sessions != other.sessions).then(|| "other sessions".to_owned())
    }
}

/// How far a training is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) epoch: u32,
    /// What was done so far, when the epoch began, and when progress was last told.
    pub(super) done: Done,
    pub(super) at_epoch: Done,
    pub(super) told: Done,
    /// Of the epochs that are over, as bits.
    pub(super) losses: Vec<u64>,
    /// Of this epoch's shards, how many were trained without locks.
    pub(super) shards: usize,
    /// Where each lane stands within the epoch; empty at its beginning.
    pub(super) lanes: Vec<LanePosition>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    run: Run,
    position: Position,
}

/// Where one training leaves its checkpoint.
pub(super) struct Checkpoint<'a> {
    path: &'a Path,
    run: Run,
}

impl<'a> Checkpoint<'a> {
    pub(super) fn new(path: &'a Path, run: Run) -> Self {
        Self { path, run }
    }

    /// Replaces the last one.
    pub(super) fn write(&self, position: &Position, tables: [&Rows; 2]) -> Result<()> {
        let header = Header {
            run: self.run.clone(),
            position: position.clone(),
        };
        let failed = |error: std::io::Error| Error::File(FileError::io(self.path)(error));
        let header = serde_json::to_vec(&header).map_err(|error| failed(error.into()))?;
        let mut file = Hashed::new(AtomicFile::create(self.path)?);
        let mut write = || -> std::io::Result<()> {
            file.write_all(MAGIC)?;
            file.write_all(&VERSION.to_le_bytes())?;
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            tables
                .into_iter()
                .try_for_each(|table| table.write_to(&mut file))?;
            let hash = file.hash.digest();
            file.inner.write_all(&hash.to_le_bytes())
        };
        write().map_err(failed)?;
        Ok(file.inner.commit()?)
    }

    /// The position and both tables, where there is a checkpoint.
    pub(super) fn read(&self) -> Result<Option<(Position, [Rows; 2])>> {
        let file = match File::open(self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::io(self.path)(error).into()),
        };
        let read = self.read_from(Hashed::new(BufReader::with_capacity(1 << 16, file)));
        read.map(Some).map_err(|stop| match stop {
            Stop::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.damaged("it ends too early")
            }
            Stop::Io(error) => FileError::io(self.path)(error).into(),
            Stop::Refused(error) => error,
        })
    }

    fn read_from(&self, mut file: Hashed<impl Read>) -> Result<(Position, [Rows; 2]), Stop> {
        if file.number::<8>()? != *MAGIC {
            return Err(self.damaged("it is no checkpoint of a skip-gram training").into());
        }
        let version = u32::from_le_bytes(file.number()?);
        if version != VERSION {
            return Err(Stop::Refused(Error::File(FileError::WrongVersion {
                path: self.path.to_owned(),
                kind: "skip-gram checkpoint",
                found: version.to_string(),
                supported: VERSION,
            })));
        }
        let length = u64::from_le_bytes(file.number()?);
        if length > LONGEST_HEADER {
            return Err(self.damaged("its header is too long").into());
        }
        let mut header = Vec::new();
        file.by_ref().take(length).read_to_end(&mut header)?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|error| self.damaged(&format!("its header cannot be read ({error})")))?;
        if let Some(differs) = self.run.difference(&header.run) {
            return Err(Stop::Refused(Error::OtherRun {
                path: self.path.to_owned(),
                differs,
            }));
        }
        let (n_items, dim) = (self.run.n_items, self.run.config.dim);
        let tables = [
            Rows::read_from(&mut file, n_items, dim)?,
            Rows::read_from(&mut file, n_items, dim)?,
        ];
        let hash = file.hash.digest();
        if u64::from_le_bytes(file.number()?) != hash || file.inner.read(&mut [0])? > 0 {
            return Err(self.damaged("its checksum is not that of its bytes").into());
        }
        Ok((header.position, tables))
    }

    fn damaged(&self, reason: &str) -> Error {
        Error::File(FileError::Inconsistent {
            path: self.path.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// The sessions behind the position are not there, though all of them have the right hash.
    pub(super) fn other_sessions(path: PathBuf) -> Error {
        Error::OtherRun {
            path,
            differs: "other sessions".to_owned(),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.to_owned()
    }
}

/// Why reading ended.
enum Stop {
    Io(std::io::Error),
    Refused(Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
