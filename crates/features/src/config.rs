//! The feature language: what a recipe may say under `[features]`.

mod check;
mod met;
mod moments;
mod numbers;
mod words;

use serde::{Deserialize, Serialize};

pub use met::{AffinityConfig, ChannelConfig, DEFAULT_DAYS, PlainConfig, SimilarityConfig};
pub use moments::{DEFAULT_LAST, HalfLife, HistoryConfig, TimeConfig};
pub use numbers::{CountConfig, NumberConfig};
pub use words::{
    CrossConfig, DEFAULT_HASH_BUCKETS, DEFAULT_MIN_COUNT, DEFAULT_OOV_BUCKETS, HashConfig, IdConfig, Keep,
    MAX_BUCKETS, MAX_COMBINATIONS, MAX_CROSSED, MAX_HASHES, MAX_OOV_BUCKETS, Pooling, TextConfig,
    WordsConfig,
};

use crate::Transform;

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
    /// Words of an attribute, or the raw id, by hash alone.
    Hash(HashConfig),
    /// The words of an attribute that is text.
    Words(TextConfig),
    /// The letter trigrams of the words of an attribute that is text.
    Trigrams(TextConfig),
    /// A numeric attribute.
    Number(NumberConfig),
    /// The latest items of the user.
    History(HistoryConfig),
    /// How many events the user has had up to now.
    EventCount(CountConfig),
    /// How many events the item has had: at fit (item side) or up to now (candidate side).
    ItemCount(CountConfig),
    /// The hour of the day.
    Hour(TimeConfig),
    /// The day of the week.
    Weekday(TimeConfig),
    /// The month of the year.
    Month(TimeConfig),
    /// Whether it is Saturday or Sunday.
    Weekend(TimeConfig),
    /// Combinations of the ids of other features.
    Cross(CrossConfig),
    /// What one channel says of the candidate.
    Channel(ChannelConfig),
    /// How many channels found the candidate.
    ChannelCount(PlainConfig),
    /// How much of the user's history has the candidate's categories.
    CategoryAffinity(AffinityConfig),
    /// How near the candidate is to what the user did lately, in a channel's vectors.
    Similarity(SimilarityConfig),
    /// How near the candidate's kind is to the user's kind, in the vectors of a channel with types.
    TypeSimilarity(ChannelConfig),
}

impl FeatureConfig {
    /// The feature's name: what models pick it by.
    pub fn name(&self) -> &str {
        match self {
            Self::Id(config) => &config.name,
            Self::Category(config) | Self::Bag(config) => &config.name,
            Self::Hash(config) => &config.name,
            Self::Words(config) | Self::Trigrams(config) => &config.name,
            Self::Number(config) => &config.name,
            Self::History(config) => &config.name,
            Self::EventCount(config) | Self::ItemCount(config) => &config.name,
            Self::Hour(config) | Self::Weekday(config) | Self::Month(config) | Self::Weekend(config) => {
                &config.name
            }
            Self::Cross(config) => &config.name,
            Self::Channel(config) | Self::TypeSimilarity(config) => &config.name,
            Self::ChannelCount(config) => &config.name,
            Self::CategoryAffinity(config) => &config.name,
            Self::Similarity(config) => &config.name,
        }
    }

    /// The word in the recipe.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Category(_) => "category",
            Self::Bag(_) => "bag",
            Self::Hash(_) => "hash",
            Self::Words(_) => "words",
            Self::Trigrams(_) => "trigrams",
            Self::Number(_) => "number",
            Self::History(_) => "history",
            Self::EventCount(_) => "event_count",
            Self::ItemCount(_) => "item_count",
            Self::Hour(_) => "hour",
            Self::Weekday(_) => "weekday",
            Self::Month(_) => "month",
            Self::Weekend(_) => "weekend",
            Self::Cross(_) => "cross",
            Self::Channel(_) => "channel",
            Self::ChannelCount(_) => "channel_count",
            Self::CategoryAffinity(_) => "category_affinity",
            Self::Similarity(_) => "similarity",
            Self::TypeSimilarity(_) => "type_similarity",
        }
    }

    /// The column of a table of attributes that it reads, where it reads one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Category(config) | Self::Bag(config) => Some(&config.column),
            Self::Hash(config) => config.column.as_deref(),
            Self::Words(config) | Self::Trigrams(config) => Some(&config.column),
            Self::Number(config) => Some(&config.column),
            Self::Hour(config) | Self::Weekday(config) | Self::Month(config) | Self::Weekend(config) => {
                config.column.as_deref()
            }
            Self::CategoryAffinity(config) => Some(&config.column),
            Self::Id(_)
            | Self::History(_)
            | Self::EventCount(_)
            | Self::ItemCount(_)
            | Self::Cross(_)
            | Self::Channel(_)
            | Self::ChannelCount(_)
            | Self::Similarity(_)
            | Self::TypeSimilarity(_) => None,
        }
    }

    /// Whether the column is a bag of ids (and can be crossed) rather than numbers.
    pub fn is_bag(&self) -> bool {
        let in_buckets =
            |transform: &Transform| matches!(transform, Transform::Boundaries(_) | Transform::Quantiles(_));
        match self {
            Self::Id(_)
            | Self::Category(_)
            | Self::Bag(_)
            | Self::Hash(_)
            | Self::Words(_)
            | Self::Trigrams(_)
            | Self::History(_)
            | Self::Cross(_) => true,
            Self::Number(number) => in_buckets(&number.transform),
            Self::EventCount(count) | Self::ItemCount(count) => in_buckets(&count.transform),
            Self::Hour(time) | Self::Weekday(time) | Self::Month(time) | Self::Weekend(time) => !time.cyclic,
            Self::Channel(_)
            | Self::ChannelCount(_)
            | Self::CategoryAffinity(_)
            | Self::Similarity(_)
            | Self::TypeSimilarity(_) => false,
        }
    }
}
