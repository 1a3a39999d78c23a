//! `catchment-train prepare`.

use catchment_prepare::Summary;

use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::work::Work;

pub(crate) fn run(args: &RecipeArgs, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let summary = prepare(&work)?;
    if output.json {
        super::print_json(&summary)?;
    }
    Ok(())
}

/// The stage itself.
pub(crate) fn prepare(work: &Work) -> Result<Summary, Failure> {
    let recipe = &work.recipe;
    let mut bar = Bar::new("prepare", work.output.is_silent());
    let summary = catchment_prepare::prepare(
        &recipe.data,
        &recipe.prepare,
        &recipe.split,
        recipe.seed,
        recipe.threads,
        &work.data(),
        &mut |stage, rows| bar.say(stage, rows),
    )?;
    drop(bar);
    work.say(format!(
        "prepared {} users, {} items; {} rows to train, {} to validate, {} to test",
        summary.users, summary.items, summary.train, summary.validation, summary.test
    ));
    for finding in &summary.findings {
        work.say(format!(
            "  {}: {} ({})",
            finding.code, finding.message, finding.remedy
        ));
    }
    Ok(summary)
}
