//! What a recipe names and only the data can say whether it is there: columns and event words.

use std::fs;

use catchment_features::{FeatureConfig, FeatureSpec, Side, TypeRules};
use catchment_pipeline::{ChannelModel, ChannelSpec};
use catchment_prepare::Prepared;
use catchment_schema::AttributeTable;

use super::problem::{Problem, nearest};
use super::{Recipe, RecipeError};

/// Something that a recipe names.
struct Named<'a> {
    /// Where it stands: `channel.1.types.items.1.column`.
    path: String,
    /// What it belongs to: ``channel `stays` ``.
    owner: String,
    /// Its key, as people write it: `types.items[1].column`.
    key: String,
    /// What is taken out where there is nothing to name.
    dispensable: &'static str,
    name: &'a str,
    among: Among,
}

/// Among which names it has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Among {
    ItemColumns,
    /// The same, and there has to be a text in it.
    ItemTexts,
    UserColumns,
    LogColumns,
    Events,
}

impl Recipe {
    /// Whether the columns and the event words are there that channels and features name, before anything is fitted: what
    /// is found missing after hours of training is found too late.
    ///
    /// # Errors
    /// The line of the recipe, and what there is.
    pub(crate) fn check_against(&self, data: &Prepared) -> Result<(), RecipeError> {
        let channels = self.channels.iter().enumerate();
        let of_channels = channels.flat_map(|(position, channel)| of_channel(position, channel));
        for named in self.of_data().chain(of_channels).chain(self.of_features()) {
            if let Err(problem) = named.check(data) {
                let text = fs::read_to_string(&self.path).unwrap_or_default();
                return Err(problem.in_text(&self.path, &text));
            }
        }
        Ok(())
    }

    fn of_data(&self) -> impl Iterator<Item = Named<'_>> {
        self.prepare
            .negative
            .iter()
            .enumerate()
            .map(|(place, word)| Named {
                path: format!("data.negative.{place}"),
                owner: "[data]".to_owned(),
                key: "negative".to_owned(),
                dispensable: "it",
                name: word,
                among: Among::Events,
            })
    }

    fn of_features(&self) -> Vec<Named<'_>> {
        let mut all = Vec::new();
        if self.ranker.is_some() {
            all.extend(of_spec(&self.features, "features", None));
        }
        for (position, feature) in self.features.candidate.iter().enumerate() {
            let FeatureConfig::Similarity(similarity) = feature else {
                continue;
            };
            let named = |path: &str, key: &str, dispensable, name, among| Named {
                path: format!("features.candidate.{position}.{path}"),
                owner: format!("feature `{}`", similarity.name),
                key: key.to_owned(),
                dispensable,
                name,
                among,
            };
            for (place, word) in similarity.events.iter().enumerate() {
                all.push(named(
                    &format!("events.{place}"),
                    "events",
                    "it",
                    word,
                    Among::Events,
                ));
            }
            if let Some(column) = &similarity.market {
                all.push(named("market", "market", "`market`", column, Among::ItemColumns));
            }
        }
        all
    }
}

/// The columns of attributes that features read. Those of a context come with a request.
fn of_spec<'a>(spec: &'a FeatureSpec, path: &str, channel: Option<&str>) -> Vec<Named<'a>> {
    let sides = [
        (Side::User, &spec.user, Among::UserColumns),
        (Side::Item, &spec.item, Among::ItemColumns),
        (Side::Candidate, &spec.candidate, Among::ItemColumns),
    ];
    let named = |(side, features, among): (Side, &'a Vec<FeatureConfig>, Among)| {
        let owner = |feature: &FeatureConfig| match channel {
            Some(channel) => format!("channel `{channel}`, feature `{}`", feature.name()),
            None => format!("feature `{}`", feature.name()),
        };
        let of = |(place, feature): (usize, &'a FeatureConfig)| {
            Some(Named {
                path: format!("{path}.{side}.{place}.column"),
                owner: owner(feature),
                key: "column".to_owned(),
                dispensable: "the feature",
                name: feature.column()?,
                among,
            })
        };
        features.iter().enumerate().filter_map(of).collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(named).collect()
}

fn of_channel(position: usize, channel: &ChannelSpec) -> Vec<Named<'_>> {
    let mut all = Vec::new();
    if let Some((spec, _)) = channel.model.towers() {
        let path = format!("channel.{position}.features");
        all.extend(of_spec(spec, &path, Some(&channel.name)));
    }
    of_model(&channel.model, |path, key, dispensable, name, among| {
        all.push(Named {
            path: format!("channel.{position}.{path}"),
            owner: format!("channel `{}`", channel.name),
            key: key.to_owned(),
            dispensable,
            name,
            among,
        });
    });
    all
}

/// Hands out what a channel's settings name: where it stands in the channel's table, its key, what may be taken out, and
/// the name with whose it is.
fn of_model<'a>(model: &'a ChannelModel, mut add: impl FnMut(String, &str, &'static str, &'a str, Among)) {
    if let ChannelModel::Item2vec { sessions, .. } | ChannelModel::Airbnb { sessions, .. } = model {
        for (place, word) in sessions.events.iter().enumerate() {
            let path = format!("sessions.events.{place}");
            add(path, "sessions.events", "it", word, Among::Events);
        }
    }
    let shown = match model {
        ChannelModel::YoutubeDnn { model, .. } => &model.shown,
        ChannelModel::Dssm { model, .. } => &model.shown,
        ChannelModel::TwoTower { model, .. } => &model.shown,
        _ => &None,
    };
    if let Some(shown) = shown {
        let key = "model.shown.column";
        add(key.to_owned(), key, "`shown`", &shown.column, Among::LogColumns);
    }
    match model {
        ChannelModel::Popular { query, .. } => {
            if let Some(column) = &query.category {
                let key = "query.category";
                add(key.to_owned(), key, "`category`", column, Among::ItemTexts);
            }
        }
        ChannelModel::Item2vec { cold, .. } => {
            for (key, column) in cold.columns() {
                let key = format!("cold.{key}");
                add(key.clone(), &key, "it", column, Among::ItemTexts);
            }
        }
        ChannelModel::Airbnb {
            objective,
            cold,
            types,
            ..
        } => {
            if let Some(word) = &objective.goal {
                let key = "objective.goal";
                add(key.to_owned(), key, "`goal`", word, Among::Events);
            }
            if let Some(column) = &objective.market {
                let key = "objective.market";
                add(key.to_owned(), key, "`market`", column, Among::ItemColumns);
            }
            if let Some(cold) = cold {
                for (key, column) in [
                    ("cold.latitude", &cold.latitude),
                    ("cold.longitude", &cold.longitude),
                ] {
                    add(key.to_owned(), key, "`cold`", column, Among::ItemColumns);
                }
                for (path, key, column, among) in columns("cold.same", &cold.same, Among::ItemColumns) {
                    add(path, &key, "the rule", column, among);
                }
            }
            if let Some(types) = types {
                for (key, rules, own) in [
                    ("types.users", &types.users, Among::UserColumns),
                    ("types.items", &types.items, Among::ItemColumns),
                ] {
                    for (path, key, column, among) in columns(key, rules, own) {
                        add(path, &key, "the rule", column, among);
                    }
                }
                if let Some(word) = &types.reject {
                    let key = "types.reject";
                    add(key.to_owned(), key, "`reject`", word, Among::Events);
                }
            }
        }
        ChannelModel::YoutubeDnn { .. }
        | ChannelModel::Dssm { .. }
        | ChannelModel::TwoTower { .. }
        | ChannelModel::Newest { .. }
        | ChannelModel::ItemCf { .. }
        | ChannelModel::Swing { .. }
        | ChannelModel::Ials { .. } => {}
    }
}

/// Of rules that stand at `key`: where each names its column, as a path and as a key, and the column with whose it is. What
/// is said of goals is said of their items.
fn columns<'a>(key: &str, rules: &'a TypeRules, own: Among) -> Vec<(String, String, &'a str, Among)> {
    let rules = rules.0.iter().enumerate();
    rules
        .filter_map(|(place, rule)| {
            let of = rule.goals.map_or(own, |_| Among::ItemColumns);
            let (path, shown) = (format!("{key}.{place}.column"), format!("{key}[{place}].column"));
            Some((path, shown, rule.column.as_deref()?, of))
        })
        .collect()
}

impl Named<'_> {
    fn check(&self, data: &Prepared) -> Result<(), Problem> {
        let names = |table: &AttributeTable| table.names().map(str::to_owned).collect();
        let known: Vec<String> = match self.among {
            Among::ItemColumns | Among::ItemTexts => names(data.item_attributes()),
            Among::UserColumns => names(data.user_attributes()),
            Among::LogColumns => data
                .further_columns()
                .map_err(|error| Problem::at_path(self.path.clone(), error.to_string()))?,
            Among::Events => data.event_words().to_vec(),
        };
        let (whose, what, bring) = match self.among {
            Among::ItemColumns | Among::ItemTexts => (
                "the items have",
                "columns",
                "bring the items with their columns: items = { … } in [data]",
            ),
            Among::UserColumns => (
                "the users have",
                "columns",
                "bring the users with their columns: users = { … } in [data]",
            ),
            Among::LogColumns => (
                "the log has",
                "further columns",
                "columns that [data] does not map by name are kept: is it in the log?",
            ),
            Among::Events => ("the log has", "events", "map a column of events in [data]"),
        };
        let wrong = |but: &str| {
            let message = format!("{}: `{}` = {:?}, but {but}", self.owner, self.key, self.name);
            Problem::at_path(self.path.clone(), message)
        };
        if known.is_empty() {
            return Err(wrong(&format!("{whose} no {what}")).with_help(bring));
        }
        if !known.iter().any(|known| known == self.name) {
            let help = match nearest(self.name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("name one of these {what}, or take {} out", self.dispensable),
            };
            return Err(wrong(&format!("{whose} only: {}", known.join(", "))).with_help(help));
        }
        let items = data.item_attributes();
        let mut rows = 0..items.n_rows();
        if self.among == Among::ItemTexts && rows.all(|row| items.texts(self.name, row).is_empty()) {
            return Err(wrong("no item has a text in it").with_help(format!(
                "name a column of texts, or take {} out",
                self.dispensable
            )));
        }
        Ok(())
    }
}
