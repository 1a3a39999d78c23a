//! What can go wrong when a sampler is made.

/// Why a sampler could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingError {
    /// There is nothing to draw from. Check the vocabulary: the filters before may have removed everything.
    #[error("there is no item to draw from")]
    NoItems,
}
