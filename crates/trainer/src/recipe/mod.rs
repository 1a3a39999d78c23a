//! The recipe: the one configuration file, for a user's project, the demo and every reproduction.

mod against_data;
mod channel;
mod check;
mod in_files;
mod load;
mod place;
mod problem;
pub(crate) mod tune;

use std::collections::BTreeMap;
use std::path::PathBuf;

use catchment_evaluation::EvaluateConfig;
use catchment_features::FeatureSpec;
use catchment_pipeline::{ChannelSpec, RankerModel};
use catchment_prepare::{Inputs, PrepareConfig, SplitConfig};
use catchment_recall::MergeConfig;
use catchment_schema::import::Source;
use serde::{Deserialize, Serialize};

pub(crate) use problem::RecipeError;
use tune::TuneConfig;

/// A recipe, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Where it was read from.
    pub(crate) path: PathBuf,
    /// What stands in it.
    text: String,
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
    /// Which settings are searched, where somebody asks for it.
    pub(crate) tune: Option<TuneConfig>,
}

impl Recipe {
    /// The list that stands for the whole recipe: the ranked one, else the merge, else the only channel.
    pub(crate) fn headline(&self) -> String {
        match (&self.ranker, self.channels.as_slice()) {
            (Some(_), _) => "ranked".to_owned(),
            (None, [only]) => only.name.clone(),
            (None, _) => "merge".to_owned(),
        }
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
    tune: Option<TuneConfig>,
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
    #[serde(default)]
    negative: Vec<String>,
}
