//! Raw ids to small numbers, early: everything after this groups, joins and sorts integers.
//!
//! A code is the position of an id among all ids of the log, sorted; so ties by code are ties by id.
//! Codes live only while the plans run. The dense indices of the vocabularies, which come later, depend
//! on what is in the train part.

use catchment_schema::arrow::datatypes::DataType;
use datafusion::logical_expr::{cast, lit};
use datafusion::prelude::DataFrame;

use crate::engine::{ascending, column, looked_up, number, settled};
use crate::log::{ITEM_ID, USER_ID};
use crate::{Error, Result};

const STAGE: &str = "codes";

/// The code of the row's user.
pub(crate) const USER: &str = "user";
/// The code of the row's item.
pub(crate) const ITEM: &str = "item";
/// In a table of ids: the raw id.
pub(crate) const ID: &str = "id";
/// In a table of ids: its code.
pub(crate) const CODE: &str = "code";

/// The log by codes, and the two tables that say what they mean.
pub(crate) struct Coded {
    /// The log, with `user` and `item` in the place of `user_id` and `item_id`.
    pub(crate) log: DataFrame,
    /// `id`, `code` of every user.
    pub(crate) users: DataFrame,
    /// `id`, `code` of every item.
    pub(crate) items: DataFrame,
}

/// Gives every user and every item its code.
pub(crate) async fn code_ids(log: DataFrame) -> Result<Coded> {
    let users = ids(&log, USER_ID).await?;
    let items = ids(&log, ITEM_ID).await?;
    let log = with_code(log, &users, USER_ID, USER)?;
    let log = with_code(log, &items, ITEM_ID, ITEM)?;
    let (log, _) = settled(STAGE, log).await?;
    Ok(Coded { log, users, items })
}

async fn ids(log: &DataFrame, id_column: &str) -> Result<DataFrame> {
    let engine = Error::engine(STAGE);
    let row_number = number(STAGE, vec![ascending(ID)])?;
    let ids = log
        .clone()
        .select(vec![column(id_column).alias(ID)])
        .and_then(DataFrame::distinct)
        .and_then(|ids| ids.with_column("number", row_number))
        .and_then(|ids| {
            let code = cast(column("number") - lit(1_u64), DataType::UInt32);
            ids.select(vec![column(ID), code.alias(CODE)])
        });
    Ok(settled(STAGE, ids.map_err(engine)?).await?.0)
}

fn with_code(log: DataFrame, ids: &DataFrame, id_column: &str, name: &str) -> Result<DataFrame> {
    ids.clone()
        .select(vec![column(ID), column(CODE).alias(name)])
        .and_then(|ids| looked_up(log, &[id_column], ids, &[ID]))
        .and_then(|log| log.drop_columns(&[id_column, ID]))
        .map_err(Error::engine(STAGE))
}
