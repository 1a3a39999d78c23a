//! `catchment-train report`.

use std::fs;
use std::path::Path;

use catchment_evaluation::report::{DataFacts, ListReport, RunReport};
use catchment_pipeline::Pipeline;
use catchment_prepare::Prepared;
use catchment_schema::{AtomicFile, Time};

use super::evaluate::open_bundle;
use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::findings;
use crate::judge::Whole;
use crate::speech;
use crate::work::{REPORT, Work};
use crate::{towers, vector_maps};

pub(crate) fn run(source: &Path, work: &Path, file: &Path, output: Output) -> Result<(), Failure> {
    let report = if source.is_dir() {
        of_bundle(source)?
    } else {
        let args = RecipeArgs {
            fresh: false,
            recipe: source.to_owned(),
            work: work.to_owned(),
        };
        read_work(&Work::open(&args, output)?)?
    };
    write(&report, file)?;
    if output.json {
        super::print_json(&serde_json::json!({ "report": file, "verdict": report.verdict() }))?;
    } else if !output.quiet {
        speech::say(format!("{}\nwritten to {}", report.verdict(), file.display()));
    }
    Ok(())
}

/// Renders the report to a file.
pub(crate) fn write(report: &RunReport, file: &Path) -> Result<(), Failure> {
    Ok(AtomicFile::write(file, report.to_html().as_bytes())?)
}

/// What the last evaluation of a recipe left.
pub(crate) fn read_work(work: &Work) -> Result<RunReport, Failure> {
    let path = work.report();
    // Numbers of models that were trained again since are gone.
    if !path.exists() || !work.metrics().exists() {
        return Err(Failure::with_help(
            anyhow::anyhow!("nothing was evaluated yet, or the models are newer than what was"),
            format!("catchment-train evaluate {}", work.recipe.path.display()),
        ));
    }
    read(&path)
}

fn of_bundle(folder: &Path) -> Result<RunReport, Failure> {
    let bundle = open_bundle(folder)?;
    match bundle.file(REPORT) {
        Ok(path) => read(&path),
        Err(error) => Err(Failure::with_help(
            error,
            "the bundle was published without an evaluation: run evaluate, then publish again",
        )),
    }
}

fn read(path: &Path) -> Result<RunReport, Failure> {
    let bytes = fs::read(path).map_err(catchment_schema::Error::io(path))?;
    let report = serde_json::from_slice(&bytes);
    report.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("{} is no report", path.display()));
        Failure::with_help(error, "evaluate again: another version wrote this file")
    })
}

/// Everything that the report of a run shows.
pub(crate) fn of_work(
    work: &Work,
    prepared: &Prepared,
    pipeline: &Pipeline,
    whole: &Whole,
) -> Result<RunReport, Failure> {
    let lists = whole.judgements.iter().map(|judgement| ListReport {
        list: judgement.list.clone(),
        report: judgement.report.clone(),
        compared: judgement.compared.clone(),
        notes: judgement.notes.clone(),
    });
    let summary = prepared.summary();
    let mut facts = DataFacts::new(&whole.had, &whole.popularity, &whole.truth);
    let mut fact = |name: &str, value: String| facts.numbers.push((name.to_owned(), value));
    if let Some(stage) = summary.stages.first() {
        fact("rows in the log", stage.rows.to_string());
    }
    fact("rows in the train part", summary.train.to_string());
    fact("rows in the validation part", summary.validation.to_string());
    fact("rows in the test part", summary.test.to_string());
    let days = [summary.first_time, summary.last_time].map(Time::millis);
    if let [Some(first), Some(last)] = days {
        fact("first day", DataFacts::day(first));
        fact("last day", DataFacts::day(last));
    }
    let mut found_in_all = summary.findings.clone();
    if let Some(found) = findings::kept(work, prepared)? {
        found_in_all.extend(
            found
                .into_iter()
                .filter(|found| !summary.findings.contains(found)),
        );
    }
    let recipe = &work.recipe;
    let text = fs::read_to_string(&recipe.path).map_err(catchment_schema::Error::io(&recipe.path))?;
    let versions = [
        ("catchment-train", env!("CARGO_PKG_VERSION").to_owned()),
        ("pipeline format", pipeline.spec().format.to_string()),
        ("bundle format", catchment_bundle::FORMAT_VERSION.to_string()),
        ("prepared data", summary.hash.clone()),
        ("seed", recipe.seed.to_string()),
    ];
    Ok(RunReport {
        name: recipe.name.clone(),
        headline: work.recipe.headline(),
        lists: lists.collect(),
        attribution: whole.attribution.clone(),
        vectors: vector_maps::of(pipeline, prepared)?,
        trainings: towers::trainings(work)?,
        facts,
        findings: found_in_all,
        recipe: text,
        versions: versions
            .map(|(name, version)| (name.to_owned(), version))
            .to_vec(),
    })
}
