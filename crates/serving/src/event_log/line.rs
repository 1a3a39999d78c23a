//! One line of the log.

use xxhash_rust::xxh3::xxh3_64;

use crate::event::StoredEvent;

/// The first line.
pub(super) const HEADER: &[u8] = b"catchment events 1\n";
/// What the first line of every version begins with.
const HEADER_WORDS: &str = "catchment events ";
/// Sixteen digits of the checksum and a blank.
const PREFIX: usize = 17;

pub(super) fn render(event: &StoredEvent, bytes: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let json = serde_json::to_vec(event)?;
    bytes.extend(format!("{:016x} ", xxh3_64(&json)).into_bytes());
    bytes.extend(json);
    bytes.push(b'\n');
    Ok(())
}

/// Reads a line with its end.
pub(super) fn parse(line: &[u8]) -> Result<StoredEvent, String> {
    let line = line.strip_suffix(b"\n").ok_or("it has no end")?;
    let (prefix, json) = line.split_at_checked(PREFIX).ok_or("it is too short")?;
    if prefix != format!("{:016x} ", xxh3_64(json)).as_bytes() {
        return Err("its checksum does not fit".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

pub(super) fn check_header(line: &[u8]) -> Result<(), String> {
    if line == HEADER {
        return Ok(());
    }
    let text = String::from_utf8_lossy(line);
    Err(match text.trim_end().strip_prefix(HEADER_WORDS) {
        Some(version) => format!("it is of version {version:?}, this program reads version 1"),
        None => "it is no event log".to_owned(),
    })
}
