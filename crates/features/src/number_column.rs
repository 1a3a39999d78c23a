//! Numbers in a column of attributes.

use catchment_schema::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
    UInt32Array,
};
use catchment_schema::arrow::compute::cast;
use catchment_schema::arrow::datatypes::{DataType, Float64Type};

/// A column whose rows hold numbers or flags, found and told apart once.
#[derive(Clone, Copy)]
pub(crate) enum NumberColumn<'a> {
    F32(&'a Float32Array),
    F64(&'a Float64Array),
    I32(&'a Int32Array),
    U32(&'a UInt32Array),
    I64(&'a Int64Array),
    Flag(&'a BooleanArray),
    Other(&'a ArrayRef),
}

impl<'a> NumberColumn<'a> {
    /// `None` when the column holds no numbers.
    pub(crate) fn new(column: &'a ArrayRef) -> Option<Self> {
        Some(match column.data_type() {
            DataType::Float32 => Self::F32(column.as_primitive_opt()?),
            DataType::Float64 => Self::F64(column.as_primitive_opt()?),
            DataType::Int32 => Self::I32(column.as_primitive_opt()?),
            DataType::UInt32 => Self::U32(column.as_primitive_opt()?),
            DataType::Int64 => Self::I64(column.as_primitive_opt()?),
            DataType::Boolean => Self::Flag(column.as_boolean_opt()?),
            kind if kind.is_numeric() => Self::Other(column),
            _ => return None,
        })
    }

    /// The number; `None` where null or beyond the column.
    #[inline]
    pub(crate) fn value(self, row: usize) -> Option<f64> {
        match self {
            Self::F32(array) => is_there(array, row).then(|| f64::from(array.value(row))),
            Self::F64(array) => is_there(array, row).then(|| array.value(row)),
            Self::I32(array) => is_there(array, row).then(|| f64::from(array.value(row))),
            Self::U32(array) => is_there(array, row).then(|| f64::from(array.value(row))),
            Self::I64(array) => is_there(array, row).then(|| array.value(row) as f64),
            Self::Flag(array) => is_there(array, row).then(|| f64::from(u8::from(array.value(row)))),
            Self::Other(array) => {
                let one = is_there(array, row).then(|| array.slice(row, 1))?;
                let one = cast(&one, &DataType::Float64).ok()?;
                one.as_primitive_opt::<Float64Type>()
                    .filter(|one| one.is_valid(0))
                    .map(|one| one.value(0))
            }
        }
    }
}

/// A column whose rows hold lists of numbers.
#[derive(Clone, Copy)]
pub(crate) struct NumberLists<'a> {
    lists: &'a ListArray,
    numbers: NumberColumn<'a>,
}

impl<'a> NumberLists<'a> {
    /// `None` when the column holds no lists of numbers.
    pub(crate) fn new(column: &'a ArrayRef) -> Option<Self> {
        let lists = column.as_list_opt::<i32>()?;
        let numbers = NumberColumn::new(lists.values())?;
        Some(Self { lists, numbers })
    }

    /// The number at a place of the row's list; `None` where the list, or the number, is null or too short.
    #[inline]
    pub(crate) fn value(self, row: usize, place: usize) -> Option<f64> {
        if !is_there(self.lists, row) {
            return None;
        }
        let offsets = self.lists.value_offsets();
        let bound = |offset: i32| usize::try_from(offset).ok();
        let number = bound(offsets[row])?.checked_add(place)?;
        (number < bound(offsets[row + 1])?)
            .then(|| self.numbers.value(number))
            .flatten()
    }
}

#[inline]
pub(crate) fn is_there(array: &dyn Array, row: usize) -> bool {
    row < array.len() && array.is_valid(row)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catchment_schema::arrow::array::{Int8Array, StringArray, UInt64Array};

    use super::*;

    #[test]
    fn every_width_gives_its_numbers_and_nothing_for_null_or_beyond() {
        let columns: [ArrayRef; 8] = [
            Arc::new(Float32Array::from(vec![Some(1.0), None])),
            Arc::new(Float64Array::from(vec![Some(1.0), None])),
            Arc::new(Int32Array::from(vec![Some(1), None])),
            Arc::new(UInt32Array::from(vec![Some(1), None])),
            Arc::new(Int64Array::from(vec![Some(1), None])),
            Arc::new(BooleanArray::from(vec![Some(true), None])),
            Arc::new(Int8Array::from(vec![Some(1), None])),
            Arc::new(UInt64Array::from(vec![Some(1), None])),
        ];
        for column in &columns {
            let numbers = NumberColumn::new(column).expect("numbers");
            assert_eq!([0, 1, 2].map(|row| numbers.value(row)), [Some(1.0), None, None]);
        }
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        assert!(NumberColumn::new(&texts).is_none());
    }
}
