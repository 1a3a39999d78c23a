//! Fits the channels, one arm a kind, into a folder laid out as a bundle.

use std::cell::LazyCell;
use std::fs;
use std::ops::Deref;
use std::path::Path;

use catchment_features::{FitTables, FittedFeatures};
use catchment_models::factorization::ials;
use catchment_models::neighbours::item_cf::{self, ItemCf};
use catchment_models::neighbours::swing::Swing;
use catchment_models::newest::Newest;
use catchment_models::popularity::Popularity;
use catchment_models::progress::Flow;
use catchment_models::sgns;
use catchment_pipeline::{ChannelModel, ChannelSpec, Layout, POPULARITY_FILE};
use catchment_prepare::Prepared;
use catchment_sampling::{FileSessions, GroupedUnigram, SessionRules};
use catchment_schema::{EventKind, Histories, Interactions, Metadata, Time};

use crate::draft::{self, Draft};
use crate::failure::Failure;
use crate::fitted::Mark;
use crate::progress::Bar;
use crate::work::Work;
use crate::{airbnb, folder, interrupt, towers, vector_neighbours};

/// Writes everything of a bundle but the channels' models and the ranker: vocabularies, attributes, histories,
/// and the description of the pipeline. The ranker is named only where `with_ranker`.
pub(crate) fn write_frame(
    work: &Work,
    prepared: &Prepared,
    known: &Interactions,
    layout: &Layout,
    with_ranker: bool,
) -> Result<(), Failure> {
    prepared
        .users()
        .write(layout.user_vocabulary(), &Metadata::new())?;
    prepared
        .items()
        .write(layout.item_vocabulary(), &Metadata::new())?;
    let words = prepared.event_words();
    // Event words keep their order: an event's kind is the position of its word.
    let count = |position: usize| (words.len() - position) as u64;
    let words = words
        .iter()
        .enumerate()
        .map(|(position, word)| (word, count(position)));
    catchment_schema::Vocabulary::from_counts(words).write(layout.event_vocabulary(), &Metadata::new())?;
    prepared.item_attributes().write(layout.item_attributes())?;
    prepared.user_attributes().write(layout.user_attributes())?;
    known.write(layout.histories(), &Metadata::new())?;
    work.spec(with_ranker).write(&layout.spec())?;
    Ok(())
}

/// Looks at a channel that is being trained, which lies in its folder as it is, after so large a share of its passes; and says
/// whether it goes on.
pub(crate) type Watch<'a> = Option<&'a dyn Fn(f64) -> anyhow::Result<Flow>>;

/// What a fit that takes long leaves, and who looks at it.
pub(crate) struct Course<'a> {
    /// Where it leaves what it has done.
    pub(crate) checkpoint: &'a Path,
    pub(crate) watch: Watch<'a>,
}

/// Fits the channels named by `only` (all, where empty) on `known`, but for those that were fitted before on the same
/// data, by the same settings: they are taken over.
pub(crate) fn channels(
    work: &Work,
    prepared: &Prepared,
    known: &Interactions,
    draft: &Draft,
    layout: &Layout,
    only: &[String],
    watch: Watch<'_>,
) -> Result<(), Failure> {
    // Made where a model wants it: there are models that read the file.
    let negative = work.negative_events(prepared);
    let histories = LazyCell::new(|| negative.taken_from_log(known).histories(prepared.users().len()));
    let end = known
        .events
        .iter()
        .map(|event| event.time)
        .max()
        .unwrap_or(Time::UNKNOWN);
    for channel in work
        .recipe
        .channels
        .iter()
        .filter(|channel| only.is_empty() || only.contains(&channel.name))
    {
        let folder = layout.channel(&channel.name);
        let mark = Mark::new(work, prepared, &draft::part(layout), channel);
        if !work.fresh && mark.take(&draft.earlier(layout, &channel.name), &folder)? {
            work.note(format!("channel `{}` is fitted already", channel.name));
            stopped(work)?;
            continue;
        }
        // A channel that is fitted again leaves nothing of the older one.
        folder::remove(&folder)?;
        let mut bar = Bar::new(&channel.name, work.output.is_silent());
        let log = Log {
            prepared,
            known,
            histories: &histories,
            end,
        };
        let checkpoint = format!("{}-{}-{}", draft::part(layout), channel.name, mark.training());
        let checkpoint = work.checkpoints().join(checkpoint);
        if work.fresh {
            folder::remove_file(&checkpoint)?;
        }
        let course = Course {
            checkpoint: &checkpoint,
            watch,
        };
        if let Err(error) = fit_one(work, &log, channel, layout, &course, &mut bar) {
            if matches!(error.downcast_ref(), Some(catchment_models::Error::Stopped)) {
                stopped(work)?;
            }
            return Err(error.context(format!("channel `{}`", channel.name)).into());
        }
        // Stopped in the middle, it may look finished.
        stopped(work)?;
        mark.put(&folder)?;
        folder::remove_file(&checkpoint)?;
    }
    Ok(())
}

/// Fails where somebody asked the training to stop: what was made meanwhile may be half made.
pub(crate) fn stopped(work: &Work) -> Result<(), Failure> {
    if !interrupt::asked() {
        return Ok(());
    }
    Err(Failure::with_help(
        anyhow::anyhow!("interrupted; the channels that were fitted are kept"),
        format!(
            "go on by: {} --resume, then catchment-train evaluate {place} and catchment-train publish {place}; or all of \
             it by: catchment-train run {place}",
            work.train_again(),
            place = work.recipe_and_place()
        ),
    ))
}

/// From so many bytes on, it is said before a fit what it takes; less is there on any machine.
const WORTH_A_WORD: usize = 100_000_000;

/// What channels are fitted on.
struct Log<'a> {
    prepared: &'a Prepared,
    known: &'a Interactions,
    /// Without what says no.
    histories: &'a dyn Deref<Target = Histories>,
    /// The last moment in it.
    end: Time,
}

/// What fitting takes at most beside the data, in bytes, where the model can say so before.
fn memory(model: &ChannelModel, log: &Log<'_>) -> Option<usize> {
    let (n_users, n_items) = (log.prepared.users().len(), log.prepared.items().len());
    let n_pairs = log.known.len();
    match model {
        ChannelModel::ItemCf { model, .. } => Some(item_cf::memory_bytes(n_users, n_items, n_pairs, model)),
        ChannelModel::Ials { model, .. } => Some(ials::memory_bytes(n_users, n_items, n_pairs, model)),
        ChannelModel::Item2vec { model, .. } => Some(sgns::memory_bytes(n_items, model)),
        ChannelModel::Airbnb { model, objective, .. } => {
            // Every item may be a market of its own.
            let has_markets = objective.market.is_some() && objective.market_negatives > 0;
            let markets = if has_markets {
                GroupedUnigram::bytes(n_items, n_items)
            } else {
                0
            };
            Some(sgns::memory_bytes(n_items, model) + markets)
        }
        ChannelModel::YoutubeDnn { .. }
        | ChannelModel::Dssm { .. }
        | ChannelModel::TwoTower { .. }
        | ChannelModel::Popular { .. }
        | ChannelModel::Newest { .. }
        | ChannelModel::Swing { .. } => None,
    }
}

/// What fitting takes beside the data, where that is worth a word.
pub(crate) fn tell_memory(work: &Work, channel: &str, bytes: usize) {
    if bytes >= WORTH_A_WORD {
        work.note(format!(
            "channel `{channel}`: fitting takes at most about {} MB beside the data",
            bytes.div_ceil(1_000_000)
        ));
    }
}

fn fit_one(
    work: &Work,
    log: &Log<'_>,
    channel: &ChannelSpec,
    layout: &Layout,
    course: &Course<'_>,
    bar: &mut Bar,
) -> anyhow::Result<()> {
    let (prepared, histories, checkpoint) = (log.prepared, log.histories, course.checkpoint);
    let folder = layout.channel(&channel.name);
    fs::create_dir_all(&folder).map_err(catchment_schema::Error::io(&folder))?;
    let items = prepared.items();
    if let Some(bytes) = memory(&channel.model, log) {
        tell_memory(work, &channel.name, bytes);
    }
    match &channel.model {
        ChannelModel::Popular { model, .. } => {
            let popularity = Popularity::fit(histories, items.len(), log.end, model)?;
            popularity.save(folder.join(POPULARITY_FILE), items)?;
        }
        ChannelModel::Newest { model, .. } => {
            let attributes = prepared.item_attributes();
            let published: Vec<Time> = (0..items.len())
                .map(|row| attributes.time("published_at", row))
                .collect();
            Newest::fit(histories, &published, model)?.save(layout.newest_times(&channel.name), items)?;
        }
        ChannelModel::ItemCf { model, .. } => {
            ItemCf::fit(histories, items.len(), model, bar)?.save(&folder, items)?;
        }
        ChannelModel::Swing { model, .. } => {
            let swing = Swing::fit(histories, items.len(), model, work.recipe.seed, bar)?;
            swing.save(&folder, items)?;
            let sampled = swing.report.sampled_items;
            if sampled > 0 {
                work.note(format!(
                    "channel `{}`: {sampled} of {} items have more than max_users = {} users (up to {}); a sample of \
                     theirs was taken",
                    channel.name,
                    items.len(),
                    model.max_users,
                    swing.report.most_users
                ));
            }
        }
        ChannelModel::Ials { model, .. } => {
            let fitted = ials::fit(histories, items.len(), model, work.recipe.seed, bar)?;
            ials::export::write_encoder(&fitted, items, &work.recipe.name, &folder)?;
        }
        ChannelModel::Item2vec {
            sessions,
            model,
            query,
            cold,
            ..
        } => {
            let mut rules = sessions.rules(prepared.event_words(), prepared.summary().names_sessions)?;
            leave_out_negative(work, prepared, &mut rules);
            // The log as it lies beside the models, read anew for every epoch: no session is held.
            let sessions = FileSessions::open(layout.histories(), &rules)?;
            if checkpoint.exists() {
                work.note(format!("channel `{}` goes on where it was stopped", channel.name));
            }
            let seed = work.recipe.seed;
            let mut fitted = sgns::fit_or_resume(&sessions, items.len(), model, seed, checkpoint, bar)?;
            if !cold.is_empty() {
                let report = fitted.place_cold(prepared.item_attributes(), cold)?;
                work.note(format!(
                    "channel `{}`: {} of {} items that are in no session were placed by their content",
                    channel.name, report.placed, report.cold
                ));
            }
            fitted.save(&folder, items, channel.model.kind(), &work.recipe.name)?;
            vector_neighbours::write(&fitted, *query, &layout.neighbours(&channel.name), items, channel)?;
            work.note(format!(
                "channel `{}`: {} sessions, {:.1} million pairs, loss {:.4} → {:.4}",
                channel.name,
                sessions.len(),
                fitted.report.pairs as f64 / 1e6,
                fitted.report.losses.first().copied().unwrap_or(0.0),
                fitted.report.losses.last().copied().unwrap_or(0.0),
            ));
        }
        ChannelModel::Airbnb { .. } => {
            airbnb::fit(work, prepared, log.known, channel, layout, checkpoint, bar)?;
        }
        ChannelModel::YoutubeDnn { .. } | ChannelModel::Dssm { .. } | ChannelModel::TwoTower { .. } => {
            towers::fit(work, prepared, histories, channel, layout, course, bar)?;
        }
    }
    Ok(())
}

/// Sessions that name no events are of all but those that say no.
pub(crate) fn leave_out_negative(work: &Work, prepared: &Prepared, rules: &mut SessionRules) {
    let negative = work.negative_events(prepared);
    if rules.kinds.is_empty() && !negative.is_empty() {
        let kinds = (0..).map(EventKind).take(prepared.event_words().len());
        rules.kinds = kinds.filter(|&kind| !negative.contains(kind)).collect();
    }
}

/// Fits the features on what was known before the ranker's labels.
pub(crate) fn features(
    work: &Work,
    prepared: &Prepared,
    known: &Interactions,
) -> Result<FittedFeatures, Failure> {
    let names: Vec<String> = work
        .recipe
        .channels
        .iter()
        .map(|channel| channel.name.clone())
        .collect();
    let liked = work.negative_events(prepared).taken_from_log(known);
    let fitted = work.recipe.features.fit(&FitTables {
        users: prepared.users(),
        items: prepared.items(),
        user_attributes: prepared.user_attributes(),
        item_attributes: prepared.item_attributes(),
        histories: &liked.histories(prepared.users().len()),
        channels: &names,
    })?;
    Ok(fitted)
}
