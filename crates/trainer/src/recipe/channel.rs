//! `[[channel]]` and `[ranker]`: the kind decides which settings there are.

use catchment_ann_index::IndexConfig;
use catchment_pipeline::{ChannelModel, ChannelSpec, RankerModel};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Table};

use super::load::Problem;

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
    model: Option<Spanned<Table>>,
    query: Option<Spanned<Table>>,
    index: Option<Spanned<IndexConfig>>,
}

fn default_k() -> usize {
    DEFAULT_K
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChannelKind {
    Popular,
    ItemCf,
    Ials,
}

/// `[ranker]` as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RankerTable {
    kind: RankerKind,
    model: Option<Spanned<Table>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RankerKind {
    Lr,
}

impl ChannelTable {
    pub(super) fn resolve(self) -> Result<ChannelSpec, Problem> {
        let name = self.name.get_ref().clone();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Problem::at(
                self.name.span(),
                format!(
                    "channel name {name:?} is also the name of a folder: letters, digits, `_` and `-` only"
                ),
            ));
        }
        if self.k == 0 {
            return Err(Problem::at(
                self.name.span(),
                format!("channel `{name}`: k must be at least 1"),
            ));
        }
        let model = match self.kind {
            ChannelKind::Popular => {
                none("query", self.query.as_ref().map(Spanned::span), "popular")?;
                none("index", self.index.as_ref().map(Spanned::span), "popular")?;
                ChannelModel::Popular {
                    model: settings(self.model)?,
                }
            }
            ChannelKind::ItemCf => {
                none("index", self.index.as_ref().map(Spanned::span), "item_cf")?;
                ChannelModel::ItemCf {
                    model: settings(self.model)?,
                    query: settings(self.query)?,
                }
            }
            ChannelKind::Ials => {
                none("query", self.query.as_ref().map(Spanned::span), "ials")?;
                let index = self.index.map(Spanned::into_inner).unwrap_or_default();
                ChannelModel::Ials {
                    model: settings(self.model)?,
                    index,
                }
            }
        };
        Ok(ChannelSpec {
            name,
            k: self.k,
            model,
        })
    }
}

impl RankerTable {
    pub(super) fn resolve(self) -> Result<RankerModel, Problem> {
        match self.kind {
            RankerKind::Lr => Ok(RankerModel::Lr {
                model: settings(self.model)?,
            }),
        }
    }
}

/// The settings of one kind, with its own defaults and its own unknown keys.
fn settings<T: DeserializeOwned + Default>(table: Option<Spanned<Table>>) -> Result<T, Problem> {
    let Some(table) = table else {
        return Ok(T::default());
    };
    let span = table.span();
    table
        .into_inner()
        .try_into()
        .map_err(|error| Problem::at(span, error.message().to_owned()))
}

/// This kind of channel has no such table.
fn none(key: &str, span: Option<std::ops::Range<usize>>, kind: &str) -> Result<(), Problem> {
    match span {
        None => Ok(()),
        Some(span) => Err(Problem::at(
            span,
            format!("a channel of kind `{kind}` has no `{key}`"),
        )),
    }
}
