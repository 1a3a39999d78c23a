//! The doctor: what is wrong with a log, and with how it was split, before anything is trained on it.
//!
//! [`examine`] reads the raw sources; [`examine_split`] reads what [`crate::prepare`] made of them. Neither changes a
//! file. Findings come in a fixed order, and equal data gives equal findings. Of a split, no finding counts test rows that
//! say no ([`crate::PrepareConfig::negative`]): nobody is to find their items.
//!
//! | code | severity | says |
//! |---|---|---|
//! | `time_in_future` | error | rows lie after the moment of the examination |
//! | `time_in_1970` | error | rows lie in 1970 or before: a missing time, or a wrong unit |
//! | `order_against_time` | error | a user's `order` rises while the time falls |
//! | `time_order_broken` | warning | a user's rows stand in another order in the file than their times |
//! | `tied_times` | warning | most rows share their moment with another row of their user, and nothing orders them |
//! | `missing_times` | warning | rows without a time or an `order` in a log that has times: they count as their user's first |
//! | `duplicate_events` | warning | rows that agree in user, item, time and event |
//! | `ids_alike` | warning | ids that differ only in case, blanks or leading zeros |
//! | `id_in_two_types` | warning | a text that is the id of a user and of an item |
//! | `unlisted_items` | warning | items of the log that the items file does not have, or all of them |
//! | `empty_column`, `constant_column` | note | columns without any value, or with the same one in every row |
//! | `train_test_overlap` | error where the split is given, else warning | the same event is in train and in test: of a given split a leak, of a split that is made here an event that the log repeats |
//! | `train_after_test` | warning | users with train rows later than their first test row |
//! | `one_item_users` | warning | users of whom one item is left: nothing is left to learn from once it is tested |
//! | `random_split_of_times` | note | a random split of rows that have times |
//! | `target_in_history` | warning | test rows whose item their user had before |
//! | `empty_part`, `cold_items` | warning | a part without rows, or of which all say no; a test part of items that nobody trained on |

mod columns;
mod facts;
mod ids;
mod listed;
mod noes;
mod one_item;
mod seen;
mod split;
mod times;
mod told;

use catchment_schema::import::{Source, import_items, import_located_interactions, import_users};
use catchment_schema::{Finding, Severity, Time};
use serde::{Deserialize, Serialize};

use crate::{Inputs, Result};

pub use facts::{Facts, Tail};
pub use split::examine_split;

use columns::Columns;
use seen::{Ids, Seen};

/// How many examples a finding lists.
const N_EXAMPLES: usize = 10;

/// What the doctor found in the raw sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What the log is like.
    pub facts: Facts,
    /// What is wrong with it, the importers' findings first.
    pub findings: Vec<Finding>,
}

/// Reads every source once and says what the data is like and what is wrong with it. `now` is the moment after which
/// no event can be.
///
/// Memory: the ids, and 32 bytes for each row of the log.
///
/// # Errors
/// [`crate::Error::File`] for a source that cannot be read.
pub fn examine(inputs: &Inputs, now: Time) -> Result<Diagnosis> {
    let mut findings = vec![];
    let (facts, items) = examine_log(&inputs.interactions, now, &mut findings)?;
    if let Some(test) = &inputs.test {
        examine_log(test, now, &mut findings)?;
    }
    let tables = [
        inputs.items.as_ref().map(|source| (source, import_items(source))),
        inputs.users.as_ref().map(|source| (source, import_users(source))),
    ];
    for (source, table) in tables.into_iter().flatten() {
        let (rows, report) = table?;
        findings.extend(report.findings);
        findings.extend(listed::unlisted(&items, &rows, source));
        let mut columns = Columns::default();
        columns.look(&rows);
        findings.extend(columns.findings(&source.path));
    }
    Ok(Diagnosis { facts, findings })
}

/// What a log is like, and its items.
fn examine_log(source: &Source, now: Time, findings: &mut Vec<Finding>) -> Result<(Facts, Ids)> {
    let mut seen = Seen::new(now);
    let mut columns = Columns::default();
    let report = import_located_interactions(source, &mut |located| {
        columns.look(&located.batch);
        seen.look(&located);
        Ok(())
    })?;
    findings.extend(report.findings);
    findings.extend(seen.times.findings());
    findings.extend(seen.duplicates());
    findings.extend(ids::alike("user", seen.users()));
    findings.extend(ids::alike("item", seen.items()));
    findings.extend(ids::in_two_types(&seen));
    findings.extend(columns.findings(&source.path));
    Ok((Facts::of(&seen), seen.into_items()))
}

/// A finding, if there is anything to find.
fn finding(
    count: u64,
    severity: Severity,
    code: &str,
    message: String,
    examples: Vec<String>,
    remedy: &str,
) -> Option<Finding> {
    (count > 0).then(|| Finding {
        severity,
        code: code.to_owned(),
        message,
        examples,
        remedy: remedy.to_owned(),
    })
}

/// A moment for people, as RFC 3339.
pub fn moment(millis: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(millis);
    moment.map_or_else(|_| format!("{millis} ms"), |moment| moment.to_string())
}
