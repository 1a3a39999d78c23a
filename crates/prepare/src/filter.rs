//! Which rows of the log are meant at all.

use catchment_schema::arrow::array::{Array, RecordBatch, StringArray};
use catchment_schema::arrow::datatypes::{DataType, FieldRef};
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, cast, lit, not};
use datafusion::prelude::DataFrame;

use crate::condition::{Clause, Comparison, Condition};
use crate::engine::{column, count};
use crate::log::{DWELL, EVENT, EXTRA, VALUE};
use crate::{Error, Result};

const STAGE: &str = "filter";

/// What an event without a word is called.
pub(crate) const NAMELESS_EVENT: &str = "interaction";

/// The event word of a row.
pub(crate) fn event_word() -> Expr {
    coalesce(vec![column(EVENT), lit(NAMELESS_EVENT)])
}

/// Whether a row's event is evidence of liking: its word is none of those that say no.
pub(crate) fn says_yes(negative: &[String]) -> Expr {
    if negative.is_empty() {
        return lit(true);
    }
    event_word().in_list(negative.iter().map(lit).collect(), true)
}

/// Keeps the rows with one of these event words; all of them where there are none.
pub(crate) async fn keep_events(log: DataFrame, words: &[String]) -> Result<DataFrame> {
    if words.is_empty() {
        return Ok(log);
    }
    let engine = Error::engine(STAGE);
    let known = log
        .clone()
        .select(vec![event_word().alias(EVENT)])
        .and_then(DataFrame::distinct);
    let known = known.map_err(&engine)?.collect().await.map_err(&engine)?;
    let mut known: Vec<String> = known.iter().flat_map(words_of).collect();
    known.sort_unstable();
    if let Some(word) = words.iter().find(|word| !known.contains(word)) {
        return Err(Error::UnknownEvent {
            word: word.clone(),
            known,
        });
    }
    let before = count(STAGE, &log).await?;
    let wanted = words.iter().map(lit).collect();
    let kept = log.filter(event_word().in_list(wanted, false)).map_err(&engine)?;
    not_empty(kept, before, || format!("prepare.events = {words:?}")).await
}

/// Keeps the rows for which the condition holds, and those that say no.
pub(crate) async fn keep_positive(
    log: DataFrame,
    condition: Option<&Condition>,
    extra: &[FieldRef],
    as_written: &str,
    negative: &[String],
) -> Result<DataFrame> {
    let Some(condition) = condition else {
        return Ok(log);
    };
    let before = count(STAGE, &log).await?;
    let mut kept = log;
    for clause in &condition.clauses {
        let mut holds = clause_holds(clause, extra, as_written)?;
        if !negative.is_empty() {
            holds = holds.or(not(says_yes(negative)));
        }
        kept = kept.filter(holds).map_err(Error::engine(STAGE))?;
    }
    not_empty(kept, before, || format!("prepare.positive = {as_written:?}")).await
}

async fn not_empty(kept: DataFrame, before: u64, stage: impl Fn() -> String) -> Result<DataFrame> {
    match count(STAGE, &kept).await? {
        0 => Err(Error::EmptyAfter {
            stage: stage(),
            before,
        }),
        _ => Ok(kept),
    }
}

fn words_of(batch: &RecordBatch) -> Vec<String> {
    let words = batch.column(0).as_any().downcast_ref::<StringArray>();
    words.map_or_else(Vec::new, |words| {
        words.iter().flatten().map(str::to_owned).collect()
    })
}

fn clause_holds(clause: &Clause, extra: &[FieldRef], as_written: &str) -> Result<Expr> {
    let (value, data_type) = match clause.column.as_str() {
        "value" => (coalesce(vec![column(VALUE), lit(1.0_f32)]), &DataType::Float32),
        "dwell_ms" => (column(DWELL), &DataType::Int64),
        name => {
            let field = extra
                .iter()
                .find(|field| field.name() == name && field.data_type().is_numeric());
            let field = field.ok_or_else(|| unknown_column(name, extra, as_written))?;
            (get_field(column(EXTRA), name), field.data_type())
        }
    };
    // A literal is rounded as the column was: 4.1 in the recipe is 4.1 in a Float32 column.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounding to the column's precision is meant"
    )]
    let (value, number) = match data_type {
        DataType::Float32 => (value, lit(clause.number as f32)),
        _ => (cast(value, DataType::Float64), lit(clause.number)),
    };
    Ok(match clause.comparison {
        Comparison::Less => value.lt(number),
        Comparison::LessOrEqual => value.lt_eq(number),
        Comparison::Equal => value.eq(number),
        Comparison::NotEqual => value.not_eq(number),
        Comparison::GreaterOrEqual => value.gt_eq(number),
        Comparison::Greater => value.gt(number),
    })
}

fn unknown_column(name: &str, extra: &[FieldRef], as_written: &str) -> Error {
    let numeric = extra.iter().filter(|field| field.data_type().is_numeric());
    let names: Vec<&str> = ["value", "dwell_ms"]
        .into_iter()
        .chain(numeric.map(|field| field.name().as_str()))
        .collect();
    Error::BadSetting {
        key: "prepare.positive",
        value: format!("{as_written:?}"),
        reason: format!(
            "the log has no numeric column `{name}`; it has: {}",
            names.join(", ")
        ),
    }
}
