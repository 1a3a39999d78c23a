//! Trains the ranker on what the channels find for rows that they were not fitted on.

use catchment_evaluation::GroundTruth;

use catchment_features::{ChannelHit, ColumnKind, FeatureConfig, FeatureSpec, FittedFeatures, Side};
use catchment_pipeline::{
    Catalogue, NegativeEvents, Pipeline, RankerModel, Request, RequestFeatures, Scratch, UserState,
};
use catchment_prepare::Prepared;
use catchment_ranking::{ColumnShape, Layout, LrRanker, Shapes, TrainingRequest, TrainingSet};
use catchment_recall::Candidate;
use catchment_schema::{Histories, History, Interactions, Time, UserIdx};
use rayon::prelude::*;

use crate::draft::Draft;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::work::Work;

/// Requests that a ranker learns from; more are thinned evenly.
const MAX_REQUESTS: usize = 20_000;

/// What to do where the ranker has too little to learn from.
pub(crate) const NOT_ENOUGH: &str = "a ranker needs validation rows that the channels find: take a larger validation part, \
                          larger k, or leave [ranker] out";

/// Every request is asked a second time as if nobody knew who asks. Whoever has a validation row has a history, too:
/// without these a ranker would meet its first stranger when it is served, and know nothing of them. Only where a feature
/// crosses the user with the item, as no other weight of a linear ranker can be for strangers alone. Their rows weigh
/// little: what they share with the others' rows is to be learned from the others.
const STRANGER_WEIGHT: f32 = 0.2;

/// One user's candidates with what became of them.
struct Example {
    /// `None` for a stranger.
    user: Option<UserIdx>,
    now: Time,
    candidates: Vec<Candidate>,
    labels: Vec<f32>,
}

/// What the merge finds for each user with validation rows, in user order.
fn examples(
    pipeline: &Pipeline,
    prepared: &Prepared,
    validation: &Interactions,
    with_strangers: bool,
) -> Result<Vec<Example>, Failure> {
    let catalogue = pipeline.catalogue();
    let n_users = prepared.users().len();
    let truth = GroundTruth::new(validation, n_users, prepared.items().len());
    let later: Histories = validation.histories(n_users);
    let known = truth.users().iter().filter(|user| user.index() < n_users).count();
    let step = known.div_ceil(MAX_REQUESTS).max(1);
    let asked: Vec<(usize, bool)> = (0..known)
        .step_by(step)
        .flat_map(|position| {
            let as_stranger = with_strangers.then_some((position, true));
            std::iter::once((position, false)).chain(as_stranger)
        })
        .collect();
    asked
        .into_par_iter()
        .map_init(Scratch::default, |scratch, (position, is_stranger)| {
            let user = truth.users()[position];
            // The moment at which the user came back: what was known then is what the features may see.
            let first = later
                .of(user)
                .events()
                .first()
                .map_or(Time::UNKNOWN, |event| event.time);
            let now = if first == Time::UNKNOWN {
                catalogue.now()
            } else {
                first
            };
            let had = catalogue.history(user);
            let user = (!is_stranger).then_some(user);
            let state = UserState {
                user,
                history: history(catalogue, user),
            };
            let mut candidates = pipeline.candidates(&Request::new(0, now), &state, scratch)?;
            if is_stranger {
                spare_taken(&mut candidates, had, catalogue.negative_events());
            }
            let relevant = truth.relevant(position);
            let label =
                |candidate: &Candidate| f32::from(u8::from(relevant.binary_search(&candidate.item).is_ok()));
            let labels = candidates.iter().map(label).collect();
            Ok(Example {
                user,
                now,
                candidates,
                labels,
            })
        })
        .collect()
}

/// What the user took before is no miss: most had the most popular items, and these would look worst. What they said no to
/// is one.
fn spare_taken(candidates: &mut Vec<Candidate>, had: History<'_>, negative: &NegativeEvents) {
    let taken = negative.taken_from(had);
    candidates.retain(|candidate| taken.iter().all(|event| event.item != candidate.item));
}

/// Whether what a candidate's features mean depends on who asks.
fn crosses_users(features: &FeatureSpec) -> bool {
    features.candidate.iter().any(|feature| match feature {
        FeatureConfig::Cross(cross) => cross.features.iter().any(|name| name.starts_with("user.")),
        _ => false,
    })
}

/// Strangers have none.
fn history(catalogue: &Catalogue, user: Option<UserIdx>) -> History<'_> {
    user.map_or(History::EMPTY, |user| catalogue.history(user))
}

/// Fits the scores that channels give, then the ranker; writes both. Returns a line about it.
pub(crate) fn train(
    work: &Work,
    prepared: &Prepared,
    draft: &Draft,
    unranked: &Pipeline,
    mut features: FittedFeatures,
    model: &RankerModel,
    validation: &Interactions,
) -> Result<String, Failure> {
    let with_strangers = crosses_users(&work.recipe.features);
    let examples = examples(unranked, prepared, validation, with_strangers)?;
    let hits = examples
        .iter()
        .flat_map(|example| &example.candidates)
        .flat_map(|candidate| {
            candidate.sources.iter().map(|source| ChannelHit {
                channel: source.channel,
                rank: source.rank,
                score: source.score.get(),
            })
        });
    features.fit_channel_scores(hits)?;
    let selection = &draft.selection;
    let catalogue = unranked.catalogue();
    let features = catchment_pipeline::with_spaces(features, selection, catalogue)?;
    features.save(&selection.features())?;
    let featurizer = catchment_pipeline::Featurizer::open(selection, catalogue)?;
    let fingerprint = features.fingerprint().to_string();
    let mut set = TrainingSet::new(layout(&features)?, featurizer.items(), &fingerprint);
    let mut rows = RequestFeatures::default();
    let most = examples.iter().map(|example| example.candidates.len()).max();
    let light = vec![STRANGER_WEIGHT; most.unwrap_or(0)];
    for example in &examples {
        let state = UserState {
            user: example.user,
            history: history(catalogue, example.user),
        };
        featurizer.request(catalogue, &state, example.now, &mut rows)?;
        featurizer.candidates(&example.candidates, &mut rows)?;
        let items: Vec<_> = example
            .candidates
            .iter()
            .map(|candidate| candidate.item)
            .collect();
        set.push(&TrainingRequest {
            user: rows.user.row(0),
            context: rows.context.row(0),
            candidates: &items,
            candidate_features: &rows.candidates,
            labels: &example.labels,
            weights: example.user.is_none().then_some(&light[..items.len()]),
        })?;
    }
    let RankerModel::Lr { model } = model;
    let mut bar = Bar::new("ranker lr", work.output.is_silent());
    let (ranker, report) = LrRanker::fit(&set, model, work.recipe.seed, &mut bar)
        .map_err(|error| Failure::with_help(error, NOT_ENOUGH))?;
    drop(bar);
    ranker.save(selection.ranker())?;
    let judged = &report.calibrated;
    Ok(format!(
        "ranker lr: {} rows of {} requests, {} positive; on requests kept apart AUC {:.4}, logloss {:.4}, \
         calibration error {:.4}; {} of {} weights not zero, pass {} of {} kept",
        set.n_rows(),
        set.n_requests(),
        report.train.positives + report.validation.positives + report.test.positives,
        judged.auc,
        judged.logloss,
        judged.ece,
        report.nonzero_weights,
        report.n_weights,
        report.best_epoch,
        report.epochs.len(),
    ))
}

/// Puts the ranker beside the final models, with its features counted in the log that those were fitted on, and looking
/// into their vectors. All else of the features stays as the ranker learned it: a vocabulary or a scale fitted anew would
/// give its weights another meaning, but an item's count is a fact of the log, as the channels' scores are, and a cosine
/// means the same in any space.
/// `known` is without what says no.
pub(crate) fn carry_over(draft: &Draft, prepared: &Prepared, known: &Interactions) -> Result<(), Failure> {
    let (selection, final_model) = (&draft.selection, &draft.model);
    let trained = FittedFeatures::open(&selection.features())?;
    let features = trained.recount(&known.histories(prepared.users().len()));
    let features = if features.spaces().is_empty() {
        features
    } else {
        catchment_pipeline::with_spaces(features, final_model, &Catalogue::open(final_model)?)?
    };
    features.save(&final_model.features())?;
    let ranker = LrRanker::open(selection.ranker())?;
    let fingerprint = features.fingerprint().to_string();
    Ok(ranker
        .for_recounted_features(fingerprint)
        .save(final_model.ranker())?)
}

/// Where the weights of each side's features lie.
fn layout(features: &FittedFeatures) -> Result<Layout, Failure> {
    let shapes = |side| {
        let columns = features.shape(side);
        columns
            .iter()
            .map(|column| match column.kind {
                ColumnKind::Dense { width } => ColumnShape::Dense { width },
                ColumnKind::Bag { cardinality } => ColumnShape::Bag { cardinality },
            })
            .collect()
    };
    Ok(Layout::new(Shapes {
        user: shapes(Side::User),
        context: shapes(Side::Context),
        item: shapes(Side::Item),
        candidate: shapes(Side::Candidate),
    })?)
}

#[cfg(test)]
mod tests {
    use catchment_recall::Sources;
    use catchment_schema::{Event, EventKind, ItemIdx, Score};

    use super::*;

    #[test]
    fn what_a_stranger_took_is_no_miss_and_what_they_said_no_to_is_one() {
        let negative = NegativeEvents::new(&["reject".to_owned()], &["view", "reject"]);
        let event = |item, kind| Event {
            kind: EventKind(kind),
            ..Event::new(ItemIdx(item), Time::UNKNOWN)
        };
        // Item 2 was viewed before it was rejected.
        let had = [event(0, 0), event(1, 1), event(2, 0), event(2, 1)];
        let candidate = |item| Candidate {
            item: ItemIdx(item),
            score: Score::ZERO,
            sources: Sources::new(),
        };
        let mut candidates: Vec<Candidate> = (0..4).map(candidate).collect();
        spare_taken(&mut candidates, History::new(&had), &negative);
        let left: Vec<u32> = candidates.iter().map(|candidate| candidate.item.0).collect();
        assert_eq!(left, [1, 3]);
    }
}
