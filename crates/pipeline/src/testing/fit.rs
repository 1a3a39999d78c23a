//! Trains the tiny bundle in the order in which a recipe is trained: the channels without each user's last event, the
//! ranker on what they find for it, then the channels once more on everything.

use catchment_ann_index::IndexConfig;
use catchment_features::{ChannelHit, FeatureSpec, FitTables, FittedFeatures, OfGoals, TypeRule, TypeRules};
use catchment_models::airbnb::types::{TypeSessions, TypesData};
use catchment_models::airbnb::{self, ObjectiveConfig, TypesConfig, types};
use catchment_models::factorization::ials::{self, IalsConfig, export};
use catchment_models::factorization::lr::FtrlConfig;
use catchment_models::neighbours::item_cf::{ItemCf, ItemCfConfig};
use catchment_models::popularity::{Popularity, PopularityConfig};
use catchment_models::progress::Silent;
use catchment_models::sgns::{SessionsConfig, SgnsModel, SgnsReport};
use catchment_ranking::{LrRanker, LrRankerConfig, TrainingRequest, TrainingSet};
use catchment_recall::{Candidate, ItemToItemConfig, ItemVectorsConfig, MergeConfig};
use catchment_schema::{Embeddings, Event, EventKind, Interactions, ItemIdx, Metadata, Time, UserIdx};

use super::TinyBundle;
use super::world::World;
use crate::{
    Catalogue, ChannelModel, ChannelSpec, Error, Featurizer, Layout, POPULARITY_FILE, Pipeline, PipelineSpec,
    RankerModel, Request, RequestFeatures, Scratch, UserState, with_spaces,
};

const RUN: &str = "tiny";

pub(super) fn all(world: &World, of: &TinyBundle, layout: &Layout) -> Result<(), Error> {
    let (earlier, last) = without_last(&world.log);
    frame(world, &earlier, &spec(of, false), layout)?;
    channels(world, &earlier, of.seed, layout)?;
    if of.with_spaces {
        // Once: the features know its vectors.
        stays(world, &earlier, of.seed, layout)?;
    }
    ranker(world, &earlier, &last, of, layout)?;
    frame(world, &world.log, &spec(of, true), layout)?;
    channels(world, &world.log, of.seed, layout)
}

/// The log without each user's last event, and those events.
fn without_last(log: &Interactions) -> (Interactions, Vec<(UserIdx, Event)>) {
    let is_last = |row: &usize| log.users.get(row + 1) != Some(&log.users[*row]);
    let (last, kept): (Vec<usize>, Vec<usize>) = (0..log.len()).partition(is_last);
    let earlier = Interactions {
        users: kept.iter().map(|&row| log.users[row]).collect(),
        events: kept.iter().map(|&row| log.events[row]).collect(),
        sessions: kept.iter().map(|&row| log.sessions[row]).collect(),
    };
    let last = last.into_iter().map(|row| (log.users[row], log.events[row]));
    (earlier, last.collect())
}

fn spec(of: &TinyBundle, with_ranker: bool) -> PipelineSpec {
    let channel = |name: &str, model: ChannelModel| ChannelSpec {
        name: name.to_owned(),
        k: 20,
        model,
    };
    let ranker = RankerModel::Lr { model: lr_config() };
    let mut spec = PipelineSpec {
        format: PipelineSpec::version(&[], None),
        channels: vec![
            channel(
                "popular",
                ChannelModel::Popular {
                    model: PopularityConfig::default(),
                    query: catchment_recall::PopularQueryConfig::default(),
                },
            ),
            channel(
                "item_cf",
                ChannelModel::ItemCf {
                    model: item_cf_config(),
                    query: ItemToItemConfig::default(),
                },
            ),
            channel(
                "ials",
                ChannelModel::Ials {
                    model: ials_config(),
                    index: IndexConfig::default(),
                },
            ),
        ],
        merge: MergeConfig::default(),
        ranker: with_ranker.then_some(ranker),
        exclude_seen: true,
        events: vec![],
        negative: vec![],
        positive: None,
    };
    if of.with_spaces {
        let model = ChannelModel::Airbnb {
            sessions: SessionsConfig::default(),
            objective: ObjectiveConfig {
                goal: Some(GOAL.to_owned()),
                ..ObjectiveConfig::default()
            },
            model: airbnb::default_model(),
            query: ItemVectorsConfig::default(),
            index: IndexConfig::default(),
            cold: None,
            types: Some(Box::new(types_config())),
        };
        spec.channels.push(channel("stays", model));
    }
    spec
}

/// What kinds of users and items are learned from.
const GOAL: &str = "purchase";

fn types_config() -> TypesConfig {
    let rule = TypeRule::default;
    TypesConfig {
        users: TypeRules(vec![TypeRule {
            goals: Some(OfGoals::Count),
            boundaries: vec![1.0],
            ..rule()
        }]),
        items: TypeRules(vec![TypeRule {
            column: Some("category".to_owned()),
            ..rule()
        }]),
        ..TypesConfig::default()
    }
}

fn item_cf_config() -> ItemCfConfig {
    ItemCfConfig {
        neighbours: 10,
        // Without centring only what shares users with the history comes, and nobody's history gives nothing.
        center: false,
        ..ItemCfConfig::default()
    }
}

fn ials_config() -> IalsConfig {
    IalsConfig {
        dim: 8,
        sweeps: 4,
        alpha0: 0.1,
        regularization: 0.05,
        ..IalsConfig::default()
    }
}

fn lr_config() -> LrRankerConfig {
    LrRankerConfig {
        ftrl: FtrlConfig::default(),
        validation_fraction: 0.25,
        test_fraction: 0.25,
        ..LrRankerConfig::default()
    }
}

fn feature_spec(of: &TinyBundle) -> Result<FeatureSpec, Error> {
    let channel = |name: &str| serde_json::json!({ "name": name, "kind": "channel", "channel": name });
    let mut spec = serde_json::json!({
        "user": [{ "name": "activity", "kind": "event_count" }],
        "item": [
            { "name": "category", "kind": "category", "column": "category" },
            { "name": "popularity", "kind": "item_count" },
        ],
        "context": [{ "name": "hour", "kind": "hour" }],
        "candidate": [
            channel("popular"),
            channel("item_cf"),
            channel("ials"),
            { "name": "affinity", "kind": "category_affinity", "column": "category" },
        ],
    });
    if of.with_spaces {
        spec = serde_json::json!({ "candidate": [
            { "name": "looked", "kind": "similarity", "channel": "stays", "events": ["view"], "market": "category" },
            { "name": "kind", "kind": "type_similarity", "channel": "stays" },
        ] });
    }
    serde_json::from_value(spec).map_err(|error| Error::Features(error.to_string()))
}

fn frame(world: &World, known: &Interactions, spec: &PipelineSpec, layout: &Layout) -> Result<(), Error> {
    let none = Metadata::new();
    world.users.write(layout.user_vocabulary(), &none)?;
    world.items.write(layout.item_vocabulary(), &none)?;
    world.words.write(layout.event_vocabulary(), &none)?;
    world.item_attributes.write(layout.item_attributes())?;
    world.user_attributes.write(layout.user_attributes())?;
    known.write(layout.histories(), &none)?;
    spec.write(&layout.spec())
}

fn channels(world: &World, known: &Interactions, seed: u64, layout: &Layout) -> Result<(), Error> {
    let histories = known.histories(world.users.len());
    let (items, n_items) = (&world.items, world.items.len());
    let failed = |channel: &'static str| {
        move |error: catchment_models::Error| Error::Channel {
            channel: channel.to_owned(),
            reason: error.to_string(),
        }
    };
    Popularity::fit(&histories, n_items, Time::UNKNOWN, &PopularityConfig::default())
        .and_then(|model| model.save(layout.channel("popular").join(POPULARITY_FILE), items))
        .map_err(failed("popular"))?;
    ItemCf::fit(&histories, n_items, &item_cf_config(), &mut Silent)
        .and_then(|model| model.save(layout.channel("item_cf"), items))
        .map_err(failed("item_cf"))?;
    ials::fit(&histories, n_items, &ials_config(), seed, &mut Silent)
        .and_then(|model| export::write_encoder(&model, items, RUN, layout.channel("ials")))
        .map_err(failed("ials"))
}

/// Vectors of items, which are those of `ials`, and of kinds of users and items.
fn stays(world: &World, known: &Interactions, seed: u64, layout: &Layout) -> Result<(), Error> {
    let failed = |error: catchment_models::Error| Error::Channel {
        channel: "stays".to_owned(),
        reason: error.to_string(),
    };
    let folder = layout.channel("stays");
    let table = Embeddings::read(layout.channel("ials").join(export::ITEMS_FILE))?;
    let vectors = SgnsModel {
        dim: table.dim,
        output: table.vectors.clone(),
        input: table.vectors,
        report: SgnsReport::default(),
    };
    vectors
        .save(&folder, &world.items, "airbnb", RUN)
        .map_err(failed)?;
    let goal = world.words.position(GOAL).unwrap_or_default();
    let data = TypesData {
        histories: &known.histories(world.users.len()),
        users: &world.user_attributes,
        items: &world.item_attributes,
        goal: EventKind(u16::try_from(goal).unwrap_or_default()),
        reject: None,
    };
    let config = types_config();
    let found = TypeSessions::new(&data, &config).map_err(failed)?;
    let kinds = types::fit(&found, &config, seed, &mut Silent).map_err(failed)?;
    kinds.save(&folder, "airbnb", RUN).map_err(failed)
}

/// A request that the ranker learns from: the merge's candidates for a user before the last event.
struct Example {
    user: UserIdx,
    last: Event,
    candidates: Vec<Candidate>,
}

fn ranker(
    world: &World,
    earlier: &Interactions,
    last: &[(UserIdx, Event)],
    of: &TinyBundle,
    layout: &Layout,
) -> Result<(), Error> {
    let pipeline = Pipeline::open_folder(layout)?;
    let mut scratch = Scratch::default();
    let mut examples = Vec::new();
    for &(user, event) in last {
        let request = Request::new(0, event.time);
        let candidates = pipeline.candidates(&request, &state(&pipeline, user), &mut scratch)?;
        examples.push(Example {
            user,
            last: event,
            candidates,
        });
    }
    let fitted = features(world, earlier, &examples, of, layout, pipeline.catalogue())?;
    let fingerprint = fitted.fingerprint().to_string();
    let catalogue = pipeline.catalogue();
    let featurizer = Featurizer::open(layout, catalogue)?;
    let mut rows = RequestFeatures::default();
    let mut set: Option<TrainingSet<'_>> = None;
    for example in &examples {
        featurizer.request(
            catalogue,
            &state(&pipeline, example.user),
            example.last.time,
            &mut rows,
        )?;
        featurizer.candidates(&example.candidates, &mut rows)?;
        let items: Vec<ItemIdx> = example
            .candidates
            .iter()
            .map(|candidate| candidate.item)
            .collect();
        let labels: Vec<f32> = items
            .iter()
            .map(|&item| f32::from(u8::from(item == example.last.item)))
            .collect();
        let set = match &mut set {
            Some(set) => set,
            none => {
                let sides = (&rows.user, &rows.context, featurizer.items(), &rows.candidates);
                let columns = catchment_ranking::Layout::of(sides.0, sides.1, sides.2, sides.3)?;
                none.insert(TrainingSet::new(
                    columns,
                    featurizer.items(),
                    fingerprint.as_str(),
                ))
            }
        };
        set.push(&TrainingRequest {
            user: rows.user.row(0),
            context: rows.context.row(0),
            candidates: &items,
            candidate_features: &rows.candidates,
            labels: &labels,
            weights: None,
        })?;
    }
    let set = set.ok_or_else(|| Error::Features("nobody has a last event".to_owned()))?;
    let (ranker, _) = LrRanker::fit(&set, &lr_config(), of.seed, &mut Silent)?;
    Ok(ranker.save(layout.ranker())?)
}

fn features(
    world: &World,
    earlier: &Interactions,
    examples: &[Example],
    of: &TinyBundle,
    layout: &Layout,
    catalogue: &Catalogue,
) -> Result<FittedFeatures, Error> {
    let failed = |error: catchment_features::Error| Error::Features(error.to_string());
    let names: Vec<String> = spec(of, true)
        .channels
        .into_iter()
        .map(|channel| channel.name)
        .collect();
    let tables = FitTables {
        users: &world.users,
        items: &world.items,
        user_attributes: &world.user_attributes,
        item_attributes: &world.item_attributes,
        histories: &earlier.histories(world.users.len()),
        channels: &names,
    };
    let mut fitted = feature_spec(of)?.fit(&tables).map_err(failed)?;
    let sources = examples
        .iter()
        .flat_map(|example| &example.candidates)
        .flat_map(|candidate| &candidate.sources);
    let hits = sources.map(|source| ChannelHit {
        channel: source.channel,
        rank: source.rank,
        score: source.score.get(),
    });
    fitted.fit_channel_scores(hits).map_err(failed)?;
    let fitted = with_spaces(fitted, layout, catalogue)?;
    fitted.save(&layout.features()).map_err(failed)?;
    Ok(fitted)
}

fn state(pipeline: &Pipeline, user: UserIdx) -> UserState<'_> {
    UserState {
        user: Some(user),
        history: pipeline.catalogue().history(user),
    }
}
