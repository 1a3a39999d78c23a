//! Channels' vectors as features look into them.

use std::collections::BTreeMap;

use catchment_features::{FittedFeatures, Space, SpaceTables, TypeOf, TypeSpace};
use catchment_models::airbnb::{TypeVectors, TypesConfig};
use catchment_models::factorization::ials::export;
use catchment_models::sgns::ItemVectors;
use catchment_models::towers;
use catchment_schema::Embeddings;

use crate::{Catalogue, ChannelModel, ChannelSpec, Error, Layout, PipelineSpec};

/// These features with the vectors of a layout's channels ([`FittedFeatures::with_spaces`]): for who trains a ranker, or
/// puts one beside channels that were fitted anew. Features that look into none come back as they are.
///
/// # Errors
/// [`Error::Spaces`] where a channel has no vectors, or a feature's words or columns are not those of the data;
/// [`Error::Channel`] when its files are damaged.
pub fn with_spaces(
    features: FittedFeatures,
    layout: &Layout,
    catalogue: &Catalogue,
) -> Result<FittedFeatures, Error> {
    if features.spaces().is_empty() {
        return Ok(features);
    }
    let spaces = open(&features, layout, catalogue)?;
    let words = words(catalogue);
    features
        .with_spaces(spaces, &tables(&words, catalogue))
        .map_err(|error| Error::Spaces(Box::new(error)))
}

/// Brings the vectors along that opened features were fitted with. What does not fit now did when they were written, so that
/// the files are to blame.
pub(crate) fn attach(
    features: &mut FittedFeatures,
    layout: &Layout,
    catalogue: &Catalogue,
) -> Result<(), Error> {
    if features.spaces().is_empty() {
        return Ok(());
    }
    let spaces = open(features, layout, catalogue)?;
    let words = words(catalogue);
    features
        .attach(spaces, &tables(&words, catalogue))
        .map_err(|error| Error::Part {
            part: "features",
            reason: error.to_string(),
        })
}

fn words(catalogue: &Catalogue) -> Vec<String> {
    let words = catalogue.events().ids().iter();
    words.map(ToString::to_string).collect()
}

fn tables<'a>(words: &'a [String], catalogue: &'a Catalogue) -> SpaceTables<'a> {
    SpaceTables {
        words,
        items: catalogue.item_attributes(),
    }
}

/// The spaces of those channels that features name and that have vectors.
fn open(features: &FittedFeatures, layout: &Layout, catalogue: &Catalogue) -> Result<Vec<Space>, Error> {
    let spec = PipelineSpec::read(&layout.spec())?;
    let named = spec
        .channels
        .iter()
        .filter(|channel| features.spaces().contains(&channel.name.as_str()));
    named
        .filter_map(|channel| space(channel, layout, catalogue).transpose())
        .collect()
}

fn space(channel: &ChannelSpec, layout: &Layout, catalogue: &Catalogue) -> Result<Option<Space>, Error> {
    let folder = layout.channel(&channel.name);
    let failed = |error: catchment_models::Error| Error::Channel {
        channel: channel.name.clone(),
        reason: error.to_string(),
    };
    let (vectors, types) = match &channel.model {
        ChannelModel::Item2vec { .. } => (ItemVectors::open(&folder, catalogue.items()), None),
        ChannelModel::Airbnb { types, objective, .. } => {
            let goal = objective.goal.as_deref();
            let types = types
                .as_deref()
                .zip(goal.and_then(|word| catalogue.event_kind(word)));
            let types = types.map(|(config, goal)| {
                let vectors = TypeVectors::open(&folder).map_err(failed)?;
                Ok::<_, Error>(type_space(&vectors, config, goal, catalogue))
            });
            (ItemVectors::open(&folder, catalogue.items()), types.transpose()?)
        }
        ChannelModel::Ials { .. } => {
            let table = Embeddings::read(folder.join(export::ITEMS_FILE))?;
            (ItemVectors::new(table.vectors, table.dim), None)
        }
        ChannelModel::YoutubeDnn { .. } | ChannelModel::Dssm { .. } | ChannelModel::TwoTower { .. } => {
            let table = Embeddings::read(folder.join(towers::file::ITEMS_FILE))?;
            (ItemVectors::new(table.vectors, table.dim), None)
        }
        ChannelModel::Popular { .. }
        | ChannelModel::Newest { .. }
        | ChannelModel::ItemCf { .. }
        | ChannelModel::Swing { .. } => return Ok(None),
    };
    let vectors = vectors.map_err(failed)?;
    Ok(Some(Space {
        channel: channel.name.clone(),
        dim: vectors.dim(),
        items: vectors.vectors().to_vec(),
        types,
    }))
}

fn type_space(
    vectors: &TypeVectors,
    config: &TypesConfig,
    goal: catchment_schema::EventKind,
    catalogue: &Catalogue,
) -> TypeSpace {
    let users = vectors.iter(TypeOf::User);
    let mut numbers = BTreeMap::new();
    let mut kinds = Vec::new();
    for (number, (name, vector)) in (0_u32..).zip(vectors.iter(TypeOf::Item)) {
        numbers.insert(name, number);
        kinds.extend_from_slice(vector);
    }
    let of_item = |row| {
        let name = config.items.of_row(catalogue.item_attributes(), row);
        numbers.get(name.as_str()).copied()
    };
    TypeSpace {
        dim: vectors.dim(),
        goal,
        rules: config.users.clone(),
        users: users
            .map(|(name, vector)| (name.to_owned(), vector.to_vec()))
            .collect(),
        kinds,
        of_item: (0..catalogue.items().len()).map(of_item).collect(),
    }
}
