//! What can go wrong while building or searching.

/// A search that could not be answered. The caller's query is to blame.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query vectors have another width than the index.
    #[error("query of {found} values for an index of dimension {expected}")]
    WrongDimension {
        /// The index's dimension.
        expected: usize,
        /// How many values came.
        found: usize,
    },
    /// A value of the query is NaN or infinite.
    #[error("value {position} of the query is not finite")]
    NotFinite {
        /// Which one.
        position: usize,
    },
    /// `filters` has neither no entry nor one for each query.
    #[error("{found} filters for {expected} queries")]
    FilterCount {
        /// How many queries there are.
        expected: usize,
        /// How many filters came.
        found: usize,
    },
}
