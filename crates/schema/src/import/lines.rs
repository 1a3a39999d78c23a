//! Lines, and lines that are cut at a fixed separator.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::chunk::{RECORD_BYTES, RowReader, TextRows, Typing};
use super::faults::{Origin, WHOLE_LINE};
use super::files;
use crate::Result;

/// The lines of a text file, without their line breaks, counted from 1.
pub(super) struct Lines {
    input: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            input: files::open(path)?,
            line: Vec::new(),
            number: 0,
        })
    }

    /// Goes to the next line that is not blank; `false` at the end.
    pub(super) fn advance(&mut self, path: &Path) -> Result<bool> {
        loop {
            self.line.clear();
            let mut limited = (&mut self.input).take(RECORD_BYTES as u64);
            let n_bytes = limited
                .read_until(b'\n', &mut self.line)
                .map_err(|error| files::read_error(path, error))?;
            if n_bytes == 0 {
                return Ok(false);
            }
            self.number += 1;
            if n_bytes == RECORD_BYTES {
                let start = String::from_utf8_lossy(&self.line[..256]);
                return Err(Origin::new(path.to_owned()).bad_value(
                    self.number,
                    WHOLE_LINE,
                    &start,
                    "is longer than 64 MiB",
                ));
            }
            while self.line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                self.line.pop();
            }
            if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return Ok(true);
            }
        }
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line as text; a line that is not UTF-8 is noted as unreadable.
    pub(super) fn text(&self, origin: &mut Origin) -> Option<&str> {
        if let Ok(text) = std::str::from_utf8(&self.line) {
            return Some(text);
        }
        let value = String::from_utf8_lossy(&self.line);
        origin.unreadable(self.number, WHOLE_LINE, &value, "is not UTF-8: convert the file");
        None
    }
}

/// Lines without a header, cut at every `separator`, in ISO-8859-1 (of which ASCII is a part).
pub(super) struct Separated {
    lines: Lines,
    separator: &'static str,
    names: Vec<String>,
}

impl Separated {
    pub(super) fn open(path: &Path, separator: &'static str, names: &[&str]) -> Result<Self> {
        Ok(Self {
            lines: Lines::open(path)?,
            separator,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        })
    }
}

impl RowReader for Separated {
    fn typing(&self) -> Typing {
        Typing::Typed
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn read_row(&mut self, rows: &mut TextRows) -> Result<bool> {
        if !self.lines.advance(&rows.origin.path)? {
            return Ok(false);
        }
        let line: String = self.lines.line().iter().copied().map(char::from).collect();
        let cells: Vec<_> = line
            .split(self.separator)
            .map(|cell| (!cell.is_empty()).then_some(cell))
            .collect();
        if cells.len() == self.names.len() {
            rows.push(self.lines.number(), &cells);
        } else {
            let reason = format!(
                "has {} fields between {:?}, expected {}",
                cells.len(),
                self.separator,
                self.names.len()
            );
            rows.origin
                .unreadable(self.lines.number(), WHOLE_LINE, &line, reason);
        }
        Ok(true)
    }
}
