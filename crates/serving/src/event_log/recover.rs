//! Reading the log when the server starts.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use super::line::{HEADER, check_header, parse};
use crate::Error;
use crate::user_store::UserStore;

/// Applies what is there, cuts an unfinished end off, and says where the log ends. A new log gets its first line.
pub(super) fn recover(path: &Path, file: &mut File, users: &UserStore) -> Result<u64, Error> {
    let io = |source| Error::Log {
        path: path.to_owned(),
        source,
    };
    let mut end = read(path, file, users)?;
    let length = file.metadata().map_err(io)?.len();
    if end < length {
        tracing::warn!(path = %path.display(), bytes = length - end, "cut off an unfinished append");
        file.set_len(end).map_err(io)?;
    }
    if end == 0 {
        file.write_all(HEADER).map_err(io)?;
        end = HEADER.len() as u64;
    }
    file.sync_all().map_err(io)?;
    Ok(end)
}

fn read(path: &Path, file: &File, users: &UserStore) -> Result<u64, Error> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut end = 0;
    for number in 1.. {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|source| Error::Log {
            path: path.to_owned(),
            source,
        })?;
        // Only an append that was cut short lacks its line end, and it was never acknowledged.
        if line.last() != Some(&b'\n') {
            break;
        }
        let read = match number {
            1 => check_header(&line),
            _ => parse(&line).map(|event| users.apply(event)),
        };
        read.map_err(|reason| Error::DamagedLog {
            path: path.to_owned(),
            line: number,
            reason,
        })?;
        end += length as u64;
    }
    Ok(end)
}
