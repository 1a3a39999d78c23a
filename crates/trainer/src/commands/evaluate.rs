//! `catchment-train evaluate`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use catchment_bundle::Bundle;
use catchment_evaluation::SegmentBy;
use catchment_prepare::Prepared;
use catchment_schema::{AtomicFile, Interactions};

use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::judge::{self, Judgement};
use crate::work::Work;
use crate::{tables, test_reads};

/// What the command line adds to the recipe.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Instead of the recipe's segments.
    pub(crate) segments: Vec<SegmentBy>,
    /// Another bundle, or a folder of them.
    pub(crate) compare: Option<PathBuf>,
}

pub(crate) fn run(
    args: &RecipeArgs,
    wishes: Wishes,
    file: Option<&Path>,
    output: Output,
) -> Result<(), Failure> {
    let mut work = Work::open(args, output)?;
    let show_segments = !wishes.segments.is_empty();
    if show_segments {
        work.recipe.evaluate.segments = wishes.segments;
    }
    let other = wishes.compare.as_deref().map(open_bundle).transpose()?;
    let measured = evaluate_against(&work, other.as_ref());
    let Measured { judgements, told } = measured.map_err(|failure| {
        let is_segment = |error: &catchment_evaluation::Error| {
            matches!(error, catchment_evaluation::Error::NoSuchSegment { .. })
        };
        // Those of the recipe are the recipe's mistake.
        if show_segments {
            failure.blame_command_line(is_segment)
        } else {
            failure
        }
    })?;
    work.say(told);
    if show_segments {
        let headline = work.recipe.headline();
        let headline = judgements.iter().find(|judgement| judgement.list == headline);
        work.say(headline.map(tables::segments).unwrap_or_default());
    }
    if let Some(file) = file {
        AtomicFile::write(file, &serde_json::to_vec_pretty(&judgements)?)?;
    }
    if output.json {
        super::print_json(&judgements)?;
    }
    Ok(())
}

/// A bundle, or the current one of a folder of bundles.
pub(super) fn open_bundle(path: &Path) -> Result<Bundle, Failure> {
    let is_bundle = path.join("manifest.json").is_file();
    Ok(if is_bundle {
        Bundle::open(path)?
    } else {
        Bundle::open_current(path)?
    })
}

/// What the test part gave.
pub(crate) struct Measured {
    pub(crate) judgements: Vec<Judgement>,
    /// For people: how often the test part was read, the table, and the verdict.
    pub(crate) told: String,
}

/// The stage itself: the final models on the test part. Says nothing yet.
pub(crate) fn evaluate(work: &Work) -> Result<Measured, Failure> {
    evaluate_against(work, None)
}

/// The rows of a held-out part that lists are to find: not those that say no.
pub(super) fn held_out<'a>(
    work: &Work,
    prepared: &Prepared,
    rows: &'a Interactions,
    part: &str,
) -> Cow<'a, Interactions> {
    let liked = work.negative_events(prepared).taken_from_log(rows);
    let said_no = rows.len() - liked.len();
    if said_no > 0 {
        work.note(format!(
            "{said_no} of {} rows of the {part} part say no; nobody is to find their items",
            rows.len()
        ));
    }
    liked
}

fn evaluate_against(work: &Work, other: Option<&Bundle>) -> Result<Measured, Failure> {
    let prepared = work.prepared()?;
    let pipeline = work.trained(&prepared)?;
    let test = prepared.test()?;
    let truth = held_out(work, &prepared, &test, "test");
    let whole = judge::whole(work, &prepared, &pipeline, &truth, "test", other)?;
    let report = super::report::of_work(work, &prepared, &pipeline, &whole)?;
    let heading = test_reads::heading(test_reads::count(work, &prepared)?);
    let mut told = format!(
        "\n{heading}\n{}\n{}\n{}",
        tables::judgements(&whole.judgements),
        report.verdict(),
        tables::WORDS
    );
    if other.is_some() {
        told.push('\n');
        told += &tables::comparisons(&whole.judgements);
    }
    AtomicFile::write(work.report(), &serde_json::to_vec(&report)?)?;
    AtomicFile::write(work.metrics(), &serde_json::to_vec_pretty(&whole.judgements)?)?;
    Ok(Measured {
        judgements: whole.judgements,
        told,
    })
}
