//! `catchment-train recommend`.

use std::time::Instant;

use catchment_pipeline::{Answer, Pipeline, Request, Scratch, UserState};
use catchment_recall::Stopwatch;
use catchment_schema::{History, ItemIdx};
use serde_json::{Value, json};

use super::print_json;
use crate::cli::{BundleArgs, Output};
use crate::failure::Failure;
use crate::speech;
use crate::tables;

/// Microseconds since the start.
struct Clock(Instant);

impl Stopwatch for Clock {
    fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

pub(crate) fn run(
    args: &BundleArgs,
    user_id: &str,
    n: usize,
    explain: bool,
    output: Output,
) -> Result<(), Failure> {
    let pipeline = super::batch::open(&args.bundle, output)?;
    let catalogue = pipeline.catalogue();
    let user = catalogue.users().user(user_id);
    if user.is_none() && !output.is_silent() {
        speech::aside(format!(
            "note: the bundle does not know user {user_id:?}; the answer is not personalised"
        ));
    }
    let history = user.map_or(History::EMPTY, |user| catalogue.history(user));
    let mut request = Request::new(n, catalogue.now());
    let clock = Clock(Instant::now());
    request.stopwatch = &clock;
    let state = UserState { user, history };
    let answer = pipeline.recommend(&request, &state, &mut Scratch::default())?;
    let reasons = pipeline.because(&request, &state, &answer.items);
    if output.json {
        return print_json(&as_json(
            &pipeline,
            user_id,
            user.is_some(),
            &answer,
            &reasons,
            explain,
        ));
    }
    let rows: Vec<Vec<String>> = (1..)
        .zip(answer.items.iter().zip(&reasons))
        .map(|(rank, (item, because)): (u32, _)| {
            let sources = item.sources.iter().map(|source| {
                format!(
                    "{} #{}",
                    pipeline.channel_name(source.channel).unwrap_or("?"),
                    source.rank
                )
            });
            vec![
                format!("{rank}."),
                catalogue.items().id(item.item.index()).unwrap_or("?").to_owned(),
                format!("{:.4}", item.score.get()),
                catalogue.title(item.item).unwrap_or_default().to_owned(),
                sources.collect::<Vec<_>>().join(", "),
                because
                    .iter()
                    .map(|&item| {
                        catalogue
                            .title(item)
                            .or_else(|| catalogue.items().id(item.index()))
                            .unwrap_or("?")
                    })
                    .collect::<Vec<_>>()
                    .join(", "),
            ]
        })
        .collect();
    let header = ["", "item", "score", "title", "found by", "because of"].map(str::to_owned);
    speech::say(tables::render(&header, &rows).trim_end_matches('\n'));
    if explain {
        speech::say(format!("\n{}", explained(&answer)));
    }
    Ok(())
}

fn explained(answer: &Answer) -> String {
    let mut lines = Vec::new();
    for report in &answer.trace.channels {
        let missing = report
            .missing
            .as_ref()
            .map_or(String::new(), |cause| format!(", missing: {cause}"));
        lines.push(format!(
            "{}: asked {}, returned {}, kept {}, {} µs{missing}",
            report.name, report.asked, report.returned, report.kept, report.micros
        ));
    }
    for (rule, count) in &answer.trace.removed {
        lines.push(format!("{rule:?}: {count} items kept out"));
    }
    lines.push(format!(
        "{} candidates merged, ranked: {}",
        answer.trace.merged, answer.trace.ranked
    ));
    lines.join("\n")
}

fn as_json(
    pipeline: &Pipeline,
    user_id: &str,
    is_known: bool,
    answer: &Answer,
    reasons: &[Vec<ItemIdx>],
    explain: bool,
) -> Value {
    let catalogue = pipeline.catalogue();
    let found = answer.items.iter().zip(reasons);
    let items = (1..).zip(found).map(|(rank, (item, because)): (u32, _)| {
        let channels = item.sources.iter().map(|source| {
            json!({
                "name": pipeline.channel_name(source.channel),
                "rank": source.rank,
                "score": source.score,
            })
        });
        json!({
            "item_id": catalogue.items().id(item.item.index()),
            "rank": rank,
            "score": item.score,
            "title": catalogue.title(item.item),
            "channels": channels.collect::<Vec<_>>(),
            "because": because
                .iter()
                .map(|item| catalogue.items().id(item.index()))
                .collect::<Vec<_>>(),
        })
    });
    let mut whole = json!({ "user_id": user_id, "known": is_known, "items": items.collect::<Vec<_>>() });
    if explain {
        let channels = answer.trace.channels.iter().map(|report| {
            json!({
                "name": report.name, "asked": report.asked, "returned": report.returned,
                "kept": report.kept, "micros": report.micros,
                "missing": report.missing.as_ref().map(ToString::to_string),
            })
        });
        let removed = answer
            .trace
            .removed
            .iter()
            .map(|(rule, count)| json!({ "rule": rule, "count": count }));
        whole["explain"] = json!({
            "channels": channels.collect::<Vec<_>>(),
            "removed": removed.collect::<Vec<_>>(),
            "merged": answer.trace.merged,
            "ranked": answer.trace.ranked,
        });
    }
    whole
}
