//! The world as files, as a user would bring them.

use std::path::{Path, PathBuf};

use catchment_schema::lists::CANDIDATES;
use catchment_schema::parquet_file::write_parquet;
use catchment_schema::{AtomicFile, Metadata};

use crate::{Result, World, csv, tables};

/// How the tables are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFormat {
    /// Comma-separated text with a header; lists have `|` between their words.
    Csv,
    /// Parquet.
    Parquet,
}

/// Where [`World::write`] put things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldFiles {
    /// The log.
    pub interactions: PathBuf,
    /// The catalogue.
    pub items: PathBuf,
    /// The users.
    pub users: PathBuf,
    /// The ideal lists, in the form of a candidates file whose channel is [`crate::ORACLE`]. Always Parquet.
    pub truth: PathBuf,
}

impl World {
    /// Writes `interactions`, `items`, `users` in the format, and `truth.parquet`; makes the folder.
    /// The same world gives the same bytes.
    ///
    /// # Errors
    /// [`crate::Error::Write`].
    pub fn write(&self, folder: impl AsRef<Path>, format: WriteFormat) -> Result<WorldFiles> {
        let folder = folder.as_ref();
        let ending = match format {
            WriteFormat::Csv => "csv",
            WriteFormat::Parquet => "parquet",
        };
        let path = |name: &str| folder.join(format!("{name}.{ending}"));
        let files = WorldFiles {
            interactions: path("interactions"),
            items: path("items"),
            users: path("users"),
            truth: folder.join("truth.parquet"),
        };
        let seed = ("catchment.seed".to_owned(), self.config().seed.to_string());
        let metadata = Metadata::from([seed, ("catchment.bundle".to_owned(), "synthetic".to_owned())]);
        match format {
            WriteFormat::Csv => {
                AtomicFile::write(&files.interactions, csv::interactions(self).as_bytes())?;
                AtomicFile::write(&files.items, csv::items(self).as_bytes())?;
                AtomicFile::write(&files.users, csv::users(self).as_bytes())?;
            }
            WriteFormat::Parquet => {
                for (path, name, batch) in [
                    (
                        &files.interactions,
                        "raw_interactions",
                        tables::interactions(self),
                    ),
                    (&files.items, "raw_items", tables::items(self)),
                    (&files.users, "raw_users", tables::users(self)),
                ] {
                    write_parquet(path, tables::raw(name), &batch, &metadata)?;
                }
            }
        }
        write_parquet(&files.truth, CANDIDATES, &tables::ideal_lists(self), &metadata)?;
        Ok(files)
    }
}
