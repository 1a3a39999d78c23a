//! A prepared log, opened.

use std::path::{Path, PathBuf};

use catchment_schema::arrow::array::ArrayRef;
use catchment_schema::interactions::INTERACTIONS;
use catchment_schema::parquet_file::{parquet_columns, read_parquet_columns};
use catchment_schema::{AttributeTable, Interactions, Vocabulary};

use crate::layout::{
    EVENTS, ITEM_ATTRIBUTES, ITEMS, SUMMARY, TEST, TRAIN, USER_ATTRIBUTES, USERS, VALIDATION,
};
use crate::log::ORDER;
use crate::summary::FORMAT;
use crate::{Error, Result, Summary};

/// What [`crate::prepare`] wrote. Vocabularies and attributes are read when it is opened, the three parts
/// when they are asked for.
#[derive(Debug)]
pub struct Prepared {
    folder: PathBuf,
    summary: Summary,
    users: Vocabulary,
    items: Vocabulary,
    event_words: Vec<String>,
    user_attributes: AttributeTable,
    item_attributes: AttributeTable,
}

impl Prepared {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`Error::NotPrepared`] where there is nothing that was finished; [`Error::File`] for a file that is
    /// missing, damaged, of a newer version, or of another run.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref().to_owned();
        let summary = read_summary(&folder)?;
        let users = Vocabulary::read(folder.join(USERS))?;
        let items = Vocabulary::read(folder.join(ITEMS))?;
        let found = (users.len() as u64, items.len() as u64);
        if found != (summary.users, summary.items) {
            return Err(Error::File(catchment_schema::Error::Inconsistent {
                path: folder.join(SUMMARY),
                reason: format!(
                    "it speaks of {} users and {} items, the vocabularies hold {} and {}",
                    summary.users, summary.items, found.0, found.1
                ),
            }));
        }
        let words = Vocabulary::read(folder.join(EVENTS))?;
        Ok(Self {
            event_words: words.ids().iter().map(ToString::to_string).collect(),
            user_attributes: AttributeTable::read(folder.join(USER_ATTRIBUTES), users.len())?,
            item_attributes: AttributeTable::read(folder.join(ITEM_ATTRIBUTES), items.len())?,
            summary,
            users,
            items,
            folder,
        })
    }

    /// The users that training may know, by falling count.
    pub fn users(&self) -> &Vocabulary {
        &self.users
    }

    /// The items that training may know, by falling count.
    pub fn items(&self) -> &Vocabulary {
        &self.items
    }

    /// The event words, by [`catchment_schema::EventKind`].
    pub fn event_words(&self) -> &[String] {
        &self.event_words
    }

    /// One row for each user of the vocabulary.
    pub fn user_attributes(&self) -> &AttributeTable {
        &self.user_attributes
    }

    /// One row for each item of the vocabulary.
    pub fn item_attributes(&self) -> &AttributeTable {
        &self.item_attributes
    }

    /// The numbers.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The rows to fit on. Reads the file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn train(&self) -> Result<Interactions> {
        self.part(TRAIN)
    }

    /// The rows to choose settings by; empty where the split has no validation. Reads the file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn validation(&self) -> Result<Interactions> {
        self.part(VALIDATION)
    }

    /// The rows to be judged by, once. Reads the file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn test(&self) -> Result<Interactions> {
        self.part(TEST)
    }

    /// The names of the log's further columns: those that are no part of [`Interactions`].
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn further_columns(&self) -> Result<Vec<String>> {
        let mut names = parquet_columns(self.folder.join(TRAIN), INTERACTIONS)?;
        let own = Interactions::schema();
        names.retain(|name| name != ORDER && own.field_with_name(name).is_err());
        Ok(names)
    }

    /// A further column of the rows of [`Self::train`], in their order; `None` where the log has none of this name. Reads the
    /// file.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn train_column(&self, name: &str) -> Result<Option<ArrayRef>> {
        self.column(TRAIN, name)
    }

    /// The same of [`Self::validation`].
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn validation_column(&self, name: &str) -> Result<Option<ArrayRef>> {
        self.column(VALIDATION, name)
    }

    fn column(&self, part: &str, name: &str) -> Result<Option<ArrayRef>> {
        let (batch, _) = read_parquet_columns(self.folder.join(part), INTERACTIONS, &[name])?;
        Ok(batch.column_by_name(name).cloned())
    }

    fn part(&self, name: &str) -> Result<Interactions> {
        Ok(Interactions::read(self.folder.join(name))?)
    }
}

pub(crate) fn read_summary(folder: &Path) -> Result<Summary> {
    let path = folder.join(SUMMARY);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NotPrepared {
                path: folder.to_owned(),
            });
        }
        Err(error) => return Err(catchment_schema::Error::io(&path)(error).into()),
    };
    let inconsistent = |error: serde_json::Error| catchment_schema::Error::Inconsistent {
        path: path.clone(),
        reason: error.to_string(),
    };
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(inconsistent)?;
    let found = json.get("format").and_then(serde_json::Value::as_u64);
    if found.is_none_or(|found| found > u64::from(FORMAT)) {
        return Err(Error::File(catchment_schema::Error::WrongVersion {
            kind: "prepared log",
            found: found.map_or("none".to_owned(), |found| found.to_string()),
            supported: FORMAT,
            path,
        }));
    }
    Ok(serde_json::from_value(json).map_err(inconsistent)?)
}
