//! What was shown beside what was taken, out of a column of the log.

use std::sync::Arc;

use catchment_models::towers::ShownItems;
use catchment_models::towers::plan::ShownNegatives;
use catchment_prepare::Prepared;
use catchment_schema::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use catchment_schema::arrow::compute::cast;
use catchment_schema::arrow::datatypes::{DataType, Field, Float64Type};
use catchment_schema::arrow::error::ArrowError;
use catchment_schema::{Interactions, ItemIdx, Time, UserIdx};
use serde_json::Value;

/// No id of the column is one of an item: it is another column that was meant, or another separator. Whoever wrote the recipe
/// corrects it there.
#[derive(Debug, thiserror::Error)]
#[error(
    "`shown.column` = {column:?}: none of its {n_ids} ids is one of an item that training may know; the first is {example:?}, \
     with `shown.separator` = {separator:?} between ids"
)]
pub(crate) struct NothingKnown {
    column: String,
    separator: String,
    n_ids: u64,
    /// The first of them.
    example: String,
}

/// A column as it was read.
enum Ids {
    /// A text for each row, with this between ids. A text that begins with `[` is a list in JSON instead, if it is one.
    Text(StringArray, String),
    /// A list for each row.
    List(ListArray),
}

impl Ids {
    fn new(column: &ArrayRef, config: &ShownNegatives) -> anyhow::Result<Self> {
        let ids = match column.data_type() {
            DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
                lists(column, field.data_type()).map(Self::List)
            }
            _ => texts(column).map(|texts| Self::Text(texts, config.separator.clone())),
        };
        ids.map_err(|error| {
            anyhow::anyhow!(
                "`shown.column` = {:?}: a column of texts, or of lists of ids, is wanted, and it is of {}: {error}",
                config.column,
                column.data_type()
            )
        })
    }

    /// The ids of a row, as they are written there.
    fn of(&self, row: usize, mut take: impl FnMut(&str)) {
        match self {
            Self::Text(texts, separator) if texts.is_valid(row) => {
                let text = texts.value(row);
                if let Some(ids) = ids_in_json(text) {
                    for id in &ids {
                        take(id);
                    }
                    return;
                }
                let ids = text.split(separator.as_str()).map(str::trim);
                ids.filter(|id| !id.is_empty()).for_each(take);
            }
            Self::List(lists) if lists.is_valid(row) => {
                let ids = lists.value(row);
                let ids = ids.as_string_opt::<i32>().into_iter().flatten().flatten();
                ids.for_each(&mut take);
            }
            Self::Text(..) | Self::List(_) => {}
        }
    }
}

/// The ids of a list as a file of JSON lines has it: texts and numbers. `None` where it is another text.
fn ids_in_json(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') {
        return None;
    }
    let values: Vec<Value> = serde_json::from_str(text).ok()?;
    let id = |value: Value| match value {
        Value::Null => None,
        Value::String(id) => Some(id),
        Value::Number(number) if number.is_f64() => number.as_f64().map(|number| number.to_string()),
        other => Some(other.to_string()),
    };
    Some(values.into_iter().filter_map(id).collect())
}

/// A column of texts. Whole numbers are written as such, also where the importer took them for fractions: 7 and not 7.0.
fn texts(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    if column.data_type().is_floating() {
        let numbers = cast(column, &DataType::Float64)?;
        let numbers = numbers.as_primitive_opt::<Float64Type>().into_iter().flatten();
        return Ok(numbers
            .map(|number| number.map(|number| number.to_string()))
            .collect());
    }
    let texts = cast(column, &DataType::Utf8)?;
    let texts = texts.as_string_opt::<i32>();
    texts
        .cloned()
        .ok_or_else(|| ArrowError::CastError("no texts".to_owned()))
}

/// A column of lists of texts, of one of lists of something.
fn lists(column: &ArrayRef, of: &DataType) -> Result<ListArray, ArrowError> {
    let same = Field::new_list_field(of.clone(), true);
    let lists = cast(column, &DataType::List(same.into()))?;
    let lists = lists
        .as_list_opt::<i32>()
        .ok_or_else(|| ArrowError::CastError("no lists".to_owned()))?;
    ListArray::try_new(
        Field::new_list_field(DataType::Utf8, true).into(),
        lists.offsets().clone(),
        Arc::new(texts(lists.values())?),
        lists.nulls().cloned(),
    )
}

/// An event, and what was shown beside it.
type Row = ((UserIdx, Time, ItemIdx), Vec<ItemIdx>);

/// The ids that were found in a column.
#[derive(Default)]
struct Found {
    known: u64,
    unknown: u64,
    /// The first that is unknown.
    example: Option<String>,
}

/// What was shown at the events of train and validation, and how many ids of the column no item has.
pub(crate) fn shown_items(prepared: &Prepared, config: &ShownNegatives) -> anyhow::Result<(ShownItems, u64)> {
    let parts = [
        (prepared.train()?, prepared.train_column(&config.column)?),
        (
            prepared.validation()?,
            prepared.validation_column(&config.column)?,
        ),
    ];
    let mut rows: Vec<Row> = vec![];
    let mut found = Found::default();
    for (log, column) in &parts {
        let Some(column) = column else { continue };
        add(log, &Ids::new(column, config)?, prepared, &mut rows, &mut found);
    }
    match found {
        Found {
            known: 0,
            unknown,
            example: Some(example),
        } => Err(NothingKnown {
            column: config.column.clone(),
            separator: config.separator.clone(),
            n_ids: unknown,
            example,
        }
        .into()),
        Found { unknown, .. } => Ok((ShownItems::new(rows), unknown)),
    }
}

fn add(log: &Interactions, ids: &Ids, prepared: &Prepared, rows: &mut Vec<Row>, found: &mut Found) {
    for (row, (&user, event)) in log.users.iter().zip(&log.events).enumerate() {
        let mut list = vec![];
        ids.of(row, |id| {
            if let Some(item) = prepared.items().position(id) {
                found.known += 1;
                list.push(ItemIdx(item));
            } else {
                found.unknown += 1;
                found.example.get_or_insert_with(|| id.to_owned());
            }
        });
        if !list.is_empty() {
            rows.push(((user, event.time, event.item), list));
        }
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::arrow::array::{BooleanArray, Float64Array, Int64Array, StructArray};
    use catchment_schema::arrow::datatypes::Int64Type;

    use super::*;

    fn read(column: &ArrayRef, separator: &str) -> Result<Vec<Vec<String>>, String> {
        let config = ShownNegatives {
            separator: separator.to_owned(),
            ..ShownNegatives::default()
        };
        let ids = Ids::new(column, &config).map_err(|error| error.to_string())?;
        let of = |row| {
            let mut all = vec![];
            ids.of(row, |id| all.push(id.to_owned()));
            all
        };
        Ok((0..column.len()).map(of).collect())
    }

    #[test]
    fn ids_come_as_texts_or_lists_and_as_numbers() {
        let texts = StringArray::from(vec![Some("a | b|"), None, Some("")]);
        let read_texts = read(&(Arc::new(texts) as ArrayRef), "|").expect("texts");
        assert_eq!(read_texts, [vec!["a".to_owned(), "b".to_owned()], vec![], vec![]]);
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![Some(7), None, Some(9)]),
            None,
            Some(vec![]),
        ]);
        let read_lists = read(&(Arc::new(lists) as ArrayRef), "|").expect("lists");
        assert_eq!(read_lists, [vec!["7".to_owned(), "9".to_owned()], vec![], vec![]]);
        let numbers = read(&(Arc::new(Int64Array::from(vec![12])) as ArrayRef), ",").expect("numbers");
        assert_eq!(numbers, [["12"]]);
    }

    #[test]
    fn a_list_of_json_lines_is_a_list() {
        let texts = StringArray::from(vec![
            Some(r#"["a", "b|c", null]"#),
            Some(" [7, 8.0, -1]"),
            Some("[]"),
            Some("[a|b]"),
        ]);
        let found = read(&(Arc::new(texts) as ArrayRef), "|").expect("texts");
        let expected: [&[&str]; 4] = [&["a", "b|c"], &["7", "8", "-1"], &[], &["[a", "b]"]];
        assert_eq!(found, expected);
    }

    #[test]
    fn whole_numbers_are_ids_without_a_fraction() {
        let numbers = Float64Array::from(vec![Some(12.0), None, Some(9_007_199_254_740_991.0), Some(0.5)]);
        let found = read(&(Arc::new(numbers) as ArrayRef), "|").expect("numbers");
        let expected: [&[&str]; 4] = [&["12"], &[], &["9007199254740991"], &["0.5"]];
        assert_eq!(found, expected);
        let lists = ListArray::from_iter_primitive::<Float64Type, _, _>([
            Some(vec![Some(7.0), None, Some(9.0)]),
            None,
            Some(vec![Some(3.0)]),
        ]);
        let expected: [&[&str]; 3] = [&["7", "9"], &[], &["3"]];
        for lists in [
            Arc::new(lists.clone()) as ArrayRef,
            cast(
                &lists,
                &DataType::LargeList(Field::new_list_field(DataType::Float64, true).into()),
            )
            .expect("large lists"),
        ] {
            assert_eq!(read(&lists, "|").expect("lists"), expected);
        }
    }

    #[test]
    fn a_column_of_something_else_is_told() {
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        let field = Arc::new(Field::new("x", DataType::Boolean, true));
        let error = read(
            &(Arc::new(StructArray::from(vec![(field, flags)])) as ArrayRef),
            "|",
        )
        .expect_err("no ids");
        assert!(
            error.contains("shown.column") && error.contains("Struct"),
            "{error}"
        );
    }
}
