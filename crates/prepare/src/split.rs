//! Which rows train, which choose settings, which are read once at the end.

use catchment_schema::Time;
use catchment_schema::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max};
use datafusion::logical_expr::{Expr, cast, lit, when};
use datafusion::prelude::DataFrame;

use crate::chronology::{LEAD, PLACE};
use crate::codes::{CODE, Coded, ID, ITEM, USER};
use crate::engine::{ascending, column, descending, looked_up, settled, walked};
use crate::log::{ORDER, PART, Part, TIME};
use crate::moment::{Times, moment_of};
use crate::rolling::{Rolling, Window};
use crate::seeded_hash::{seed_for, seeded_hash};
use crate::walk::{Numbered, Walk};
use crate::{Error, Moment, Result, SplitConfig, SplitKind};

const STAGE: &str = "split";
/// In the middle of a plan: whether the row is cut off.
const IS_TARGET: &str = "is_target";
/// `u64::MAX + 1`, to bring a hash down to 0..1.
const HASHES: f64 = 18_446_744_073_709_551_616.0;

/// The log in its parts.
pub(crate) struct Parted {
    pub(crate) coded: Coded,
    /// Where the split is rolling: the window that was chosen.
    pub(crate) window: Option<Window>,
}

/// Cuts test rows off, then validation rows off what is left.
pub(crate) async fn split(coded: Coded, config: &SplitConfig, seed: u64) -> Result<Parted> {
    let (coded, window) = match config.kind {
        SplitKind::Rolling(rolling) => {
            let window = rolling_window(&coded.log, rolling).await?;
            (
                Coded {
                    log: inside(coded.log, window)?,
                    ..coded
                },
                Some(window),
            )
        }
        _ => (coded, None),
    };
    let kind = match window {
        Some(window) => SplitKind::Temporal {
            at: Moment::Time(window.test_from),
        },
        None => config.kind,
    };
    let mut coded = cut(coded, kind, Part::Test, seed).await?;
    if let Some(kind) = config.validation {
        coded = cut(coded, kind, Part::Validation, seed).await?;
    }
    Ok(Parted { coded, window })
}

/// The chosen window, which counts back from the last row.
async fn rolling_window(log: &DataFrame, rolling: Rolling) -> Result<Window> {
    let times = Times::of(log, "rolling").await?;
    Ok(rolling.window_of(times.last))
}

/// Leaves out the rows in the gap before the test part, and those after it.
fn inside(log: DataFrame, window: Window) -> Result<DataFrame> {
    let millis = |time: Time| lit(time.millis().unwrap_or_default());
    let is_train = column(TIME).lt(millis(window.train_before));
    let is_test = column(TIME).gt_eq(millis(window.test_from));
    let is_test = is_test.and(column(TIME).lt(millis(window.test_before)));
    log.filter(is_train.or(is_test)).map_err(Error::engine(STAGE))
}

/// Moves the train rows that `kind` names to `target`. No other row is touched, and none is lost.
async fn cut(coded: Coded, kind: SplitKind, target: Part, seed: u64) -> Result<Coded> {
    let engine = Error::engine(STAGE);
    let marked = match kind {
        // Of a rolling split `split` has made a temporal one.
        SplitKind::Given | SplitKind::Rolling(_) => return Ok(coded),
        SplitKind::Random { fraction } => {
            let purpose = match target {
                Part::Validation => "validation",
                Part::Train | Part::Test => "test",
            };
            random(&coded, fraction, seed_for(purpose, seed)).await?
        }
        SplitKind::LeaveLast { n, since } => {
            let since = match since {
                Some(since) => Some(moment_of(&coded.log, since, "leave-last").await?),
                None => None,
            };
            leave_last(&coded, n, since, seed_for("ties", seed)).await?
        }
        SplitKind::Temporal { at } => temporal(&coded.log, at).await?,
    };
    let is_train = column(PART).eq(lit(Part::Train.code()));
    let mut part = when(is_train.and(column(IS_TARGET)), lit(target.code()));
    let part = part.otherwise(column(PART)).map_err(&engine)?;
    let log = marked
        .with_column(PART, part)
        .and_then(|log| log.drop_columns(&[IS_TARGET]))
        .map_err(&engine)?;
    let (log, _) = settled(STAGE, log).await?;
    Ok(Coded { log, ..coded })
}

/// Each user's rows are put into the order of their hashes, and the first of them are taken: as many as
/// the share says, rounded up or down by lot so that it holds in expectation, but never all of them.
async fn random(coded: &Coded, fraction: f64, seed: u64) -> Result<DataFrame> {
    let in_lot_order = [PART, "row_hash", PLACE].map(ascending);
    let lots = with_lots(coded, seed).map_err(Error::engine(STAGE))?;
    let lot = || -> Vec<Box<dyn Walk>> { vec![Box::new(Numbered::new("lot", &[USER, PART]))] };
    let (lots, _) = walked(STAGE, lots, &in_lot_order, &lot).await?;
    let n_rows = rows_of_users(&coded.log)?;
    let real = |name: &str| cast(column(name), DataType::Float64);
    let share = real("n_rows") * lit(fraction) + real("user_hash") / lit(HASHES);
    let is_target = real("lot").lt_eq(share).and(real("lot").lt(real("n_rows")));
    looked_up(lots, &[PART, USER], n_rows, &["n_part", "n_user"])
        .and_then(|log| log.with_column(IS_TARGET, is_target))
        .and_then(|log| {
            log.drop_columns(&[
                "user_hash",
                "row_hash",
                "lot",
                "n_rows",
                "last_time",
                "n_part",
                "n_user",
            ])
        })
        .map_err(Error::engine(STAGE))
}

/// The log with a lot for each user (`user_hash`) and one for each row (`row_hash`). They depend on the seed, on the
/// raw ids and on the row, not on which other rows there are.
fn with_lots(coded: &Coded, seed: u64) -> Result<DataFrame, DataFusionError> {
    let hashed = |ids: &DataFrame, code: &str, hash: &str| {
        ids.clone().select(vec![
            column(CODE).alias(code),
            seeded_hash(seed, vec![column(ID)]).alias(hash),
        ])
    };
    let users = hashed(&coded.users, "user_code", "user_hash")?;
    let items = hashed(&coded.items, "item_code", "item_hash")?;
    let row = ["user_hash", "item_hash", TIME, ORDER].map(column).to_vec();
    looked_up(coded.log.clone(), &[USER], users, &["user_code"])
        .and_then(|log| looked_up(log, &[ITEM], items, &["item_code"]))
        .and_then(|log| log.with_column("row_hash", seeded_hash(seed, row)))
        .and_then(|log| log.drop_columns(&["user_code", "item_code", "item_hash"]))
}

/// Takes the last `n` of each user's rows by time, then `order`. Where these agree, nothing says which came last, and a
/// lot decides: by item id, the order in which rows are written, the held-out item would always be the one with the
/// greatest id. The lot is one for the test and the validation part, so that to take one row twice is to take two.
async fn leave_last(coded: &Coded, n: u32, since: Option<i64>, seed: u64) -> Result<DataFrame> {
    let engine = Error::engine(STAGE);
    let last_first = [PART, "eligible", LEAD, TIME, ORDER, "row_hash", PLACE].map(descending);
    let lots = with_lots(coded, seed)
        .and_then(|log| log.with_column("eligible", place_is_known()))
        .map_err(&engine)?;
    let from_last =
        || -> Vec<Box<dyn Walk>> { vec![Box::new(Numbered::new("from_last", &[USER, PART, "eligible"]))] };
    let (lots, _) = walked(STAGE, lots, &last_first, &from_last).await?;
    let n_rows = rows_of_users(&coded.log)?;
    let is_target = column("from_last")
        .lt_eq(lit(u64::from(n)))
        .and(column("n_rows").gt(lit(i64::from(n))))
        .and(column("eligible"));
    let is_target = match since {
        Some(since) => is_target.and(column("last_time").gt_eq(lit(since))),
        None => is_target,
    };
    looked_up(lots, &[PART, USER], n_rows, &["n_part", "n_user"])
        .and_then(|log| log.with_column(IS_TARGET, is_target))
        .and_then(|log| {
            log.drop_columns(&[
                "user_hash",
                "row_hash",
                "eligible",
                "from_last",
                "n_rows",
                "last_time",
                "n_part",
                "n_user",
            ])
        })
        .map_err(engine)
}

/// How many rows each user has in each part, and the time of the latest: `n_part`, `n_user`, `n_rows`, `last_time`.
fn rows_of_users(log: &DataFrame) -> Result<DataFrame> {
    let by = vec![column(PART).alias("n_part"), column(USER).alias("n_user")];
    log.clone()
        .aggregate(
            by,
            vec![
                count(lit(1)).alias("n_rows"),
                max(column(TIME)).alias("last_time"),
            ],
        )
        .map_err(Error::engine(STAGE))
}

/// `order` counts from 1; 0 says that the place in the user's history is not known.
fn place_is_known() -> Expr {
    coalesce(vec![column(ORDER), lit(1_u32)]).not_eq(lit(0_u32))
}

async fn temporal(log: &DataFrame, at: Moment) -> Result<DataFrame> {
    let millis = moment_of(log, at, "temporal").await?;
    log.clone()
        .with_column(IS_TARGET, column(TIME).gt_eq(lit(millis)))
        .map_err(Error::engine(STAGE))
}
