//! What a recipe says about one source of raw data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Where raw data lies and how it is to be read. The value of `interactions`, `items`, `users`, … in the
/// `[data]` table of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A file, a folder, or a glob. Files are read in the order of their paths, each plain, `.gz` or `.zst`.
    pub path: String,
    /// The form of the files.
    pub format: Format,
    /// Our name of a column → its name in the file. Columns that already carry our name need no entry;
    /// an entry wins over a column that happens to carry the name.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Text columns of tables of items and users whose cells hold several words → what stands between the words, as
    /// in `{ category = "|" }`. They become lists of words; empty words are left out.
    #[serde(default)]
    pub lists: BTreeMap<String, String>,
    /// What stands between the cells of a `csv` or `tsv` file, one ASCII character such as `";"`; a comma or a tab
    /// where absent.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// The unit of times that are written as numbers.
    #[serde(default)]
    pub time_unit: TimeUnit,
    /// RFC 3339 moment that numeric times count from; the Unix epoch where absent. Needs a `time_unit`.
    #[serde(default)]
    pub time_origin: Option<String>,
    /// What a row that cannot be read does.
    #[serde(default)]
    pub on_error: OnError,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Apache Parquet; snappy, zstd, gzip, lz4 and brotli pages.
    Parquet,
    /// Comma-separated with a header, quoted as in RFC 4180.
    Csv,
    /// Tab-separated with a header, quoted as in RFC 4180.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// `u.data`, `u.item`, `u.user` of MovieLens 100K; or the folder that holds them.
    #[serde(rename = "movielens-100k")]
    MovieLens100k,
    /// `ratings.dat` (or the `ratings.tsv` of development data), `movies.dat`, `users.dat` of MovieLens 1M;
    /// or the folder that holds them.
    #[serde(rename = "movielens-1m")]
    MovieLens1m,
    /// A user and then the user's items on every line, without times.
    LightGcn,
    /// Labelled rows, `label index:value …`, for [`super::import_samples`].
    LibSvm,
    /// Labelled rows, `label field:index:value …`, for [`super::import_samples`].
    LibFfm,
    /// Judgements of the Text Retrieval Conference ("qrels"), `query iteration document grade`, for
    /// [`super::import_judgements`].
    Trec,
}

impl Format {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::MovieLens100k => "movielens-100k",
            Self::MovieLens1m => "movielens-1m",
            Self::LightGcn => "lightgcn",
            Self::LibSvm => "libsvm",
            Self::LibFfm => "libffm",
            Self::Trec => "trec",
        }
    }

    /// Whether the format itself says what its columns and times are.
    pub(super) fn names_its_columns(self) -> bool {
        match self {
            Self::Parquet | Self::Csv | Self::Tsv | Self::Jsonl => false,
            Self::MovieLens100k
            | Self::MovieLens1m
            | Self::LightGcn
            | Self::LibSvm
            | Self::LibFfm
            | Self::Trec => true,
        }
    }
}

/// The unit of times that are written as numbers. Fractions are allowed in all of them; what is finer than a
/// millisecond is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Told from the size of the first time: below 10¹¹ seconds, below 10¹⁴ milliseconds, else microseconds.
    /// A later time that tells another unit is an error. Text is read as by [`TimeUnit::Rfc3339`].
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Minutes.
    #[serde(rename = "min")]
    Minutes,
    /// Text such as `2026-11-24T09:30:00Z`; a date alone is its midnight, and no offset means UTC.
    #[serde(rename = "rfc3339")]
    Rfc3339,
}

/// What a row that cannot be read does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// It ends the import.
    #[default]
    Fail,
    /// It is left out, counted, and the first ten are listed in the report.
    Skip,
}

impl Source {
    /// A source without any further settings.
    pub fn new(path: impl Into<String>, format: Format) -> Self {
        Self {
            path: path.into(),
            format,
            columns: BTreeMap::new(),
            lists: BTreeMap::new(),
            delimiter: None,
            time_unit: TimeUnit::default(),
            time_origin: None,
            on_error: OnError::default(),
        }
    }

    /// Checks what can be checked without touching the disk.
    ///
    /// # Errors
    /// [`Error::BadSource`], naming the key.
    pub fn validate(&self) -> Result<()> {
        if self.path.is_empty() {
            return Err(self.bad("path", "must not be empty"));
        }
        if self.format.names_its_columns() {
            let reason = format!("must not be given: {} fixes it", self.format.name());
            if !self.columns.is_empty() {
                return Err(self.bad("columns", reason));
            }
            if !self.lists.is_empty() {
                return Err(self.bad("lists", reason));
            }
            if self.time_unit != TimeUnit::Auto {
                return Err(self.bad("time_unit", reason));
            }
            if self.time_origin.is_some() {
                return Err(self.bad("time_origin", reason));
            }
        }
        if let Some(delimiter) = self.delimiter {
            if !matches!(self.format, Format::Csv | Format::Tsv) {
                return Err(self.bad("delimiter", "is for csv and tsv only"));
            }
            if !delimiter.is_ascii() || matches!(delimiter, '"' | '\r' | '\n') {
                let reason = format!("{delimiter:?} must be one ASCII character, no quote and no line break");
                return Err(self.bad("delimiter", reason));
            }
        }
        if let Some(column) = self
            .lists
            .iter()
            .find_map(|(column, between)| between.is_empty().then_some(column))
        {
            return Err(self.bad(
                "lists",
                format!("{column} needs what stands between its words, such as \"|\""),
            ));
        }
        if self.time_origin.is_some() && matches!(self.time_unit, TimeUnit::Auto | TimeUnit::Rfc3339) {
            return Err(self.bad(
                "time_unit",
                "must be s, ms, us or min where there is a time_origin",
            ));
        }
        self.origin_ms().map(drop)
    }

    /// The origin of numeric times, in milliseconds since the Unix epoch.
    pub(super) fn origin_ms(&self) -> Result<i64> {
        let Some(origin) = &self.time_origin else {
            return Ok(0);
        };
        super::clock::parse_moment(origin).ok_or_else(|| {
            self.bad(
                "time_origin",
                format!("{origin:?} is no RFC 3339 moment such as 2012-04-03T00:00:00Z"),
            )
        })
    }

    pub(super) fn bad(&self, key: &'static str, reason: impl Into<String>) -> Error {
        Error::BadSource {
            path: PathBuf::from(&self.path),
            key,
            reason: reason.into(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_reads_as_a_recipe_writes_it() {
        let source: Source = serde_json::from_str(
            r#"{"path": "checkins.tsv.gz", "format": "tsv", "columns": {"item_id": "poi"},
                "time_unit": "min", "time_origin": "2012-04-03T00:00:00Z", "on_error": "skip"}"#,
        )
        .expect("reads");
        assert_eq!(source.format, Format::Tsv);
        assert_eq!(source.time_unit, TimeUnit::Minutes);
        assert_eq!(source.on_error, OnError::Skip);
        source.validate().expect("valid");
        assert!(serde_json::from_str::<Source>(r#"{"path": "a", "format": "csv", "colums": {}}"#).is_err());
    }

    #[test]
    fn every_format_is_written_as_it_is_named() {
        use Format::{Csv, Jsonl, LibFfm, LibSvm, LightGcn, MovieLens1m, MovieLens100k, Parquet, Trec, Tsv};
        for format in [
            Parquet,
            Csv,
            Tsv,
            Jsonl,
            MovieLens100k,
            MovieLens1m,
            LightGcn,
            LibSvm,
            LibFfm,
            Trec,
        ] {
            assert_eq!(
                serde_json::to_value(format).expect("serialises"),
                serde_json::Value::from(format.name())
            );
        }
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        let key = |change: &dyn Fn(&mut Source)| {
            let mut source = Source::new("a.csv", Format::Csv);
            change(&mut source);
            match source.validate() {
                Err(Error::BadSource { key, .. }) => key,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(key(&|source| source.path.clear()), "path");
        assert_eq!(key(&|source| source.delimiter = Some('→')), "delimiter");
        assert_eq!(
            key(&|source| {
                source.format = Format::Jsonl;
                source.delimiter = Some(';');
            }),
            "delimiter"
        );
        assert_eq!(
            key(&|source| source.time_origin = Some("2012-04-03T00:00:00Z".to_owned())),
            "time_unit"
        );
        assert_eq!(
            key(&|source| {
                source.time_unit = TimeUnit::Minutes;
                source.time_origin = Some("yesterday".to_owned());
            }),
            "time_origin"
        );
        assert_eq!(
            key(&|source| {
                source.format = Format::LightGcn;
                source.columns.insert("user_id".to_owned(), "u".to_owned());
            }),
            "columns"
        );
    }
}
