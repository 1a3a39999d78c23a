//! What a recipe's tables are checked for before anything is read or trained.

use catchment_features::{FeatureConfig, Side};
use catchment_pipeline::ChannelModel;
use catchment_recall::ConfigError;
use catchment_schema::import::Source;

use super::Recipe;
use super::problem::{IN_RANGE, Problem, nearest};

/// A source of raw data, the value of `data.<key>`.
pub(super) fn source(source: &Source, key: &str) -> Result<(), Problem> {
    source.validate().map_err(|error| match error {
        catchment_schema::Error::BadSource {
            key: inner, reason, ..
        } => Problem::at_path(
            format!("data.{key}.{inner}"),
            format!("data.{key}: `{inner}` {reason}"),
        )
        .with_help("mend this key of the source"),
        other => Problem::at_path(format!("data.{key}"), other.to_string()),
    })
}

/// What no single table can check by itself, and the tables that a library checks.
pub(super) fn whole(recipe: &Recipe) -> Result<(), Problem> {
    names(recipe)?;
    goals(recipe)?;
    recipe.prepare.validate().map_err(prepare)?;
    recipe.split.validate().map_err(prepare)?;
    features(recipe)?;
    merge(recipe)?;
    recipe.evaluate.validate().map_err(|error| match error {
        catchment_evaluation::Error::Config { key, reason } => {
            Problem::at_path(format!("evaluate.{key}"), format!("evaluate.{key}: {reason}"))
                .with_help(format!("change `{key}` in [evaluate]"))
        }
        other => Problem::at_path("evaluate", other.to_string()),
    })?;
    if recipe.ranker.is_some() && recipe.split.validation.is_none() {
        let message = "[ranker] needs split.validation: it learns from what the channels find for rows that they \
                       were not fitted on";
        return Err(Problem::at_path("ranker", message)
            .with_help("add validation = { kind = \"leave-last\" } to [split], or take [ranker] out"));
    }
    recipe.tune.as_ref().map_or(Ok(()), |tune| tune.validate(recipe))
}

fn names(recipe: &Recipe) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if recipe.name.is_empty() || !recipe.name.chars().all(plain) {
        let name = &recipe.name;
        let message =
            format!("name {name:?} is also the name of a folder: letters, digits, `_` and `-` only");
        return Err(Problem::at_path("name", message).with_help("rename the recipe"));
    }
    if recipe.channels.is_empty() {
        return Err(
            Problem::at_path("channel", "a recipe needs at least one [[channel]]")
                .with_help("the shortest: [[channel]] with name = \"popular\", kind = \"popular\""),
        );
    }
    for (position, channel) in recipe.channels.iter().enumerate() {
        let name = &channel.name;
        let is_twin = |other: &catchment_pipeline::ChannelSpec| other.name == *name;
        if recipe.channels[..position].iter().any(is_twin) {
            return Err(Problem::at_path(
                format!("channel.{position}.name"),
                format!("two channels are called `{name}`"),
            )
            .with_help("rename one of them"));
        }
        if recipe.lists.contains_key(name) {
            let message = format!("a list and a channel are both called `{name}`");
            return Err(Problem::at_path(format!("lists.{name}"), message).with_help("rename the list"));
        }
    }
    Ok(())
}

/// What sessions are for is no event that says no.
fn goals(recipe: &Recipe) -> Result<(), Problem> {
    for (position, channel) in recipe.channels.iter().enumerate() {
        let ChannelModel::Airbnb { objective, .. } = &channel.model else {
            continue;
        };
        let Some(goal) = objective
            .goal
            .as_ref()
            .filter(|goal| recipe.prepare.negative.contains(goal))
        else {
            continue;
        };
        let message = format!(
            "channel `{}`: `objective.goal` = {goal:?}, which `data.negative` says is a no",
            channel.name
        );
        return Err(
            Problem::at_path(format!("channel.{position}.objective.goal"), message)
                .with_help("take it out of one of them"),
        );
    }
    Ok(())
}

fn prepare(error: catchment_prepare::Error) -> Problem {
    match error {
        catchment_prepare::Error::BadSetting { key, value, reason } => {
            Problem::at_path(key, format!("`{key}` = {value} {reason}")).with_help(IN_RANGE)
        }
        other => Problem::at_path("prepare", other.to_string()),
    }
}

fn merge(recipe: &Recipe) -> Result<(), Problem> {
    let names: Vec<&str> = recipe
        .channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    recipe.merge.validate(&names).map_err(|error| {
        let message = error.to_string();
        match &error {
            // `weights.ials of [merge]`: the key, and where it is.
            ConfigError::OutOfRange { key, .. } => {
                let key = key.strip_suffix(" of [merge]").unwrap_or(key);
                Problem::at_path(format!("merge.{key}"), message).with_help(IN_RANGE)
            }
            ConfigError::UnknownChannel { key, name, known } => {
                let key = key.strip_suffix(" of [merge]").unwrap_or(key);
                Problem::at_path(format!("merge.{key}.{name}"), message).with_help(did_you_mean(name, known))
            }
            _ => Problem::at_path("merge", message).with_help("change it in [merge]"),
        }
    })
}

fn features(recipe: &Recipe) -> Result<(), Problem> {
    recipe.features.validate().map_err(|error| {
        let message = error.to_string();
        match error {
            // `features.item.age.transform` names the feature; in the text it is an element of an array.
            catchment_features::Error::BadConfig { key, .. } => {
                Problem::at_path(feature_path(recipe, &key), message)
                    .with_help("change that key of the feature")
            }
            catchment_features::Error::WrongSide { side, feature, .. } => {
                let key = format!("features.{side}.{feature}");
                Problem::at_path(feature_path(recipe, &key), message)
                    .with_help("move the feature to a side where its kind can stand, or take another kind")
            }
            _ => Problem::at_path("features", message),
        }
    })?;
    let known: Vec<String> = recipe
        .channels
        .iter()
        .map(|channel| channel.name.clone())
        .collect();
    crosses(recipe)?;
    for (position, feature) in recipe.features.candidate.iter().enumerate() {
        let channel = match feature {
            FeatureConfig::Channel(feature) | FeatureConfig::TypeSimilarity(feature) => &feature.channel,
            FeatureConfig::Similarity(feature) => &feature.channel,
            _ => continue,
        };
        let key = format!("features.candidate.{position}.channel");
        let Some(named) = recipe.channels.iter().find(|known| known.name == *channel) else {
            let message = format!(
                "the feature `{}` names the channel `{channel}`, which is not there; channels: {}",
                feature.name(),
                known.join(", ")
            );
            return Err(Problem::at_path(key, message).with_help(did_you_mean(channel, &known)));
        };
        let (has, what) = match feature {
            FeatureConfig::Similarity(_) => (named.model.has_vectors(), "vectors: item2vec, airbnb or ials"),
            FeatureConfig::TypeSimilarity(_) => {
                (named.model.has_types(), "`types`, which kind `airbnb` can have")
            }
            _ => (true, ""),
        };
        if !has {
            let message = format!(
                "the feature `{}` looks into the vectors of channel `{channel}`, of kind `{}`, which has none of these",
                feature.name(),
                named.model.kind()
            );
            return Err(Problem::at_path(key, message).with_help(format!("name a channel that has {what}")));
        }
    }
    Ok(())
}

/// A cross of a feature with itself costs the square of its ids and tells next to nothing that it does not tell alone.
fn crosses(recipe: &Recipe) -> Result<(), Problem> {
    for side in Side::ALL {
        for feature in of_side(recipe, side) {
            let FeatureConfig::Cross(cross) = feature else {
                continue;
            };
            let mut names = cross.features.iter().enumerate();
            let twice = names.find(|(place, name)| cross.features[..*place].contains(name));
            if let Some((_, twice)) = twice {
                let key = format!("features.{side}.{}.features", cross.name);
                let message =
                    format!("{key}: `{twice}` is crossed with itself; each feature may be named once");
                return Err(Problem::at_path(feature_path(recipe, &key), message)
                    .with_help("name another feature in its place"));
            }
        }
    }
    Ok(())
}

fn of_side(recipe: &Recipe, side: Side) -> &[FeatureConfig] {
    match side {
        Side::User => &recipe.features.user,
        Side::Item => &recipe.features.item,
        Side::Context => &recipe.features.context,
        Side::Candidate => &recipe.features.candidate,
    }
}

/// `features.item.age.transform` as a path through the text: `features.item.3.transform`.
fn feature_path(recipe: &Recipe, key: &str) -> String {
    let mut words: Vec<&str> = key.split('.').collect();
    let [_, side, name, ..] = words[..] else {
        return key.to_owned();
    };
    let position = Side::ALL
        .into_iter()
        .find(|candidate| candidate.to_string() == side)
        .and_then(|side| {
            let mut features = of_side(recipe, side).iter();
            features.position(|feature| feature.name() == name)
        });
    let position = position.map(|position| position.to_string());
    if let Some(position) = &position {
        words[2] = position;
    }
    words.join(".")
}

fn did_you_mean(word: &str, known: &[String]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add the channel, or mend the name".to_owned(),
    }
}
