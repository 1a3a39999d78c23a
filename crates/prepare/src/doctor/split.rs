//! What is wrong with a split: events on both sides of it.

use std::collections::{HashMap, HashSet};

use catchment_schema::{Event, Finding, Interactions, ItemIdx, Severity, Time, UserIdx};

use super::noes::Noes;
use super::one_item::one_item_users;
use super::told::Told;
use super::{finding, moment};
use crate::{Prepared, Result, SplitConfig, SplitKind};

/// Reads what was prepared and says what the test part shares with the part before it. The validation part counts as
/// known: final models are fitted on it, too. `negative` names the event words that say no, as
/// [`PrepareConfig::negative`](crate::PrepareConfig::negative) did: nobody is to find the items of such test rows. In a
/// history they count, for they make an item a seen one.
///
/// Memory: all parts.
///
/// # Errors
/// [`crate::Error::File`].
pub fn examine_split(prepared: &Prepared, split: &SplitConfig, negative: &[String]) -> Result<Vec<Finding>> {
    let parts = [prepared.train()?, prepared.validation()?];
    let test = prepared.test()?;
    let noes = Noes::of(prepared, negative);
    let targets: Targets<'_> = noes.left_out_of(&test).collect();
    let known = Known::of(&parts);
    let mut overlap = Told::default();
    let mut in_history = Told::default();
    let mut after = Told::default();
    let mut earliest: HashMap<UserIdx, Time> = HashMap::new();
    for &(user, event) in &targets {
        let name = |told: &mut Told| told.add(|| shown(prepared, user, event));
        if known.events.contains(&key(user, event)) {
            name(&mut overlap);
        } else if known.pairs.contains(&(user, event.item)) {
            name(&mut in_history);
        }
        if event.time.millis().is_some() {
            let first = earliest.entry(user).or_insert(event.time);
            *first = (*first).min(event.time);
        }
    }
    let mut users: Vec<(UserIdx, Time)> = earliest.into_iter().collect();
    users.sort_unstable();
    for (user, first) in users {
        if let Some(&last) = known.latest.get(&user)
            && last > first
        {
            after.add(|| {
                let id = prepared.users().id(user.index()).unwrap_or("(cold)");
                let time = |time: Time| moment(time.millis().unwrap_or_default());
                format!(
                    "user {id:?}: known until {}, tested from {}",
                    time(last),
                    time(first)
                )
            });
        }
    }
    // A test log of somebody's own that repeats the train log gives the answers away. A split that we make of one log
    // has an event on both sides only where the log has it twice.
    let overlap_severity = match split.kind {
        SplitKind::Given => Severity::Error,
        _ => Severity::Warning,
    };
    // A random split is made of both sides of every moment.
    let is_random = matches!(split.kind, SplitKind::Random { .. });
    let n_test = targets.len();
    let findings = [
        finding(
            overlap.count,
            overlap_severity,
            "train_test_overlap",
            format!(
                "{} of {n_test} test events are in the train or validation part, too",
                overlap.count
            ),
            overlap.examples,
            "set deduplicate = \"exact\" in [prepare]; for a given test log, take its rows out of the train log",
        ),
        finding(
            in_history.count,
            Severity::Warning,
            "target_in_history",
            format!(
                "{} of {n_test} test events are with an item that their user had before",
                in_history.count
            ),
            in_history.examples,
            "with exclude_seen = true they can never be found: set exclude_seen = false in [evaluate] if people come back to \
             items, or deduplicate = \"last\" (or \"first\") in [prepare], which keeps one row for each user and item",
        ),
        finding(
            if is_random { 0 } else { after.count },
            Severity::Warning,
            "train_after_test",
            format!(
                "{} users have train rows that are later than their first test row",
                after.count
            ),
            after.examples,
            "models learn from what comes after the test: split by leave-last or temporal instead",
        ),
        random_of_times(split, &targets),
        one_item_users(prepared, &[&parts[0], &parts[1], &test], &noes),
        cold_items(prepared, &targets),
    ];
    Ok(prepared
        .summary()
        .findings
        .iter()
        .filter(|finding| finding.code == "empty_part")
        .cloned()
        .chain(findings.into_iter().flatten())
        .collect())
}

/// The test rows whose items are to be found.
type Targets<'a> = Vec<(UserIdx, &'a Event)>;

/// A test part most of whose items nobody trained on.
fn cold_items(prepared: &Prepared, targets: &Targets<'_>) -> Option<Finding> {
    let is_cold = |(_, event): &&(UserIdx, &Event)| event.item.index() >= prepared.items().len();
    let (n_test, n_cold) = (targets.len(), targets.iter().filter(is_cold).count());
    finding(
        if n_cold * 2 > n_test { n_cold as u64 } else { 0 },
        Severity::Warning,
        "cold_items",
        format!("{n_cold} of {n_test} test events are with items that nobody trained on"),
        vec![],
        "no channel that learns from events can find them: test a shorter time, or add a channel that reads attributes",
    )
}

/// A random split where another could go by the times.
fn random_of_times(split: &SplitConfig, targets: &Targets<'_>) -> Option<Finding> {
    let is_random = matches!(split.kind, SplitKind::Random { .. });
    let timed = targets.iter().filter(|(_, event)| event.time.millis().is_some());
    let n_timed = if is_random { timed.count() } else { 0 };
    finding(
        n_timed as u64,
        Severity::Note,
        "random_split_of_times",
        format!(
            "the split is random, and {n_timed} of {} test events have a time",
            targets.len()
        ),
        vec![],
        "models learn from what comes after the test, which flatters them: split by leave-last or temporal, unless a published \
         figure was measured so",
    )
}

/// Who, what, when, how.
type Key = (UserIdx, u32, Option<i64>, u16);

fn key(user: UserIdx, event: &Event) -> Key {
    (user, event.item.0, event.time.millis(), event.kind.0)
}

/// What training knows.
struct Known {
    events: HashSet<Key>,
    pairs: HashSet<(UserIdx, ItemIdx)>,
    latest: HashMap<UserIdx, Time>,
}

impl Known {
    fn of(parts: &[Interactions]) -> Self {
        let rows = || {
            let rows = parts.iter();
            rows.flat_map(|part| part.users.iter().copied().zip(&part.events))
        };
        let mut latest: HashMap<UserIdx, Time> = HashMap::new();
        for (user, event) in rows().filter(|(_, event)| event.time.millis().is_some()) {
            let last = latest.entry(user).or_insert(event.time);
            *last = (*last).max(event.time);
        }
        Self {
            events: rows().map(|(user, event)| key(user, event)).collect(),
            pairs: rows().map(|(user, event)| (user, event.item)).collect(),
            latest,
        }
    }
}

fn shown(prepared: &Prepared, user: UserIdx, event: &Event) -> String {
    let user = prepared.users().id(user.index()).unwrap_or("(cold)");
    let item = prepared.items().id(event.item.index()).unwrap_or("(cold)");
    let time = event.time.millis().map_or_else(|| "unknown".to_owned(), moment);
    format!("test.parquet: user {user:?}, item {item:?}, time {time}")
}
