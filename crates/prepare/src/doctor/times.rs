//! Times that cannot be, and orders that contradict each other.

use catchment_schema::{Finding, Severity, Time};

use super::seen::shown;
use super::told::Told;
use super::{finding, moment};

/// 1971-01-01: nothing in a log is as old, and a time of 0 is a missing one.
const END_OF_1970_MS: i64 = 365 * 24 * 60 * 60 * 1000;
/// More rows than this share at the moment of another row of their user: the order of rows is not known.
const TIED_SHARE: f64 = 0.5;

/// When a row was.
#[derive(Clone, Copy)]
pub(super) struct When {
    pub(super) time: Option<i64>,
    pub(super) order: Option<u32>,
}

/// What is looked for in one pass: counts, and the first examples of each.
pub(super) struct Times {
    now_ms: i64,
    n_rows: u64,
    timed_rows: u64,
    /// Rows that have neither a time nor an order.
    placeless: Told,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    /// By user: the row before, in the order of the file.
    before: Vec<Option<When>>,
    future: Told,
    ancient: Told,
    broken: Told,
    against: Told,
    tied: Told,
}

impl Times {
    pub(super) fn new(now: Time) -> Self {
        Self {
            now_ms: now.millis().unwrap_or(i64::MAX),
            n_rows: 0,
            timed_rows: 0,
            placeless: Told::default(),
            first: None,
            last: None,
            before: vec![],
            future: Told::default(),
            ancient: Told::default(),
            broken: Told::default(),
            against: Told::default(),
            tied: Told::default(),
        }
    }

    /// Looks at the next row of a user; `place` says where it stands.
    pub(super) fn look(&mut self, user: u32, when: When, place: &dyn Fn() -> String) {
        self.n_rows += 1;
        let user = user as usize;
        if self.before.len() <= user {
            self.before.resize(user + 1, None);
        }
        let before = self.before[user].replace(when);
        let Some(time) = when.time else {
            if when.order.is_none() {
                self.placeless.add(place);
            }
            return;
        };
        self.timed_rows += 1;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        if time > self.now_ms {
            self.future.add(|| format!("{}, time {}", place(), moment(time)));
        }
        if time < END_OF_1970_MS {
            self.ancient.add(|| format!("{}, time {}", place(), moment(time)));
        }
        let Some(When {
            time: Some(time_before),
            order: order_before,
        }) = before
        else {
            return;
        };
        let told = || {
            format!(
                "{}, time {} after {}",
                place(),
                shown(Some(time)),
                shown(Some(time_before))
            )
        };
        match (order_before, when.order) {
            (Some(order_before), Some(order)) if order_before > 0 && order > 0 => {
                let contradicts = (order > order_before && time < time_before)
                    || (order < order_before && time > time_before);
                if contradicts {
                    self.against
                        .add(|| format!("{}, order {order} after {order_before}", told()));
                }
            }
            _ if time < time_before => self.broken.add(told),
            _ if time == time_before => self.tied.add(told),
            _ => {}
        }
    }

    pub(super) fn timed_rows(&self) -> u64 {
        self.timed_rows
    }

    pub(super) fn findings(&mut self) -> Vec<Finding> {
        let n_rows = self.n_rows;
        let of = |told: &Told| format!("{} of {n_rows} rows", told.count);
        let take = |told: &mut Told| std::mem::take(&mut told.examples);
        // Nearly a log of one moment each: which row came last is not known.
        let is_tied = self.tied.count as f64 > TIED_SHARE * self.timed_rows as f64;
        let n_tied = if is_tied { self.tied.count } else { 0 };
        // A log without any time is split without them.
        let n_placeless = if self.timed_rows > 0 {
            self.placeless.count
        } else {
            0
        };
        [
            finding(
                self.future.count,
                Severity::Error,
                "time_in_future",
                format!("{} lie after {}", of(&self.future), moment(self.now_ms)),
                take(&mut self.future),
                "check time_unit (milliseconds read as seconds lie far in the future) and time_origin; take such rows out",
            ),
            finding(
                self.ancient.count,
                Severity::Error,
                "time_in_1970",
                format!("{} lie in 1970 or before", of(&self.ancient)),
                take(&mut self.ancient),
                "check time_unit (seconds read as milliseconds lie in 1970); leave a missing time empty instead of 0",
            ),
            finding(
                self.against.count,
                Severity::Error,
                "order_against_time",
                format!("{}: `order` and the time contradict each other", of(&self.against)),
                take(&mut self.against),
                "map the right column to `order`, or leave it out: times alone order the rows then",
            ),
            finding(
                n_placeless,
                Severity::Warning,
                "missing_times",
                format!("{} have no time, while others have one", of(&self.placeless)),
                take(&mut self.placeless),
                "they count as the first events of their users, so that leave-last never tests them, and temporal and rolling \
                 splits refuse them: bring their times or a column `order`, or take them out",
            ),
            finding(
                self.broken.count,
                Severity::Warning,
                "time_order_broken",
                format!("{} stand after a later row of their user", of(&self.broken)),
                take(&mut self.broken),
                "nothing to do if the times are right: rows are sorted by them; if the order of the file is the true one, \
                 number the rows in a column `order` and leave the times out",
            ),
            finding(
                n_tied,
                Severity::Warning,
                "tied_times",
                format!("{} have the time of the row before them of the same user", of(&self.tied)),
                take(&mut self.tied),
                "which came last is then decided by item id: bring finer times or a column `order`, or split at random",
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
