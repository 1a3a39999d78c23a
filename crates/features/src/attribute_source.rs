//! Where the attributes of a side come from.

use catchment_schema::arrow::array::{ArrayRef, AsArray, TimestampMillisecondArray};
use catchment_schema::{AttributeTable, Vocabulary};

use crate::number_column::{NumberColumn, NumberLists};
use crate::text_column::TextColumn;
use crate::{Error, FitTables, Result, Side};

/// Attributes with what errors call them.
#[derive(Clone, Copy)]
pub(crate) struct NamedTable<'a> {
    pub(crate) name: &'static str,
    pub(crate) table: &'a AttributeTable,
}

/// The raw ids and their attributes, one row an id, as a fit sees them.
#[derive(Clone, Copy)]
pub(crate) struct AttributeSource<'a> {
    pub(crate) side: Side,
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) table: NamedTable<'a>,
    /// All tables, for a vocabulary over columns of another side.
    pub(crate) tables: &'a FitTables<'a>,
}

impl<'a> AttributeSource<'a> {
    /// The attributes of a side that has some; of the item side for any other.
    pub(crate) fn of(side: Side, tables: &'a FitTables<'a>) -> Self {
        let (vocabulary, name, table) = match side {
            Side::User => (tables.users, crate::user::TABLE, tables.user_attributes),
            _ => (tables.items, crate::item::TABLE, tables.item_attributes),
        };
        Self {
            side,
            vocabulary,
            table: NamedTable { name, table },
            tables,
        }
    }

    /// The key of a feature's setting, as errors name it.
    pub(crate) fn key(&self, feature: &str, setting: &str) -> String {
        format!("features.{}.{feature}.{setting}", self.side)
    }

    /// How many rows there are: one for each id.
    pub(crate) fn n_rows(&self) -> Result<usize> {
        let (rows, expected) = (self.table.table.n_rows(), self.vocabulary.len());
        if rows == expected {
            return Ok(rows);
        }
        Err(Error::RowCount {
            table: self.table.name,
            rows,
            expected,
        })
    }
}

impl<'a> NamedTable<'a> {
    /// Words; lists of them only where `lists`.
    pub(crate) fn texts(self, feature: &str, column: &str, lists: bool) -> Result<TextColumn<'a>> {
        let expected = if lists {
            "text, lists of text, integers or flags"
        } else {
            "text, integers or flags (lists are for kind `bag`)"
        };
        let read = |array| TextColumn::new(array).filter(|texts| lists || !texts.is_list());
        self.column(feature, column, expected, read)
    }

    pub(crate) fn numbers(self, feature: &str, column: &str) -> Result<NumberColumn<'a>> {
        self.column(feature, column, "numbers or flags", NumberColumn::new)
    }

    pub(crate) fn number_lists(self, feature: &str, column: &str) -> Result<NumberLists<'a>> {
        self.column(feature, column, "lists of numbers", NumberLists::new)
    }

    pub(crate) fn times(self, feature: &str, column: &str) -> Result<&'a TimestampMillisecondArray> {
        let expected = "timestamps in milliseconds";
        self.column(feature, column, expected, |array| array.as_primitive_opt())
    }

    fn column<T>(
        self,
        feature: &str,
        column: &str,
        expected: &'static str,
        read: impl Fn(&'a ArrayRef) -> Option<T>,
    ) -> Result<T> {
        let array = self.table.column(column).ok_or_else(|| Error::MissingColumn {
            feature: feature.to_owned(),
            table: self.name,
            column: column.to_owned(),
            available: self.table.names().map(str::to_owned).collect(),
        })?;
        read(array).ok_or_else(|| Error::WrongType {
            feature: feature.to_owned(),
            column: column.to_owned(),
            expected,
            found: array.data_type().to_string(),
        })
    }
}
