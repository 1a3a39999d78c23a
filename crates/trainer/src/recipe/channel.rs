//! `[[channel]]` and `[ranker]`: the kind decides which settings there are.

use catchment_ann_index::{BuildError, IndexConfig, IndexKind};
use catchment_features::FeatureSpec;
use catchment_models::airbnb::{self, ObjectiveConfig, TypesConfig};
use catchment_models::factorization::ials::IalsConfig;
use catchment_models::neighbours::item_cf::ItemCfConfig;
use catchment_models::neighbours::swing::SwingConfig;
use catchment_models::newest::NewestConfig;
use catchment_models::popularity::PopularityConfig;
use catchment_models::sgns::{self, SessionsConfig, SgnsConfig};
use catchment_models::towers::{DssmConfig, Preset, TwoTowerConfig, YoutubeDnnConfig};
use catchment_pipeline::{ChannelModel, ChannelSpec, RankerModel};
use catchment_ranking::{LrRankerConfig, RankError};
use catchment_recall::{
    ConfigError, ItemToItemConfig, ItemVectorsConfig, NewestQueryConfig, PopularQueryConfig,
};
use catchment_sampling::SamplingError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::place::Place;
use super::problem::{IN_RANGE, Problem};
use crate::towers;

/// What reports call the lists that no channel makes.
const RESERVED: [&str; 2] = ["merge", "ranked"];

/// The most candidates that a channel may be asked for.
const MAX_K: usize = 100_000;

/// How many candidates a channel is asked for where the recipe does not say.
const DEFAULT_K: usize = 200;

/// A `[[channel]]` as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelTable {
    name: Spanned<String>,
    kind: ChannelKind,
    #[serde(default = "default_k")]
    k: usize,
    sessions: Option<toml::Table>,
    objective: Option<toml::Table>,
    cold: Option<toml::Table>,
    types: Option<toml::Table>,
    features: Option<toml::Table>,
    model: Option<toml::Table>,
    query: Option<toml::Table>,
    index: Option<toml::Table>,
}

fn default_k() -> usize {
    DEFAULT_K
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChannelKind {
    Popular,
    Newest,
    ItemCf,
    Swing,
    Ials,
    Item2vec,
    Airbnb,
    YoutubeDnn,
    Dssm,
    TwoTower,
}

impl ChannelKind {
    fn has_towers(self) -> bool {
        matches!(self, Self::YoutubeDnn | Self::Dssm | Self::TwoTower)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Popular => "popular",
            Self::Newest => "newest",
            Self::ItemCf => "item_cf",
            Self::Swing => "swing",
            Self::Ials => "ials",
            Self::Item2vec => "item2vec",
            Self::Airbnb => "airbnb",
            Self::YoutubeDnn => "youtube_dnn",
            Self::Dssm => "dssm",
            Self::TwoTower => "two_tower",
        }
    }
}

/// What towers see where a recipe does not say: the latest events, and the items themselves.
fn default_features(is_two_sided: bool) -> toml::Table {
    let text = if is_two_sided {
        "user = [{ name = \"recent\", kind = \"history\", last = 50, pooling = \"mean\" }]\nitem = [{ name = \"item\", kind = \"id\" }]"
    } else {
        "user = [{ name = \"recent\", kind = \"history\", last = 50, pooling = \"mean\" }]"
    };
    text.parse().unwrap_or_default()
}

/// `[ranker]` as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RankerTable {
    kind: RankerKind,
    model: Option<toml::Table>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RankerKind {
    Lr,
}

impl ChannelTable {
    /// The channel, `position` places from the top of the recipe.
    pub(super) fn resolve(self, position: usize) -> Result<ChannelSpec, Problem> {
        let name = self.name.get_ref().clone();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            let message = format!(
                "channel name {name:?} is also the name of a folder: letters, digits, `_` and `-` only"
            );
            return Err(Problem::at(self.name.span(), message).with_help("rename the channel"));
        }
        if RESERVED.contains(&name.as_str()) {
            let message = format!("a channel cannot be called `{name}`: reports call another list so");
            return Err(Problem::at(self.name.span(), message).with_help("rename the channel"));
        }
        let table = Table::At(position);
        let of_channel = |problem: Problem| problem.about(&format!("channel `{name}`: "));
        if !(1..=MAX_K).contains(&self.k) {
            return Err(of_channel(table.out_of_range(
                "k",
                &self.k.to_string(),
                &format!("1 to {MAX_K}"),
            )));
        }
        table
            .says_all_by_silence("query", self.query.as_ref(), "recent_items")
            .map_err(of_channel)?;
        let model = self.resolve_model(table).map_err(of_channel)?;
        Ok(ChannelSpec {
            name,
            k: self.k,
            model,
        })
    }

    fn resolve_model(&self, table: Table) -> Result<ChannelModel, Problem> {
        let has_no = |key: &str, given: bool| {
            if !given {
                return Ok(());
            }
            let message = format!("kind `{}` has no `{key}`", self.kind.name());
            Err(Problem::new(table.place(key), message).with_help(format!("take `{key}` out")))
        };
        let model_error = |error: catchment_models::Error| table.model_error("model", error);
        let query_error = |error: ConfigError| table.query_error(error);
        if !matches!(self.kind, ChannelKind::Item2vec | ChannelKind::Airbnb) {
            has_no("sessions", self.sessions.is_some())?;
            has_no("cold", self.cold.is_some())?;
        }
        if !matches!(self.kind, ChannelKind::Airbnb) {
            has_no("objective", self.objective.is_some())?;
            has_no("types", self.types.is_some())?;
        }
        if !self.kind.has_towers() {
            has_no("features", self.features.is_some())?;
        }
        match self.kind {
            ChannelKind::Popular => {
                has_no("index", self.index.is_some())?;
                let model: PopularityConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(model_error)?;
                let query: PopularQueryConfig = table.settings("query", self.query.as_ref())?;
                Ok(ChannelModel::Popular { model, query })
            }
            ChannelKind::Newest => {
                has_no("index", self.index.is_some())?;
                let model: NewestConfig = table.settings("model", self.model.as_ref())?;
                let query: NewestQueryConfig = table.settings("query", self.query.as_ref())?;
                query.validate("").map_err(query_error)?;
                Ok(ChannelModel::Newest { model, query })
            }
            ChannelKind::ItemCf => {
                has_no("index", self.index.is_some())?;
                let model: ItemCfConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(model_error)?;
                let query: ItemToItemConfig = table.settings("query", self.query.as_ref())?;
                query.validate("").map_err(query_error)?;
                Ok(ChannelModel::ItemCf { model, query })
            }
            ChannelKind::Swing => {
                has_no("index", self.index.is_some())?;
                let model: SwingConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(model_error)?;
                let query: ItemToItemConfig = table.settings("query", self.query.as_ref())?;
                query.validate("").map_err(query_error)?;
                Ok(ChannelModel::Swing { model, query })
            }
            ChannelKind::Ials => {
                has_no("query", self.query.is_some())?;
                let model: IalsConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(model_error)?;
                let index = self.resolve_index(table)?;
                if index.kind == IndexKind::Hnsw {
                    let message =
                        "`hnsw` compares directions, and iALS ranks by raw inner product: `auto` or `exact`";
                    return Err(Problem::new(table.place("index"), message.to_owned()));
                }
                Ok(ChannelModel::Ials { model, index })
            }
            ChannelKind::Item2vec => {
                let sessions = self.resolve_sessions(table, SessionsConfig::default())?;
                let model: SgnsConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(model_error)?;
                let query: ItemVectorsConfig = table.settings("query", self.query.as_ref())?;
                query.validate("").map_err(query_error)?;
                let index = self.resolve_index(table)?;
                let cold: sgns::ColdConfig = table.settings("cold", self.cold.as_ref())?;
                cold.validate()
                    .map_err(|error| table.model_error("cold", error))?;
                Ok(ChannelModel::Item2vec {
                    sessions,
                    model,
                    query,
                    index,
                    cold,
                })
            }
            ChannelKind::Airbnb => self.resolve_airbnb(table),
            ChannelKind::YoutubeDnn | ChannelKind::Dssm | ChannelKind::TwoTower => {
                has_no("query", self.query.is_some())?;
                self.resolve_towers(table)
            }
        }
    }

    fn resolve_airbnb(&self, table: Table) -> Result<ChannelModel, Problem> {
        let sessions = self.resolve_sessions(table, airbnb::default_sessions())?;
        let objective: ObjectiveConfig = table.settings("objective", self.objective.as_ref())?;
        let objective_error = |error| table.model_error("objective", error);
        objective.validate().map_err(objective_error)?;
        let model = over(airbnb::default_model(), self.model.as_ref());
        let model: SgnsConfig = table.settings("model", Some(&model))?;
        model
            .validate()
            .map_err(|error| table.model_error("model", error))?;
        let query: ItemVectorsConfig = table.settings("query", self.query.as_ref())?;
        query.validate("").map_err(|error| table.query_error(error))?;
        Ok(ChannelModel::Airbnb {
            sessions,
            cold: self.resolve_cold(table)?,
            types: self.resolve_types(table, objective.goal.as_deref())?,
            objective,
            model,
            query,
            index: self.resolve_index(table)?,
        })
    }

    fn resolve_towers(&self, table: Table) -> Result<ChannelModel, Problem> {
        let is_two_sided = !matches!(self.kind, ChannelKind::YoutubeDnn);
        let defaults = over(default_features(is_two_sided), self.features.as_ref());
        let features: FeatureSpec = table.settings("features", Some(&defaults))?;
        features
            .validate()
            .map_err(|error| table.model_error("features", catchment_models::Error::Features(error)))?;
        let has_no = |side: &str, why: &str| {
            let message = format!("`features.{side}`: {why}");
            Problem::new(table.place(&format!("features.{side}")), message)
        };
        if !features.candidate.is_empty() {
            return Err(has_no(
                "candidate",
                "towers meet before there are candidates; a ranker has these",
            ));
        }
        if !is_two_sided && !features.item.is_empty() {
            return Err(has_no(
                "item",
                "the items of `youtube_dnn` are the weights of its softmax, and have no features",
            ));
        }
        let features = Box::new(features);
        let (preset, given) = self.preset(table)?;
        let index = self.resolve_index(table)?;
        let is_hnsw = index.kind == IndexKind::Hnsw;
        let model = match self.kind {
            ChannelKind::Dssm => ChannelModel::Dssm {
                features,
                model: table.settings("model", Some(&over(DssmConfig::preset(preset), Some(&given))))?,
                index,
            },
            ChannelKind::TwoTower => ChannelModel::TwoTower {
                features,
                model: table.settings("model", Some(&over(TwoTowerConfig::preset(preset), Some(&given))))?,
                index,
            },
            _ => ChannelModel::YoutubeDnn {
                features,
                model: table.settings(
                    "model",
                    Some(&over(YoutubeDnnConfig::preset(preset), Some(&given))),
                )?,
                index,
            },
        };
        let Some((_, plan)) = model.towers() else {
            return Ok(model);
        };
        plan.validate()
            .map_err(|error| table.model_error("model", error))?;
        if is_hnsw && !towers::is_of_length_one(&plan) {
            let message = "`hnsw` compares directions, and these vectors have lengths: `auto` or `exact`, or \
                           model = { normalised = true, bias = false }";
            return Err(Problem::new(table.place("index"), message.to_owned()));
        }
        Ok(model)
    }

    /// What `model.preset` names, and the rest of the settings.
    fn preset(&self, table: Table) -> Result<(Preset, toml::Table), Problem> {
        let mut given = self.model.clone().unwrap_or_default();
        let Some(named) = given.remove("preset") else {
            return Ok((Preset::default(), given));
        };
        let shown = named.as_str().map_or_else(|| named.to_string(), str::to_owned);
        let preset = named.try_into().map_err(|_| {
            let message = format!("`model.preset` = {shown:?} is none: nano, small, paper");
            Problem::new(table.place("model.preset"), message).with_help("name one of these, or take it out")
        })?;
        Ok((preset, given))
    }

    fn resolve_sessions(&self, table: Table, defaults: SessionsConfig) -> Result<SessionsConfig, Problem> {
        let sessions = over(defaults, self.sessions.as_ref());
        let sessions: SessionsConfig = table.settings("sessions", Some(&sessions))?;
        sessions.validate().map_err(|error| match error {
            SamplingError::Config { key, value, allowed } => {
                table.out_of_range(&format!("sessions.{key}"), &value, allowed)
            }
            other => Problem::new(table.place("sessions"), other.to_string()),
        })?;
        Ok(sessions)
    }

    fn resolve_cold(&self, table: Table) -> Result<Option<Box<airbnb::GeoColdConfig>>, Problem> {
        if self.cold.is_none() {
            return Ok(None);
        }
        let cold: airbnb::GeoColdConfig = table.settings("cold", self.cold.as_ref())?;
        cold.validate()
            .map_err(|error| table.model_error("cold", error))?;
        Ok(Some(Box::new(cold)))
    }

    fn resolve_types(&self, table: Table, goal: Option<&str>) -> Result<Option<Box<TypesConfig>>, Problem> {
        let Some(given) = &self.types else {
            return Ok(None);
        };
        let Some(goal) = goal else {
            let message = "`types` are learned from goals, and `objective` names none";
            return Err(
                Problem::new(table.place("types"), message).with_help("set objective = { goal = \"…\" }")
            );
        };
        let mut given = given.clone();
        if given.get("model").is_none_or(toml::Value::is_table) {
            let model = given.get("model").and_then(toml::Value::as_table);
            let model = over(airbnb::default_types_model(), model);
            given.insert("model".to_owned(), model.into());
        }
        let types: TypesConfig = table.settings("types", Some(&given))?;
        let types_error = |error| match error {
            // Keys of the rules begin with `types`, those of the skip-gram do not.
            catchment_models::Error::Config { key, value, allowed } if key.starts_with("types.") => {
                table.out_of_range(key, &value, allowed)
            }
            error => table.model_error("types.model", error),
        };
        types.validate_with_goal(goal).map_err(types_error)?;
        Ok(Some(Box::new(types)))
    }

    fn resolve_index(&self, table: Table) -> Result<IndexConfig, Problem> {
        let index: IndexConfig = table.settings("index", self.index.as_ref())?;
        index.validate().map_err(|error| match error {
            BuildError::BadSetting { key, found, allowed } => {
                table.out_of_range(&format!("index.{key}"), &found, allowed)
            }
            other => Problem::new(table.place("index"), other.to_string()),
        })?;
        Ok(index)
    }
}

impl RankerTable {
    pub(super) fn resolve(self) -> Result<RankerModel, Problem> {
        let table = Table::Ranker;
        match self.kind {
            RankerKind::Lr => {
                let model: LrRankerConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(|error| match error {
                    RankError::Config { key, value, allowed } => {
                        table.out_of_range(&format!("model.{key}"), &value.to_string(), allowed)
                    }
                    RankError::Model(catchment_models::Error::Config { key, value, allowed }) => {
                        table.out_of_range(&format!("model.ftrl.{key}"), &value, allowed)
                    }
                    other => Problem::new(table.place("model"), other.to_string()),
                })?;
                Ok(RankerModel::Lr { model })
            }
        }
    }
}

/// Which table of the recipe is read.
#[derive(Clone, Copy)]
enum Table {
    /// A `[[channel]]`.
    At(usize),
    /// `[ranker]`.
    Ranker,
}

impl Table {
    fn place(self, key: &str) -> Place {
        match self {
            Self::At(position) => Place::Path(format!("channel.{position}.{key}")),
            Self::Ranker => Place::Path(format!("ranker.{key}")),
        }
    }

    /// What a model's `validate` says of the settings at `key`.
    fn model_error(self, key: &str, error: catchment_models::Error) -> Problem {
        use catchment_models::Error as E;
        match error {
            E::Config {
                key: of,
                value,
                allowed,
            }
            | E::Sampling(SamplingError::Config {
                key: of,
                value,
                allowed,
            }) => self.out_of_range(&format!("{key}.{of}"), &value, allowed),
            E::Features(catchment_features::Error::BadConfig { key, reason }) => {
                let message = format!("`{key}`: {reason}");
                Problem::new(self.place(&path(&key)), message)
            }
            other => Problem::new(self.place(key), other.to_string()),
        }
    }

    /// What a channel's query says of its settings. Of `half_life of channel x` the key: which channel it is about is said
    /// anyway.
    fn query_error(self, error: ConfigError) -> Problem {
        match error {
            ConfigError::OutOfRange { key, value, allowed } => {
                let key = key.split_once(" of ").map_or(key.as_str(), |(key, _)| key);
                self.out_of_range(&format!("query.{key}"), &value, allowed)
            }
            other => Problem::new(self.place("query"), other.to_string()),
        }
    }

    fn out_of_range(self, key: &str, value: &str, allowed: &str) -> Problem {
        let shown = match self {
            Self::At(_) => key.to_owned(),
            Self::Ranker => format!("ranker.{key}"),
        };
        let message = format!("`{shown}` = {value} is out of range: {allowed}");
        Problem::new(self.place(key), message).with_help(IN_RANGE)
    }

    /// Refuses an explicit 0 for a number that, left out, stands for everything: whoever writes 0 may mean none.
    fn says_all_by_silence(self, key: &str, given: Option<&toml::Table>, name: &str) -> Result<(), Problem> {
        let value = given.and_then(|settings| settings.get(name));
        if value.and_then(toml::Value::as_integer) != Some(0) {
            return Ok(());
        }
        Err(self.out_of_range(&format!("{key}.{name}"), "0", "from 1; left out, it takes all"))
    }

    /// The settings of one kind, with its own defaults and its own unknown keys.
    fn settings<T: DeserializeOwned + Default>(
        self,
        key: &str,
        given: Option<&toml::Table>,
    ) -> Result<T, Problem> {
        match given {
            None => Ok(T::default()),
            Some(settings) => settings.clone().try_into().map_err(|error: toml::de::Error| {
                // Only the printed form says which key it is about: "…\nin `ftrl.alpha`".
                let printed = error.to_string();
                let inner = printed
                    .split_once("\nin `")
                    .and_then(|(_, rest)| rest.split_once('`'));
                let path = inner.map_or(key.to_owned(), |(inner, _)| format!("{key}.{inner}"));
                Problem::new(self.place(&path), error.message().trim())
            }),
        }
    }
}

/// `defaults`, with what the recipe says in their place.
fn over(defaults: impl Serialize, given: Option<&toml::Table>) -> toml::Table {
    // Settings are tables; that is what a recipe writes them as.
    let mut settings = toml::Table::try_from(defaults).unwrap_or_default();
    settings.extend(given.cloned().into_iter().flatten());
    settings
}

/// `a[1].b` as the path `a.1.b`.
fn path(key: &str) -> String {
    key.replace('[', ".").replace(']', "")
}
