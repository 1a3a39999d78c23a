//! The recipe: the one configuration file, for a user's project, the demo and every reproduction.

mod channel;
mod check;
mod load;
mod place;
mod problem;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use catchment_evaluation::EvaluateConfig;
use catchment_features::FeatureSpec;
use catchment_pipeline::{ChannelModel, ChannelSpec, RankerModel};
use catchment_prepare::{Inputs, PrepareConfig, SplitConfig};
use catchment_recall::MergeConfig;
use catchment_schema::import::Source;
use serde::{Deserialize, Serialize};

use problem::Problem;

pub(crate) use problem::RecipeError;

/// A recipe, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Where it was read from.
    pub(crate) path: PathBuf,
    /// Its name: `work/<name>/` holds what it makes.
    pub(crate) name: String,
    /// The seed of everything random.
    pub(crate) seed: u64,
    /// How many threads; 0 takes all.
    pub(crate) threads: usize,
    /// The raw data, variables and relative paths resolved.
    pub(crate) data: Inputs,
    /// How the log becomes encoded interactions.
    pub(crate) prepare: PrepareConfig,
    /// How it is split.
    pub(crate) split: SplitConfig,
    /// What the ranker sees.
    pub(crate) features: FeatureSpec,
    /// The channels, in order of priority.
    pub(crate) channels: Vec<ChannelSpec>,
    /// How their lists become one.
    pub(crate) merge: MergeConfig,
    /// The ranker, where there is one.
    pub(crate) ranker: Option<RankerModel>,
    /// What is measured.
    pub(crate) evaluate: EvaluateConfig,
    /// Further lists to judge beside ours, by name: `candidates.parquet` files of another program, or the
    /// oracle of a made world.
    pub(crate) lists: BTreeMap<String, PathBuf>,
    /// Published results to stand beside ours, by metric (`recall@20`).
    pub(crate) published: BTreeMap<String, Published>,
}

impl Recipe {
    /// Whether the items have the columns that channels name (`query.category`, `cold`).
    ///
    /// # Errors
    /// The line of the recipe, and the columns that there are: only where the items are known can it be said.
    pub(crate) fn check_item_columns(&self, columns: &[&str]) -> Result<(), RecipeError> {
        let known: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        for (position, channel) in self.channels.iter().enumerate() {
            for (key, last, column) in item_columns(&channel.model) {
                if columns.contains(&column) {
                    continue;
                }
                let path = format!("channel.{position}.{key}");
                let message = format!("channel `{}`: `{key}` = {column:?}, but ", channel.name);
                let problem = if known.is_empty() {
                    Problem::at_path(path, format!("{message}the items have no columns"))
                        .with_help("bring the items with their categories: items = { … } in [data]")
                } else {
                    let help = match problem::nearest(column, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("name one of these columns, or take `{last}` out"),
                    };
                    let columns = known.join(", ");
                    Problem::at_path(path, format!("{message}the items have only: {columns}")).with_help(help)
                };
                let text = fs::read_to_string(&self.path).unwrap_or_default();
                return Err(problem.in_text(&self.path, &text));
            }
        }
        Ok(())
    }
}

/// The columns of items that a channel's settings name: the key, its last word, and the column.
fn item_columns(model: &ChannelModel) -> Vec<(String, &'static str, &str)> {
    match model {
        ChannelModel::Popular { query, .. } => {
            let category = query.category.iter();
            category
                .map(|column| ("query.category".to_owned(), "category", column.as_str()))
                .collect()
        }
        ChannelModel::Item2vec { cold, .. } => cold
            .columns()
            .map(|(key, column)| (format!("cold.{key}"), key, column))
            .collect(),
        ChannelModel::Newest { .. }
        | ChannelModel::ItemCf { .. }
        | ChannelModel::Swing { .. }
        | ChannelModel::Ials { .. }
        // Its columns are named by rules; the fit says which is missing.
        | ChannelModel::Airbnb { .. } => Vec::new(),
    }
}

/// A published result.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    /// The value.
    pub(crate) value: f64,
    /// Where it stands.
    pub(crate) source: String,
    /// Which of our lists it is compared with; the last one (the whole river) where it says nothing.
    pub(crate) list: Option<String>,
}

/// The file as it stands, before variables, defaults and kinds are resolved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    name: String,
    #[serde(default = "default_seed")]
    seed: u64,
    #[serde(default)]
    threads: usize,
    data: DataTable,
    #[serde(default)]
    prepare: PrepareConfig,
    split: SplitConfig,
    #[serde(default)]
    features: FeatureSpec,
    channel: Vec<channel::ChannelTable>,
    #[serde(default)]
    merge: MergeConfig,
    ranker: Option<channel::RankerTable>,
    #[serde(default)]
    evaluate: EvaluateConfig,
    #[serde(default)]
    lists: BTreeMap<String, String>,
    #[serde(default)]
    published: BTreeMap<String, Published>,
}

fn default_seed() -> u64 {
    7
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataTable {
    interactions: Source,
    test: Option<Source>,
    items: Option<Source>,
    users: Option<Source>,
}
