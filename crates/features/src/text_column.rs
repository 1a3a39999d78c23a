//! Words in a column of attributes.

use catchment_schema::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringArray,
};
use catchment_schema::arrow::datatypes::DataType;
use catchment_schema::arrow::util::display::array_value_to_string;

use crate::number_column::is_there;

/// A column whose rows hold words. Integers and flags count as words too (`12`, `true`): codes are
/// often numbers.
#[derive(Clone, Copy)]
pub(crate) enum TextColumn<'a> {
    One(&'a StringArray),
    Many(&'a ListArray, &'a StringArray),
    Flag(&'a BooleanArray),
    Whole(&'a Int64Array),
    Code(&'a ArrayRef),
}

impl<'a> TextColumn<'a> {
    /// `None` when the column holds no words.
    pub(crate) fn new(column: &'a ArrayRef) -> Option<Self> {
        match column.data_type() {
            DataType::Utf8 => column.as_string_opt().map(Self::One),
            DataType::List(_) => {
                let lists = column.as_list_opt::<i32>()?;
                Some(Self::Many(lists, lists.values().as_string_opt()?))
            }
            DataType::Boolean => column.as_boolean_opt().map(Self::Flag),
            DataType::Int64 => column.as_primitive_opt().map(Self::Whole),
            kind if kind.is_integer() => Some(Self::Code(column)),
            _ => None,
        }
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Many(..))
    }

    /// Calls `visit` with each word of the row and its place in the row's list (0 where this is no list); with none
    /// where the row is null or beyond the column.
    #[inline]
    pub(crate) fn visit(self, row: usize, mut visit: impl FnMut(usize, &str)) {
        match self {
            Self::One(texts) if is_there(texts, row) => visit(0, texts.value(row)),
            Self::Many(lists, texts) if is_there(lists, row) => {
                let offsets = lists.value_offsets();
                let bound = |offset: i32| usize::try_from(offset).unwrap_or(0);
                for (place, word) in (bound(offsets[row])..bound(offsets[row + 1])).enumerate() {
                    if texts.is_valid(word) {
                        visit(place, texts.value(word));
                    }
                }
            }
            Self::Flag(flags) if is_there(flags, row) => {
                visit(0, if flags.value(row) { "true" } else { "false" });
            }
            Self::Whole(numbers) if is_there(numbers, row) => {
                let mut digits = [0; LONGEST];
                visit(0, decimal(numbers.value(row), &mut digits));
            }
            Self::Code(codes) if is_there(codes, row) => {
                if let Ok(code) = array_value_to_string(codes, row) {
                    visit(0, &code);
                }
            }
            _ => {}
        }
    }
}

/// Characters of the longest `i64`.
const LONGEST: usize = 20;

/// The number in decimal digits, without an allocation.
fn decimal(number: i64, digits: &mut [u8; LONGEST]) -> &str {
    let mut rest = number.unsigned_abs();
    let mut start = LONGEST;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    std::str::from_utf8(&digits[start..]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_numbers_are_written_as_everywhere(number: i64) {
            let mut digits = [0; LONGEST];
            prop_assert_eq!(decimal(number, &mut digits), number.to_string());
        }
    }

    #[test]
    fn the_longest_numbers_fit() {
        for number in [i64::MIN, i64::MAX, 0, -1] {
            assert_eq!(decimal(number, &mut [0; LONGEST]), number.to_string());
        }
    }
}
