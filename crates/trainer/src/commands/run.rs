//! `catchment-train run`.

use std::path::Path;
use std::time::Instant;

use catchment_pipeline::Pipeline;
use catchment_schema::AtomicFile;
use serde_json::json;

use super::evaluate::Measured;
use super::{evaluate, prepare, publish, report, train};
use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::work::Work;
use crate::{findings, fit};

pub(crate) fn run(
    args: &RecipeArgs,
    to: &Path,
    whole_log: bool,
    summary: Option<&Path>,
    output: Output,
) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let mut seconds = serde_json::Map::new();
    let mut start = Instant::now();
    let mut lap = |stage: &str| {
        let elapsed = start.elapsed().as_secs_f64();
        work.say(format!("{stage}: {elapsed:.1} s"));
        seconds.insert(stage.to_owned(), json!(elapsed));
        start = Instant::now();
    };
    let prepared = prepare::prepare(&work)?;
    lap("prepare");
    let validation = train::train(&work, &[])?;
    fit::stopped(&work)?;
    lap("train");
    let Measured {
        judgements: test,
        told,
    } = evaluate::evaluate(&work)?;
    lap("evaluate");
    let version = publish::publish(&work, to, whole_log)?;
    lap("publish");
    report::write(&report::read_work(&work)?, &work.report_page())?;
    work.say(told);
    work.say(findings::line(&work, &work.prepared()?)?);
    work.say(format!("report: {}", work.report_page().display()));
    let whole = json!({
        "recipe": work.recipe.name,
        "bundle": version.to_string(),
        "prepared": prepared,
        "validation": validation,
        "test": test,
        "seconds": seconds,
        "example_user": example_user(&work)?,
    });
    if let Some(summary) = summary {
        AtomicFile::write(summary, &serde_json::to_vec_pretty(&whole)?)?;
    }
    if output.json {
        super::print_json(&whole)?;
    }
    Ok(())
}

/// Somebody with a history of ordinary length, to ask about.
fn example_user(work: &Work) -> Result<Option<String>, Failure> {
    let pipeline = Pipeline::open_folder(&work.model())?;
    let catalogue = pipeline.catalogue();
    let mut lengths: Vec<(usize, u32)> = catalogue
        .histories()
        .iter()
        .map(|(user, history)| (history.len(), user.0))
        .collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2);
    Ok(median
        .and_then(|&(_, user)| catalogue.users().id(user as usize))
        .map(str::to_owned))
}
