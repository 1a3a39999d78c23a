//! Words in a column of attributes.

use catchment_schema::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use catchment_schema::arrow::datatypes::DataType;
use catchment_schema::arrow::util::display::array_value_to_string;

/// A column whose rows hold words. Integers and flags count as words too (`12`, `true`): codes are
/// often numbers.
#[derive(Clone, Copy)]
pub(crate) enum TextColumn<'a> {
    One(&'a StringArray),
    Many(&'a ListArray, &'a StringArray),
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
            kind if kind.is_integer() || *kind == DataType::Boolean => Some(Self::Code(column)),
            _ => None,
        }
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Many(..))
    }

    /// Calls `visit` with each word of the row; with none where the row is null or beyond the column.
    pub(crate) fn visit(self, row: usize, mut visit: impl FnMut(&str)) {
        match self {
            Self::One(texts) if has_value(texts, row) => visit(texts.value(row)),
            Self::Many(lists, texts) if has_value(lists, row) => {
                let offsets = lists.value_offsets();
                let within = (offsets[row]..offsets[row + 1]).filter_map(|word| usize::try_from(word).ok());
                within
                    .filter(|&word| texts.is_valid(word))
                    .for_each(|word| visit(texts.value(word)));
            }
            Self::Code(codes) if has_value(codes, row) => {
                if let Ok(code) = array_value_to_string(codes, row) {
                    visit(&code);
                }
            }
            _ => {}
        }
    }
}

fn has_value(array: &dyn Array, row: usize) -> bool {
    row < array.len() && array.is_valid(row)
}
