//! Users of whom nothing is left to learn from.

use std::collections::HashMap;

use catchment_schema::{Finding, Interactions, ItemIdx, Severity, UserIdx};

use super::noes::Noes;
use super::{N_EXAMPLES, finding};
use crate::Prepared;

/// Rows of a user, the first item, and whether there is another.
type Had = (u64, ItemIdx, bool);

/// Users of whom the filters have left one item, in all parts together, without what they said no to.
pub(super) fn one_item_users(prepared: &Prepared, parts: &[&Interactions], noes: &Noes) -> Option<Finding> {
    let mut users: HashMap<UserIdx, Had> = HashMap::new();
    for (user, event) in parts.iter().flat_map(|part| noes.left_out_of(part)) {
        let (n_rows, first, several) = users.entry(user).or_insert((0, event.item, false));
        *n_rows += 1;
        *several |= *first != event.item;
    }
    let n_users = users.len();
    let mut alone: Vec<(UserIdx, u64, ItemIdx)> = users
        .into_iter()
        .filter(|(_, (_, _, several))| !several)
        .map(|(user, (n_rows, item, _))| (user, n_rows, item))
        .collect();
    alone.sort_unstable();
    let n_once = alone.iter().filter(|(_, n_rows, _)| *n_rows == 1).count();
    let examples = alone.iter().take(N_EXAMPLES).map(|(user, n_rows, item)| {
        let user = prepared.users().id(user.index()).unwrap_or("(cold)");
        let item = prepared.items().id(item.index()).unwrap_or("(cold)");
        format!("user {user:?}: {n_rows} rows, all with item {item:?}")
    });
    finding(
        alone.len() as u64,
        Severity::Warning,
        "one_item_users",
        format!(
            "{} of {n_users} users that [prepare] leaves have one item only, {n_once} of them in one row: once it is tested, \
             nothing is left to learn from",
            alone.len()
        ),
        examples.collect(),
        "min_user_events = 2 in [prepare] leaves out users with one event, counted before `deduplicate`; users with several events \
         with one item stay: read their metrics apart (segments = [\"user.history\"] in [evaluate])",
    )
}
