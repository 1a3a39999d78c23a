//! Trains the ranker on what the channels find for rows that they were not fitted on.

use catchment_evaluation::GroundTruth;
use catchment_features::{ChannelHit, FittedFeatures};
use catchment_pipeline::{Pipeline, RankerModel, Request, RequestFeatures, Scratch, UserState};
use catchment_prepare::Prepared;
use catchment_ranking::{LrRanker, TrainingSet};
use catchment_recall::Candidate;
use catchment_schema::{Histories, Interactions, Time, UserIdx};
use rayon::prelude::*;

use crate::failure::Failure;
use crate::progress::Bar;
use crate::work::Work;

/// Requests that a ranker learns from; more are thinned evenly.
const MAX_REQUESTS: usize = 20_000;

/// One user's candidates with what became of them.
struct Example {
    user: UserIdx,
    now: Time,
    candidates: Vec<Candidate>,
    labels: Vec<f32>,
}

/// What the merge finds for each user with validation rows, in user order.
fn examples(
    pipeline: &Pipeline,
    prepared: &Prepared,
    validation: &Interactions,
) -> Result<Vec<Example>, Failure> {
    let catalogue = pipeline.catalogue();
    let n_users = prepared.users().len();
    let truth = GroundTruth::new(validation, n_users, prepared.items().len());
    let later: Histories = validation.histories(n_users);
    let known = truth.users().iter().filter(|user| user.index() < n_users).count();
    let step = known.div_ceil(MAX_REQUESTS).max(1);
    (0..known)
        .into_par_iter()
        .step_by(step)
        .map_init(Scratch::default, |scratch, position| {
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
            let state = UserState {
                user: Some(user),
                history: catalogue.history(user),
            };
            let candidates = pipeline.candidates(&Request::new(0, now), &state, scratch)?;
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

/// Fits the scores that channels give, then the ranker; writes both. Returns a line about it.
pub(crate) fn train(
    work: &Work,
    prepared: &Prepared,
    unranked: &Pipeline,
    mut features: FittedFeatures,
    model: &RankerModel,
    validation: &Interactions,
) -> Result<String, Failure> {
    let examples = examples(unranked, prepared, validation)?;
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
    let (selection, final_model) = (work.selection(), work.model());
    features.save(&selection.features())?;
    features.save(&final_model.features())?;
    let catalogue = unranked.catalogue();
    let featurizer = catchment_pipeline::Featurizer::open(&selection, catalogue)?;
    let mut set = TrainingSet::default();
    let mut rows = RequestFeatures::default();
    for example in &examples {
        let state = UserState {
            user: Some(example.user),
            history: catalogue.history(example.user),
        };
        featurizer.request(catalogue, &state, example.now, &mut rows)?;
        featurizer.candidates(&example.candidates, &mut rows)?;
        let items: Vec<_> = example
            .candidates
            .iter()
            .map(|candidate| candidate.item)
            .collect();
        set.push(
            rows.user.row(0),
            rows.context.row(0),
            featurizer.items(),
            &items,
            &rows.candidates,
            &example.labels,
        )?;
    }
    let fingerprint = features.fingerprint().to_string();
    let RankerModel::Lr { model } = model;
    let mut bar = Bar::new("ranker lr", work.output.quiet);
    let (ranker, report) = LrRanker::fit(&set, model, work.recipe.seed, &fingerprint, &mut bar)?;
    drop(bar);
    ranker.save(&selection.ranker())?;
    ranker.save(&final_model.ranker())?;
    Ok(format!("ranker: {report}"))
}
