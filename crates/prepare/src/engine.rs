//! Small words of the query engine that every plan uses.

use std::path::PathBuf;
use std::sync::Arc;

use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::arrow::datatypes::SchemaRef;
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::config::SpillCompression;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, ExprFunctionExt};
use datafusion::physical_expr::{LexOrdering, Partitioning, create_physical_sort_exprs};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::codes::USER;
use crate::pool::SharedPool;
use crate::walk::Walk;
use crate::workshop::{DiskTable, TableWriter, Workshop};
use crate::{Error, Result};

/// The share of a memory limit that the query engine may count: the rest is for what it does not count (batches on
/// their way, pages being written) and for the program itself.
const COUNTED_SHARE: f64 = 0.5;

/// For so many bytes of its memory a thread has one row in a batch, up to the engine's own size of a batch.
const BATCH_ROW_SHARE: usize = 1 << 13;
/// Batches are never smaller.
const FEWEST_ROWS: usize = 256;

/// A context of this process, with `threads` partitions, for plans that use at most `limit` bytes of memory and put
/// what does not fit below `scratch`.
pub(crate) fn local_context(threads: usize, limit: Option<u64>, scratch: PathBuf) -> Result<SessionContext> {
    let threads = threads.max(1);
    let mut config = SessionConfig::new().with_target_partitions(threads);
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(limit) = limit {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of bytes"
        )]
        let counted = (limit as f64 * COUNTED_SHARE) as usize;
        let folder = scratch.join("spilled");
        std::fs::create_dir_all(&folder).map_err(catchment_schema::Error::io(&folder))?;
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![folder]));
        // A merge holds two batches of every run: where there is little memory, batches are small.
        let rows = (counted / threads / BATCH_ROW_SHARE).clamp(FEWEST_ROWS, config.batch_size());
        config = config.with_batch_size(rows);
        runtime = runtime
            .with_memory_pool(Arc::new(SharedPool::new(counted, threads)))
            .with_disk_manager_builder(disk);
        let options = &mut config.options_mut().execution;
        options.spill_compression = SpillCompression::Lz4Frame;
        options.sort_spill_reservation_bytes =
            options.sort_spill_reservation_bytes.min(counted / threads / 8);
    }
    let config = config.with_extension(Arc::new(Workshop::new(limit.map(|_| scratch))));
    let runtime = runtime.build_arc().map_err(Error::engine("start"))?;
    Ok(as_written(config, runtime))
}

/// The rule of the engine that writes chains of joins anew, with the log among the sides that are held.
const REORDERS_CHAINS: &str = "eliminate_cross_join";

/// A context in which joins stay as they are written. They hold their first side in memory, and [`looked_up`] says which
/// that is: what the engine guesses of the sizes of its own results may put the log there.
fn as_written(mut config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionContext {
    config.options_mut().optimizer.join_reordering = false;
    let context = SessionContext::new_with_config_rt(config, runtime);
    context.remove_optimizer_rule(REORDERS_CHAINS);
    context
}

/// A context with a workshop: the caller's own may have none.
pub(crate) fn with_workshop(context: &SessionContext) -> (SessionContext, Arc<Workshop>) {
    let config = context.copied_config();
    if let Some(workshop) = config.get_extension::<Workshop>() {
        return (context.clone(), workshop);
    }
    let workshop = Arc::new(Workshop::default());
    let config = config.with_extension(workshop.clone());
    (as_written(config, context.runtime_env()), workshop)
}

/// Counts memory that this crate holds beside the engine's against the same limit.
pub(crate) fn reserve(
    context: &SessionContext,
    what: &'static str,
    bytes: usize,
) -> Result<MemoryReservation> {
    let reservation = MemoryConsumer::new(what).register(&context.runtime_env().memory_pool);
    reservation.try_grow(bytes).map_err(Error::engine(what))?;
    Ok(reservation)
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

/// `function` (of windows, or an aggregate) over all rows up to this one in `order`.
///
/// For tables of users or items: one thread does it. A window over groups has no place here; see [`walked`].
pub(crate) fn over(stage: &'static str, function: Expr, order: Vec<Sort>) -> Result<Expr> {
    let function = match function {
        Expr::AggregateFunction(aggregate) => {
            Expr::from(WindowFunction::new(aggregate.func, aggregate.params.args))
        }
        other => other,
    };
    function.order_by(order).build().map_err(Error::engine(stage))
}

/// The number of a row in this order, from 1. Within groups: [`walked`], with [`crate::walk::Numbered`].
pub(crate) fn number(stage: &'static str, order: Vec<Sort>) -> Result<Expr> {
    over(stage, row_number(), order)
}

/// The rows of `log` with the columns of that row of `small` whose `small_keys` are its `keys`; rows without one are
/// left out. The small table stands first: the engine holds the first table of a join in memory.
pub(crate) fn looked_up(
    log: DataFrame,
    keys: &[&str],
    small: DataFrame,
    small_keys: &[&str],
) -> Result<DataFrame, DataFusionError> {
    small.join(log, JoinType::Inner, small_keys, keys, None)
}

/// The rows of `log` whose `key` is a `small_key` of `small`, which stands first as in [`looked_up`].
pub(crate) fn among(
    log: DataFrame,
    key: &str,
    small: DataFrame,
    small_key: &str,
) -> Result<DataFrame, DataFusionError> {
    small.join(log, JoinType::RightSemi, &[small_key], &[key], None)
}

/// Runs the plan now and keeps what it gave: later plans begin there. With the number of rows.
///
/// What it gave is kept where the [`Workshop`] of the session says.
pub(crate) async fn settled(stage: &'static str, table: DataFrame) -> Result<(DataFrame, u64)> {
    kept(table, None).await.map_err(Error::engine(stage))
}

/// Makes the walks of one thread.
type MakeWalks<'a> = &'a dyn Fn() -> Vec<Box<dyn Walk>>;

/// As [`settled`], after a walk along the rows of each user: sorted by user, then by `order`. `walk` makes the walks
/// of one thread; each takes what the one before it gave.
pub(crate) async fn walked(
    stage: &'static str,
    table: DataFrame,
    order: &[Sort],
    walk: MakeWalks<'_>,
) -> Result<(DataFrame, u64)> {
    kept(table, Some((order, walk)))
        .await
        .map_err(Error::engine(stage))
}

async fn kept(
    table: DataFrame,
    walk: Option<(&[Sort], MakeWalks<'_>)>,
) -> Result<(DataFrame, u64), DataFusionError> {
    let task = Arc::new(table.task_ctx());
    let workshop = task
        .session_config()
        .get_extension::<Workshop>()
        .unwrap_or_default();
    workshop.meter.restart();
    let (state, _) = table.clone().into_parts();
    let context = SessionContext::new_with_state(state);
    let mut plan = table.create_physical_plan().await?;
    let mut schema = plan.schema();
    if let Some((order, walk)) = walk {
        plan = by_user(plan, order, task.session_config().target_partitions())?;
        schema = along(&mut walk(), RecordBatch::new_empty(schema))?.schema();
    }
    let folder = workshop.table_folder()?;

    let mut parts = JoinSet::new();
    for (number, rows) in execute_stream_partitioned(plan.clone(), task)?
        .into_iter()
        .enumerate()
    {
        let writer = folder
            .as_ref()
            .map(|folder| TableWriter::create(folder.path(), number, schema.clone()));
        let writer = writer.transpose()?;
        let walks = walk.map(|(_, walk)| walk()).unwrap_or_default();
        parts.spawn(part(number, rows, walks, writer, workshop.clone()));
    }
    let mut partitions = vec![];
    while let Some(part) = parts.join_next().await {
        partitions.push(part.map_err(|error| DataFusionError::External(error.into()))??);
    }
    workshop.meter.add_spills(n_spills(plan.as_ref()));
    partitions.sort_by_key(|part| part.number);
    let n_rows = partitions.iter().map(|part| part.n_rows).sum();
    let table = if let Some(folder) = folder {
        context.read_table(Arc::new(DiskTable::open(folder, schema)?))?
    } else {
        let batches = partitions.into_iter().map(|part| part.batches).collect();
        memory_table(&context, schema, batches)?
    };
    Ok((table, n_rows))
}

/// A plan whose partitions each hold all rows of their users, sorted by user, then by `order`.
fn by_user(
    plan: Arc<dyn ExecutionPlan>,
    order: &[Sort],
    n_partitions: usize,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let mut by = vec![ascending(USER)];
    by.extend_from_slice(order);
    let columns = DFSchema::try_from(plan.schema())?;
    let properties = ExecutionProps::new();
    let by = create_physical_sort_exprs(&by, &columns, &properties, &PhysicalPlanningContext::default())?;
    let user = by.iter().take(1).map(|sort| sort.expr.clone()).collect();
    let plan = RepartitionExec::try_new(plan, Partitioning::Hash(user, n_partitions))?;
    let by = LexOrdering::new(by).ok_or_else(|| DataFusionError::Internal("no order".to_owned()))?;
    let plan = SortExec::new(by, Arc::new(plan)).with_preserve_partitioning(true);
    Ok(Arc::new(plan))
}

/// What the last of the walks gives.
fn along(walks: &mut [Box<dyn Walk>], rows: RecordBatch) -> Result<RecordBatch, DataFusionError> {
    walks.iter_mut().try_fold(rows, |rows, walk| walk.next(rows))
}

/// Rows in memory as a table.
pub(crate) fn memory_table(
    context: &SessionContext,
    schema: SchemaRef,
    partitions: Vec<Vec<RecordBatch>>,
) -> Result<DataFrame, DataFusionError> {
    context.read_table(Arc::new(MemTable::try_new(schema, partitions)?))
}

/// One partition of a table that was kept.
struct KeptPart {
    number: usize,
    n_rows: u64,
    /// Empty where they went to disk.
    batches: Vec<RecordBatch>,
}

async fn part(
    number: usize,
    mut rows: SendableRecordBatchStream,
    mut walks: Vec<Box<dyn Walk>>,
    mut writer: Option<TableWriter>,
    workshop: Arc<Workshop>,
) -> Result<KeptPart, DataFusionError> {
    let mut kept = KeptPart {
        number,
        n_rows: 0,
        batches: vec![],
    };
    while let Some(batch) = rows.next().await {
        let batch = along(&mut walks, batch?)?;
        kept.n_rows += batch.num_rows() as u64;
        workshop.meter.add_rows(batch.num_rows());
        match &mut writer {
            Some(writer) => writer.write(&batch)?,
            None => kept.batches.push(batch),
        }
    }
    if let Some(writer) = writer {
        writer.finish()?;
    }
    Ok(kept)
}

/// How often the nodes of a plan have moved something to disk.
pub(crate) fn n_spills(plan: &dyn ExecutionPlan) -> usize {
    let own = plan
        .metrics()
        .and_then(|metrics| metrics.spill_count())
        .unwrap_or(0);
    let below = plan.children().into_iter().map(|child| n_spills(child.as_ref()));
    own + below.sum::<usize>()
}

/// How many rows a plan gives.
pub(crate) async fn count(stage: &'static str, table: &DataFrame) -> Result<u64> {
    let n_rows = table.clone().count().await.map_err(Error::engine(stage))?;
    Ok(n_rows as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_would_move_the_log_has_the_name_that_we_know() {
        assert!(SessionContext::new().remove_optimizer_rule(REORDERS_CHAINS));
    }
}
