//! `catchment-train evaluate`.

use std::path::Path;

use catchment_schema::AtomicFile;

use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::judge::{self, Judgement};
use crate::work::Work;

pub(crate) fn run(args: &RecipeArgs, file: Option<&Path>, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let judgements = evaluate(&work)?;
    if let Some(file) = file {
        AtomicFile::write(file, &serde_json::to_vec_pretty(&judgements)?)?;
    }
    if output.json {
        super::print_json(&judgements)?;
    }
    Ok(())
}

/// The stage itself: the final models on the test part.
pub(crate) fn evaluate(work: &Work) -> Result<Vec<Judgement>, Failure> {
    let prepared = work.prepared()?;
    let pipeline = work.trained(&prepared)?;
    let judgements = judge::all(work, &prepared, &pipeline, &prepared.test()?, "test")?;
    work.say(format!(
        "\non the test part, read once:\n{}",
        judge::table(&judgements)
    ));
    AtomicFile::write(work.metrics(), &serde_json::to_vec_pretty(&judgements)?)?;
    Ok(judgements)
}
