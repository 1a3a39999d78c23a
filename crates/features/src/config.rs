//! The feature language: what a recipe may say under `[features]`.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Side, Transform};

/// Ids that the fit did not know share this many buckets, where the recipe says nothing.
pub const DEFAULT_OOV_BUCKETS: u32 = 1;
/// Words seen less often than this are left to the out-of-vocabulary buckets, where the recipe says nothing.
pub const DEFAULT_MIN_COUNT: u64 = 1;
/// Events of a history that are looked at, where the recipe says nothing.
pub const DEFAULT_LAST: usize = 100;
/// The most out-of-vocabulary buckets.
pub const MAX_OOV_BUCKETS: u32 = 1 << 20;

/// The weights of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Each id weighs 1.
    #[default]
    Sum,
    /// Each id weighs 1 / the number of ids in the row.
    Mean,
}

/// The raw id of the user or item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdConfig {
    /// The feature's name.
    pub name: String,
    /// Ids with fewer events than this are treated as unknown.
    pub min_count: u64,
    /// Buckets for unknown ids (by hash); with 0 an unknown id is an empty bag. At most [`MAX_OOV_BUCKETS`].
    pub oov_buckets: u32,
}

impl Default for IdConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            min_count: DEFAULT_MIN_COUNT,
            oov_buckets: DEFAULT_OOV_BUCKETS,
        }
    }
}

/// Words of an attribute: one (`category`) or any number (`bag`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordsConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the attributes.
    pub column: String,
    /// Words that fewer rows have than this are treated as unknown.
    pub min_count: u64,
    /// Buckets for unknown words (by hash); with 0 they are left out. At most [`MAX_OOV_BUCKETS`].
    pub oov_buckets: u32,
    /// The weights of the words of a row.
    pub pooling: Pooling,
}

impl Default for WordsConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            column: String::new(),
            min_count: DEFAULT_MIN_COUNT,
            oov_buckets: DEFAULT_OOV_BUCKETS,
            pooling: Pooling::default(),
        }
    }
}

/// A numeric attribute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the attributes.
    pub column: String,
    /// How the number becomes what the model sees.
    pub transform: Transform,
    /// Whether a second number says that the first is missing (1) or not (0). Only for dense transforms.
    pub missing_flag: bool,
}

/// The items of the user's history, oldest first, repeats included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// The feature's name.
    pub name: String,
    /// How many of the latest events are taken. At least 1.
    pub last: usize,
    /// The weights of the items.
    pub pooling: Pooling,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            last: DEFAULT_LAST,
            pooling: Pooling::default(),
        }
    }
}

/// A count of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountConfig {
    /// The feature's name.
    pub name: String,
    /// How the count becomes what the model sees; `log` where the recipe says nothing.
    pub transform: Transform,
}

impl Default for CountConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            transform: Transform::Log,
        }
    }
}

/// A feature that has nothing to set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlainConfig {
    /// The feature's name.
    pub name: String,
}

/// What one channel says of a candidate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelConfig {
    /// The feature's name.
    pub name: String,
    /// The channel's name in the recipe.
    pub channel: String,
}

/// How much of the user's history has the candidate's categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AffinityConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the item attributes; an item feature of kind `category` or `bag` must read the same one.
    pub column: String,
    /// How many of the latest events are looked at. At least 1.
    pub last: usize,
}

impl Default for AffinityConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            column: String::new(),
            last: DEFAULT_LAST,
        }
    }
}

/// One feature, by `kind`. Which sides a kind can stand on, and what missing and unknown values become,
/// is in the crate's documentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeatureConfig {
    /// The raw id, through the vocabulary.
    Id(IdConfig),
    /// One word of an attribute.
    Category(WordsConfig),
    /// Any number of words of an attribute.
    Bag(WordsConfig),
    /// A numeric attribute.
    Number(NumberConfig),
    /// The latest items of the user.
    History(HistoryConfig),
    /// How many events the user has had up to now.
    EventCount(CountConfig),
    /// How many events the item has had: at fit (item side) or up to now (candidate side).
    ItemCount(CountConfig),
    /// The hour of the day, UTC.
    Hour(PlainConfig),
    /// The day of the week, UTC.
    Weekday(PlainConfig),
    /// What one channel says of the candidate.
    Channel(ChannelConfig),
    /// How many channels found the candidate.
    ChannelCount(PlainConfig),
    /// How much of the user's history has the candidate's categories.
    CategoryAffinity(AffinityConfig),
}

impl FeatureConfig {
    /// The feature's name: what models pick it by.
    pub fn name(&self) -> &str {
        match self {
            Self::Id(config) => &config.name,
            Self::Category(config) | Self::Bag(config) => &config.name,
            Self::Number(config) => &config.name,
            Self::History(config) => &config.name,
            Self::EventCount(config) | Self::ItemCount(config) => &config.name,
            Self::Hour(config) | Self::Weekday(config) | Self::ChannelCount(config) => &config.name,
            Self::Channel(config) => &config.name,
            Self::CategoryAffinity(config) => &config.name,
        }
    }

    /// The word in the recipe.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Category(_) => "category",
            Self::Bag(_) => "bag",
            Self::Number(_) => "number",
            Self::History(_) => "history",
            Self::EventCount(_) => "event_count",
            Self::ItemCount(_) => "item_count",
            Self::Hour(_) => "hour",
            Self::Weekday(_) => "weekday",
            Self::Channel(_) => "channel",
            Self::ChannelCount(_) => "channel_count",
            Self::CategoryAffinity(_) => "category_affinity",
        }
    }

    /// Checks the settings that need no data.
    ///
    /// # Errors
    /// [`Error::BadConfig`].
    pub(crate) fn validate(&self, side: Side) -> Result<()> {
        let bad = |key: &str, reason: String| {
            Err(Error::BadConfig {
                key: format!("features.{side}.{}.{key}", self.name()),
                reason,
            })
        };
        match self {
            Self::Id(IdConfig { oov_buckets, .. })
            | Self::Category(WordsConfig { oov_buckets, .. })
            | Self::Bag(WordsConfig { oov_buckets, .. })
                if *oov_buckets > MAX_OOV_BUCKETS =>
            {
                bad(
                    "oov_buckets",
                    format!("{oov_buckets} is not in 0..={MAX_OOV_BUCKETS}"),
                )
            }
            Self::Category(WordsConfig {
                pooling: Pooling::Mean,
                ..
            }) => bad(
                "pooling",
                "a category is one word; pooling is for kind `bag`".to_owned(),
            ),
            Self::History(HistoryConfig { last: 0, .. })
            | Self::CategoryAffinity(AffinityConfig { last: 0, .. }) => {
                bad("last", "0 is not at least 1".to_owned())
            }
            Self::Number(NumberConfig {
                transform: Transform::Boundaries(_) | Transform::Quantiles(_),
                missing_flag: true,
                ..
            }) => bad(
                "missing_flag",
                "buckets have one for missing values already".to_owned(),
            ),
            Self::Number(NumberConfig { transform, .. })
            | Self::EventCount(CountConfig { transform, .. })
            | Self::ItemCount(CountConfig { transform, .. }) => match transform.fault() {
                Some(reason) => bad("transform", reason),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
