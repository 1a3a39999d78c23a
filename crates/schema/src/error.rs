//! What can be wrong with a file, and whose fault it is.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can be wrong with data that comes in or goes out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused. Check that the path exists, may be used, and that the disk has room.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not a Parquet file, a truncated one, or one that uses what we cannot read. Write it again.
    #[error("{} cannot be read as Parquet: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A column that is needed is not there. Map it in the recipe (`columns = {{ … }}`).
    #[error("{} has no column `{column}`; it has: {}", path.display(), listed(available))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column that was looked for.
        column: String,
        /// The columns that are there.
        available: Vec<String>,
    },
    /// A column holds another type than its meaning needs.
    #[error("{}: column `{column}` is {found}, expected {expected}", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A value cannot be used: null where none may be, NaN, out of range, not a number, not UTF-8.
    /// `row` counts from 1; for text files it is the line.
    #[error("{}: {} {row}, column `{column}`: {reason} ({})", path.display(), line_or_row(path), shown(value))]
    BadValue {
        /// The file.
        path: PathBuf,
        /// Row (Parquet) or line (text), from 1.
        row: u64,
        /// The column.
        column: String,
        /// The value as it stands in the file, shortened; empty where there is none.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Bad rows are left out, and not one was good: the source is read in the wrong way. Mend its format, its columns
    /// or its time unit.
    #[error("{}: none of {rows} rows can be read; the first: {first}", path.display())]
    NothingReadable {
        /// The path in the source.
        path: PathBuf,
        /// How many rows there are.
        rows: u64,
        /// What is wrong with the first.
        first: Box<Error>,
    },
    /// A packed file that cannot be unpacked: it is damaged or was cut off. Fetch or pack it again.
    #[error("{} cannot be unpacked as {packing}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it is packed, by its name or its first bytes.
        packing: &'static str,
        /// What the unpacker said.
        reason: String,
    },
    /// A text file in another encoding than UTF-8, such as what spreadsheet programs save as "Unicode text". Convert it.
    #[error("{} is {encoding} text, and only UTF-8 is read", path.display())]
    WrongEncoding {
        /// The file.
        path: PathBuf,
        /// What its first bytes tell.
        encoding: &'static str,
    },
    /// A header that gives two columns one name: nobody could say which is meant. Rename or remove one of them.
    #[error("{} has two columns called {column:?}: number {first} and number {second} of its header", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
        /// Where it stands first, from 1.
        first: usize,
        /// Where it stands again, from 1.
        second: usize,
    },
    /// A folder or a glob that has no file of the form that is wanted. Name another, or another format.
    #[error("{} has no {format} file: {expected} expected", path.display())]
    NoFiles {
        /// The folder or glob.
        path: PathBuf,
        /// The format that was asked for.
        format: &'static str,
        /// How the names of such files end, or which they are.
        expected: String,
    },
    /// A setting of a source of raw data is out of range, or contradicts another. Mend the recipe.
    #[error("source {}: `{key}` {reason}", path.display())]
    BadSource {
        /// The path in the source.
        path: PathBuf,
        /// The key in the recipe.
        key: &'static str,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// There is nothing in the file.
    #[error("{} is empty: {expected} expected", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should have been in it.
        expected: String,
    },
    /// A file of ours, written by another version of the format.
    #[error("{} is {kind} format {found}, this program reads up to {supported}", path.display())]
    WrongVersion {
        /// The file.
        path: PathBuf,
        /// Which of our files it is.
        kind: &'static str,
        /// The version found.
        found: String,
        /// The newest version that can be read.
        supported: u32,
    },
    /// A file that contradicts itself or its companion (lengths, dimensions, duplicate ids).
    #[error("{}: {reason}", path.display())]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        reason: String,
    },
    /// Numbers that are no whole rows.
    #[error("{n_numbers} numbers are no whole rows of {dim}")]
    NoMatrix {
        /// The width of a row.
        dim: usize,
        /// How many numbers there are.
        n_numbers: usize,
    },
}

/// What the places of a file are called: text has lines.
fn line_or_row(path: &Path) -> &'static str {
    let ending = path.extension().unwrap_or_default();
    if ["parquet", "npy"]
        .iter()
        .any(|binary| ending.eq_ignore_ascii_case(binary))
    {
        "row"
    } else {
        "line"
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() {
        "an empty cell".to_owned()
    } else {
        format!("value: {value:?}")
    }
}

/// The most columns that an error lists.
const N_LISTED: usize = 50;

/// Names as one text; of very many the first.
fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(N_LISTED)].join(", ");
    match names.len().saturating_sub(N_LISTED) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

impl Error {
    /// For `map_err`: an I/O error with its path.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { path, source }
    }

    /// What to do about it, in one line.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the path exists and may be used, and that the disk has room",
            Self::Parquet { .. } => "the file may be truncated or of another format: write it again",
            Self::MissingColumn { .. } => "map the column in the recipe: columns = { user_id = \"…\" }",
            Self::WrongType { .. } => "cast the column before import, or map another one",
            Self::BadValue { .. } => "mend the row, or set on_error = \"skip\" to leave such rows out",
            Self::NothingReadable { .. } => {
                "every row fails: check format, delimiter, columns and time_unit of this source"
            }
            Self::Damaged { .. } => {
                "the file is damaged or was cut off: fetch or pack it again (gzip -t and zstd -t check a file)"
            }
            Self::WrongEncoding { .. } => {
                "convert the file to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW, or save it anew as \"CSV UTF-8\""
            }
            Self::DuplicateColumn { .. } => "rename or remove one of the two columns in the file's header",
            Self::NoFiles { .. } => "name a file, a folder that has such files, or another format",
            Self::BadSource { .. } => "mend this key of the source in the recipe",
            Self::Empty { .. } => "check that the right file was named",
            Self::WrongVersion { .. } => {
                "write the file again with this version, or read it with a newer program"
            }
            Self::NoMatrix { .. } => "give as many numbers as rows times their width, which is at least 1",
            Self::Inconsistent { .. } => "the file was damaged or belongs to another run: write it again",
        }
    }
}
