//! What was prepared, in numbers.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use catchment_schema::{Finding, Time};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::layout::FILES;
use crate::{Error, Result, Window};

/// The version of the prepared folder.
pub const FORMAT: u32 = 1;

/// What [`crate::prepare`] did: `prepared.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of the folder's layout.
    pub format: u32,
    /// How many users the vocabulary has.
    pub users: u64,
    /// How many items the vocabulary has.
    pub items: u64,
    /// How many rows there were after each step, in their order; a given test log is among them.
    pub stages: Vec<Stage>,
    /// How many rows are in `train.parquet`.
    pub train: u64,
    /// How many rows are in `validation.parquet`.
    pub validation: u64,
    /// How many rows are in `test.parquet`.
    pub test: u64,
    /// How many users of the test part are not in the vocabulary, without those of whom all rows there say no.
    pub cold_users: u64,
    /// How many items of the test part are not in the vocabulary, without those that only noes are about.
    pub cold_items: u64,
    /// The first moment in the log that was kept, where any is known.
    pub first_time: Time,
    /// The last moment in the log that was kept, where any is known.
    pub last_time: Time,
    /// Whether any row of the log names its session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_sessions: bool,
    /// The window that was prepared, where the split is rolling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What came to light on the way.
    pub findings: Vec<Finding>,
    /// Of the bytes of all other files in the folder (xxh3, 128 bits): equal logs, settings and seeds give
    /// equal hashes.
    pub hash: String,
}

/// How many rows there were after a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The step: `import`, `filter`, `k-core`, `deduplicate`, `sessions`, `split`, `vocabularies`, `write`.
    pub name: String,
    /// The rows that were left.
    pub rows: u64,
}

/// The hash of all files of a folder but the summary itself.
pub(crate) fn hash_files(file: impl Fn(&str) -> std::path::PathBuf) -> Result<String> {
    let mut hasher = Xxh3Default::new();
    for name in FILES {
        hasher.update(name.as_bytes());
        hash_file(&mut hasher, &file(name))?;
    }
    Ok(format!("{:032x}", hasher.digest128()))
}

pub(crate) fn hash_file(hasher: &mut Xxh3Default, path: &Path) -> Result<()> {
    let io = |error| Error::File(catchment_schema::Error::io(path)(error));
    let mut file = File::open(path).map_err(io)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => return Ok(()),
            n => hasher.update(&buffer[..n]),
        }
    }
}
