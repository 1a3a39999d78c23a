//! Columns that the contract does not know: kept, and typed by one rule.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};

use super::cells::{Column, plain};
use super::chunk::Typing;
use super::faults::Origin;
use crate::{Error, Finding, Result, Severity};

/// Which further columns there are, and of which types.
///
/// Parquet keeps its own types (dictionaries, views and binary become text). In text formats a column is Float64
/// when [`all_numbers`] says so, else Utf8. A stream settles this on its first chunk; a table that is read as a
/// whole does it at the end, by [`settle`].
#[derive(Debug)]
pub(super) enum Extras {
    /// The first chunk decides; later chunks are made to fit.
    Streamed {
        plan: Option<Vec<Field>>,
        late: BTreeSet<String>,
    },
    /// Whatever each chunk has, as it stands there.
    Collected,
}

impl Extras {
    pub(super) fn streamed() -> Self {
        Self::Streamed {
            plan: None,
            late: BTreeSet::new(),
        }
    }

    /// Whether rows are handed on chunk by chunk, all in one schema.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Streamed { .. })
    }

    /// Reads the extra columns of a chunk, each with our name for it.
    pub(super) fn read(
        &mut self,
        columns: Vec<(&str, Column<'_>)>,
        typing: Typing,
        origin: &mut Origin,
    ) -> Result<Vec<(Field, ArrayRef)>> {
        let mut arrays = Vec::with_capacity(columns.len());
        for (ours, column) in columns {
            arrays.push((ours, column.name, plain(column.name, column.cells, origin)?));
        }
        let Self::Streamed { plan, late } = self else {
            let fields = arrays.into_iter();
            return Ok(fields
                .map(|(ours, _, array)| (Field::new(ours, array.data_type().clone(), true), array))
                .collect());
        };
        let plan = plan.get_or_insert_with(|| {
            let fields = arrays.iter();
            fields
                .map(|(ours, _, array)| {
                    let numeric = typing != Typing::Typed && all_numbers(array);
                    let data_type = if numeric {
                        DataType::Float64
                    } else {
                        array.data_type().clone()
                    };
                    Field::new(*ours, data_type, true)
                })
                .collect()
        });
        let mut by_name: HashMap<&str, (&str, ArrayRef)> = arrays
            .into_iter()
            .map(|(ours, name, array)| (ours, (name, array)))
            .collect();
        let mut fitted = Vec::with_capacity(plan.len());
        for field in plan.iter() {
            let array = match by_name.remove(field.name().as_str()) {
                None => new_null_array(field.data_type(), origin.rows.len()),
                Some((name, array)) => fit(name, &array, field.data_type(), origin)?,
            };
            fitted.push((field.clone(), array));
        }
        // What no field of the plan took.
        late.extend(by_name.into_keys().map(str::to_owned));
        Ok(fitted)
    }

    pub(super) fn finding(self) -> Option<Finding> {
        match self {
            Self::Streamed { late, .. } if !late.is_empty() => Some(Finding {
                severity: Severity::Warning,
                code: "late_columns".to_owned(),
                message: format!(
                    "{} columns that the first {} rows do not have were left out",
                    late.len(),
                    super::chunk::CHUNK_ROWS
                ),
                examples: late.into_iter().take(10).collect(),
                remedy: "give the first file of the source every column".to_owned(),
            }),
            _ => None,
        }
    }
}

/// Makes a column of a later chunk fit the type that the first one settled.
fn fit(name: &str, array: &ArrayRef, to: &DataType, origin: &mut Origin) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    let fitted = match (array.as_string_opt::<i32>(), to) {
        (Some(text), DataType::Float64) => Arc::new(parsed(text)),
        _ => cast(array, to).map_err(|_| Error::WrongType {
            path: origin.path.clone(),
            column: name.to_owned(),
            expected: format!("{to}, as in the first rows"),
            found: array.data_type().to_string(),
        })?,
    };
    for row in (0..array.len()).filter(|&row| fitted.is_null(row) && array.is_valid(row)) {
        let shown = arrow::util::display::array_value_to_string(array, row).unwrap_or_default();
        origin.fault(
            row,
            name,
            &shown,
            format!("is not {to}, as all of the first rows are"),
        );
    }
    Ok(fitted)
}

/// The type of a column of text that has been read as a whole.
pub(super) fn settle(array: &ArrayRef) -> ArrayRef {
    match array.as_string_opt::<i32>() {
        Some(text) if all_numbers(array) => Arc::new(parsed(text)),
        _ => array.clone(),
    }
}

fn parsed(text: &StringArray) -> Float64Array {
    let finite = |cell: &str| cell.trim().parse().ok().filter(|number: &f64| number.is_finite());
    text.iter().map(|cell| cell.and_then(finite)).collect()
}

/// Whether a column is text, has a value, and every value is a number that a float holds without loss of meaning:
/// finite, no leading zero or plus (`007` is a code), and no integer beyond 2^53.
fn all_numbers(array: &ArrayRef) -> bool {
    let Some(text) = array.as_string_opt::<i32>() else {
        return false;
    };
    text.null_count() < text.len() && text.iter().flatten().all(is_number)
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let is_code = match unsigned {
        [b'0', second, ..] => second.is_ascii_digit(),
        [first, ..] => !first.is_ascii_digit() && *first != b'.',
        [] => true,
    };
    let is_exact = |number: f64| {
        let is_integer = unsigned.iter().all(u8::is_ascii_digit);
        number.is_finite() && !(is_integer && number.abs() > 9_007_199_254_740_992.0)
    };
    !is_code && text.parse().is_ok_and(is_exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_not_numbers() {
        for number in ["0", "-1", "0.5", ".5", "1e-5", "9007199254740992", "-0"] {
            assert!(is_number(number), "{number}");
        }
        for code in [
            "",
            "-",
            "007",
            "+1",
            "NaN",
            "inf",
            "1e999",
            "9007199254740994",
            "1 ",
            "12a",
        ] {
            assert!(!is_number(code), "{code}");
        }
    }

    #[test]
    fn a_column_without_values_is_text() {
        let nothing: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; 2]));
        assert_eq!(settle(&nothing).data_type(), &DataType::Utf8);
    }
}
