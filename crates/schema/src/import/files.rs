//! From the path in a source to the files that it means, and to their bytes.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::source::{Format, Source};
use crate::{Error, Result};

/// Which of a dataset's tables is wanted; decides what a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Interactions,
    Items,
    Users,
}

/// The files that a source means, sorted by path. Never empty.
pub(super) fn resolve(source: &Source, table: Table) -> Result<Vec<PathBuf>> {
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
    if files.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::NotFound, "no such file, and no file matches");
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
    let with_ending = |endings: &[&str]| {
        let fits = |name: &str| {
            Path::new(name)
                .extension()
                .is_some_and(|ending| endings.iter().any(|wanted| ending.eq_ignore_ascii_case(wanted)))
        };
        let found = named.iter().filter(|(name, _)| fits(name));
        found.map(|(_, path)| path.clone()).collect()
    };
    let first_called = |wanted: &[&str]| {
        let found = wanted
            .iter()
            .find_map(|wanted| named.iter().find(|(name, _)| name == wanted));
        found.into_iter().map(|(_, path)| path.clone()).collect()
    };
    Ok(match (source.format, table) {
        (Format::Parquet, _) => with_ending(&["parquet"]),
        (Format::Csv, _) => with_ending(&["csv"]),
        (Format::Tsv, _) => with_ending(&["tsv", "tab"]),
        (Format::Jsonl, _) => with_ending(&["jsonl", "ndjson", "json"]),
        (Format::MovieLens100k, Table::Interactions) => first_called(&["u.data"]),
        (Format::MovieLens100k, Table::Items) => first_called(&["u.item"]),
        (Format::MovieLens100k, Table::Users) => first_called(&["u.user"]),
        (Format::MovieLens1m, Table::Interactions) => first_called(&["ratings.dat", "ratings.tsv"]),
        (Format::MovieLens1m, Table::Items) => first_called(&["movies.dat"]),
        (Format::MovieLens1m, Table::Users) => first_called(&["users.dat"]),
        // Train and test lie side by side in such a folder: reading both would leak.
        (Format::LightGcn, _) => return Err(source.bad("path", "must name one file of a lightgcn folder")),
    })
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

/// The unpacked bytes of a file.
pub(super) fn open(path: &Path) -> Result<BufReader<Box<dyn Read>>> {
    let (file, packing) = open_packed(path)?;
    let bytes: Box<dyn Read> = match packing {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file))),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(file).map_err(Error::io(path))?),
    };
    Ok(BufReader::with_capacity(1 << 16, bytes))
}

/// The unpacked bytes as a file that can be read anywhere: a packed one goes through a nameless temporary file,
/// so that memory does not grow with it.
pub(super) fn open_seekable(path: &Path) -> Result<File> {
    let (file, packing) = open_packed(path)?;
    if packing == Packing::Plain {
        return Ok(file);
    }
    let mut unpacked = tempfile::tempfile().map_err(Error::io(path))?;
    io::copy(&mut open(path)?, &mut unpacked).map_err(Error::io(path))?;
    unpacked.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    Ok(unpacked)
}
