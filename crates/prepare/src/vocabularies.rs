//! Dense indices for what training may know, and places beyond them for what it may not.

use catchment_schema::arrow::array::{Array, Int64Array, RecordBatch, StringArray};
use catchment_schema::arrow::datatypes::DataType;
use catchment_schema::{Metadata, Vocabulary};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::logical_expr::{Expr, cast, lit, when};
use datafusion::prelude::{DataFrame, SessionContext};
use xxhash_rust::xxh3::Xxh3Default;

use crate::codes::{CODE, ID};
use crate::engine::{ascending, column, descending, looked_up, number, reserve, settled};
use crate::filter::{event_word, says_yes};
use crate::log::{PART, Part};
use crate::split_config::Refit;
use crate::{Error, Result};

const STAGE: &str = "vocabularies";
/// How many rows of the train part an id has, without those that say no.
const COUNT: &str = "count";
/// 1 for an id of the vocabulary, 0 for another.
const KNOWN: &str = "known";
/// The dense index of a code.
pub(crate) const INDEX: &str = "index";

/// A vocabulary, and how the codes of the log translate to it.
pub(crate) struct Indexed {
    pub(crate) vocabulary: Vocabulary,
    /// `code`, `index`: ids of the vocabulary first, by falling count with ties by id; then, at and beyond
    /// its length, those that only other parts have, by id. The count is that of the train part alone: ties
    /// between scores break by index, and an order that knew the validation rows would tell on them.
    pub(crate) indices: DataFrame,
    /// What the vocabulary takes of the memory limit.
    _counted_bytes: MemoryReservation,
}

/// 1 for a row whose ids the vocabularies hold, 0 for another.
fn is_known(refit: Refit) -> Result<Expr> {
    is_up_to(match refit {
        Refit::TrainAndValidation => Part::Validation,
        Refit::None => Part::Train,
    })
}

/// 1 for a row of train that does not say no, 0 for another.
fn evidence(negative: &[String]) -> Result<Expr> {
    let is_train = column(PART).eq(lit(Part::Train.code()));
    let is_evidence = if negative.is_empty() {
        is_train
    } else {
        is_train.and(says_yes(negative))
    };
    when(is_evidence, lit(1_i64))
        .otherwise(lit(0_i64))
        .map_err(Error::engine(STAGE))
}

/// 1 for a row of this part or of one before it, 0 for another.
fn is_up_to(last: Part) -> Result<Expr> {
    when(column(PART).lt_eq(lit(last.code())), lit(1_i64))
        .otherwise(lit(0_i64))
        .map_err(Error::engine(STAGE))
}

/// What is counted, and how.
pub(crate) struct Counted<'a> {
    pub(crate) log: &'a DataFrame,
    /// The event words that say no.
    pub(crate) negative: &'a [String],
    pub(crate) refit: Refit,
}

/// Counts the codes in `key` and numbers them; `ids` says which raw ids they stand for.
pub(crate) async fn index(
    context: &SessionContext,
    counted: &Counted<'_>,
    key: &str,
    ids: &DataFrame,
) -> Result<Indexed> {
    let Counted { log, negative, refit } = *counted;
    let by_count = vec![descending(KNOWN), descending(COUNT), ascending(CODE)];
    let row_number = number(STAGE, by_count.clone())?;
    let index = cast(column("number") - lit(1_u64), DataType::UInt32);
    let counted = log
        .clone()
        .aggregate(
            vec![column(key).alias("counted")],
            vec![
                sum(evidence(negative)?).alias(COUNT),
                max(is_known(refit)?).alias(KNOWN),
            ],
        )
        .and_then(|counts| {
            let ids = ids.clone();
            looked_up(ids, &[CODE], counts, &["counted"])
        })
        .and_then(|counts| counts.with_column("number", row_number))
        .and_then(|counts| {
            counts.select(vec![
                column(ID),
                column(CODE),
                column(COUNT),
                column(KNOWN),
                index.alias(INDEX),
            ])
        });
    let engine = Error::engine(STAGE);
    let (counted, _) = settled(STAGE, counted.map_err(&engine)?).await?;
    let rows = counted
        .clone()
        .filter(column(KNOWN).eq(lit(1_i64)))
        .map_err(&engine)?;
    let rows = rows.collect().await.map_err(&engine)?;
    let n_bytes = rows.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
    // The ids as they came and the vocabulary with its index, until the first go.
    let counted_bytes = reserve(context, STAGE, 3 * n_bytes)?;
    let vocabulary = Vocabulary::from_counts(id_counts(&rows));
    counted_bytes.shrink(n_bytes);
    let indices = counted
        .select(vec![column(CODE), column(INDEX)])
        .map_err(&engine)?;
    Ok(Indexed {
        vocabulary,
        indices,
        _counted_bytes: counted_bytes,
    })
}

/// Counts the event words. Words that only other parts use have count 0 and come last.
pub(crate) async fn event_words(log: &DataFrame, refit: Refit) -> Result<Vocabulary> {
    let engine = Error::engine(STAGE);
    let counted = log
        .clone()
        .aggregate(
            vec![event_word().alias(ID)],
            vec![sum(is_known(refit)?).alias(COUNT)],
        )
        .and_then(|counts| counts.select(vec![column(ID), column(COUNT)]))
        .map_err(&engine)?;
    let words = Vocabulary::from_counts(id_counts(&counted.collect().await.map_err(&engine)?));
    let most = u64::from(u16::MAX) + 1;
    match words.len() as u64 {
        found if found > most => Err(Error::TooMany {
            what: "event words",
            found,
            most,
        }),
        _ => Ok(words),
    }
}

fn id_counts(batches: &[RecordBatch]) -> Vec<(String, u64)> {
    let rows = batches.iter().filter_map(|batch| {
        let ids = batch.column_by_name(ID)?.as_any().downcast_ref::<StringArray>()?;
        let counts = batch
            .column_by_name(COUNT)?
            .as_any()
            .downcast_ref::<Int64Array>()?;
        Some(ids.iter().zip(counts.iter()))
    });
    rows.flatten()
        .filter_map(|(id, count)| Some((id?.to_owned(), count?.unsigned_abs())))
        .collect()
}

/// A fingerprint of the ids in their order: files that were encoded by this vocabulary carry it.
pub(crate) fn fingerprint(vocabularies: &[&Vocabulary]) -> String {
    let mut hasher = Xxh3Default::new();
    for vocabulary in vocabularies {
        for id in vocabulary.ids() {
            hasher.update(&(id.len() as u64).to_le_bytes());
            hasher.update(id.as_bytes());
        }
        hasher.update(&(vocabulary.len() as u64).to_le_bytes());
    }
    format!("{:032x}", hasher.digest128())
}

/// The metadata of a vocabulary file.
pub(crate) fn metadata(kind: &str, vocabulary: &Vocabulary) -> Metadata {
    Metadata::from([
        ("catchment.kind".to_owned(), kind.to_owned()),
        ("catchment.hash".to_owned(), fingerprint(&[vocabulary])),
    ])
}
