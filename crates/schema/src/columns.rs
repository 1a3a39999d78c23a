//! Typed access to the columns of a batch, with errors that name file and column.

use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch};

use crate::{Error, Result};

/// The column called `name`.
///
/// # Errors
/// [`Error::MissingColumn`].
pub fn column<'a>(path: &Path, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::MissingColumn {
        path: path.to_owned(),
        column: name.to_owned(),
        available: batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
    })
}

/// The column called `name` as an array of one type, nulls allowed.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::WrongType`].
pub fn typed_column<'a, T: Array + 'static>(
    path: &Path,
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a T> {
    let array = column(path, batch, name)?;
    array
        .as_any()
        .downcast_ref::<T>()
        .ok_or_else(|| Error::WrongType {
            path: path.to_owned(),
            column: name.to_owned(),
            expected: std::any::type_name::<T>()
                .rsplit("::")
                .next()
                .unwrap_or_default()
                .to_owned(),
            found: array.data_type().to_string(),
        })
}

/// As [`typed_column`], without nulls.
///
/// # Errors
/// Also [`Error::BadValue`], naming the first row that is null.
pub fn required_column<'a, T: Array + 'static>(
    path: &Path,
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a T> {
    let array = typed_column::<T>(path, batch, name)?;
    match (0..array.len()).find(|&row| array.is_null(row)) {
        None => Ok(array),
        Some(row) => Err(Error::BadValue {
            path: path.to_owned(),
            row: row as u64 + 1,
            column: name.to_owned(),
            value: "null".to_owned(),
            reason: "null is not allowed here".to_owned(),
        }),
    }
}

/// The first value that is NaN or infinite is an error that names its row.
///
/// # Errors
/// [`Error::BadValue`].
pub fn all_finite(path: &Path, column: &str, values: &[f32], per_row: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(Error::BadValue {
            path: path.to_owned(),
            row: (position / per_row.max(1)) as u64 + 1,
            column: column.to_owned(),
            value: values[position].to_string(),
            reason: "must be finite".to_owned(),
        }),
    }
}
