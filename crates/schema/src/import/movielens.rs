//! MovieLens 100K and 1M, as their authors publish them, and the `ratings.tsv` of development data.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Builder, ListBuilder, StringArray, StringBuilder, TimestampMillisecondArray,
};
use jiff::civil::Date;

use super::chunk::{Chunk, ChunkReader, RowReader, Textual, Typing};
use super::clock;
use super::delimited::Delimited;
use super::faults::Origin;
use super::files::{self, Table};
use super::lines::Separated;
use crate::{Error, Result};

const RATINGS: [&str; 4] = ["user_id", "item_id", "value", "timestamp"];
const USERS_100K: [&str; 5] = ["user_id", "age", "gender", "occupation", "zip_code"];
const USERS_1M: [&str; 5] = ["user_id", "gender", "age", "occupation", "zip_code"];
const MOVIES_1M: [&str; 3] = ["item_id", "title", "genres"];
const MOVIES_100K: [&str; 5] = [
    "item_id",
    "title",
    "release_date",
    "video_release_date",
    "imdb_url",
];
/// The genres of `u.genre`, in the order of the flags in `u.item`.
const GENRES_100K: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];
const DEVELOPMENT: [&str; 6] = ["user", "movie", "rating", "chrono_rank", "ts_lo", "ts_hi"];

/// A table of `MovieLens` 100K.
pub(super) fn open_100k(path: &Path, table: Table) -> Result<Box<dyn ChunkReader>> {
    Ok(match table {
        Table::Interactions => shaped(path, Separated::open(path, "\t", &RATINGS)?, as_is),
        Table::Users => shaped(path, Separated::open(path, "|", &USERS_100K)?, users),
        Table::Items => {
            let names = [&MOVIES_100K[..], &GENRES_100K[..]].concat();
            shaped(path, Separated::open(path, "|", &names)?, movies_100k)
        }
    })
}

/// A table of `MovieLens` 1M. A file called `….tsv` is the development form of the ratings.
pub(super) fn open_1m(path: &Path, table: Table) -> Result<Box<dyn ChunkReader>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = Path::new(files::without_compression(&name));
    Ok(match table {
        Table::Interactions if name.extension().is_some_and(|ending| ending == "tsv") => {
            let reader = Delimited::open(path, b'\t')?;
            if let Some(missing) = DEVELOPMENT
                .iter()
                .find(|&&name| !reader.names().iter().any(|found| found == name))
            {
                return Err(Error::MissingColumn {
                    path: path.to_owned(),
                    column: (*missing).to_owned(),
                    available: reader.names().to_vec(),
                });
            }
            shaped(path, reader, development_ratings)
        }
        Table::Interactions => shaped(path, Separated::open(path, "::", &RATINGS)?, as_is),
        Table::Users => shaped(path, Separated::open(path, "::", &USERS_1M)?, users),
        Table::Items => shaped(path, Separated::open(path, "::", &MOVIES_1M)?, movies_1m),
    })
}

/// Turns the columns of the file into ours.
type Shape = fn(Chunk) -> Chunk;

fn as_is(chunk: Chunk) -> Chunk {
    chunk
}

struct Shaped<R> {
    rows: Textual<R>,
    shape: Shape,
}

fn shaped<R: RowReader + 'static>(path: &Path, rows: R, shape: Shape) -> Box<dyn ChunkReader> {
    Box::new(Shaped {
        rows: Textual::new(path, rows),
        shape,
    })
}

impl<R: RowReader> ChunkReader for Shaped<R> {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        Ok(self.rows.next_chunk()?.map(self.shape))
    }
}

/// Title, genres, release date (null where it is none) and address; the video release date is empty throughout.
fn movies_100k(chunk: Chunk) -> Chunk {
    let mut origin = chunk.origin;
    let n_rows = origin.rows.len();
    let column = |name: &str| text(&chunk.names, &chunk.columns, name);
    let mut genres = ListBuilder::new(StringBuilder::new());
    let flags: Vec<&StringArray> = GENRES_100K.into_iter().map(column).collect();
    for row in 0..n_rows {
        for (flag, genre) in flags.iter().zip(GENRES_100K) {
            match flag.is_valid(row).then(|| flag.value(row)) {
                Some("0") => {}
                Some("1") => genres.values().append_value(genre),
                other => origin.fault(row, genre, other.unwrap_or_default(), "must be 0 or 1"),
            }
        }
        genres.append(true);
    }
    let released = column("release_date").iter();
    let released: TimestampMillisecondArray = released
        .map(|date| clock::parse_moment(&Date::strptime("%d-%b-%Y", date?).ok()?.to_string()))
        .collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("item_id", Arc::new(column("item_id").clone())),
        ("title", Arc::new(column("title").clone())),
        ("category", Arc::new(genres.finish())),
        ("published_at", Arc::new(released.with_timezone("UTC"))),
        ("imdb_url", Arc::new(column("imdb_url").clone())),
    ];
    typed(origin, columns)
}

fn movies_1m(chunk: Chunk) -> Chunk {
    let column = |name: &str| text(&chunk.names, &chunk.columns, name);
    let mut genres = ListBuilder::new(StringBuilder::new());
    for names in column("genres") {
        let names = names
            .unwrap_or_default()
            .split('|')
            .filter(|name| !name.is_empty());
        names.for_each(|name| genres.values().append_value(name));
        genres.append(true);
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("item_id", Arc::new(column("item_id").clone())),
        ("title", Arc::new(column("title").clone())),
        ("category", Arc::new(genres.finish())),
    ];
    typed(chunk.origin, columns)
}

/// Only the age is a number: the occupations of 1M are codes, and so are zip codes.
fn users(chunk: Chunk) -> Chunk {
    let mut origin = chunk.origin;
    let mut ages = Float64Builder::new();
    for (row, age) in text(&chunk.names, &chunk.columns, "age").iter().enumerate() {
        let number = age.and_then(|age| age.parse::<u8>().ok());
        if number.is_none() {
            origin.fault(row, "age", age.unwrap_or_default(), "is not an age in years");
        }
        ages.append_option(number.map(f64::from));
    }
    let column = |name| -> ArrayRef { Arc::new(text(&chunk.names, &chunk.columns, name).clone()) };
    let columns: [(&str, ArrayRef); 5] = [
        ("user_id", column("user_id")),
        ("age", Arc::new(ages.finish())),
        ("gender", column("gender")),
        ("occupation", column("occupation")),
        ("zip_code", column("zip_code")),
    ];
    typed(origin, columns)
}

/// The place in the user's history becomes `order`; a moment is a time only where both of its bounds agree.
fn development_ratings(chunk: Chunk) -> Chunk {
    let column = |name: &str| text(&chunk.names, &chunk.columns, name);
    let is_number = |bound: &str| bound.parse::<i64>().is_ok();
    let bounds = column("ts_lo").iter().zip(column("ts_hi"));
    let times: StringArray = bounds
        .map(|bounds| match bounds {
            (Some(low), Some(high)) if low == high => Some(low),
            (Some(low), Some(high)) if is_number(low) && is_number(high) => None,
            // Not a bound at all: handed on, so that it is refused as a time.
            (low, high) => low.filter(|low| !is_number(low)).or(high),
        })
        .collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("user_id", Arc::new(column("user").clone())),
        ("item_id", Arc::new(column("movie").clone())),
        ("value", Arc::new(column("rating").clone())),
        ("order", Arc::new(column("chrono_rank").clone())),
        ("timestamp", Arc::new(times)),
    ];
    typed(chunk.origin, columns)
}

fn text<'a>(names: &[String], columns: &'a [ArrayRef], name: &str) -> &'a StringArray {
    let position = names.iter().position(|found| found == name);
    let column = position.and_then(|position| columns[position].as_any().downcast_ref());
    column.expect("the reader was opened with this column, and rows of text are text")
}

fn typed<const N: usize>(origin: Origin, columns: [(&str, ArrayRef); N]) -> Chunk {
    let (names, columns) = columns
        .into_iter()
        .map(|(name, column)| (name.to_owned(), column))
        .unzip();
    Chunk {
        names,
        columns,
        origin,
        typing: Typing::Typed,
    }
}
