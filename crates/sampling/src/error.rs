//! What can go wrong when a sampler is made.

/// Why a sampler or a walk could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingError {
    /// There is nothing to draw from. Check the vocabulary: the filters before may have removed everything.
    #[error("there is no item to draw from")]
    NoItems,
    /// A weight is negative or not finite. Whoever made the weights is to blame.
    #[error("item {item} has the weight {value}, allowed are finite numbers from 0")]
    BadWeight {
        /// Whose.
        item: usize,
        /// The weight.
        value: f64,
    },
    /// More outcomes than an index can name.
    #[error("{n} items are more than an index can name (2^32 - 1)")]
    TooMany {
        /// How many there are.
        n: usize,
    },
    /// Not every item has a count and a group. The caller is to blame.
    #[error("{counts} counts and {groups} groups: every item has one of each")]
    Lengths {
        /// How many counts there are.
        counts: usize,
        /// How many groups there are.
        groups: usize,
    },
    /// The log has no such event. Whoever wrote the recipe mends the word, or maps the log's.
    #[error("the log has no event `{word}`; its events: {words}")]
    UnknownEvent {
        /// The word in the recipe.
        word: String,
        /// The words of the log.
        words: String,
    },
    /// A written estimator is damaged, or something else. Take an older checkpoint.
    #[error("the state of a frequency estimator cannot be read: {reason}")]
    State {
        /// What is wrong with it.
        reason: String,
    },
    /// A setting lies outside its range. Whoever wrote the recipe mends it there.
    #[error("`{key}` is {value}, allowed: {allowed}")]
    Config {
        /// The key in the recipe.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What may be written there.
        allowed: &'static str,
    },
}
