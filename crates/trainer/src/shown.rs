//! What was shown beside what was taken, out of a column of the log.

use catchment_models::towers::ShownItems;
use catchment_models::towers::plan::ShownNegatives;
use catchment_prepare::Prepared;
use catchment_schema::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use catchment_schema::arrow::compute::cast;
use catchment_schema::arrow::datatypes::{DataType, Field};
use catchment_schema::{Interactions, ItemIdx, Time, UserIdx};

/// A column as it was read.
enum Ids {
    /// A text for each row, with this between ids.
    Text(StringArray, String),
    /// A list for each row.
    List(ListArray),
}

impl Ids {
    fn new(column: &ArrayRef, config: &ShownNegatives) -> anyhow::Result<Self> {
        let wrong = |error: Option<catchment_schema::arrow::error::ArrowError>| {
            let detail = error.map_or(String::new(), |error| format!(": {error}"));
            anyhow::anyhow!(
                "`shown.column` = {:?}: a column of texts, or of lists of ids, is wanted, and it is of {}{detail}",
                config.column,
                column.data_type()
            )
        };
        let is_list = matches!(
            column.data_type(),
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..)
        );
        let wanted = if is_list {
            DataType::List(Field::new_list_field(DataType::Utf8, true).into())
        } else {
            DataType::Utf8
        };
        let cast = cast(column, &wanted).map_err(|error| wrong(Some(error)))?;
        if let Some(lists) = cast.as_list_opt::<i32>() {
            return Ok(Self::List(lists.clone()));
        }
        let texts = cast.as_string_opt::<i32>().ok_or_else(|| wrong(None))?;
        Ok(Self::Text(texts.clone(), config.separator.clone()))
    }

    /// The ids of a row, as they are written there.
    fn of(&self, row: usize, mut take: impl FnMut(&str)) {
        match self {
            Self::Text(texts, separator) if texts.is_valid(row) => {
                let ids = texts.value(row).split(separator.as_str()).map(str::trim);
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

/// An event, and what was shown beside it.
type Row = ((UserIdx, Time, ItemIdx), Vec<ItemIdx>);

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
    let mut n_unknown = 0;
    for (log, column) in &parts {
        let Some(column) = column else { continue };
        add(
            log,
            &Ids::new(column, config)?,
            prepared,
            &mut rows,
            &mut n_unknown,
        );
    }
    Ok((ShownItems::new(rows), n_unknown))
}

fn add(log: &Interactions, ids: &Ids, prepared: &Prepared, rows: &mut Vec<Row>, n_unknown: &mut u64) {
    for (row, (&user, event)) in log.users.iter().zip(&log.events).enumerate() {
        let mut list = vec![];
        ids.of(row, |id| match prepared.items().position(id) {
            Some(item) => list.push(ItemIdx(item)),
            None => *n_unknown += 1,
        });
        if !list.is_empty() {
            rows.push(((user, event.time, event.item), list));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catchment_schema::arrow::array::{BooleanArray, Int64Array, StructArray};
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
