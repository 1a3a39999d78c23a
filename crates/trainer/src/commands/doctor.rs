//! `catchment-train doctor`.

use std::time::{SystemTime, UNIX_EPOCH};

use catchment_prepare::Prepared;
use catchment_prepare::doctor::{Diagnosis, Facts, examine, examine_split};
use catchment_schema::{Finding, Severity, Time};
use serde::Serialize;

use super::prepare::prepare_quietly;
use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::findings::{counted, heed, keep, name};
use crate::work::Work;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    facts: &'a Facts,
    findings: &'a [Finding],
    errors: usize,
}

pub(crate) fn run(args: &RecipeArgs, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let found = examine(&work.recipe.data, now());
    let Diagnosis { facts, mut findings } = found.map_err(|error| work.recipe.blamed(error))?;
    let prepared = match prepare_quietly(&work) {
        Ok(_) => {
            let prepared = Prepared::open(work.data())?;
            let negative = &work.recipe.prepare.negative;
            findings.extend(examine_split(&prepared, &work.recipe.split, negative)?);
            Some(prepared)
        }
        Err(failure) => {
            findings.push(not_prepared(&failure));
            None
        }
    };
    heed(&mut findings, &work.recipe);
    // The worst first; those of one severity in the order in which they were looked for.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    keep(&work, &findings, prepared.as_ref())?;
    let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let of_severity = findings.iter().filter(|finding| finding.severity == severity);
        of_severity.count()
    });
    if output.json {
        super::print_json(&Report {
            facts: &facts,
            findings: &findings,
            errors,
        })?;
    } else {
        work.say(told(&facts));
        for finding in &findings {
            work.say(told_finding(finding));
        }
        work.say(format!(
            "{}, {}, {}; {}",
            counted(errors, "error"),
            counted(warnings, "warning"),
            counted(notes, "note"),
            work.findings().display()
        ));
    }
    if errors == 0 {
        return Ok(());
    }
    let what = anyhow::anyhow!(
        "the doctor found {} in the data of {}",
        counted(errors, "error"),
        work.recipe.name
    );
    let then = if prepared.is_none() {
        "The log cannot be prepared, and `run` stops there with the same words"
    } else {
        "An error makes the figures untrue: `run` goes on all the same, and says so"
    };
    Err(Failure::with_help(
        what,
        format!("each finding names its remedy; run doctor again when they are mended. {then}"),
    ))
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn not_prepared(failure: &Failure) -> Finding {
    let (what, help) = failure.told();
    Finding {
        severity: Severity::Error,
        code: "not_prepared".to_owned(),
        message: format!("the log cannot be prepared: {what}"),
        examples: vec![],
        remedy: help.unwrap_or_else(|| "run catchment-train prepare, and mend what it says".to_owned()),
    }
}

fn told(facts: &Facts) -> String {
    let time = |time: Time| match time.millis() {
        None => "unknown".to_owned(),
        Some(millis) => catchment_prepare::doctor::moment(millis),
    };
    let spread = |[least, median, most_have, most]: [u64; 4]| {
        format!("{least} to {most} rows, half of them at most {median}, nine in ten at most {most_have}")
    };
    let tail = facts.tail.iter().map(|tail| {
        let (items, rows) = (tail.items * 100.0, tail.rows * 100.0);
        format!("{items:.0}% of the items hold {rows:.0}%")
    });
    let events = facts.events.iter().map(|(word, rows)| format!("{word} {rows}"));
    [
        format!(
            "{} rows, {} users, {} items: {:.3}% of the pairs",
            facts.rows,
            facts.users,
            facts.items,
            facts.density * 100.0
        ),
        format!("a user has {}", spread(facts.rows_of_a_user)),
        format!("an item has {}", spread(facts.rows_of_an_item)),
        format!(
            "the most popular {} of the rows",
            tail.collect::<Vec<_>>().join(", ")
        ),
        format!(
            "{} rows have a time, from {} to {}",
            facts.timed_rows,
            time(facts.first_time),
            time(facts.last_time)
        ),
        format!("events: {}", events.collect::<Vec<_>>().join(", ")),
        String::new(),
    ]
    .join("\n")
}

fn told_finding(finding: &Finding) -> String {
    let severity = name(finding.severity);
    let mut lines = vec![format!("{severity} {}: {}", finding.code, finding.message)];
    lines.extend(finding.examples.iter().map(|example| format!("    {example}")));
    lines.push(format!("  remedy: {}\n", finding.remedy));
    lines.join("\n")
}
