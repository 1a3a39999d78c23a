//! `catchment-train why-not`.

use catchment_pipeline::why_not::FoundBy;
use catchment_pipeline::{Request, Scratch, UserState, WhyNot};
use catchment_schema::History;
use serde_json::json;

use super::print_json;
use crate::cli::{BundleArgs, Output};
use crate::failure::Failure;
use crate::speech;

pub(crate) fn run(
    args: &BundleArgs,
    user_id: &str,
    item_id: &str,
    n: usize,
    output: Output,
) -> Result<(), Failure> {
    let pipeline = super::batch::open(&args.bundle, output)?;
    let catalogue = pipeline.catalogue();
    if catalogue.items().item(item_id).is_none() {
        return Err(Failure::usage(
            format!("the bundle does not know item {item_id:?}"),
            "item ids are those of the log",
        ));
    }
    let user = catalogue.users().user(user_id);
    if user.is_none() && !output.is_silent() {
        speech::aside(format!(
            "note: the bundle does not know user {user_id:?}; the answer is not personalised"
        ));
    }
    let history = user.map_or(History::EMPTY, |user| catalogue.history(user));
    let request = Request::new(n, catalogue.now());
    let state = UserState { user, history };
    let why = pipeline.why_not(item_id, &request, &state, &mut Scratch::default())?;
    if output.json {
        let (detail, known) = (why.to_string(), user.is_some());
        return print_json(&json!({
            "user_id": user_id, "known": known, "item_id": item_id, "n": n, "detail": detail, "why": why,
        }));
    }
    let title = catalogue
        .items()
        .item(item_id)
        .and_then(|item| catalogue.title(item));
    let title = title.map_or(String::new(), |title| format!(" ({title})"));
    speech::say(format!("{item_id}{title}: {why}"));
    for found in found_by(&why) {
        speech::say(format!(
            "  found by {} at rank {}, score {:.4}",
            found.channel, found.rank, found.score
        ));
    }
    Ok(())
}

fn found_by(why: &WhyNot) -> &[FoundBy] {
    match why {
        WhyNot::CutInMerge { found_by, .. }
        | WhyNot::RankedBeyond { found_by, .. }
        | WhyNot::Answered { found_by, .. } => found_by,
        WhyNot::UnknownItem | WhyNot::Filtered { .. } | WhyNot::NotRecalled { .. } => &[],
    }
}
