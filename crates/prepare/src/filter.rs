//! Which rows of the log are meant at all.

use catchment_schema::Condition;
use catchment_schema::arrow::array::{Array, RecordBatch, StringArray};
use catchment_schema::arrow::datatypes::{DataType, FieldRef};
use catchment_schema::condition::{Clause, Comparison};
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, cast, lit, not};
use datafusion::prelude::DataFrame;

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

/// The log without what says no.
pub(crate) fn likings(log: &DataFrame, negative: &[String]) -> Result<DataFrame, DataFusionError> {
    if negative.is_empty() {
        return Ok(log.clone());
    }
    log.clone().filter(says_yes(negative))
}

/// Keeps the rows with one of these event words; all of them where there are none. Refuses a word that the log does not
/// have, and one of `negative` that would not be kept: what it was to leave uncounted would count.
pub(crate) async fn keep_events(log: DataFrame, words: &[String], negative: &[String]) -> Result<DataFrame> {
    if words.is_empty() && negative.is_empty() {
        return Ok(log);
    }
    let known = known_words(&log).await?;
    check_words(words, negative, known)?;
    if words.is_empty() {
        return Ok(log);
    }
    let before = count(STAGE, &log).await?;
    let wanted = words.iter().map(lit).collect();
    let kept = log.filter(event_word().in_list(wanted, false));
    let kept = kept.map_err(Error::engine(STAGE))?;
    not_empty(&kept, before, || format!("prepare.events = {words:?}")).await?;
    Ok(kept)
}

/// The event words that the log uses, by id.
async fn known_words(log: &DataFrame) -> Result<Vec<String>> {
    let engine = Error::engine(STAGE);
    let known = log
        .clone()
        .select(vec![event_word().alias(EVENT)])
        .and_then(DataFrame::distinct);
    let known = known.map_err(&engine)?.collect().await.map_err(&engine)?;
    let mut known: Vec<String> = known.iter().flat_map(words_of).collect();
    known.sort_unstable();
    Ok(known)
}

/// Whether the log has all of these words, and keeps those that say no.
fn check_words(words: &[String], negative: &[String], known: Vec<String>) -> Result<()> {
    if let Some(word) = words.iter().find(|word| !known.contains(word)) {
        return Err(Error::UnknownEvent {
            word: word.clone(),
            known,
        });
    }
    if let Some(word) = negative.iter().find(|word| !known.contains(word)) {
        return Err(Error::UnknownNegative {
            word: word.clone(),
            known,
        });
    }
    let left_out = |word: &&String| !words.is_empty() && !words.contains(word);
    match negative.iter().find(left_out) {
        Some(word) => Err(Error::NegativeLeftOut {
            word: word.clone(),
            kept: words.to_vec(),
        }),
        None => Ok(()),
    }
}

/// Keeps the rows for which the condition holds, and those that say no. Some row that says yes has to be left.
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
    let engine = Error::engine(STAGE);
    let before = count(STAGE, &likings(&log, negative).map_err(&engine)?).await?;
    let mut kept = log;
    for clause in &condition.clauses {
        let mut holds = clause_holds(clause, extra, as_written)?;
        if !negative.is_empty() {
            holds = holds.or(not(says_yes(negative)));
        }
        kept = kept.filter(holds).map_err(&engine)?;
    }
    let taken = likings(&kept, negative).map_err(engine)?;
    let stage = || {
        let among = if negative.is_empty() {
            ""
        } else {
            " among those that do not say no"
        };
        format!("prepare.positive = {as_written:?}{among}")
    };
    not_empty(&taken, before, stage).await?;
    Ok(kept)
}

async fn not_empty(kept: &DataFrame, before: u64, stage: impl Fn() -> String) -> Result<()> {
    match count(STAGE, kept).await? {
        0 => Err(Error::EmptyAfter {
            stage: stage(),
            before,
        }),
        _ => Ok(()),
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
            "the log has no numeric column `{name}`; it has, by the names that [data] maps them to: {}",
            names.join(", ")
        ),
    }
}
