//! Users and items that were seen often enough, with regard to each other.

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::lit;
use datafusion::prelude::DataFrame;

use crate::codes::{ITEM, USER};
use crate::config::Checked;
use crate::engine::{among, column, settled};
use crate::filter::says_yes;
use crate::log::{PART, Part};
use crate::{Error, Result};

const STAGE: &str = "k-core";

/// Leaves out users below `min_user_events` rows, then items below `min_item_events`, and again until nothing changes.
/// Thins the train part only; a given test log is evidence, and is not touched.
///
/// What says no is not counted. A minimum of 1 asks nothing, and so it leaves what says no of a user, or of an item, that
/// has no other row; where a minimum is above 1 they stay only if that user, or that item, is in the core.
pub(crate) async fn k_core(log: DataFrame, config: &Checked) -> Result<DataFrame> {
    let (min_user, min_item) = (config.min_user_events, config.min_item_events);
    if min_user <= 1 && min_item <= 1 {
        return Ok(log);
    }
    let engine = Error::engine(STAGE);
    let is_train = column(PART).eq(lit(Part::Train.code()));
    let pairs = log
        .clone()
        .filter(is_train.clone().and(says_yes(&config.negative)));
    let pairs = pairs.and_then(|rows| rows.select(vec![column(USER), column(ITEM)]));
    let (mut pairs, at_first) = settled(STAGE, pairs.map_err(&engine)?).await?;
    let mut before = at_first;
    loop {
        pairs = frequent(pairs, USER, min_user)?;
        pairs = frequent(pairs, ITEM, min_item)?;
        let after;
        (pairs, after) = settled(STAGE, pairs).await?;
        if after == 0 {
            return Err(Error::EmptyAfter {
                stage: format!(
                    "k-core (prepare.min_user_events = {min_user}, prepare.min_item_events = {min_item})"
                ),
                before: at_first,
            });
        }
        if after == before {
            break;
        }
        before = after;
    }
    // A train row is in the core exactly if its user and its item both are. A side without a minimum has lost no row on
    // its own account: to ask it would only lose what says no.
    let mut train = log.clone().filter(is_train.clone()).map_err(&engine)?;
    for (key, least) in [(USER, min_user), (ITEM, min_item)] {
        if least > 1 {
            train = in_core(train, &pairs, key)?;
        }
    }
    let rest = log.filter(is_train.is_not_true()).map_err(&engine)?;
    let kept = train.union(rest).map_err(&engine)?;
    Ok(settled(STAGE, kept).await?.0)
}

/// The rows whose `key` occurs at least `least` times.
fn frequent(rows: DataFrame, key: &str, least: u32) -> Result<DataFrame> {
    if least <= 1 {
        return Ok(rows);
    }
    let often = rows
        .clone()
        .aggregate(vec![column(key)], vec![count(lit(1)).alias("n")])
        .and_then(|groups| groups.filter(column("n").gt_eq(lit(i64::from(least)))))
        .and_then(|groups| groups.select(vec![column(key).alias("often")]));
    often
        .and_then(|often| among(rows, key, often, "often"))
        .map_err(Error::engine(STAGE))
}

/// The rows whose `key` occurs in `kept`.
fn in_core(rows: DataFrame, kept: &DataFrame, key: &str) -> Result<DataFrame> {
    let kept = kept.clone().select(vec![column(key).alias("kept")]);
    kept.and_then(DataFrame::distinct)
        .and_then(|kept| among(rows, key, kept, "kept"))
        .map_err(Error::engine(STAGE))
}
