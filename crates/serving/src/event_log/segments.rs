//! The files of the log, by name.
//!
//! `events.log` is written to; full ones are sealed as `events-0000000001.log`, `events-0000000002.log`, …; a
//! `snapshot-0000000002.log` stands for all sealed ones up to the second.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::LOG_FILE;

/// Begins the names of files that were not finished.
const UNFINISHED: &str = ".unfinished-";

pub(super) fn active(folder: &Path) -> PathBuf {
    folder.join(LOG_FILE)
}

pub(super) fn sealed(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("events-{number:010}.log"))
}

pub(super) fn snapshot(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("snapshot-{number:010}.log"))
}

/// Where a file goes that stands in the log's place and is not the log.
pub(super) fn set_aside(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("not-ours-{number:010}.log"))
}

/// Which files there are, in the order of their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Segments {
    pub(super) sealed: Vec<u64>,
    pub(super) snapshots: Vec<u64>,
}

impl Segments {
    pub(super) fn list(folder: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let number = |prefix: &str| {
                let digits = name.to_str()?.strip_prefix(prefix)?.strip_suffix(".log")?;
                digits.parse::<u64>().ok().filter(|_| digits.len() == 10)
            };
            found.sealed.extend(number("events-"));
            found.snapshots.extend(number("snapshot-"));
        }
        found.sealed.sort_unstable();
        found.snapshots.sort_unstable();
        Ok(found)
    }

    /// Removes what the snapshot of this number stands for. What cannot be removed now is removed at the next start.
    pub(super) fn remove_before(folder: &Path, number: u64) {
        let Ok(found) = Self::list(folder) else { return };
        let sealed = found.sealed.iter().filter(|&&other| other <= number);
        let snapshots = found.snapshots.iter().filter(|&&other| other < number);
        let paths = sealed
            .map(|&other| self::sealed(folder, other))
            .chain(snapshots.map(|&other| snapshot(folder, other)));
        for path in paths {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an old file of the event log stays");
            }
        }
    }
}

/// Removes what a crash left half written under temporary names.
pub(super) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(UNFINISHED))
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
