//! Which rows of a user belong together.

use catchment_schema::arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::functions_window::expr_fn::{dense_rank, lag};
use datafusion::logical_expr::expr::NullTreatment;
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast};
use datafusion::logical_expr::{lit, when};
use datafusion::prelude::DataFrame;

use crate::chronology::{Filled, PLACE};
use crate::codes::USER;
use crate::engine::{ascending, column, over, settled};
use crate::log::{SESSION_ID, TIME};
use crate::{Error, Result};

const STAGE: &str = "sessions";

/// The number of a row's session among its user's sessions, from 1, in the order in which they begin.
pub(crate) const SESSION: &str = "session";

/// The latest time before this row, over rows that have none.
fn last_known_time() -> Result<Expr> {
    let known = lag(column(TIME), Some(1), None).null_treatment(NullTreatment::IgnoreNulls);
    known.build().map_err(Error::engine(STAGE))
}

/// Numbers the sessions of each user. Rows that name one belong to it, wherever they stand; the others are
/// cut where more than `gap_ms` has passed since the last known time, or where times begin to be known.
/// Rows without a time give no reason to cut.
pub(crate) async fn with_sessions(log: DataFrame, filled: &Filled, gap_ms: i64) -> Result<(DataFrame, u64)> {
    let engine = Error::engine(STAGE);
    let named = filled.has_sessions();
    if !named && !filled.has_times() {
        let log = log.with_column(SESSION, lit(1_i64)).map_err(engine)?;
        return settled(STAGE, log).await;
    }
    let group: &[&str] = if named { &[USER, SESSION_ID] } else { &[USER] };
    let in_order = || vec![ascending(PLACE)];
    let before = over(STAGE, last_known_time()?, group, in_order())?;
    let is_first = over(STAGE, lag(column(PLACE), Some(1), None), group, in_order())?;
    let is_cut = when(column("place_before").is_null(), lit(1_i64))
        .when(column(SESSION_ID).is_not_null(), lit(0_i64))
        .when(column(TIME).is_null(), lit(0_i64))
        .when(column("time_before").is_null(), lit(1_i64))
        .when((column(TIME) - column("time_before")).gt(lit(gap_ms)), lit(1_i64))
        .otherwise(lit(0_i64))
        .map_err(&engine)?;
    let log = log
        .with_column("time_before", before)
        .and_then(|log| log.with_column("place_before", is_first))
        .and_then(|log| log.with_column("is_cut", is_cut))
        .map_err(&engine)?;
    let log = if named {
        // A session starts at the last cut up to here; the first row of a group is one.
        let cut = when(column("is_cut").eq(lit(1_i64)), column(PLACE));
        let cut = cut.end().map_err(&engine)?;
        let start = over(STAGE, max(cut), group, in_order())?;
        let log = log.with_column("start", start).map_err(&engine)?;
        // Settled in between: one sort to a plan.
        let (log, _) = settled(STAGE, log).await?;
        let number = over(STAGE, dense_rank(), &[USER], vec![ascending("start")])?;
        log.with_column("number", number)
            .and_then(|log| log.with_column(SESSION, cast(column("number"), DataType::Int64)))
            .and_then(|log| log.drop_columns(&["start", "number"]))
    } else {
        log.with_column(SESSION, over(STAGE, sum(column("is_cut")), group, in_order())?)
    };
    let log = log.and_then(|log| log.drop_columns(&["time_before", "place_before", "is_cut"]));
    settled(STAGE, log.map_err(engine)?).await
}
