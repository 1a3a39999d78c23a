//! Settings of the features that come out as ids: raw ids, words, hashes and crosses.

use serde::{Deserialize, Serialize};

/// Ids that the fit did not know share this many buckets, where the recipe says nothing.
pub const DEFAULT_OOV_BUCKETS: u32 = 1;
/// Words seen less often than this are left to the out-of-vocabulary buckets, where the recipe says nothing.
pub const DEFAULT_MIN_COUNT: u64 = 1;
/// The most out-of-vocabulary buckets.
pub const MAX_OOV_BUCKETS: u32 = 1 << 20;
/// Buckets of a `hash`, where the recipe says nothing.
pub const DEFAULT_HASH_BUCKETS: u32 = 1 << 16;
/// The most buckets of a `hash` or a `cross`, and the most combinations of a `cross` without buckets.
pub const MAX_BUCKETS: u32 = 1 << 24;
/// The most hash functions of a `hash`.
pub const MAX_HASHES: u32 = 8;
/// The most features that a `cross` crosses.
pub const MAX_CROSSED: usize = 4;
/// The most combinations of one row of a `cross`: the first ones, the last feature's ids running fastest.
pub const MAX_COMBINATIONS: usize = 4096;

/// The weights of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Each id has its own weight, which is 1 where nothing gives another.
    #[default]
    Sum,
    /// The weights of a row are divided by the sum of their absolute values.
    Mean,
}

/// Which words of a row are kept where there are more than `max`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those that come first in the row.
    #[default]
    First,
    /// Those that come last in the row.
    Last,
    /// Those with the largest weights; of equal weights the earlier. Needs `weights`.
    Heaviest,
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
    /// A column of lists of numbers: the weight of each word of the list in `column`. Only for `bag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// How many different words of a row are kept, at least 1; all where absent. Only for `bag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// Which ones are kept. Only for `bag`.
    pub keep: Keep,
}

impl Default for WordsConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            column: String::new(),
            min_count: DEFAULT_MIN_COUNT,
            oov_buckets: DEFAULT_OOV_BUCKETS,
            pooling: Pooling::default(),
            weights: None,
            max: None,
            keep: Keep::default(),
        }
    }
}

/// Words of an attribute, or the raw id, without a vocabulary: each is hashed into `hashes` of `buckets` ids.
/// Two words that share one bucket seldom share all of them (Bloom embeddings, Serrà and Karatzoglou 2017); with
/// signs, what collides cancels in the mean instead of adding up (Weinberger et al. 2009).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HashConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the attributes; the raw id where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How many ids there are. 1 to [`MAX_BUCKETS`].
    pub buckets: u32,
    /// How many ids each word has. 1 to [`MAX_HASHES`].
    pub hashes: u32,
    /// Whether an id weighs −1 for half of the words.
    pub signed: bool,
    /// The weights of a row.
    pub pooling: Pooling,
}

impl Default for HashConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            column: None,
            buckets: DEFAULT_HASH_BUCKETS,
            hashes: 1,
            signed: false,
            pooling: Pooling::default(),
        }
    }
}

/// The words, or the letter trigrams, of an attribute that is text: each as often as it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the attributes: text, or lists of texts.
    pub column: String,
    /// What fewer texts have than this is treated as unknown.
    pub min_count: u64,
    /// Buckets for the unknown (by hash); with 0 it is left out. At most [`MAX_OOV_BUCKETS`].
    pub oov_buckets: u32,
    /// Whether the weights of a row are counts, or shares of them.
    pub pooling: Pooling,
    /// Columns whose texts make the vocabulary, as `side.column`; the feature's own where there are none. Features that
    /// name the same columns have the same ids, whatever they read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vocabulary: Vec<String>,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            column: String::new(),
            min_count: DEFAULT_MIN_COUNT,
            oov_buckets: DEFAULT_OOV_BUCKETS,
            pooling: Pooling::default(),
            vocabulary: Vec::new(),
        }
    }
}

/// Combinations of the ids of other features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossConfig {
    /// The feature's name.
    pub name: String,
    /// Two to [`MAX_CROSSED`] features that come out as ids: of the same side and standing before this one, or, on
    /// the candidate side, of any other side and written `side.name`.
    pub features: Vec<String>,
    /// How many ids the combinations share, by hash, at most [`MAX_BUCKETS`]; 0: each combination has its own.
    pub buckets: u32,
}
