//! What can go wrong while judging.

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of `[evaluate]` is out of range. The recipe is to blame.
    #[error("evaluate.{key}: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// The allowed range and what was found.
        reason: String,
    },
    /// No user has a held-out item. The split left nothing to measure.
    #[error("nothing to measure: no user has a held-out item; use another split, or more data")]
    NoTruth,
    /// The lists could not be had.
    #[error("{0}")]
    Lists(String),
    /// A list has an item twice, or is out of order. Whoever made it is to blame.
    #[error("the list of user {user} is not a ranking: {reason}")]
    NotARanking {
        /// The user's index.
        user: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// Labels and predictions cannot be compared.
    #[error("cannot compare {labels} labels with {predictions} predictions: {reason}")]
    Predictions {
        /// How many labels.
        labels: usize,
        /// How many predictions.
        predictions: usize,
        /// What is wrong.
        reason: String,
    },
    /// A file of lists could not be read.
    #[error(transparent)]
    Schema(#[from] catchment_schema::Error),
}
