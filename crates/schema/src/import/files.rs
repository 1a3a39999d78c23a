//! From the path in a source to the files that it means, and to their bytes.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::source::{Format, Source};
use crate::{Error, Result};

/// Which of a dataset's tables is wanted; decides what a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The log (or samples, or judgements: their formats know no folders).
    Interactions,
    /// The items.
    Items,
    /// The users.
    Users,
}

/// The files that a source means, sorted by path. Never empty.
///
/// # Errors
/// [`Error::NoFiles`] for a folder or a glob without any, [`Error::Io`], [`Error::BadSource`].
pub fn resolve(source: &Source, table: Table) -> Result<Vec<PathBuf>> {
    let path = source.path();
    let mut files = if path.is_dir() {
        in_folder(source, table)?
    } else if path.exists() {
        vec![path.to_owned()]
    } else if source.path.contains(['*', '?', '[']) {
        let paths = glob::glob(&source.path).map_err(|error| source.bad("path", error.to_string()))?;
        let mut files = Vec::new();
        for found in paths {
            let found =
                found.map_err(|error| Error::io(error.path())(io::Error::from(error.error().kind())))?;
            if found.is_file() {
                files.push(found);
            }
        }
        files
    } else {
        vec![]
    };
    files.sort();
    if files.is_empty() && (path.is_dir() || source.path.contains(['*', '?', '['])) {
        return Err(Error::NoFiles {
            path: path.to_owned(),
            format: source.format.name(),
            expected: if path.is_dir() {
                expected_names(source.format, table)
            } else {
                "at least one match".to_owned()
            },
        });
    }
    if files.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::NotFound, "no such file");
        return Err(Error::io(path)(nothing));
    }
    Ok(files)
}

/// Files directly in the folder that the format knows by name. Others (a README, a checksum) are left alone.
fn in_folder(source: &Source, table: Table) -> Result<Vec<PathBuf>> {
    let folder = source.path();
    let mut named = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && path.is_file()
            && !name.starts_with(['.', '_'])
        {
            named.push((without_compression(name).to_owned(), path));
        }
    }
    named.sort();
    let with_ending = || {
        let endings = endings(source.format);
        let fits = |name: &str| {
            Path::new(name)
                .extension()
                .is_some_and(|ending| endings.iter().any(|wanted| ending.eq_ignore_ascii_case(wanted)))
        };
        let found = named.iter().filter(|(name, _)| fits(name));
        found.map(|(_, path)| path.clone()).collect()
    };
    let first_called = || {
        let found = names(source.format, table)
            .iter()
            .find_map(|wanted| named.iter().find(|(name, _)| name == wanted));
        found.into_iter().map(|(_, path)| path.clone()).collect()
    };
    Ok(match source.format {
        // Train and test lie side by side in such a folder: reading both would leak.
        Format::LightGcn | Format::LibSvm | Format::LibFfm | Format::Trec => {
            let reason = format!("must name one file of a {} folder", source.format.name());
            return Err(source.bad("path", reason));
        }
        Format::MovieLens100k | Format::MovieLens1m => first_called(),
        Format::Parquet | Format::Csv | Format::Tsv | Format::Jsonl => with_ending(),
    })
}

/// How the names of the files of a format end.
fn endings(format: Format) -> &'static [&'static str] {
    match format {
        Format::Parquet => &["parquet"],
        Format::Csv => &["csv"],
        Format::Tsv => &["tsv", "tab"],
        Format::Jsonl => &["jsonl", "ndjson", "json"],
        _ => &[],
    }
}

/// What the file of a table is called, where the format fixes it; the first that is there is taken.
fn names(format: Format, table: Table) -> &'static [&'static str] {
    match (format, table) {
        (Format::MovieLens100k, Table::Interactions) => &["u.data"],
        (Format::MovieLens100k, Table::Items) => &["u.item"],
        (Format::MovieLens100k, Table::Users) => &["u.user"],
        (Format::MovieLens1m, Table::Interactions) => &["ratings.dat", "ratings.tsv"],
        (Format::MovieLens1m, Table::Items) => &["movies.dat"],
        (Format::MovieLens1m, Table::Users) => &["users.dat"],
        _ => &[],
    }
}

fn expected_names(format: Format, table: Table) -> String {
    let endings = endings(format).iter().map(|ending| format!("….{ending}"));
    let names = names(format, table).iter().map(|&name| name.to_owned());
    endings.chain(names).collect::<Vec<_>>().join(" or ")
}

/// The name of a file without `.gz` or `.zst`.
pub(super) fn without_compression(name: &str) -> &str {
    name.strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(name)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Opens a file and says how it is packed, by its name or by its first bytes.
fn open_packed(path: &Path) -> Result<(File, Packing)> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut start = Vec::new();
    (&mut file)
        .take(4)
        .read_to_end(&mut start)
        .map_err(Error::io(path))?;
    if start.is_empty() {
        return Err(empty(path));
    }
    file.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    let ends = |ending: &str| path.extension().is_some_and(|found| found == ending);
    let packing = if ends("gz") || start.starts_with(&[0x1f, 0x8b]) {
        Packing::Gzip
    } else if ends("zst") || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Packing::Zstd
    } else {
        Packing::Plain
    };
    Ok((file, packing))
}

pub(super) fn empty(path: &Path) -> Error {
    Error::Empty {
        path: path.to_owned(),
        expected: "at least one row".to_owned(),
    }
}

/// What an unpacker hands out; its failures are told from those of the disk.
struct Unpacked<R> {
    packing: &'static str,
    bytes: R,
}

/// The unpacker gave up.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct NotUnpacked {
    packing: &'static str,
    reason: String,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(out).map_err(|error| {
            // Errors of the operating system carry its number; those of an unpacker do not.
            if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let (packing, reason) = (self.packing, error.to_string());
            io::Error::new(error.kind(), NotUnpacked { packing, reason })
        })
    }
}

/// A failure to read, and whether the disk or the file is to blame.
pub(super) fn read_error(path: &Path, error: io::Error) -> Error {
    let unpacking = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<NotUnpacked>());
    match unpacking {
        Some(NotUnpacked { packing, reason }) => Error::Damaged {
            path: path.to_owned(),
            packing,
            reason: reason.clone(),
        },
        None => Error::io(path)(error),
    }
}

/// The unpacked bytes of a file that is text in UTF-8 (or Parquet).
///
/// # Errors
/// [`Error::WrongEncoding`] for UTF-16 and UTF-32: read byte by byte it would pass for a table of one odd column.
pub(super) fn open(path: &Path) -> Result<BufReader<Box<dyn Read>>> {
    let (file, packing) = open_packed(path)?;
    let mut bytes: Box<dyn Read> = match packing {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(Unpacked {
            packing: "gzip",
            bytes: flate2::bufread::MultiGzDecoder::new(BufReader::new(file)),
        }),
        Packing::Zstd => Box::new(Unpacked {
            packing: "zstd",
            bytes: zstd::stream::read::Decoder::new(file).map_err(Error::io(path))?,
        }),
    };
    let mut start = Vec::new();
    (&mut bytes)
        .take(START_BYTES)
        .read_to_end(&mut start)
        .map_err(|error| read_error(path, error))?;
    if let Some(encoding) = wide_encoding(&start) {
        return Err(Error::WrongEncoding {
            path: path.to_owned(),
            encoding,
        });
    }
    let whole: Box<dyn Read> = Box::new(io::Cursor::new(start).chain(bytes));
    Ok(BufReader::with_capacity(1 << 16, whole))
}

/// How many bytes tell the encoding.
const START_BYTES: u64 = 64;

/// The name of an encoding whose letters are wider than a byte: by its byte order mark, or because every other byte is
/// 0, as in Latin letters without a mark.
fn wide_encoding(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let zero_at = |parity: usize| {
        let all = start.iter().enumerate();
        all.clone()
            .all(|(position, &byte)| (byte == 0) == (position % 2 == parity))
    };
    (start.len() >= 4 && (zero_at(0) || zero_at(1))).then_some("UTF-16")
}

/// The unpacked bytes as a file that can be read anywhere: a packed one goes through a nameless temporary file,
/// so that memory does not grow with it.
pub(super) fn open_seekable(path: &Path) -> Result<File> {
    let (file, packing) = open_packed(path)?;
    if packing == Packing::Plain {
        return Ok(file);
    }
    let mut unpacked = tempfile::tempfile().map_err(Error::io(path))?;
    io::copy(&mut open(path)?, &mut unpacked).map_err(|error| read_error(path, error))?;
    unpacked.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    Ok(unpacked)
}
