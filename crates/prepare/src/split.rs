//! Which rows train, which choose settings, which are read once at the end.

use catchment_schema::Time;
use catchment_schema::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max};
use datafusion::logical_expr::{Expr, cast, lit, not, when};
use datafusion::prelude::DataFrame;

use crate::chronology::{LEAD, PLACE};
use crate::codes::{CODE, Coded, ID, ITEM, USER};
use crate::engine::{ascending, column, descending, looked_up, settled, walked};
use crate::filter::{likings, says_yes};
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

/// Cuts test rows off, then validation rows off what is left. `negative`: the event words that say no.
pub(crate) async fn split(
    coded: Coded,
    config: &SplitConfig,
    negative: &[String],
    seed: u64,
) -> Result<Parted> {
    let (coded, window) = match config.kind {
        SplitKind::Rolling(rolling) => {
            let window = rolling_window(&coded.log, rolling, negative).await?;
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
    let mut coded = cut(coded, kind, Part::Test, negative, seed).await?;
    if let Some(kind) = config.validation {
        coded = cut(coded, kind, Part::Validation, negative, seed).await?;
    }
    Ok(Parted { coded, window })
}

/// The chosen window, which counts back from the last row that says yes: a log that ends in noes would else have a test
/// part without anything to find.
async fn rolling_window(log: &DataFrame, rolling: Rolling, negative: &[String]) -> Result<Window> {
    let mut times = Times::of(log, "rolling").await?;
    if !negative.is_empty() {
        let likings = likings(log, negative).map_err(Error::engine(STAGE))?;
        times = Times::of(&likings, "rolling").await?;
    }
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
async fn cut(coded: Coded, kind: SplitKind, target: Part, negative: &[String], seed: u64) -> Result<Coded> {
    let engine = Error::engine(STAGE);
    let marked = match kind {
        // Of a rolling split `split` has made a temporal one.
        SplitKind::Given | SplitKind::Rolling(_) => return Ok(coded),
        SplitKind::Random { fraction } => {
            let purpose = match target {
                Part::Validation => "validation",
                Part::Train | Part::Test => "test",
            };
            random(&coded, fraction, negative, seed_for(purpose, seed)).await?
        }
        SplitKind::LeaveLast { n, since } => {
            let likings = likings(&coded.log, negative).map_err(&engine)?;
            let since = match since {
                Some(since) => Some(moment_of(&likings, since, "leave-last").await?),
                None => None,
            };
            leave_last(&coded, n, since, negative, seed_for("ties", seed)).await?
        }
        SplitKind::Temporal { at } => temporal(&coded.log, at, negative).await?,
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
///
/// What says no is not drawn; it goes with the row that was, where both are about one item.
async fn random(coded: &Coded, fraction: f64, negative: &[String], seed: u64) -> Result<DataFrame> {
    let in_lot_order = [PART, "row_hash", PLACE].map(ascending);
    let lots = with_lots(coded, seed).map_err(Error::engine(STAGE))?;
    let (lots, flag) = flagged(lots, negative)?;
    let lot = || -> Vec<Box<dyn Walk>> { vec![Box::new(Numbered::new("lot", &[USER, PART]).counting(flag))] };
    let (lots, _) = walked(STAGE, lots, &in_lot_order, &lot).await?;
    let n_rows = rows_of_users(&coded.log, negative)?;
    let real = |name: &str| cast(column(name), DataType::Float64);
    let share = real("n_rows") * lit(fraction) + real("user_hash") / lit(HASHES);
    let is_target = real("lot").lt_eq(share).and(real("lot").lt(real("n_rows")));
    let is_target = match flag {
        Some(flag) => is_target.and(column(flag)),
        None => is_target,
    };
    let marked = looked_up(lots, &[PART, USER], n_rows, &["n_part", "n_user"])
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
        .map_err(Error::engine(STAGE))?;
    match flag {
        Some(flag) => with_their_noes(marked, flag).await,
        None => Ok(marked),
    }
}

/// Marks what says no about an item that the same user's drawn row took. In train it would make the item a seen one, and
/// lists without what was seen could not find it. `flag`, a column that says which rows do not say no, goes.
///
/// The rows of a user with an item stand together, drawn ones first: whoever comes after one of these has a number above 1.
async fn with_their_noes(marked: DataFrame, flag: &str) -> Result<DataFrame> {
    let drawn_first = [ascending(PART), ascending(ITEM), descending(IS_TARGET)];
    let drawn = || -> Vec<Box<dyn Walk>> {
        let numbered = Numbered::new("drawn", &[USER, PART, ITEM]);
        vec![Box::new(numbered.counting(Some(IS_TARGET)))]
    };
    let (marked, _) = walked(STAGE, marked, &drawn_first, &drawn).await?;
    let goes_along = not(column(flag)).and(column("drawn").gt(lit(1_u64)));
    marked
        .with_column(IS_TARGET, column(IS_TARGET).or(goes_along))
        .and_then(|log| log.drop_columns(&["drawn", flag]))
        .map_err(Error::engine(STAGE))
}

/// The log with a column that says which rows do not say no, and its name; without, where no word says no.
fn flagged(log: DataFrame, negative: &[String]) -> Result<(DataFrame, Option<&'static str>)> {
    const FLAG: &str = "says_yes";
    if negative.is_empty() {
        return Ok((log, None));
    }
    let log = log.with_column(FLAG, says_yes(negative));
    Ok((log.map_err(Error::engine(STAGE))?, Some(FLAG)))
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
///
/// What says no goes with what it comes after: it is taken where that is, and does not count. Where time and `order` are
/// equal it comes after, whatever the lot: one moment for what was taken and for what was shown beside it is one list.
async fn leave_last(
    coded: &Coded,
    n: u32,
    since: Option<i64>,
    negative: &[String],
    seed: u64,
) -> Result<DataFrame> {
    let engine = Error::engine(STAGE);
    let lots = with_lots(coded, seed)
        .and_then(|log| log.with_column("eligible", place_is_known()))
        .map_err(&engine)?;
    let (lots, flag) = flagged(lots, negative)?;
    let mut last_first = [PART, "eligible", LEAD, TIME, ORDER].map(descending).to_vec();
    last_first.extend(flag.map(ascending));
    last_first.extend(["row_hash", PLACE].map(descending));
    let from_last = || -> Vec<Box<dyn Walk>> {
        let numbered = Numbered::new("from_last", &[USER, PART, "eligible"]);
        vec![Box::new(numbered.counting(flag))]
    };
    let (lots, _) = walked(STAGE, lots, &last_first, &from_last).await?;
    let n_rows = rows_of_users(&coded.log, negative)?;
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
        .and_then(|log| log.drop_columns(flag.as_slice()))
        .map_err(engine)
}

/// How many rows each user has in each part that do not say no, and the time of the latest of them: `n_part`, `n_user`,
/// `n_rows`, `last_time`.
fn rows_of_users(log: &DataFrame, negative: &[String]) -> Result<DataFrame> {
    let of_likings = |value: Expr| {
        if negative.is_empty() {
            return Ok(value);
        }
        when(says_yes(negative), value)
            .end()
            .map_err(Error::engine(STAGE))
    };
    let by = vec![column(PART).alias("n_part"), column(USER).alias("n_user")];
    log.clone()
        .aggregate(
            by,
            vec![
                count(of_likings(lit(1))?).alias("n_rows"),
                max(of_likings(column(TIME))?).alias("last_time"),
            ],
        )
        .map_err(Error::engine(STAGE))
}

/// `order` counts from 1; 0 says that the place in the user's history is not known.
fn place_is_known() -> Expr {
    coalesce(vec![column(ORDER), lit(1_u32)]).not_eq(lit(0_u32))
}

async fn temporal(log: &DataFrame, at: Moment, negative: &[String]) -> Result<DataFrame> {
    if !negative.is_empty() {
        // What says no goes by its time as well.
        Times::of(log, "temporal").await?;
    }
    let likings = likings(log, negative).map_err(Error::engine(STAGE))?;
    let millis = moment_of(&likings, at, "temporal").await?;
    log.clone()
        .with_column(IS_TARGET, column(TIME).gt_eq(lit(millis)))
        .map_err(Error::engine(STAGE))
}
