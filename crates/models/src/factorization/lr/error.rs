//! What can go wrong with a logistic regression.

/// Why a logistic regression could not be fitted, saved or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LrError {
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
    /// A row has an index beyond the features, or a value that is not finite. Whoever made the row is to blame.
    #[error(
        "row {row}: feature {index} has the value {value}; indices are below {n_features}, values finite"
    )]
    Row {
        /// The row, from 0.
        row: usize,
        /// The feature's index.
        index: u32,
        /// Its value.
        value: f32,
        /// How many features there are.
        n_features: usize,
    },
    /// A label is not in [0, 1]. Whoever made the examples is to blame.
    #[error("row {row} has the label {value}, allowed is 0 to 1")]
    Label {
        /// The row, from 0.
        row: usize,
        /// The label.
        value: f32,
    },
    /// A sample weight is negative or not finite. Whoever made the examples is to blame.
    #[error("row {row} has the weight {value}, allowed are finite numbers from 0")]
    Weight {
        /// The row, from 0.
        row: usize,
        /// The weight.
        value: f32,
    },
    /// Labels or weights are not one a row, or a row that was named does not exist. The caller is to blame.
    #[error("{what}: {found} for {rows} rows")]
    Lengths {
        /// `labels`, `weights` or `row number`.
        what: &'static str,
        /// How many, or which.
        found: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// There is nothing to learn from: no row, or all weights are 0. Check the filters before.
    #[error("no row with a weight to {purpose}")]
    NoRows {
        /// `train on` or `validate on`.
        purpose: &'static str,
    },
    /// The loss or a weight is no longer finite. Lower `alpha`, or scale the features.
    #[error("training diverged in epoch {epoch}")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// A model's file could not be written or read.
    #[error(transparent)]
    File(#[from] catchment_schema::Error),
}
