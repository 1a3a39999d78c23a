//! Why a bundle cannot be opened or a request not be answered.

use std::path::PathBuf;

/// What can go wrong between a bundle and an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the bundle is missing, damaged or of another version. Publish again.
    #[error(transparent)]
    Schema(#[from] catchment_schema::Error),
    /// The bundle does not verify.
    #[error(transparent)]
    Bundle(#[from] catchment_bundle::Error),
    /// `pipeline.json` cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A channel's model cannot be opened. Train it again.
    #[error("channel `{channel}` cannot be opened: {reason}")]
    Channel {
        /// The channel.
        channel: String,
        /// What is wrong.
        reason: String,
    },
    /// The features or the ranker cannot be opened. Train them again.
    #[error("{part} cannot be opened: {reason}")]
    Part {
        /// `features` or `ranker`.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Features cannot look into the vectors of the channels beside them: a word or a column is not in these data, or a
    /// channel has no vectors. Whoever wrote the recipe mends it there.
    #[error(transparent)]
    Spaces(Box<catchment_features::Error>),
    /// The ranker was trained with other features than those in the bundle, or the manifest names others. Publish
    /// all of them from one run.
    #[error("feature fingerprint {found} does not match the expected {expected}")]
    FingerprintMismatch {
        /// What the ranker was trained on, or what the manifest says.
        expected: String,
        /// What the bundle holds.
        found: String,
    },
    /// A golden query is answered differently than when the bundle was made: another machine's arithmetic,
    /// a damaged file that still has its checksum, or a program that computes something else.
    #[error("golden query of user {user}: {reason}")]
    GoldenMismatch {
        /// The raw user id.
        user: String,
        /// Where the answers part.
        reason: String,
    },
    /// The request names a channel that the bundle does not have.
    #[error("there is no channel `{name}`; there are: {}", available.join(", "))]
    UnknownChannel {
        /// The name asked for.
        name: String,
        /// The names that there are.
        available: Vec<String>,
    },
    /// The bundle has no item-to-item or embedding channel that could say what is similar.
    #[error("no channel of this bundle knows which items are similar")]
    NothingSimilar,
    /// The channel does not know about single items: what is popular is not similar to anything. Name another one, or
    /// none.
    #[error("channel `{channel}` cannot say which items are similar")]
    NotSimilar {
        /// The channel.
        channel: String,
    },
    /// The channel has no vectors that could be handed out.
    #[error("channel `{channel}` has no vectors")]
    NoVectors {
        /// The channel.
        channel: String,
    },
    /// The channel's item vectors were not trained against a table of their own.
    #[error("channel `{channel}` has no output vectors")]
    NoOutputVectors {
        /// The channel.
        channel: String,
    },
    /// A request could not be ranked. The bundle is inconsistent.
    #[error(transparent)]
    Rank(#[from] catchment_ranking::RankError),
    /// A request could not be turned into features.
    #[error("features: {0}")]
    Features(String),
}
