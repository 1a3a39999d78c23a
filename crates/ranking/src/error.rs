//! What can go wrong while ranking, and while learning to rank.

use crate::Side;

/// Why candidates could not be scored, or a ranker not be fitted, saved or opened.
#[derive(Debug, thiserror::Error)]
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
        /// Whose features.
        side: Side,
        /// Where they differ.
        reason: String,
    },
    /// A feature is NaN or infinite. Whoever transformed the features is to blame.
    #[error("{side} features of row {row} are not finite")]
    NotFinite {
        /// Whose features.
        side: Side,
        /// Which row.
        row: usize,
    },
    /// The features of all sides together need more weights than can be numbered. Hash into fewer buckets.
    #[error("the features need {width} weights, allowed are {max}", max = u32::MAX)]
    TooWide {
        /// How many weights they need.
        width: u64,
    },
    /// A setting is out of range. Mend the recipe.
    #[error("`{key}` is {value}, allowed is {allowed}")]
    Config {
        /// The key in the configuration.
        key: &'static str,
        /// Its value.
        value: f64,
        /// The range.
        allowed: &'static str,
    },
    /// Labels or weights of a request are not one a candidate. The caller is to blame.
    #[error("{what}: {found} for {candidates} candidates")]
    Lengths {
        /// `labels` or `weights`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many candidates the request has.
        candidates: usize,
    },
    /// One part of the requests has no positives, or nothing else. Bring more requests, or hold out a larger share.
    #[error("the {part} requests do not have both positive and negative candidates with a weight")]
    OneClass {
        /// `train`, `validation` or `test`.
        part: &'static str,
    },
    /// The model could not be fitted, saved or opened.
    #[error(transparent)]
    Model(#[from] catchment_models::Error),
    /// A file could not be written or read, or contradicts itself.
    #[error(transparent)]
    File(#[from] catchment_schema::Error),
}
