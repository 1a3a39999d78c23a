//! `[[channel]]` and `[ranker]`: the kind decides which settings there are.

use catchment_ann_index::{BuildError, IndexConfig, IndexKind};
use catchment_models::factorization::ials::IalsConfig;
use catchment_models::neighbours::item_cf::ItemCfConfig;
use catchment_models::neighbours::swing::SwingConfig;
use catchment_models::newest::NewestConfig;
use catchment_models::popularity::PopularityConfig;
use catchment_models::sgns::{ColdConfig, SessionsConfig, SgnsConfig};
use catchment_pipeline::{ChannelModel, ChannelSpec, RankerModel};
use catchment_ranking::{LrRankerConfig, RankError};
use catchment_recall::{
    ConfigError, ItemToItemConfig, ItemVectorsConfig, NewestQueryConfig, PopularQueryConfig,
};
use catchment_sampling::SamplingError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::place::Place;
use super::problem::{IN_RANGE, Problem};

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
    model: Option<toml::Table>,
    query: Option<toml::Table>,
    index: Option<toml::Table>,
    cold: Option<toml::Table>,
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
}

impl ChannelKind {
    fn name(self) -> &'static str {
        match self {
            Self::Popular => "popular",
            Self::Newest => "newest",
            Self::ItemCf => "item_cf",
            Self::Swing => "swing",
            Self::Ials => "ials",
            Self::Item2vec => "item2vec",
        }
    }
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
        let model_error = |error: catchment_models::Error| match error {
            catchment_models::Error::Config { key, value, allowed }
            | catchment_models::Error::Sampling(SamplingError::Config { key, value, allowed }) => {
                table.out_of_range(&format!("model.{key}"), &value, allowed)
            }
            other => Problem::new(table.place("model"), other.to_string()),
        };
        // `half_life of channel ``: the key; which channel it is about is said anyway.
        let query_error = |error: ConfigError| match error {
            ConfigError::OutOfRange { key, value, allowed } => {
                let key = key.split_once(" of ").map_or(key.as_str(), |(key, _)| key);
                table.out_of_range(&format!("query.{key}"), &value, allowed)
            }
            other => Problem::new(table.place("query"), other.to_string()),
        };
        if !matches!(self.kind, ChannelKind::Item2vec) {
            has_no("sessions", self.sessions.is_some())?;
            has_no("cold", self.cold.is_some())?;
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
                let sessions: SessionsConfig = table.settings("sessions", self.sessions.as_ref())?;
                sessions.validate().map_err(|error| match error {
                    SamplingError::Config { key, value, allowed } => {
                        table.out_of_range(&format!("sessions.{key}"), &value, allowed)
                    }
                    other => Problem::new(table.place("sessions"), other.to_string()),
                })?;
                let model: SgnsConfig = table.settings("model", self.model.as_ref())?;
                model.validate().map_err(model_error)?;
                let query: ItemVectorsConfig = table.settings("query", self.query.as_ref())?;
                query.validate("").map_err(query_error)?;
                let index = self.resolve_index(table)?;
                let cold: ColdConfig = table.settings("cold", self.cold.as_ref())?;
                cold.validate().map_err(|error| match error {
                    catchment_models::Error::Config { key, value, allowed } => {
                        table.out_of_range(&format!("cold.{key}"), &value, allowed)
                    }
                    other => Problem::new(table.place("cold"), other.to_string()),
                })?;
                Ok(ChannelModel::Item2vec {
                    sessions,
                    model,
                    query,
                    index,
                    cold,
                })
            }
        }
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
