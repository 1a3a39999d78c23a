//! The last plan: indices in the place of codes, the final order, and the files.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt16Array};
use catchment_schema::arrow::compute::BatchCoalescer;
use catchment_schema::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use catchment_schema::interactions::INTERACTIONS;
use catchment_schema::parquet_file::ParquetFileWriter;
use catchment_schema::{Interactions, Metadata, Vocabulary};
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::logical_expr::{cast, lit};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::StreamExt;

use crate::chronology::{LEAD, PLACE, chronological};
use crate::codes::{CODE, ITEM, USER};
use crate::engine::{ascending, column, looked_up, n_spills, over, settled};
use crate::filter::event_word;
use crate::log::{DWELL, EVENT, EXTRA, ORDER, PART, Part, TIME, VALUE};
use crate::sessions::SESSION;
use crate::vocabularies::{INDEX, Indexed};
use crate::workshop::Workshop;
use crate::{Error, Result};

const STAGE: &str = "encode";
/// Batches of exactly this many rows reach the writer, however the plan was cut: the pages of a Parquet
/// file depend on them.
const ROWS_PER_WRITE: usize = 1 << 16;

/// The log with dense indices for users, items, events and sessions.
pub(crate) async fn encoded(
    context: &SessionContext,
    log: DataFrame,
    users: &Indexed,
    items: &Indexed,
    words: &Vocabulary,
) -> Result<DataFrame> {
    let log = with_index(log, USER, &users.indices)?;
    let log = with_index(log, ITEM, &items.indices)?;
    let log = with_event_kind(context, log, words)?;
    let log = with_session_number(log)?;
    Ok(settled(STAGE, log).await?.0)
}

/// Replaces the code in `key` by its index.
fn with_index(log: DataFrame, key: &str, indices: &DataFrame) -> Result<DataFrame> {
    indices
        .clone()
        .select(vec![column(CODE).alias("old"), column(INDEX).alias("new")])
        .and_then(|indices| looked_up(log, &[key], indices, &["old"]))
        .and_then(|log| log.with_column(key, column("new")))
        .and_then(|log| log.drop_columns(&["old", "new"]))
        .map_err(Error::engine(STAGE))
}

/// Replaces the event word by its index.
fn with_event_kind(context: &SessionContext, log: DataFrame, words: &Vocabulary) -> Result<DataFrame> {
    let texts = StringArray::from_iter_values(words.ids());
    let kinds = UInt16Array::from_iter_values((0..=u16::MAX).take(words.len()));
    let schema = Schema::new(vec![
        Field::new("known_word", DataType::Utf8, false),
        Field::new("kind", DataType::UInt16, false),
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(texts), Arc::new(kinds)];
    let words = RecordBatch::try_new(Arc::new(schema), columns).map_err(DataFusionError::from);
    words
        .and_then(|words| context.read_batch(words))
        .and_then(|words| {
            let log = log.with_column("word", event_word())?;
            looked_up(log, &["word"], words, &["known_word"])
        })
        .and_then(|log| log.with_column(EVENT, column("kind")))
        .and_then(|log| log.drop_columns(&["word", "known_word", "kind"]))
        .map_err(Error::engine(STAGE))
}

/// Numbers sessions over the whole log: those of user 0 first, then those of user 1.
fn with_session_number(log: DataFrame) -> Result<DataFrame> {
    let up_to_here = over(STAGE, sum(column("n_sessions")), vec![ascending("owner")])?;
    let first = log
        .clone()
        .aggregate(
            vec![column(USER).alias("owner")],
            vec![max(column(SESSION)).alias("n_sessions")],
        )
        .and_then(|users| users.with_column("up_to_here", up_to_here))
        .and_then(|users| {
            let first = column("up_to_here") - column("n_sessions");
            users.select(vec![column("owner"), first.alias("first")])
        });
    let session = column("first") + column(SESSION) - lit(1_i64);
    first
        .and_then(|first| looked_up(log, &[USER], first, &["owner"]))
        .and_then(|log| log.with_column(SESSION, cast(session, DataType::UInt32)))
        .and_then(|log| log.drop_columns(&["owner", "first"]))
        .map_err(Error::engine(STAGE))
}

/// Writes the rows of one part in their final order; says how many there are.
pub(crate) async fn write_part(
    encoded: &DataFrame,
    part: Part,
    extra: &[FieldRef],
    path: &Path,
    metadata: &Metadata,
) -> Result<u64> {
    let engine = Error::engine(STAGE);
    let mut order = vec![ascending(USER)];
    order.extend(chronological(ITEM));
    order.push(ascending(PLACE));
    // The sort comes last: an order is promised only for the last node of a plan, and a projection after it
    // may be dealt out to several threads. So the two columns that only sort go along, and `flat` drops them.
    let mut names = vec![USER, ITEM, TIME, EVENT, VALUE, SESSION, DWELL, ORDER];
    names.extend((!extra.is_empty()).then_some(EXTRA));
    names.extend([LEAD, PLACE]);
    let columns = names.into_iter().map(|name| match name {
        VALUE => coalesce(vec![column(VALUE), lit(1.0_f32)]).alias(VALUE),
        name => column(name),
    });
    let rows = encoded
        .clone()
        .filter(column(PART).eq(lit(part.code())))
        .and_then(|rows| rows.select(columns.collect::<Vec<_>>()))
        .and_then(|rows| rows.sort(order))
        .map_err(&engine)?;
    let task = Arc::new(rows.task_ctx());
    let workshop = task
        .session_config()
        .get_extension::<Workshop>()
        .unwrap_or_default();
    let plan = rows.create_physical_plan().await.map_err(&engine)?;
    let mut rows = execute_stream(plan.clone(), task).map_err(&engine)?;

    let schema = file_schema(extra);
    let arrow = |error| engine(DataFusionError::from(error));
    let mut writer = ParquetFileWriter::create(path, INTERACTIONS, schema.clone(), metadata)?;
    let mut even = BatchCoalescer::new(schema.clone(), ROWS_PER_WRITE);
    let mut n_rows = 0;
    while let Some(batch) = rows.next().await {
        let batch = flat(&batch.map_err(&engine)?, &schema).map_err(&engine)?;
        n_rows += batch.num_rows() as u64;
        workshop.meter.add_rows(batch.num_rows());
        even.push_batch(batch).map_err(arrow)?;
        while let Some(batch) = even.next_completed_batch() {
            writer.write(&batch)?;
        }
    }
    even.finish_buffered_batch().map_err(arrow)?;
    while let Some(batch) = even.next_completed_batch() {
        writer.write(&batch)?;
    }
    writer.commit()?;
    workshop.meter.add_spills(n_spills(plan.as_ref()));
    Ok(n_rows)
}

/// The columns of [`Interactions`], then `order`, then the extra columns of the log. One whose name is
/// taken gets `log_` before it.
fn file_schema(extra: &[FieldRef]) -> SchemaRef {
    let mut fields: Vec<FieldRef> = Interactions::schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(ORDER, DataType::UInt32, true)));
    for field in extra {
        let mut name = field.name().clone();
        while fields.iter().any(|field| *field.name() == name) {
            name = format!("log_{name}");
        }
        fields.push(Arc::new(field.as_ref().clone().with_name(name)));
    }
    Arc::new(Schema::new(fields))
}

/// Takes the extra columns out of their struct, and leaves out what only sorted.
fn flat(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let n_encoded = Interactions::schema().fields().len() + [ORDER].len();
    let mut columns = batch.columns()[..n_encoded].to_vec();
    let extra = batch.column_by_name(EXTRA);
    columns.extend(
        extra
            .iter()
            .flat_map(|extra| extra.as_struct().columns().to_vec()),
    );
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}
