//! Typed access to the columns of a batch, with errors that name file and column.

use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;

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
    let wrong_type = || wrong_type(path, name, &arrow_name(std::any::type_name::<T>()), array);
    array.as_any().downcast_ref::<T>().ok_or_else(wrong_type)
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
    no_nulls(path, name, array)?;
    Ok(array)
}

/// As [`required_column`], for a file that somebody else may have written: other spellings of text become Utf8,
/// integers of other widths the one that is wanted, and any numbers floats.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::WrongType`]; [`Error::BadValue`] for a null or a number out of range.
pub fn required_column_as(path: &Path, batch: &RecordBatch, name: &str, to: &DataType) -> Result<ArrayRef> {
    let array = column(path, batch, name)?;
    no_nulls(path, name, array)?;
    let from = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    let fits = match to {
        DataType::Utf8 => {
            matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) || from.is_integer()
        }
        integer if integer.is_integer() => from.is_integer(),
        float if float.is_floating() => from.is_numeric(),
        _ => can_cast_types(from, to),
    };
    let fitted = fits.then(|| cast(array, to).ok()).flatten();
    let fitted = fitted.ok_or_else(|| wrong_type(path, name, &to.to_string(), array))?;
    match (0..fitted.len()).find(|&row| fitted.is_null(row)) {
        None => Ok(fitted),
        Some(row) => Err(Error::BadValue {
            path: path.to_owned(),
            row: row as u64 + 1,
            column: name.to_owned(),
            value: array_value_to_string(array, row).unwrap_or_default(),
            reason: format!("is out of the range of {to}"),
        }),
    }
}

fn no_nulls(path: &Path, name: &str, array: &dyn Array) -> Result<()> {
    match (0..array.len()).find(|&row| array.is_null(row)) {
        None => Ok(()),
        Some(row) => Err(Error::BadValue {
            path: path.to_owned(),
            row: row as u64 + 1,
            column: name.to_owned(),
            value: String::new(),
            reason: "null is not allowed here".to_owned(),
        }),
    }
}

fn wrong_type(path: &Path, name: &str, expected: &str, array: &dyn Array) -> Error {
    Error::WrongType {
        path: path.to_owned(),
        column: name.to_owned(),
        expected: expected.to_owned(),
        found: array.data_type().to_string(),
    }
}

/// `PrimitiveArray<…::UInt32Type>` as `UInt32`, `GenericByteArray<GenericStringType<i32>>` as `Utf8`.
fn arrow_name(rust_name: &str) -> String {
    if rust_name.contains("GenericStringType<i32>") {
        return "Utf8".to_owned();
    }
    let last = rust_name
        .rsplit("::")
        .next()
        .unwrap_or(rust_name)
        .trim_end_matches('>');
    last.trim_end_matches("Array").trim_end_matches("Type").to_owned()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, FixedSizeListArray, Float32Array, Int64Array, StringArray, UInt32Array,
    };

    use super::*;

    fn batch() -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1 << 40)]));
        RecordBatch::try_from_iter([("n", numbers)]).expect("a batch")
    }

    fn expected<T: Array + 'static>() -> String {
        match typed_column::<T>(Path::new("a"), &batch(), "n") {
            Err(Error::WrongType { expected, .. }) => expected,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wrong_types_are_called_what_arrow_calls_them() {
        assert_eq!(expected::<StringArray>(), "Utf8");
        assert_eq!(expected::<UInt32Array>(), "UInt32");
        assert_eq!(expected::<Float32Array>(), "Float32");
        assert_eq!(expected::<BooleanArray>(), "Boolean");
        assert_eq!(expected::<FixedSizeListArray>(), "FixedSizeList");
    }

    #[test]
    fn nulls_and_overflow_name_their_row() {
        let path = Path::new("a");
        let row = |result: Result<ArrayRef>| match result {
            Err(Error::BadValue { row, .. }) => row,
            other => panic!("{other:?}"),
        };
        assert_eq!(row(required_column_as(path, &batch(), "n", &DataType::UInt32)), 2);
        let tail = batch().slice(2, 1);
        assert_eq!(row(required_column_as(path, &tail, "n", &DataType::UInt32)), 1);
        assert!(required_column_as(path, &tail, "n", &DataType::Utf8).is_ok());
        assert!(required_column_as(path, &tail, "n", &DataType::Float32).is_ok());
        assert!(matches!(
            column(path, &tail, "m"),
            Err(Error::MissingColumn { available, .. }) if available == ["n"]
        ));
    }
}
