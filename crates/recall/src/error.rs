//! Why a channel gave no answer.

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
