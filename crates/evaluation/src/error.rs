//! What can go wrong while judging.

use std::path::PathBuf;

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
    /// No user has a held-out item. The split is to blame: use another, or more data.
    #[error("nothing to measure: no user has a held-out item")]
    NoTruth,
    /// The lists could not be had. The text is from whoever makes them.
    #[error("the lists cannot be had: {0}")]
    Lists(String),
    /// A list has an item twice, or more items than were asked for. Whoever made it is to blame.
    #[error("the list of user {user} is not a ranking: {reason}")]
    NotARanking {
        /// The user's index.
        user: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// A file has the lists of several channels, and no one was chosen. Name one
    /// ([`crate::FileLists::read_channel`]), or write a file each.
    #[error("{} has the lists of several channels, choose one: {}", path.display(), channels.join(", "))]
    SeveralChannels {
        /// The file.
        path: PathBuf,
        /// The channels in it, in order of name.
        channels: Vec<String>,
    },
    /// A file has no list of the channel that was asked for. The caller is to blame, or the file is another one.
    #[error("{} has no channel `{channel}`; it has: {}", path.display(), channels.join(", "))]
    NoSuchChannel {
        /// The file.
        path: PathBuf,
        /// The channel that was looked for.
        channel: String,
        /// The channels in it, in order of name.
        channels: Vec<String>,
    },
    /// A user's list in a file has an item twice. Whoever wrote the file is to blame.
    #[error("{}: the list of user {user:?} has item {item:?} twice, at ranks {} and {}", path.display(), ranks[0], ranks[1])]
    ListedTwice {
        /// The file.
        path: PathBuf,
        /// Raw id of the user.
        user: String,
        /// Raw id of the item.
        item: String,
        /// Where it stands.
        ranks: [u32; 2],
    },
    /// The ranks of a user's list in a file are not 1, 2, 3, …: one is missing, or there twice. Whoever wrote the
    /// file is to blame; a list that was filtered must be numbered again.
    #[error("{}: the list of user {user:?} has rank {found} where {expected} should be", path.display())]
    RankGap {
        /// The file.
        path: PathBuf,
        /// Raw id of the user.
        user: String,
        /// The rank that should come next.
        expected: u32,
        /// The rank that comes.
        found: u32,
    },
    /// Two runs were judged against different held-out items, or by different metrics: their users cannot be paired.
    /// Judge both against the same prepared log by the same `[evaluate]`.
    #[error("the runs cannot be paired: {reason}")]
    NotPaired {
        /// What differs.
        reason: String,
    },
    /// A segmentation names a column that is not there. The recipe or the command line is to blame.
    #[error("evaluate.segments: there is no column `{by}`; there are: {}", known.join(", "))]
    NoSuchSegment {
        /// The segmentation, such as `item.genre`.
        by: String,
        /// Those that are possible, in order of name.
        known: Vec<String>,
    },
    /// A matrix or a list of rows has another shape than it should. The caller is to blame.
    #[error("{what}: {reason}")]
    Shape {
        /// Which of the inputs.
        what: &'static str,
        /// What was expected and what was found.
        reason: String,
    },
    /// Labels and predictions cannot be compared. The caller is to blame.
    #[error("cannot compare {labels} labels with {predictions} predictions: {reason}")]
    Predictions {
        /// How many labels.
        labels: usize,
        /// How many predictions.
        predictions: usize,
        /// What is wrong.
        reason: String,
    },
    /// A file of lists could not be read; see [`catchment_schema::Error::help`].
    #[error(transparent)]
    Schema(#[from] catchment_schema::Error),
}
