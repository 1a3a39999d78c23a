//! Reading the log when the server starts.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use super::active_file::ActiveFile;
use super::line::{header, parse, read_header};
use super::segments::{self, Segments};
use super::snapshot;
use crate::Error;
use crate::user_store::UserStore;

/// The log as it was found.
pub(super) struct Recovered {
    pub(super) active: ActiveFile,
    /// The number of the newest segment that is sealed or part of a snapshot; 0 where there is none.
    pub(super) last_sealed: u64,
}

/// Applies the newest snapshot and what came after it, and cuts an unfinished end off. A new log gets its first line.
pub(super) fn recover(folder: &Path, users: &UserStore) -> Result<Recovered, Error> {
    let io = |source| Error::Log {
        path: folder.to_owned(),
        source,
    };
    segments::remove_unfinished(folder).map_err(io)?;
    let found = Segments::list(folder).map_err(io)?;
    let covered = found.snapshots.last().copied().unwrap_or(0);
    if covered > 0 {
        snapshot::read(&segments::snapshot(folder, covered), users)?;
        // A crash may have come between the snapshot and this.
        Segments::remove_before(folder, covered);
    }
    let active = segments::active(folder);
    let mut last_sealed = covered;
    let after: Vec<u64> = found
        .sealed
        .into_iter()
        .filter(|&number| number > covered)
        .collect();
    for &number in &after {
        let path = segments::sealed(folder, number);
        check_follows(folder, last_sealed, number - 1)?;
        let read = open_and_read(&path, users)?;
        check_follows(folder, last_sealed, read.after)?;
        last_sealed = number;
        // Only the last file of all was still written to when the server ended.
        let is_last = after.last() == Some(&number) && !active.exists();
        cut(&path, &read.file, read.end, is_last)?;
    }
    let mut read = open_and_read(&active, users)?;
    check_follows(folder, last_sealed, read.after)?;
    cut(&active, &read.file, read.end, true)?;
    let failed = |source| Error::Log {
        path: active.clone(),
        source,
    };
    if read.end == 0 {
        let header = header(last_sealed);
        read.file.write_all(&header).map_err(failed)?;
        read.begin = header.len() as u64;
        read.end = read.begin;
    }
    read.file.sync_all().map_err(failed)?;
    Ok(Recovered {
        active: ActiveFile::new(folder, read.file, read.begin, read.end),
        last_sealed,
    })
}

/// Refuses to go on where a file follows the segment `after`, and neither that nor a snapshot that stands for it is there.
fn check_follows(folder: &Path, last_sealed: u64, after: u64) -> Result<(), Error> {
    if after <= last_sealed {
        return Ok(());
    }
    Err(Error::DamagedLog {
        path: segments::sealed(folder, last_sealed + 1),
        line: 1,
        reason: "neither it nor a snapshot that stands for it is there, and later files are".to_owned(),
    })
}

/// Cuts an unfinished append off, where there may be one.
fn cut(path: &Path, file: &File, end: u64, may_be_unfinished: bool) -> Result<(), Error> {
    let io = |source| Error::Log {
        path: path.to_owned(),
        source,
    };
    let length = file.metadata().map_err(io)?.len();
    if end == length {
        return Ok(());
    }
    if !may_be_unfinished {
        return Err(Error::DamagedLog {
            path: path.to_owned(),
            line: BufReader::new(File::open(path).map_err(io)?).split(b'\n').count(),
            reason: "it has no end, and a later file is there".to_owned(),
        });
    }
    tracing::warn!(path = %path.display(), bytes = length - end, "cut off an unfinished append");
    file.set_len(end).map_err(io)
}

/// A file whose events were applied.
struct Read {
    file: File,
    /// The segment that it follows; 0 where it does not say.
    after: u64,
    /// Where the first line ends.
    begin: u64,
    /// Where the last whole line ends.
    end: u64,
}

/// Applies the events of a file.
fn open_and_read(path: &Path, users: &UserStore) -> Result<Read, Error> {
    let io = |source| Error::Log {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(io)?;
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    let (mut after, mut begin, mut end) = (0, 0, 0);
    for number in 1.. {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(io)?;
        // Only an append that was cut short lacks its line end, and it was never acknowledged.
        if line.last() != Some(&b'\n') {
            break;
        }
        let read = match number {
            1 => read_header(&line).map(|number| {
                after = number.unwrap_or(0);
                begin = length as u64;
            }),
            _ => parse(&line).map(|event| users.apply(event)),
        };
        read.map_err(|reason| Error::DamagedLog {
            path: path.to_owned(),
            line: number,
            reason,
        })?;
        end += length as u64;
    }
    Ok(Read {
        file,
        after,
        begin,
        end,
    })
}
