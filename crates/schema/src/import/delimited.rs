//! CSV and TSV with a header.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::chunk::{RECORD_BYTES, RowReader, TextRows, Typing, named_once};
use super::faults::{Origin, WHOLE_LINE};
use super::files;
use crate::{Error, Result};

/// Reads records with the `csv` crate. An empty cell is null.
pub(super) struct Delimited {
    reader: csv::Reader<WholeLines<io::BufReader<Box<dyn Read>>>>,
    names: Vec<String>,
    record: ByteRecord,
    delimiter: u8,
    unread: Rc<Cell<usize>>,
}

impl Delimited {
    /// Reads the header.
    pub(super) fn open(path: &Path, delimiter: u8) -> Result<Self> {
        let unread = Rc::new(Cell::new(0));
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(WholeLines::new(files::open(path)?, unread.clone()));
        let mut records = Self {
            reader,
            names: Vec::new(),
            record: ByteRecord::new(),
            delimiter,
            unread,
        };
        if records.next_record(path)?.is_none() {
            return Err(files::empty(path));
        }
        for name in &records.record {
            let Ok(text) = std::str::from_utf8(name) else {
                let value = String::from_utf8_lossy(name);
                let origin = Origin::new(path.to_owned());
                return Err(origin.bad_value(1, "header", &value, "is not UTF-8: convert the file"));
            };
            records.names.push(text.to_owned());
        }
        named_once(path, &records.names)?;
        Ok(records)
    }

    /// Reads a record; `None` at the end, otherwise the line it starts on.
    fn next_record(&mut self, path: &Path) -> Result<Option<Line>> {
        let more = self.reader.read_byte_record(&mut self.record);
        if !more.map_err(|error| read_error(path, error))? {
            return Ok(None);
        }
        self.unread.set(0);
        // The position that the record carries is before any blank lines that were skipped. What is certain
        // is where it ends: on the line before the reader's, since every record here ends with a line break.
        let mut n_breaks = 0;
        for &byte in self.record.as_slice() {
            n_breaks += u64::from(byte == b'\n');
        }
        let from = self.record.position().map_or(0, csv::Position::line);
        let start = self.reader.position().line().saturating_sub(n_breaks + 1);
        Ok(Some(Line {
            number: start.max(from),
            // Only a quote that is still open at the end of the file swallows the last line break.
            quote_is_open: n_breaks > 0 && start < from,
        }))
    }
}

struct Line {
    number: u64,
    quote_is_open: bool,
}

fn read_error(path: &Path, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => files::read_error(path, source),
        other => Error::io(path)(io::Error::other(format!("{other:?}"))),
    }
}

impl RowReader for Delimited {
    fn typing(&self) -> Typing {
        Typing::Named
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn read_row(&mut self, rows: &mut TextRows) -> Result<bool> {
        let Some(line) = self.next_record(&rows.origin.path)? else {
            return Ok(false);
        };
        let whole = || {
            let fields: Vec<&[u8]> = self.record.iter().collect();
            String::from_utf8_lossy(&fields.join(&self.delimiter)).into_owned()
        };
        if line.quote_is_open {
            rows.origin.unreadable(
                line.number,
                WHOLE_LINE,
                &whole(),
                "a quote is opened and never closed",
            );
            return Ok(true);
        }
        if self.record.len() != self.names.len() {
            let reason = format!(
                "has {} fields, the header has {}",
                self.record.len(),
                self.names.len()
            );
            rows.origin.unreadable(line.number, WHOLE_LINE, &whole(), reason);
            return Ok(true);
        }
        let mut cells = Vec::with_capacity(self.names.len());
        for (cell, name) in self.record.iter().zip(&self.names) {
            let Ok(cell) = std::str::from_utf8(cell) else {
                let value = String::from_utf8_lossy(cell);
                rows.origin
                    .unreadable(line.number, name, &value, "is not UTF-8: convert the file");
                return Ok(true);
            };
            cells.push((!cell.is_empty()).then_some(cell));
        }
        rows.push(line.number, &cells);
        Ok(true)
    }
}

/// Makes `\r\n` to `\n`, ends the last line with a line break where it has none, and gives up on a record that
/// does not end. Then lines can be counted exactly, and an open quote cannot swallow a whole log.
struct WholeLines<R> {
    inner: R,
    /// Whether a `\r` was read that is not handed out before the next byte is known.
    held_return: bool,
    last: u8,
    /// Bytes handed out since the last record was complete.
    unread: Rc<Cell<usize>>,
}

impl<R: BufRead> WholeLines<R> {
    fn new(inner: R, unread: Rc<Cell<usize>>) -> Self {
        Self {
            inner,
            unread,
            held_return: false,
            last: b'\n',
        }
    }
}

impl<R: BufRead> Read for WholeLines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written == 0 && !out.is_empty() {
            let input = self.inner.fill_buf()?;
            if input.is_empty() {
                let ending = if self.held_return { b'\r' } else { b'\n' };
                if !self.held_return && self.last == b'\n' {
                    return Ok(0);
                }
                self.held_return = false;
                out[0] = ending;
                written = 1;
            }
            let mut used = 0;
            while used < input.len() && written < out.len() {
                let byte = input[used];
                if self.held_return && byte != b'\n' {
                    self.held_return = false;
                    out[written] = b'\r';
                    written += 1;
                    continue;
                }
                used += 1;
                self.held_return = byte == b'\r';
                if !self.held_return {
                    out[written] = byte;
                    written += 1;
                }
            }
            self.inner.consume(used);
        }
        if let Some(&last) = out[..written].last() {
            self.last = last;
        }
        self.unread.set(self.unread.get() + written);
        if self.unread.get() > RECORD_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a record is longer than 64 MiB: is a quote opened and never closed?",
            ));
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str, capacity: usize) -> String {
        let input = io::BufReader::with_capacity(capacity, text.as_bytes());
        let mut whole = String::new();
        WholeLines::new(input, Rc::default())
            .read_to_string(&mut whole)
            .expect("reads");
        whole
    }

    #[test]
    fn line_breaks_are_made_one_kind_whatever_the_buffer() {
        for capacity in [1, 2, 3, 64] {
            assert_eq!(normalised("a\r\nb\rc\r\r\nd", capacity), "a\nb\rc\r\nd\n");
            assert_eq!(normalised("a\n", capacity), "a\n");
            assert_eq!(normalised("a\r", capacity), "a\r\n");
            assert_eq!(normalised("", capacity), "");
        }
    }
}
