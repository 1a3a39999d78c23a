//! The order of a user's rows, and which of several rows with one item stay.

use catchment_schema::Time;
use catchment_schema::arrow::array::{Int64Array, RecordBatch};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, lit, not, when};
use datafusion::prelude::DataFrame;

use crate::codes::{ITEM, USER};
use crate::config::Deduplicate;
use crate::engine::{ascending, column, descending, looked_up, walked};
use crate::log::{DWELL, EVENT, EXTRA, ORDER, PART, SESSION_ID, TIME, VALUE};
use crate::walk::{FirstOf, Numbered, Same, Walk};
use crate::{Error, Result, SplitConfig};

const STAGE: &str = "order";

/// The order number that leads the key where a user's times are not all known; 0 elsewhere.
pub(crate) const LEAD: &str = "lead";
/// The place of a row among its user's rows: unique, rising, with gaps once rows are left out.
pub(crate) const PLACE: &str = "place";

/// Which optional columns the log fills.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    n_rows: i64,
    n_times: i64,
    n_orders: i64,
    n_sessions: i64,
    /// The first time, where there is one.
    pub(crate) first: Time,
    /// The last time, where there is one.
    pub(crate) last: Time,
}

impl Filled {
    /// Looks at every row once.
    pub(crate) async fn of(log: &DataFrame) -> Result<Self> {
        let engine = Error::engine(STAGE);
        let looks = vec![
            count(lit(1)).alias("n_rows"),
            count(column(TIME)).alias("n_times"),
            count(column(ORDER)).alias("n_orders"),
            count(column(SESSION_ID)).alias("n_sessions"),
            min(column(TIME)).alias("first"),
            max(column(TIME)).alias("last"),
        ];
        let look = log.clone().aggregate(vec![], looks).map_err(&engine)?;
        let look = look.collect().await.map_err(&engine)?;
        let look_up = |name| look.iter().find_map(|batch| first_number(batch, name));
        Ok(Self {
            n_rows: look_up("n_rows").unwrap_or_default(),
            n_times: look_up("n_times").unwrap_or_default(),
            n_orders: look_up("n_orders").unwrap_or_default(),
            n_sessions: look_up("n_sessions").unwrap_or_default(),
            first: Time::from(look_up("first")),
            last: Time::from(look_up("last")),
        })
    }

    /// Whether any row names its session.
    pub(crate) fn has_sessions(&self) -> bool {
        self.n_sessions > 0
    }

    /// Whether any row has a time.
    pub(crate) fn has_times(&self) -> bool {
        self.n_times > 0
    }

    /// Refuses a split that takes a user's last rows where nothing says which they are.
    pub(crate) fn check_order(&self, split: &SplitConfig) -> Result<()> {
        if split.needs_order() && self.n_times == 0 && self.n_orders == 0 {
            let rows = u64::try_from(self.n_rows).unwrap_or_default();
            return Err(Error::NoOrder { rows });
        }
        Ok(())
    }

    /// Whether the log has an order, and times for some rows only.
    fn needs_lead(&self) -> bool {
        self.n_orders > 0 && self.n_times > 0 && self.n_times < self.n_rows
    }
}

pub(crate) fn first_number(batch: &RecordBatch, name: &str) -> Option<i64> {
    let numbers = batch
        .column_by_name(name)?
        .as_any()
        .downcast_ref::<Int64Array>()?;
    numbers.iter().next().flatten()
}

/// Numbers each user's rows by time, `order`, item; rows that agree in these by everything else, so that
/// the order in which the log was read never matters. Then leaves out copies as `keep` says: the first or the last of a
/// user's rows with one item stays, or one of those that agree in time and event too, in each part apart. With the number of rows.
///
/// Where a user has rows without a time, time alone would tear the sequence apart (the unknown ones would
/// all come first): that user's rows go by `order`, if the log has one. Those of them that have no place in it (`order` 0)
/// come first, and lose their times, which would contradict that.
///
/// `negative`: the event words that say no, which are no duplicates of what was taken.
pub(crate) async fn in_order(
    log: DataFrame,
    filled: &Filled,
    keep: Deduplicate,
    negative: &[String],
) -> Result<(DataFrame, u64)> {
    let log = with_lead(log, filled)?;
    // A column without a value orders nothing, and costs its share of every comparison.
    let keys = [
        (filled.needs_lead(), LEAD),
        (filled.has_times(), TIME),
        (filled.n_orders > 0, ORDER),
        (true, ITEM),
        (true, PART),
        (true, EVENT),
        (true, VALUE),
        (true, DWELL),
        (filled.has_sessions(), SESSION_ID),
    ];
    let keys = keys.into_iter().filter(|(has_values, _)| *has_values);
    let mut order: Vec<Sort> = keys.map(|(_, key)| ascending(key)).collect();
    order.extend(
        log.schema()
            .has_column_with_unqualified_name(EXTRA)
            .then(|| ascending(EXTRA)),
    );
    let place = || -> Box<dyn Walk> { Box::new(Numbered::new(PLACE, &[USER])) };
    let first = |same| -> Box<dyn Walk> { Box::new(FirstOf::new(same, negative)) };
    match keep {
        Deduplicate::None => walked(STAGE, log, &order, &|| vec![place()]).await,
        Deduplicate::Exact => walked(STAGE, log, &order, &|| vec![place(), first(Same::Event)]).await,
        Deduplicate::First => walked(STAGE, log, &order, &|| vec![place(), first(Same::Item)]).await,
        Deduplicate::Last => {
            let (log, _) = walked(STAGE, log, &order, &|| vec![place()]).await?;
            walked(STAGE, log, &[descending(PLACE)], &|| vec![first(Same::Item)]).await
        }
    }
}

/// The log with [`LEAD`].
fn with_lead(log: DataFrame, filled: &Filled) -> Result<DataFrame> {
    let engine = Error::engine(STAGE);
    if !filled.needs_lead() {
        return log.with_column(LEAD, lit(0_u32)).map_err(engine);
    }
    let is_unknown = when(column(TIME).is_null(), lit(1_i64)).otherwise(lit(0_i64));
    let unknown = log
        .clone()
        .aggregate(
            vec![column(USER).alias("owner")],
            vec![
                max(is_unknown.map_err(&engine)?).alias("unknown"),
                max(order_or_0()).alias("last_order"),
            ],
        )
        .map_err(&engine)?;
    let goes_by_order = column("unknown")
        .gt(lit(0_i64))
        .and(column("last_order").gt(lit(0_u32)));
    let mut lead = when(goes_by_order.clone(), order_or_0());
    let lead = lead.otherwise(lit(0_u32)).map_err(&engine)?;
    let has_no_place = goes_by_order.and(column(LEAD).eq(lit(0_u32)));
    let time = when(not(has_no_place), column(TIME));
    let time = time.end().map_err(&engine)?;
    looked_up(log, &[USER], unknown, &["owner"])
        .and_then(|log| log.with_column(LEAD, lead))
        .and_then(|log| log.with_column(TIME, time))
        .and_then(|log| log.drop_columns(&["owner", "unknown", "last_order"]))
        .map_err(engine)
}

fn order_or_0() -> Expr {
    coalesce(vec![column(ORDER), lit(0_u32)])
}

/// The order of a user's rows, with ties by `item`.
pub(crate) fn chronological(item: &str) -> Vec<Sort> {
    [LEAD, TIME, ORDER, item].map(ascending).to_vec()
}
