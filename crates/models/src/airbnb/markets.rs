//! Which items share a market.

use std::collections::BTreeMap;

use catchment_features::type_rules::label;
use catchment_schema::AttributeTable;

use crate::{Error, Result};

/// The market of each item, numbered in the order in which the items name them; none where the column is empty. `key` is
/// where the recipe names the column.
///
/// # Errors
/// [`Error::MissingColumn`].
pub fn markets(key: &'static str, column: &str, items: &AttributeTable) -> Result<Vec<Option<u32>>> {
    let _ = required(key, column, items)?;
    let mut numbers = BTreeMap::new();
    let number = |row| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        label(items, column, row).map(|market| *numbers.entry(market).or_insert(next))
    };
    Ok((0..items.n_rows()).map(number).collect())
}

/// The column's name, where it is there.
pub(super) fn required<'a>(key: &'static str, column: &'a str, items: &AttributeTable) -> Result<&'a str> {
    if items.column(column).is_some() {
        return Ok(column);
    }
    Err(Error::MissingColumn {
        key,
        column: column.to_owned(),
        columns: items.names().collect::<Vec<_>>().join(", "),
    })
}
