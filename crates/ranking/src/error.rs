//! What can go wrong while ranking.

/// Why candidates could not be scored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RankError {
    /// A candidate is not in the catalogue. The caller mixed two bundles.
    #[error("item {item} is beyond the catalogue of {n_items}")]
    UnknownItem {
        /// The item's index.
        item: u32,
        /// How many items the catalogue has.
        n_items: usize,
    },
    /// The features are not those that the ranker was trained on. Retrain, or publish both from one run.
    #[error("{side} features do not have the shape that the ranker was trained on: {reason}")]
    WrongShape {
        /// `user`, `item`, `context` or `candidate`.
        side: &'static str,
        /// Where they differ.
        reason: String,
    },
}
