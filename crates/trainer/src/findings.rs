//! What the doctor found, seen with the recipe's own settings, and kept for a run and a report.

use std::fs;

use catchment_prepare::{Deduplicate, Prepared};
use catchment_schema::{AtomicFile, Finding, Severity};

use crate::failure::Failure;
use crate::recipe::Recipe;
use crate::work::Work;

/// What a recipe takes care of already is a note that says so, and has no other remedy.
pub(crate) fn heed(findings: &mut [Finding], recipe: &Recipe) {
    let keeps = match recipe.prepare.deduplicate {
        Deduplicate::None => None,
        Deduplicate::Exact => Some("exact"),
        Deduplicate::First => Some("first"),
        Deduplicate::Last => Some("last"),
    };
    let one_of_an_item = keeps.is_some_and(|keeps| keeps != "exact");
    let excludes_seen = recipe.evaluate.exclude_seen;
    for finding in findings {
        let settled = match finding.code.as_str() {
            "duplicate_events" if let Some(keeps) = keeps => {
                let by = format!("; deduplicate = \"{keeps}\" in [prepare] leaves them out");
                finding.message += &by;
                "nothing: the figures are measured without them"
            }
            "target_in_history" if !excludes_seen => {
                "nothing: with exclude_seen = false in [evaluate] they can be found"
            }
            "train_test_overlap" if keeps.is_some() => {
                "take the rows of the test log out of the train log: `deduplicate` looks at each of them alone"
            }
            "target_in_history" if one_of_an_item => {
                "take what the users had before out of the test log, or set exclude_seen = false in [evaluate] if \
                 people come back to items"
            }
            _ => continue,
        };
        settled.clone_into(&mut finding.remedy);
        if settled.starts_with("nothing") {
            finding.severity = Severity::Note;
        }
    }
}

/// Leaves them for a run and a report: `findings.json`, the worst first, and beside it what they were found in.
pub(crate) fn keep(work: &Work, findings: &[Finding], prepared: Option<&Prepared>) -> Result<(), Failure> {
    let stamp = prepared.map(|prepared| stamp(work, prepared)).unwrap_or_default();
    AtomicFile::write(work.findings(), &serde_json::to_vec_pretty(findings)?)?;
    Ok(AtomicFile::write(
        work.findings().with_extension("hash"),
        stamp.as_bytes(),
    )?)
}

/// What the doctor found in these very data; `None` where none looked since they were prepared. A list that does not say
/// what it was found in is taken at its word.
pub(crate) fn kept(work: &Work, prepared: &Prepared) -> Result<Option<Vec<Finding>>, Failure> {
    let looked_at = fs::read_to_string(work.findings().with_extension("hash")).ok();
    let is_of_these = looked_at.is_none_or(|looked_at| looked_at == stamp(work, prepared));
    match fs::read(work.findings()) {
        Ok(bytes) if is_of_these => Ok(Some(serde_json::from_slice(&bytes)?)),
        _ => Ok(None),
    }
}

fn stamp(work: &Work, prepared: &Prepared) -> String {
    let exclude_seen = work.recipe.evaluate.exclude_seen;
    format!("{} exclude_seen={exclude_seen}", prepared.summary().hash)
}

/// One line for the end of a run.
pub(crate) fn line(work: &Work, prepared: &Prepared) -> Result<String, Failure> {
    let command = format!("catchment-train doctor {}", work.recipe_and_place());
    let Some(findings) = kept(work, prepared)? else {
        return Ok(format!("doctor: has not looked at these data yet: {command}"));
    };
    let important = [Severity::Error, Severity::Warning].map(|severity| {
        let codes = findings.iter().filter(|finding| finding.severity == severity);
        let codes: Vec<&str> = codes.map(|finding| finding.code.as_str()).collect();
        let list = if codes.is_empty() {
            String::new()
        } else {
            format!(" ({})", codes.join(", "))
        };
        format!("{}{list}", counted(codes.len(), name(severity)))
    });
    let warn = if findings.iter().any(|finding| finding.severity == Severity::Error) {
        "; with an error in the data, no figure above can be trusted"
    } else {
        ""
    };
    Ok(format!(
        "doctor: {}{warn}; examples and remedies: {command}",
        important.join(", ")
    ))
}

/// `1 error`, `2 errors`, `0 errors`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// In words.
pub(crate) fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_several() {
        assert_eq!(counted(0, "error"), "0 errors");
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(2, "note"), "2 notes");
    }
}
