//! Attributes of items or users, by dense index.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Schema};

use crate::parquet_file::{FileKind, Metadata, parquet_error, read_parquet, write_parquet};
use crate::{Error, Result, Time, Vocabulary};

/// The attributes file.
pub const ATTRIBUTES: FileKind = FileKind {
    name: "attributes",
    version: 1,
};

/// A Parquet file without columns would forget how many rows it has: this column of nulls stands in.
const NOTHING: &str = "none";

/// One row of attributes for each entry of a vocabulary, in vocabulary order. Entries without
/// attributes have nulls. Columns keep the names that the recipe gave them.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeTable {
    batch: RecordBatch,
}

impl AttributeTable {
    /// `n_rows` rows without any attribute.
    pub fn empty(n_rows: usize) -> Self {
        let nothing = UInt32Array::from(vec![None; n_rows]);
        let schema = Schema::new(vec![Field::new(NOTHING, DataType::UInt32, true)]);
        let batch = RecordBatch::from(arrow::array::StructArray::new(
            schema.fields,
            vec![Arc::new(nothing) as ArrayRef],
            None,
        ));
        Self { batch }
    }

    /// Lines `batch` up with a vocabulary: `batch` has the raw ids in the Utf8 column `id_column`;
    /// rows whose id the vocabulary does not know are left out, ids without a row get nulls.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::BadValue`] for a null id, [`Error::Inconsistent`] when an id occurs twice.
    pub fn align(path: &Path, batch: &RecordBatch, id_column: &str, vocabulary: &Vocabulary) -> Result<Self> {
        let ids = crate::columns::required_column::<StringArray>(path, batch, id_column)?;
        let mut rows: Vec<Option<u32>> = vec![None; vocabulary.len()];
        for (row, id) in (0u32..).zip(ids.iter().flatten()) {
            let Some(position) = vocabulary.position(id) else {
                continue;
            };
            if rows[position as usize].replace(row).is_some() {
                return Err(Error::Inconsistent {
                    path: path.to_owned(),
                    reason: format!("the id {id:?} has two rows"),
                });
            }
        }
        let rows = UInt32Array::from(rows);
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if field.name() == id_column {
                continue;
            }
            fields.push(field.as_ref().clone().with_nullable(true));
            columns.push(take(column, &rows, None).map_err(|error| parquet_error(path, &error))?);
        }
        if columns.is_empty() {
            return Ok(Self::empty(vocabulary.len()));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| parquet_error(path, &error))?;
        Ok(Self { batch })
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|&name| name != NOTHING)
    }

    /// A column by name, as it is.
    pub fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.batch.column_by_name(name)
    }

    /// The text in a Utf8 column; `None` where null, out of range, or not a text column.
    pub fn text(&self, name: &str, row: usize) -> Option<&str> {
        let array = self.column(name)?.as_any().downcast_ref::<StringArray>()?;
        (row < array.len() && array.is_valid(row)).then(|| array.value(row))
    }

    /// The texts in a Utf8 or `List<Utf8>` column; empty where null.
    pub fn texts(&self, name: &str, row: usize) -> Vec<String> {
        if let Some(text) = self.text(name, row) {
            return vec![text.to_owned()];
        }
        let list = self
            .column(name)
            .and_then(|column| column.as_any().downcast_ref::<ListArray>());
        let Some(list) = list.filter(|list| row < list.len() && list.is_valid(row)) else {
            return vec![];
        };
        let values = list.value(row);
        let texts = values.as_any().downcast_ref::<StringArray>();
        texts.map_or_else(Vec::new, |texts| {
            texts.iter().flatten().map(str::to_owned).collect()
        })
    }

    /// The number in any numeric column; `None` where null or not a number.
    pub fn number(&self, name: &str, row: usize) -> Option<f64> {
        let array = self.column(name)?;
        if row >= array.len() || array.is_null(row) {
            return None;
        }
        if let Some(array) = array.as_any().downcast_ref::<Float32Array>() {
            return Some(f64::from(array.value(row)));
        }
        if let Some(array) = array.as_any().downcast_ref::<Float64Array>() {
            return Some(array.value(row));
        }
        if let Some(array) = array.as_any().downcast_ref::<Int64Array>() {
            return Some(array.value(row) as f64);
        }
        let cast = cast(&array.slice(row, 1), &DataType::Float64).ok()?;
        let cast = cast.as_any().downcast_ref::<Float64Array>()?;
        cast.is_valid(0).then(|| cast.value(0))
    }

    /// The flag in a Boolean column.
    pub fn flag(&self, name: &str, row: usize) -> Option<bool> {
        let array = self.column(name)?.as_any().downcast_ref::<BooleanArray>()?;
        (row < array.len() && array.is_valid(row)).then(|| array.value(row))
    }

    /// The moment in a Timestamp(ms) column; unknown where null.
    pub fn time(&self, name: &str, row: usize) -> Time {
        let array = self
            .column(name)
            .and_then(|column| column.as_any().downcast_ref::<TimestampMillisecondArray>());
        let array = array.filter(|array| row < array.len() && array.is_valid(row));
        array.map_or(Time::UNKNOWN, |array| Time::from_millis(array.value(row)))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As [`write_parquet`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write_parquet(path, ATTRIBUTES, &self.batch, &Metadata::new())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// As [`read_parquet`]; [`Error::Inconsistent`] when it has not `n_rows` rows.
    pub fn read(path: impl AsRef<Path>, n_rows: usize) -> Result<Self> {
        let (batch, _) = read_parquet(&path, ATTRIBUTES)?;
        if batch.num_rows() != n_rows {
            return Err(Error::Inconsistent {
                path: path.as_ref().to_owned(),
                reason: format!("{} rows for a vocabulary of {n_rows}", batch.num_rows()),
            });
        }
        Ok(Self { batch })
    }
}
