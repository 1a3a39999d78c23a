//! What can go wrong while building or searching.

use catchment_schema::Metric;

/// An index that could not be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Vectors without a width. The caller is to blame: give the dimension that the model was trained with.
    #[error("dimension 0: a vector needs at least one value")]
    ZeroDimension,
    /// The values do not fill whole rows. The caller is to blame: the table was cut or has another dimension.
    #[error("{values} values do not make whole vectors of dimension {dim}")]
    Ragged {
        /// How many values came.
        values: usize,
        /// The dimension asked for.
        dim: usize,
    },
    /// A value is NaN or infinite. Whoever trained the vectors is to blame: look for a diverged loss.
    #[error("value {position} of item {item} is not finite")]
    NotFinite {
        /// Row of the vector.
        item: usize,
        /// Which of its values.
        position: usize,
    },
    /// More rows than an item index can count. Split the catalogue.
    #[error("{found} items, but an index holds at most {}", u32::MAX)]
    TooManyItems {
        /// How many rows came.
        found: usize,
    },
    /// The engine cannot search by this metric. The configuration is to blame: ask for `exact` (or `auto`,
    /// which picks it), or train normalised vectors and search by cosine.
    #[error("{engine} cannot search by {}: use kind = \"exact\", or normalise and use cosine", .metric.name())]
    UnsupportedMetric {
        /// The engine that was asked for.
        engine: &'static str,
        /// The metric that was asked for.
        metric: Metric,
    },
    /// The engine was left out when this program was compiled. Build with the Cargo feature, or ask for
    /// `exact`.
    #[error("kind = \"{engine}\" needs the Cargo feature `{feature}` of catchment-ann-index")]
    NotCompiled {
        /// The engine that was asked for.
        engine: &'static str,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// A setting is out of its range. The configuration is to blame.
    #[error("{key} = {found} is out of range: allowed is {allowed}")]
    BadSetting {
        /// The key in the recipe, below `index`.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would be right.
        allowed: &'static str,
    },
    /// The third-party engine gave up although its input was valid. A defect of it or of our wall around it:
    /// please report; `exact` always works.
    #[error("the {engine} engine failed: {reason}")]
    EngineFailed {
        /// Which engine.
        engine: &'static str,
        /// What it said.
        reason: String,
    },
}

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
