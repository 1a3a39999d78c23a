//! The moment at which a temporal split cuts.

use catchment_schema::arrow::array::{AsArray, RecordBatch};
use catchment_schema::arrow::datatypes::{DataType, Int64Type};
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::{cast, lit};
use datafusion::prelude::DataFrame;

use crate::chronology::first_number;
use crate::engine::column;
use crate::log::{PART, Part, TIME};
use crate::{Error, Moment, Result};

const STAGE: &str = "split";
/// Into how many classes the times are counted at once.
const N_CLASSES: i64 = 1 << 14;

/// The times of the rows that are to be split.
pub(crate) struct Times {
    n_rows: i64,
    first: i64,
    pub(crate) last: i64,
}

impl Times {
    /// Looks at every train row once; each must have a time.
    pub(crate) async fn of(log: &DataFrame, split: &'static str) -> Result<Self> {
        let engine = Error::engine(STAGE);
        let looks = vec![
            count(lit(1)).alias("rows"),
            count(column(TIME)).alias("times"),
            min(column(TIME)).alias("first"),
            max(column(TIME)).alias("last"),
        ];
        let train = column(PART).eq(lit(Part::Train.code()));
        let look = log
            .clone()
            .filter(train)
            .and_then(|train| train.aggregate(vec![], looks));
        let look = look.map_err(&engine)?.collect().await.map_err(&engine)?;
        let look_up = |name| {
            look.iter()
                .find_map(|batch| first_number(batch, name))
                .unwrap_or_default()
        };
        let n_missing = look_up("rows") - look_up("times");
        if n_missing > 0 {
            return Err(Error::NoTime {
                split,
                column: "timestamp",
                rows: n_missing.unsigned_abs(),
            });
        }
        Ok(Self {
            n_rows: look_up("rows"),
            first: look_up("first"),
            last: look_up("last"),
        })
    }
}

/// The moment in milliseconds; `split` is the kind that asks, for errors.
pub(crate) async fn moment_of(log: &DataFrame, at: Moment, split: &'static str) -> Result<i64> {
    let times = Times::of(log, split).await?;
    match at {
        Moment::Time(time) => Ok(time.millis().unwrap_or(i64::MAX)),
        Moment::Fraction(fraction) => {
            #[allow(clippy::cast_possible_truncation, reason = "a share of a number of rows")]
            let n_before = (times.n_rows as f64 * fraction) as i64;
            row_by_time(log, n_before, times.first, times.last).await
        }
    }
}

/// The time of the train row that has `n_before` rows before it, where all are in the order of their times.
///
/// The rows are not sorted: they are counted in classes of times, then the class that holds the row in finer ones,
/// until a class is one moment. Each pass holds no more than the classes.
async fn row_by_time(log: &DataFrame, mut n_before: i64, mut first: i64, mut last: i64) -> Result<i64> {
    let engine = Error::engine(STAGE);
    while first < last {
        let width = (last.saturating_sub(first) / N_CLASSES).saturating_add(1);
        let inside = column(TIME).gt_eq(lit(first)).and(column(TIME).lt_eq(lit(last)));
        let class = cast((column(TIME) - lit(first)) / lit(width), DataType::Int64);
        let classes = log
            .clone()
            .filter(column(PART).eq(lit(Part::Train.code())).and(inside))
            .and_then(|rows| rows.aggregate(vec![class.alias("class")], vec![count(lit(1)).alias("rows")]))
            .map_err(&engine)?;
        let classes = classes.collect().await.map_err(&engine)?;
        let mut counts: Vec<(i64, i64)> = classes.iter().flat_map(pairs).collect();
        counts.sort_unstable();
        let mut chosen = None;
        for (class, n_rows) in counts {
            chosen = Some(class);
            if n_before < n_rows {
                break;
            }
            n_before -= n_rows;
        }
        let Some(class) = chosen else { break };
        first = first.saturating_add(class.saturating_mul(width));
        last = last.min(first.saturating_add(width - 1));
    }
    Ok(first)
}

fn pairs(batch: &RecordBatch) -> Vec<(i64, i64)> {
    let numbers = |name: &str| {
        let column = batch.column_by_name(name);
        column.and_then(|column| column.as_primitive_opt::<Int64Type>())
    };
    match (numbers("class"), numbers("rows")) {
        (Some(classes), Some(rows)) => classes
            .values()
            .iter()
            .copied()
            .zip(rows.values().iter().copied())
            .collect(),
        _ => vec![],
    }
}
