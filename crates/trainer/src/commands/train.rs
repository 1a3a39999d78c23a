//! `catchment-train train`.

use catchment_pipeline::Pipeline;
use catchment_prepare::{Prepared, Refit};
use catchment_schema::Interactions;

use crate::cli::{Output, RecipeArgs};
use crate::draft::Draft;
use crate::failure::Failure;
use crate::judge::{self, Judgement};
use crate::work::Work;
use crate::{fit, rank, tables};

pub(crate) fn run(args: &RecipeArgs, only: &[String], output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    for name in only {
        if !work.recipe.channels.iter().any(|channel| channel.name == *name) {
            let names: Vec<&str> = work
                .recipe
                .channels
                .iter()
                .map(|channel| channel.name.as_str())
                .collect();
            return Err(Failure::usage(
                format!("the recipe has no channel `{name}`"),
                format!("its channels: {}", names.join(", ")),
            ));
        }
    }
    if !only.is_empty() {
        let mut others = work
            .recipe
            .channels
            .iter()
            .filter(|channel| !only.contains(&channel.name));
        let model = work.model();
        // Checked again, with their settings, once the data is at hand.
        if let Some(other) = others.find(|other| !model.channel(&other.name).exists()) {
            return Err(Failure::usage(
                format!(
                    "--only keeps the other channels, but `{}` was never trained",
                    other.name
                ),
                format!("catchment-train train {}", work.recipe.path.display()),
            ));
        }
    }
    let on_validation = train(&work, only)?;
    if output.json {
        super::print_json(&on_validation)?;
    }
    Ok(())
}

/// The stage itself: first on train alone, which is measured on the validation part and feeds the ranker;
/// then on everything before the test part. Returns what the first gave on the validation part.
pub(crate) fn train(work: &Work, only: &[String]) -> Result<Vec<Judgement>, Failure> {
    let prepared = work.prepared()?;
    let train = prepared.train()?;
    let validation = prepared.validation()?;
    let mut on_validation = Vec::new();
    if !only.is_empty() {
        check_kept(work, &prepared, only)?;
    }
    if work.recipe.ranker.is_some() && validation.is_empty() {
        let what = "the validation part is empty, and the ranker has nothing to learn from";
        return Err(Failure::with_help(anyhow::anyhow!(what), rank::NOT_ENOUGH));
    }
    let draft = Draft::begin(work, !only.is_empty())?;
    if !validation.is_empty() {
        on_validation = select(work, &prepared, &draft, &train, &validation, only)?;
    }
    let known = match work.recipe.split.refit {
        Refit::TrainAndValidation => together(&train, &validation, &prepared),
        Refit::None => train,
    };
    let with_ranker = work.recipe.ranker.is_some();
    fit::write_frame(work, &prepared, &known, &draft.model, with_ranker)?;
    fit::channels(work, &prepared, &known, &draft.model, only)?;
    Work::stamp(&draft.model, &prepared)?;
    draft.finish(work)?;
    Ok(on_validation)
}

/// The channels that are kept have to be of this data, by the settings that the recipe has now.
fn check_kept(work: &Work, prepared: &Prepared, only: &[String]) -> Result<(), Failure> {
    let older = work.trained_on(prepared)?;
    for channel in work
        .recipe
        .channels
        .iter()
        .filter(|channel| !only.contains(&channel.name))
    {
        if !older.spec().channels.contains(channel) {
            return Err(Failure::usage(
                format!(
                    "--only keeps channel `{}`, but its settings have changed since it was trained",
                    channel.name
                ),
                format!(
                    "name it in --only, too, or train all: catchment-train train {}",
                    work.recipe.path.display()
                ),
            ));
        }
    }
    Ok(())
}

/// Channels on train alone; then the ranker, on what they find for the validation part.
fn select(
    work: &Work,
    prepared: &Prepared,
    draft: &Draft,
    train: &Interactions,
    validation: &Interactions,
    only: &[String],
) -> Result<Vec<Judgement>, Failure> {
    let selection = &draft.selection;
    fit::write_frame(work, prepared, train, selection, false)?;
    fit::channels(work, prepared, train, selection, only)?;
    if let Some(ranker) = &work.recipe.ranker {
        let features = fit::features(work, prepared, train)?;
        let unranked = Pipeline::open_folder(selection)?;
        let report = rank::train(work, prepared, draft, &unranked, features, ranker, validation)?;
        work.say(report);
        fit::write_frame(work, prepared, train, selection, true)?;
    }
    let pipeline = Pipeline::open_folder(selection)?;
    let judgements = judge::all(work, prepared, &pipeline, validation, "validation")?;
    work.say(format!(
        "\non the validation part, fitted on train alone:\n{}",
        tables::judgements(&judgements)
    ));
    Ok(judgements)
}

/// Train and validation as one log, each user's events in time order. Validation rows of users or items
/// beyond the vocabulary are left out (there are none where the vocabulary was made of both).
fn together(train: &Interactions, validation: &Interactions, prepared: &Prepared) -> Interactions {
    let inside = |row: &usize| {
        validation.users[*row].index() < prepared.users().len()
            && validation.events[*row].item.index() < prepared.items().len()
    };
    let mut rows: Vec<(bool, usize)> = (0..train.len()).map(|row| (false, row)).collect();
    rows.extend((0..validation.len()).filter(inside).map(|row| (true, row)));
    let part = |&(of_validation, _): &(bool, usize)| if of_validation { validation } else { train };
    // Stable: where times are unknown or equal, train rows stay before validation rows.
    rows.sort_by_key(|row| (part(row).users[row.1], part(row).events[row.1].time));
    Interactions {
        users: rows.iter().map(|row| part(row).users[row.1]).collect(),
        events: rows.iter().map(|row| part(row).events[row.1]).collect(),
        sessions: rows.iter().map(|row| part(row).sessions[row.1]).collect(),
    }
}
