//! What a pipeline is made of: one exhaustive enum of channel kinds, one of ranker kinds.

use std::fs;
use std::path::Path;

use catchment_ann_index::IndexConfig;
use catchment_features::FeatureSpec;
use catchment_models::airbnb::{self, ObjectiveConfig, TypesConfig};
use catchment_models::factorization::ials::IalsConfig;
use catchment_models::neighbours::item_cf::ItemCfConfig;
use catchment_models::neighbours::swing::SwingConfig;
use catchment_models::newest::NewestConfig;
use catchment_models::popularity::PopularityConfig;
use catchment_models::sgns::{self, SessionsConfig, SgnsConfig};
use catchment_models::towers::{DssmConfig, Plan, TwoTowerConfig, YoutubeDnnConfig};
use catchment_ranking::LrRankerConfig;
use catchment_recall::{
    ItemToItemConfig, ItemVectorsConfig, MergeConfig, NewestQueryConfig, PopularQueryConfig,
};
use catchment_schema::condition::NotACondition;
use catchment_schema::{AtomicFile, Condition};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The newest version of `pipeline.json`; older ones are read, newer ones refused. Version 2 says which events say no: a
/// program that does not know that would take them for the contrary. Version 3 says what an event has to be like to be a
/// yes. The oldest version that says all there is to say is written ([`PipelineSpec::version`]).
pub const SPEC_VERSION: u32 = 3;

/// Everything that decides how a request becomes an answer, apart from the trained weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineSpec {
    /// Format version of this description.
    pub format: u32,
    /// The channels, in order of priority.
    pub channels: Vec<ChannelSpec>,
    /// How their lists become one.
    pub merge: MergeConfig,
    /// The ranker, where there is one; without one the merge decides the order.
    pub ranker: Option<RankerModel>,
    /// Whether items of the user's history are kept out of every answer.
    pub exclude_seen: bool,
    /// Words of the events that were learned from, where the others were left out; empty where every word counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Words of the events that say no ([`NegativeEvents`](crate::NegativeEvents)); empty where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negative: Vec<String>,
    /// What an event had to be like to be learned from, where the others were left out: `value >= 4`, a [`Condition`]. Those
    /// that say no are not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelSpec {
    /// Its name in reports and answers.
    pub name: String,
    /// How many candidates it is asked for.
    pub k: usize,
    /// What it is.
    #[serde(flatten)]
    pub model: ChannelModel,
}

/// The kinds of channels, named as in recipes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChannelModel {
    /// What many like, the newest events counting most, among all items or in the user's own categories.
    Popular {
        /// The model's settings.
        model: PopularityConfig,
        /// For whom it is popular.
        #[serde(default)]
        query: PopularQueryConfig,
    },
    /// What has not been there for long.
    Newest {
        /// The model's settings.
        model: NewestConfig,
        /// What counts as new.
        query: NewestQueryConfig,
    },
    /// Item-based collaborative filtering from the user's recent items.
    ItemCf {
        /// The model's settings.
        model: ItemCfConfig,
        /// How a history becomes seeds.
        query: ItemToItemConfig,
    },
    /// Items that pairs of users share who have little else in common, from the user's recent items.
    Swing {
        /// The model's settings.
        model: SwingConfig,
        /// How a history becomes seeds.
        query: ItemToItemConfig,
    },
    /// Implicit alternating least squares; the user is folded in from the history.
    Ials {
        /// The model's settings.
        model: IalsConfig,
        /// The index over item vectors.
        index: IndexConfig,
    },
    /// Item2Vec: what occurs together in sessions, from the user's recent items.
    Item2vec {
        /// How users' events become sessions.
        sessions: SessionsConfig,
        /// The model's settings.
        model: SgnsConfig,
        /// How a history becomes a query.
        query: ItemVectorsConfig,
        /// The index over item vectors.
        index: IndexConfig,
        /// What says how items are alike that were in no session; without a column they have no vector.
        #[serde(default, skip_serializing_if = "sgns::ColdConfig::is_empty")]
        cold: sgns::ColdConfig,
    },
    /// Airbnb: what occurs together in sessions that have a goal, in markets; from the user's recent items.
    Airbnb {
        /// How users' events become sessions.
        sessions: SessionsConfig,
        /// What is learned beside who stands near whom.
        objective: ObjectiveConfig,
        /// The settings of the skip-gram.
        model: SgnsConfig,
        /// Where items without sessions get their vectors from; none: they have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cold: Option<Box<airbnb::GeoColdConfig>>,
        /// Kinds of users and items, where they are learned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        types: Option<Box<TypesConfig>>,
        /// How a history becomes a query.
        query: ItemVectorsConfig,
        /// The index over item vectors.
        index: IndexConfig,
    },
    /// YouTube DNN: a tower over the user and the moment, against the weights of a softmax over the items.
    YoutubeDnn {
        /// What the tower sees.
        features: Box<FeatureSpec>,
        /// The model's settings.
        model: Box<YoutubeDnnConfig>,
        /// The index over item vectors.
        index: IndexConfig,
    },
    /// DSSM: a tower over the user, a tower over the item, and their cosine.
    Dssm {
        /// What the towers see.
        features: Box<FeatureSpec>,
        /// The model's settings.
        model: Box<DssmConfig>,
        /// The index over item vectors.
        index: IndexConfig,
    },
    /// The sampling-bias-corrected two-tower model.
    TwoTower {
        /// What the towers see.
        features: Box<FeatureSpec>,
        /// The model's settings.
        model: Box<TwoTowerConfig>,
        /// The index over item vectors.
        index: IndexConfig,
    },
}

impl ChannelModel {
    /// The kind's name in recipes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Popular { .. } => "popular",
            Self::Newest { .. } => "newest",
            Self::ItemCf { .. } => "item_cf",
            Self::Swing { .. } => "swing",
            Self::Ials { .. } => "ials",
            Self::Item2vec { .. } => "item2vec",
            Self::Airbnb { .. } => "airbnb",
            Self::YoutubeDnn { .. } => "youtube_dnn",
            Self::Dssm { .. } => "dssm",
            Self::TwoTower { .. } => "two_tower",
        }
    }
}

impl ChannelModel {
    /// Whether it has a vector for each item.
    pub fn has_vectors(&self) -> bool {
        matches!(
            self,
            Self::Ials { .. }
                | Self::Item2vec { .. }
                | Self::Airbnb { .. }
                | Self::YoutubeDnn { .. }
                | Self::Dssm { .. }
                | Self::TwoTower { .. }
        )
    }

    /// What its towers see, and how they are trained; none for a kind that has none.
    pub fn towers(&self) -> Option<(&FeatureSpec, Plan)> {
        match self {
            Self::YoutubeDnn { features, model, .. } => Some((features, model.plan())),
            Self::Dssm { features, model, .. } => Some((features, model.plan())),
            Self::TwoTower { features, model, .. } => Some((features, model.plan())),
            _ => None,
        }
    }

    /// Whether it learns kinds of users and items.
    pub fn has_types(&self) -> bool {
        matches!(self, Self::Airbnb { types: Some(_), .. })
    }
}

/// The kinds of rankers, named as in recipes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RankerModel {
    /// Logistic regression by FTRL-Proximal.
    Lr {
        /// The model's settings.
        model: LrRankerConfig,
    },
}

/// A channel's name is a folder inside the bundle, and must not lead out of it.
fn is_folder_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
}

impl PipelineSpec {
    /// The version of a description with these events that say no, and this condition for a yes.
    pub fn version(negative: &[String], positive: Option<&str>) -> u32 {
        match (positive, negative) {
            (Some(_), _) => SPEC_VERSION,
            (None, [_, ..]) => 2,
            (None, []) => 1,
        }
    }

    /// What an event has to be like to be a yes; `None` where every one is.
    pub(crate) fn condition(&self) -> Result<Option<Condition>, NotACondition> {
        self.positive.as_deref().map(str::parse).transpose()
    }

    /// Whether events with this word count: where training left them out, serving does, too. Of one event
    /// [`Pipeline::counts`](crate::Pipeline::counts) says it.
    pub fn counts(&self, word: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|counted| counted == word)
    }

    /// Writes `pipeline.json`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::Spec {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(AtomicFile::write(path, &bytes)?)
    }

    /// Reads `pipeline.json`.
    ///
    /// # Errors
    /// [`Error::Spec`] when it is damaged, of a newer version, names a channel as no folder can be named, or has a
    /// `positive` that is no condition.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let spec_error = |reason: String| Error::Spec {
            path: path.to_owned(),
            reason,
        };
        let bytes = fs::read(path).map_err(catchment_schema::Error::io(path))?;
        let raw: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| spec_error(error.to_string()))?;
        // The version is looked at first: a newer one may have kinds that this program cannot name.
        match raw["format"].as_u64() {
            Some(version) if version <= u64::from(SPEC_VERSION) => {}
            version => {
                let found = version.map_or("none".to_owned(), |version| version.to_string());
                return Err(spec_error(format!(
                    "format {found}, this program reads up to {SPEC_VERSION}"
                )));
            }
        }
        let spec: Self = serde_json::from_value(raw).map_err(|error| spec_error(error.to_string()))?;
        spec.condition()
            .map_err(|error| spec_error(format!("`positive`: {error}")))?;
        match spec
            .channels
            .iter()
            .find(|channel| !is_folder_name(&channel.name))
        {
            None => Ok(spec),
            Some(channel) => Err(spec_error(format!(
                "`{}` cannot name a channel: letters, digits, `_`, `-` and `.` can, not beginning with `.`",
                channel.name
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As written before there was a `positive`, by each version.
    const FORMAT_1: &str = r#"{
  "format": 1,
  "channels": [],
  "merge": MERGE,
  "ranker": null,
  "exclude_seen": true
}"#;
    const FORMAT_2: &str = r#"{
  "format": 2,
  "channels": [],
  "merge": MERGE,
  "ranker": null,
  "exclude_seen": true,
  "negative": [
    "reject"
  ]
}"#;

    #[test]
    fn what_older_formats_can_say_is_written_as_they_say_it_and_read() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("pipeline.json");
        let merge = serde_json::to_string_pretty(&MergeConfig::default()).expect("JSON");
        let merge = merge.replace('\n', "\n  ");
        for (format, expected) in [(1, FORMAT_1), (2, FORMAT_2)] {
            let expected = expected.replace("MERGE", &merge);
            fs::write(&path, &expected).expect("written");
            let spec = PipelineSpec::read(&path).expect("read");
            assert_eq!((spec.format, &spec.positive), (format, &None));
            assert_eq!(PipelineSpec::version(&spec.negative, None), format);
            spec.write(&path).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), expected);
            let positive = Some("value >= 4".to_owned());
            let demanding = PipelineSpec {
                format: PipelineSpec::version(&spec.negative, positive.as_deref()),
                positive,
                ..spec
            };
            assert_eq!(demanding.format, SPEC_VERSION);
            demanding.write(&path).expect("written");
            assert_eq!(PipelineSpec::read(&path).expect("read"), demanding);
        }
    }
}
