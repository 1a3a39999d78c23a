//! Why a channel gave no answer, and what can be wrong with a configuration.

use catchment_ann_index::SearchError;

/// Why a channel is missing from an answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The user has no history, no seeds, and is unknown: nothing wrong, another channel has to answer.
    #[error("nothing is known about this user that the channel could use")]
    NothingToGoOn,
    /// The index refused the query vector. The encoder is to blame.
    #[error("search failed: {0}")]
    Search(#[from] SearchError),
    /// The channel itself failed, for example a remote one.
    #[error("{0}")]
    Failed(String),
}

/// Why channels, an executor or a merge cannot be set up. Found once, when they are made; never during a request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key of the recipe is outside its range. Whoever wrote the recipe is to blame: choose an allowed value.
    #[error("{key} = {value} is out of range: {allowed}")]
    OutOfRange {
        /// The key, as in the recipe.
        key: String,
        /// The value that was given.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The recipe asks for something that has a word but no code yet. Take one of the others.
    #[error("{key} = {value} is not there yet; there are: {}", available.join(", "))]
    NotYet {
        /// The key, as in the recipe.
        key: &'static str,
        /// The value that was given.
        value: &'static str,
        /// What there is.
        available: &'static [&'static str],
    },
    /// A key names a channel that the recipe does not have. Mend the name, or add the channel.
    #[error("{key} names the channel `{name}`, which is not there; channels: {}", known.join(", "))]
    UnknownChannel {
        /// The key, as in the recipe.
        key: &'static str,
        /// The name that was given.
        name: String,
        /// The channels that are there.
        known: Vec<String>,
    },
    /// Two channels have the same name, and reports could not tell them apart. Rename one.
    #[error("two channels are named `{name}`")]
    DuplicateChannel {
        /// The name.
        name: String,
    },
    /// Channels are numbered by 16 bits.
    #[error("{found} channels, at most {} are possible", u16::MAX)]
    TooManyChannels {
        /// How many were given.
        found: usize,
    },
    /// The quotas promise more seats than there are. Lower them, or raise the limit.
    #[error("the quotas of [merge] add up to {total}, above limit = {limit}")]
    QuotasAboveLimit {
        /// The sum of the quotas.
        total: usize,
        /// The limit.
        limit: usize,
    },
    /// A trained number is NaN or infinite. The training that wrote it is to blame: train again.
    #[error("channel `{channel}`: {what} of item {item} is {value}, not finite")]
    NotFinite {
        /// The channel.
        channel: String,
        /// Which number.
        what: &'static str,
        /// Of which item.
        item: usize,
        /// What it is.
        value: f32,
    },
    /// Two parts of a channel were not made for the same catalogue. Take both from one run.
    #[error("channel `{channel}`: {found} biases for a table of {expected} items")]
    WrongLength {
        /// The channel.
        channel: String,
        /// How many items the table has.
        expected: usize,
        /// How many biases were given.
        found: usize,
    },
    /// Query encoder and index do not fit together. Take both from one run.
    #[error("channel `{channel}`: the encoder makes vectors of {encoder} values, the index holds {index}")]
    WrongDimension {
        /// The channel.
        channel: String,
        /// Width of the encoder's vectors.
        encoder: usize,
        /// Width of the index's vectors.
        index: usize,
    },
}
