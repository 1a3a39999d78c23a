//! The columnar batch: what a model sees.

/// One feature for every row of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureColumn {
    /// `width` numbers a row.
    Dense {
        /// Numbers a row.
        width: usize,
        /// `[rows, width]`, row-major, finite.
        values: Vec<f32>,
    },
    /// Any number of ids a row, each with a weight (compressed sparse rows).
    Bag {
        /// Ids are below this.
        cardinality: u32,
        /// `[rows + 1]`.
        offsets: Vec<u32>,
        /// `[offsets[rows]]`.
        ids: Vec<u32>,
        /// `[offsets[rows]]`, finite; 1 for plain membership.
        weights: Vec<f32>,
    },
}

/// The features of one side (user, item, context or candidate) for a number of rows, in the order of the spec.
/// Meant to be cleared and filled again, so that a steady state allocates nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureBatch {
    /// How many rows there are.
    pub rows: usize,
    /// One column a feature.
    pub columns: Vec<FeatureColumn>,
}

/// One row of a batch: the user, the context or the item of a request.
#[derive(Clone, Copy, Debug)]
pub struct FeatureRow<'a> {
    /// The batch.
    pub batch: &'a FeatureBatch,
    /// Which row.
    pub row: usize,
}

impl FeatureBatch {
    /// Row `row` of the batch.
    pub fn row(&self, row: usize) -> FeatureRow<'_> {
        FeatureRow { batch: self, row }
    }
}
