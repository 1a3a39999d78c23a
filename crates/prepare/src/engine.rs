//! Small words of the query engine that every plan uses.

use datafusion::common::Column;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{Expr, ExprFunctionExt};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};

use crate::{Error, Result};

/// A context of this process, with `threads` partitions.
pub(crate) fn local_context(threads: usize) -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads.max(1)))
}

/// A column by its exact name (`col` would fold case and split at dots).
pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// Ascending, nulls first: what is unknown comes before what is known.
pub(crate) fn ascending(name: &str) -> Sort {
    column(name).sort(true, true)
}

/// Descending, nulls last.
pub(crate) fn descending(name: &str) -> Sort {
    column(name).sort(false, false)
}

/// `function` (of windows, or an aggregate) within the groups of `by`: over the rows up to this one in
/// `order`, or over the whole group where no order is given.
pub(crate) fn over(stage: &'static str, function: Expr, by: &[&str], order: Vec<Sort>) -> Result<Expr> {
    let function = match function {
        Expr::AggregateFunction(aggregate) => {
            Expr::from(WindowFunction::new(aggregate.func, aggregate.params.args))
        }
        other => other,
    };
    // The builder would forget what the function itself says of nulls.
    let nulls = match &function {
        Expr::WindowFunction(window) => window.params.null_treatment,
        _ => None,
    };
    let groups = by.iter().map(|name| column(name)).collect();
    let builder = function.partition_by(groups).null_treatment(nulls);
    let builder = if order.is_empty() {
        builder
    } else {
        builder.order_by(order)
    };
    builder.build().map_err(Error::engine(stage))
}

/// The number of a row within its group, from 1.
pub(crate) fn number(stage: &'static str, by: &[&str], order: Vec<Sort>) -> Result<Expr> {
    over(stage, row_number(), by, order)
}

/// Runs the plan now and keeps what it gave: later plans begin there. With the number of rows.
pub(crate) async fn settled(stage: &'static str, table: DataFrame) -> Result<(DataFrame, u64)> {
    let table = table.cache().await.map_err(Error::engine(stage))?;
    let n_rows = count(stage, &table).await?;
    Ok((table, n_rows))
}

/// How many rows a plan gives.
pub(crate) async fn count(stage: &'static str, table: &DataFrame) -> Result<u64> {
    let n_rows = table.clone().count().await.map_err(Error::engine(stage))?;
    Ok(n_rows as u64)
}
