//! `catchment-train train`.

use catchment_pipeline::Pipeline;
use catchment_prepare::{Prepared, Refit};
use catchment_schema::{Interactions, merge_by_time};

use crate::cli::{Output, RecipeArgs};
use crate::draft::Draft;
use crate::failure::Failure;
use crate::fit::Watch;
use crate::judge::{self, Judgement};
use crate::work::Work;
use crate::{fit, interrupt, rank, tables};

pub(crate) fn run(args: &RecipeArgs, only: &[String], resume: bool, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    if resume && !work.draft().exists() {
        return Err(Failure::with_help(
            anyhow::anyhow!(
                "no training of {} was left unfinished",
                work.recipe.path.display()
            ),
            work.train_again(),
        ));
    }
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
    let training = interrupt::Training::begin();
    let prepared = work.prepared()?;
    work.recipe.check_against(&prepared)?;
    let train = prepared.train()?;
    let validation = prepared.validation()?;
    let to_find = super::evaluate::held_out(work, &prepared, &validation, "validation");
    let mut on_validation = Vec::new();
    if !only.is_empty() {
        check_kept(work, &prepared, only)?;
    }
    if work.recipe.ranker.is_some() && to_find.is_empty() {
        let what = "the validation part is empty, and the ranker has nothing to learn from";
        return Err(Failure::with_help(anyhow::anyhow!(what), rank::NOT_ENOUGH));
    }
    let draft = Draft::begin(work, !only.is_empty())?;
    if !to_find.is_empty() {
        let parts = Parts {
            train: &train,
            to_rank: &to_find,
            to_judge: &to_find,
        };
        on_validation = select(work, &prepared, &draft, &parts, only, None)?;
        work.say(format!(
            "\non the validation part, fitted on train alone:\n{}",
            tables::judgements(&on_validation)
        ));
    }
    let known = match work.recipe.split.refit {
        Refit::TrainAndValidation => together(&train, &validation, &prepared),
        Refit::None => train,
    };
    let with_ranker = work.recipe.ranker.is_some();
    fit::write_frame(work, &prepared, &known, &draft.model, with_ranker)?;
    fit::channels(work, &prepared, &known, &draft, &draft.model, only, None)?;
    if with_ranker {
        let liked = work.negative_events(&prepared).taken_from_log(&known);
        rank::carry_over(&draft, &prepared, &liked)?;
    }
    work.stamp(&draft.model, &prepared)?;
    fit::stopped(work)?;
    draft.finish(work)?;
    if only.is_empty() {
        // Of settings that the recipe has no more.
        crate::folder::remove(&work.checkpoints())?;
    }
    drop(training);
    Ok(on_validation)
}

/// The channels that are kept have to be of this data, by the settings that the recipe has now.
fn check_kept(work: &Work, prepared: &Prepared, only: &[String]) -> Result<(), Failure> {
    let older = work.trained_on(prepared)?;
    if older.spec().negative != work.recipe.prepare.negative {
        return Err(Failure::usage(
            "--only keeps the other channels, but `data.negative` has changed since they were trained",
            format!("catchment-train train {}", work.recipe.path.display()),
        ));
    }
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

/// What models are chosen on, without what says no but for `train`.
pub(super) struct Parts<'a> {
    pub(super) train: &'a Interactions,
    /// Of the validation part what the ranker learns from.
    pub(super) to_rank: &'a Interactions,
    /// And what all lists are judged by.
    pub(super) to_judge: &'a Interactions,
}

/// Channels on train alone; then the ranker, on what they find.
pub(super) fn select(
    work: &Work,
    prepared: &Prepared,
    draft: &Draft,
    parts: &Parts<'_>,
    only: &[String],
    watch: Watch<'_>,
) -> Result<Vec<Judgement>, Failure> {
    let train = parts.train;
    let selection = &draft.selection;
    // Features first, which tell what they miss: channels take long.
    let ranker = work.recipe.ranker.as_ref();
    let ranker = ranker.map(|ranker| Ok::<_, Failure>((ranker, fit::features(work, prepared, train)?)));
    let ranker = ranker.transpose()?;
    fit::write_frame(work, prepared, train, selection, false)?;
    fit::channels(work, prepared, train, draft, selection, only, watch)?;
    if let Some((ranker, features)) = ranker {
        let unranked = Pipeline::open_folder(selection)?;
        let report = rank::train(work, prepared, draft, &unranked, features, ranker, parts.to_rank)?;
        // Stopped in the middle, it may look finished.
        fit::stopped(work)?;
        work.say(report);
        fit::write_frame(work, prepared, train, selection, true)?;
    }
    let pipeline = Pipeline::open_folder(selection)?;
    judge::all(work, prepared, &pipeline, parts.to_judge, "validation")
}

/// Train and validation as one log, each user's events in time order. Validation rows of users or items
/// beyond the vocabulary are left out (there are none where the vocabulary was made of both).
pub(crate) fn together(train: &Interactions, validation: &Interactions, prepared: &Prepared) -> Interactions {
    let inside = |row: &usize| {
        validation.users[*row].index() < prepared.users().len()
            && validation.events[*row].item.index() < prepared.items().len()
    };
    let rows = |part: &Interactions| 0..part.len();
    let train_rows: Vec<(bool, usize)> = rows(train).map(|row| (false, row)).collect();
    let added: Vec<(bool, usize)> = rows(validation).filter(inside).map(|row| (true, row)).collect();
    let part = |of_validation: bool| if of_validation { validation } else { train };
    let user = |row: &(bool, usize)| part(row.0).users[row.1];
    let mut merged = Vec::with_capacity(train_rows.len() + added.len());
    let (mut train_left, mut added_left) = (train_rows.as_slice(), added.as_slice());
    // Both are sorted by user.
    while let Some(next) = train_left
        .first()
        .into_iter()
        .chain(added_left.first())
        .map(user)
        .min()
    {
        let of_next = |rows: &[(bool, usize)]| rows.partition_point(|row| user(row) == next);
        let (ours, train_rest) = train_left.split_at(of_next(train_left));
        let (theirs, added_rest) = added_left.split_at(of_next(added_left));
        merged.extend(merge_by_time(ours, theirs, |row| part(row.0).events[row.1].time));
        (train_left, added_left) = (train_rest, added_rest);
    }
    Interactions {
        users: merged.iter().map(user).collect(),
        events: merged.iter().map(|row| part(row.0).events[row.1]).collect(),
        sessions: merged.iter().map(|row| part(row.0).sessions[row.1]).collect(),
    }
}
