//! All live events at one moment, in place of the segments that led there.
//!
//! After the first line one line an event, as in the log; then one line `id …` for each remembered `event_id` whose
//! event is gone, as its XXH3 of 128 bits; then `end`, the number of lines before it, and the checksum of all bytes
//! before it. The file appears under its name when it is on the disk, or not at all.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use catchment_schema::AtomicFile;
use xxhash_rust::xxh3::Xxh3;

use super::line;
use crate::Error;
use crate::user_store::{EventId, Frozen, UserStore};

const HEADER: &[u8] = b"catchment snapshot 1\n";

/// Writes what was frozen. Returns how many events there are.
pub(super) fn write(path: &Path, frozen: &Frozen) -> io::Result<usize> {
    let mut file = AtomicFile::create(path).map_err(io::Error::other)?;
    let (mut hash, mut n_lines, mut n_events) = (Xxh3::new(), 0u64, 0);
    let mut write = |bytes: &[u8]| {
        hash.update(bytes);
        n_lines += 1;
        file.write_all(bytes)
    };
    write(HEADER)?;
    let mut present = HashSet::new();
    let mut bytes = Vec::new();
    for event in frozen.events() {
        bytes.clear();
        line::render(event, &mut bytes)?;
        write(&bytes)?;
        n_events += 1;
        present.extend(event.event_id.as_deref().map(EventId::of));
    }
    for id in frozen.event_ids().iter().filter(|id| !present.contains(id)) {
        write(format!("id {id}\n").as_bytes())?;
    }
    let digest = hash.digest();
    file.write_all(format!("end {n_lines} {digest:016x}\n").as_bytes())?;
    file.commit().map_err(io::Error::other)?;
    Ok(n_events)
}

/// Applies a snapshot to an empty store.
pub(super) fn read(path: &Path, users: &UserStore) -> Result<(), Error> {
    let io = |source| Error::Log {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(File::open(path).map_err(io)?);
    let (mut hash, mut bytes, mut n_lines) = (Xxh3::new(), Vec::new(), 0u64);
    loop {
        bytes.clear();
        reader.read_until(b'\n', &mut bytes).map_err(io)?;
        let damaged = |reason: String| Error::DamagedLog {
            path: path.to_owned(),
            line: usize::try_from(n_lines).unwrap_or(usize::MAX).saturating_add(1),
            reason,
        };
        if n_lines == 0 {
            if bytes != HEADER {
                return Err(damaged("it is no snapshot of version 1".to_owned()));
            }
        } else if bytes.starts_with(b"end ") {
            let digest = hash.digest();
            if bytes != format!("end {n_lines} {digest:016x}\n").as_bytes() {
                return Err(damaged("the checksum of the whole does not fit".to_owned()));
            }
            if !reader.fill_buf().map_err(io)?.is_empty() {
                return Err(damaged("there is something behind its end".to_owned()));
            }
            return Ok(());
        } else if let Some(id) = bytes.strip_prefix(b"id ") {
            let id = std::str::from_utf8(id)
                .ok()
                .and_then(|id| id.strip_suffix('\n')?.parse().ok());
            users.remember(id.ok_or_else(|| damaged("it is no id".to_owned()))?);
        } else {
            users.apply(line::parse(&bytes).map_err(damaged)?);
        }
        hash.update(&bytes);
        n_lines += 1;
    }
}
