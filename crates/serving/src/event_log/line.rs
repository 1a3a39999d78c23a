//! One line of the log.

use xxhash_rust::xxh3::xxh3_64;

use crate::event::StoredEvent;

/// The first line of version 1, which does not say what came before the file.
const HEADER_1: &[u8] = b"catchment events 1\n";
/// What the first line of version 2 begins with; the number of the segment before the file follows, 0 for none.
const HEADER_2: &str = "catchment events 2 after ";
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

/// The first line of a file that follows the segment of that number.
pub(super) fn header(after: u64) -> Vec<u8> {
    format!("{HEADER_2}{after}\n").into_bytes()
}

/// The number of the segment that the file follows, where its first line says so.
pub(super) fn read_header(line: &[u8]) -> Result<Option<u64>, String> {
    if line == HEADER_1 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(line);
    let after = text
        .strip_prefix(HEADER_2)
        .and_then(|rest| rest.trim_end().parse().ok());
    if after.is_some_and(|after| header(after) == line) {
        return Ok(after);
    }
    Err(match text.trim_end().strip_prefix(HEADER_WORDS) {
        Some(version) => format!("it is of version {version:?}, this program reads versions 1 and 2"),
        None => "it is no event log".to_owned(),
    })
}
