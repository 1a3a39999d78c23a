//! Whether the items of a log are in the file of the items.

use catchment_schema::arrow::array::{AsArray, RecordBatch};
use catchment_schema::import::Source;
use catchment_schema::{Finding, Severity};

use std::collections::HashSet;

use super::seen::Ids;
use super::{N_EXAMPLES, finding};

/// Items of a log that a table of items does not have; of a table of users nothing.
pub(super) fn unlisted(items: &Ids, table: &RecordBatch, source: &Source) -> Option<Finding> {
    let listed = table.column_by_name("item_id")?.as_string_opt::<i32>()?;
    let listed: HashSet<&str> = listed.iter().flatten().collect();
    let mut strangers: Vec<(&str, u64)> = items
        .texts
        .iter()
        .zip(&items.counts)
        .filter(|(id, _)| !listed.contains(id.as_ref()))
        .map(|(id, &count)| (id.as_ref(), count))
        .collect();
    // Those first that most rows are with.
    strangers.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let (n_items, n_rows) = (items.texts.len(), items.counts.iter().sum::<u64>());
    let n_with: u64 = strangers.iter().map(|(_, count)| count).sum();
    let percent = |part: f64, of: f64| part / of.max(1.0) * 100.0;
    let path = &source.path;
    let (message, remedy) = if strangers.len() == n_items {
        (
            format!("none of the {n_items} items of the log is in {path}"),
            "one of the two files has another column mapped as item_id, or writes ids in another way: correct columns = { … } \
             in [data]",
        )
    } else {
        (
            format!(
                "{} of {n_items} items of the log ({:.1} %) are not in {path}; {:.1} % of the rows are with them",
                strangers.len(),
                percent(strangers.len() as f64, n_items as f64),
                percent(n_with as f64, n_rows as f64)
            ),
            "add them to the file, or check that both write ids in one way: without a row there they have no title, no \
             category and no feature of a column",
        )
    };
    let examples = strangers.iter().take(N_EXAMPLES);
    let examples = examples.map(|(id, count)| format!("item {id:?} ({count} rows)"));
    finding(
        strangers.len() as u64,
        Severity::Warning,
        "unlisted_items",
        message,
        examples.collect(),
        remedy,
    )
}
