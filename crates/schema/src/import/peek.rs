//! A first look at a file of which nothing is known but that it is a table.

use std::io::Read;
use std::path::Path;

use arrow::util::display::array_value_to_string;

use super::faults::FaultLog;
use super::files::{self, Table, without_compression};
use super::source::{Format, OnError, Source};
use crate::Result;

/// How much text is looked at to tell the format.
const START_BYTES: u64 = 1 << 16;
/// What may stand between cells, where counts are equal the first.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The first rows of a source, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    /// The columns, in the order of the file.
    pub columns: Vec<PeekColumn>,
    /// How many rows were looked at.
    pub rows: usize,
    /// Whether there are more.
    pub more: bool,
}

/// One column of a [`Peek`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeekColumn {
    /// Its name in the file.
    pub name: String,
    /// Its cells; `None` where there is no value.
    pub cells: Vec<Option<String>>,
}

/// What form a file most likely has, and what stands between its cells where that is not the usual one: by its first
/// bytes, else by its name, else by what the first lines are made of.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Empty`], [`crate::Error::Damaged`], [`crate::Error::WrongEncoding`].
pub fn guess_format(path: &Path) -> Result<(Format, Option<char>)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = without_compression(&name).to_lowercase();
    let mut start = Vec::new();
    files::open(path)?
        .take(START_BYTES)
        .read_to_end(&mut start)
        .map_err(|error| files::read_error(path, error))?;
    if start.starts_with(b"PAR1") {
        return Ok((Format::Parquet, None));
    }
    let text = String::from_utf8_lossy(&start);
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().ok_or_else(|| files::empty(path))?;
    let second = lines.next();
    Ok(match name.as_str() {
        // It does not begin like one, so it is damaged: the reader of Parquet says so.
        _ if name.ends_with(".parquet") => (Format::Parquet, None),
        "u.data" | "u.item" | "u.user" => (Format::MovieLens100k, None),
        "ratings.dat" | "movies.dat" | "users.dat" => (Format::MovieLens1m, None),
        _ if first.trim_start().starts_with('{') => (Format::Jsonl, None),
        _ if is_lightgcn(first, second) => (Format::LightGcn, None),
        _ => {
            let ending = Path::new(name.as_str()).extension();
            delimited(
                first,
                ending.is_some_and(|ending| ending == "tsv" || ending == "tab"),
            )
        }
    })
}

/// Whole numbers between blanks, in lines of different lengths: a user and then the user's items.
fn is_lightgcn(first: &str, second: Option<&str>) -> bool {
    let n_numbers = |line: &str| {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let all = words
            .clone()
            .all(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        all.then(|| words.count())
    };
    let second = second.map_or(Some(0), n_numbers);
    matches!((n_numbers(first), second), (Some(first), Some(second)) if first > 1 && first != second)
}

/// The character that stands between cells most often in the header, quotes left out.
fn delimited(header: &str, is_tsv: bool) -> (Format, Option<char>) {
    let mut is_quoted = false;
    let bare: String = header
        .chars()
        .filter(|&letter| {
            is_quoted ^= letter == '"';
            !is_quoted
        })
        .collect();
    let count = |delimiter: &char| bare.matches(*delimiter).count();
    let most = DELIMITERS.iter().map(count).max().unwrap_or(0);
    let found = DELIMITERS
        .into_iter()
        .find(|delimiter| count(delimiter) == most && most > 0);
    match (found, is_tsv) {
        (Some('\t'), _) | (None, true) => (Format::Tsv, None),
        (Some(other), true) => (Format::Tsv, Some(other)),
        (Some(',') | None, false) => (Format::Csv, None),
        (Some(other), false) => (Format::Csv, Some(other)),
    }
}

/// The first rows of a source, at most 65,536, as they stand in the file. Mappings of the source are not used; rows that
/// cannot be read are left out.
///
/// # Errors
/// As [`super::import_interactions`], but for what is wrong with a single row; [`crate::Error::NothingReadable`] where that is
/// every row.
pub fn peek(source: &Source, table: Table) -> Result<Peek> {
    let files = files::resolve(source, table)?;
    let mut peek = Peek::default();
    let mut unreadable = FaultLog::new(OnError::Skip);
    for path in &files {
        let mut reader = super::open(source, path, table)?;
        while let Some(chunk) = reader.next_chunk()? {
            if chunk.origin.rows.is_empty() {
                unreadable.take(chunk.origin)?;
                continue;
            }
            peek.rows = chunk.origin.rows.len();
            for (name, column) in chunk.names.iter().zip(&chunk.columns) {
                let cells = (0..column.len()).map(|row| {
                    column
                        .is_valid(row)
                        .then(|| array_value_to_string(column, row))
                        .transpose()
                });
                let cells = cells.collect::<std::result::Result<_, _>>();
                peek.columns.push(PeekColumn {
                    name: name.clone(),
                    cells: cells.map_err(|error| crate::parquet_file::parquet_error(path, &error))?,
                });
            }
            peek.more = files.len() > 1 || reader.next_chunk()?.is_some();
            return Ok(peek);
        }
    }
    Err(super::nothing(source, unreadable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(name: &str, content: &[u8]) -> (Format, Option<char>) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("writes");
        guess_format(&path).expect("readable")
    }

    #[test]
    fn formats_are_told_by_content_and_name() {
        assert_eq!(guess("a.csv", b"user,item\n"), (Format::Csv, None));
        assert_eq!(
            guess("a.csv", b"user;item;\"a,b,c,d\"\n"),
            (Format::Csv, Some(';'))
        );
        assert_eq!(guess("a.txt", b"user\titem\n"), (Format::Tsv, None));
        assert_eq!(guess("a.tsv", b"user,item\n"), (Format::Tsv, Some(',')));
        assert_eq!(guess("a.log", b"{\"user\": 1}\n"), (Format::Jsonl, None));
        assert_eq!(guess("train.txt", b"1 2 3\n2 4\n"), (Format::LightGcn, None));
        assert_eq!(guess("ratings.dat", b"1::2::3::4\n"), (Format::MovieLens1m, None));
        assert_eq!(guess("a.bin", b"PAR1...."), (Format::Parquet, None));
        assert_eq!(guess("a.parquet", b"\0garbage\xff"), (Format::Parquet, None));
    }

    #[test]
    fn a_file_of_rows_that_cannot_be_read_is_not_called_empty() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.csv");
        let answer = |content: &[u8]| {
            std::fs::write(&path, content).expect("writes");
            let source = Source::new(path.to_string_lossy(), Format::Csv);
            peek(&source, Table::Interactions).expect_err("nothing to look at")
        };
        let error = answer(b"user,item\nu1,a,3\nu2,\xff\n");
        let crate::Error::NothingReadable { rows, first, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*rows, 2);
        assert!(
            first.to_string().contains("has 3 fields, the header has 2"),
            "{first}"
        );
        assert!(matches!(answer(b"user,item\n"), crate::Error::Empty { .. }));
    }

    #[test]
    fn a_peek_is_text_as_it_stands_there() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "U,i\n007,\nx,2.50\n").expect("writes");
        let source = Source::new(path.to_string_lossy(), Format::Csv);
        let peeked = peek(&source, Table::Interactions).expect("readable");
        let cells = |column: usize| {
            peeked.columns[column]
                .cells
                .iter()
                .map(Option::as_deref)
                .collect::<Vec<_>>()
        };
        assert_eq!((peeked.rows, peeked.more), (2, false));
        assert_eq!(cells(0), [Some("007"), Some("x")]);
        assert_eq!(cells(1), [None, Some("2.50")]);
    }
}
