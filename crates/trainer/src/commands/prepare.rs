//! `catchment-train prepare`.

use catchment_prepare::Summary;

use crate::allocator;
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

/// The stage itself. Says what it did.
pub(crate) fn prepare(work: &Work) -> Result<Summary, Failure> {
    prepare_by(work, work.recipe.seed)
}

/// By a seed of its own.
pub(crate) fn prepare_by(work: &Work, seed: u64) -> Result<Summary, Failure> {
    let summary = quietly_by(work, seed)?;
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

/// The stage, with nothing said but how far it is. Work that is done already is not repeated.
pub(crate) fn prepare_quietly(work: &Work) -> Result<Summary, Failure> {
    quietly_by(work, work.recipe.seed)
}

fn quietly_by(work: &Work, seed: u64) -> Result<Summary, Failure> {
    let recipe = &work.recipe;
    let (data, settings, folder) = (&recipe.data, &recipe.prepare, work.data());
    if !work.fresh
        && let Some(summary) = work.prepared_already(seed)?
    {
        work.say("the data is the same as before, and so are its settings: nothing to prepare");
        return Ok(summary);
    }
    if settings.memory_limit.is_none() {
        allocator::keep_memory();
    }
    let mut bar = Bar::new("prepare", work.output.is_silent());
    let summary = catchment_prepare::prepare(
        data,
        settings,
        &recipe.split,
        seed,
        recipe.threads,
        folder,
        &mut |progress| bar.rows(progress),
    )
    .map_err(|error| recipe.blamed(error))?;
    work.is_prepared_now();
    Ok(summary)
}
