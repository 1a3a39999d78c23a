//! The columnar batch: what a model sees.

use crate::shape::ColumnKind;

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

impl FeatureColumn {
    /// A column of this layout without rows.
    pub fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Dense { width } => Self::Dense {
                width,
                values: Vec::new(),
            },
            ColumnKind::Bag { cardinality } => Self::Bag {
                cardinality,
                offsets: vec![0],
                ids: Vec::new(),
                weights: Vec::new(),
            },
        }
    }

    /// The layout.
    pub fn kind(&self) -> ColumnKind {
        match *self {
            Self::Dense { width, .. } => ColumnKind::Dense { width },
            Self::Bag { cardinality, .. } => ColumnKind::Bag { cardinality },
        }
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            Self::Dense { width, values } => values.truncate(rows * *width),
            Self::Bag {
                offsets,
                ids,
                weights,
                ..
            } => {
                offsets.truncate(rows + 1);
                let end = offsets.last().map_or(0, |&end| end as usize);
                ids.truncate(end);
                weights.truncate(end);
            }
        }
    }

    /// Adds one number; a dense row is complete after `width` of them.
    #[inline]
    pub(crate) fn push_number(&mut self, value: f32) {
        match self {
            Self::Dense { values, .. } => values.push(value),
            Self::Bag { .. } => unreachable!("the batch was given the shape of its features"),
        }
    }

    /// Adds a row of one id with the weight 1.
    #[inline]
    pub(crate) fn push_id(&mut self, id: u32) {
        let mut row = self.bag_row();
        row.push(id, 1.0);
        row.finish(false);
    }

    /// Adds a row of ids with their weights.
    #[cfg(test)]
    pub(crate) fn push_bag(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        let mut row = self.bag_row();
        entries.into_iter().for_each(|(id, weight)| row.push(id, weight));
        row.finish(false);
    }

    /// Makes room for so many rows, one id each where this is a bag.
    pub(crate) fn reserve(&mut self, rows: usize) {
        match self {
            Self::Dense { width, values } => values.reserve(rows * *width),
            Self::Bag {
                offsets,
                ids,
                weights,
                ..
            } => {
                offsets.reserve(rows);
                ids.reserve(rows);
                weights.reserve(rows);
            }
        }
    }

    /// The ids and weights of a row; none where this is dense or the row is beyond it.
    pub(crate) fn bag(&self, row: usize) -> (&[u32], &[f32]) {
        match self {
            Self::Bag {
                offsets,
                ids,
                weights,
                ..
            } if row + 1 < offsets.len() => {
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                (&ids[range.clone()], &weights[range])
            }
            _ => (&[], &[]),
        }
    }
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

    /// Takes all rows away and keeps the buffers.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Takes the rows from `rows` on away and keeps the buffers.
    pub fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        for column in &mut self.columns {
            column.truncate(rows);
        }
    }

    /// The ids and weights of the only row.
    pub(crate) fn bag(&self, column: usize) -> (&[u32], &[f32]) {
        self.row(0).bag(column)
    }

    /// Whether the columns have these layouts, in this order.
    pub(crate) fn has_kinds(&self, kinds: impl IntoIterator<Item = ColumnKind>) -> bool {
        self.columns.iter().map(FeatureColumn::kind).eq(kinds)
    }
}

impl<'a> FeatureRow<'a> {
    /// The `[width]` numbers of the feature at `column`; none where that is a bag or the row is beyond the batch.
    pub fn dense(self, column: usize) -> &'a [f32] {
        match self.batch.columns.get(column) {
            Some(FeatureColumn::Dense { width, values }) => values
                .get(self.row * width..(self.row + 1) * width)
                .unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The ids and weights of the feature at `column`; none where that is dense or the row is beyond the batch.
    pub fn bag(self, column: usize) -> (&'a [u32], &'a [f32]) {
        let column = self.batch.columns.get(column);
        column.map_or((&[], &[]), |column| column.bag(self.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_and_truncation_drops_the_last_ones() {
        let mut batch = FeatureBatch {
            rows: 2,
            columns: vec![
                FeatureColumn::new(ColumnKind::Dense { width: 2 }),
                FeatureColumn::new(ColumnKind::Bag { cardinality: 9 }),
            ],
        };
        for value in [1.0, 2.0, 3.0, 4.0] {
            batch.columns[0].push_number(value);
        }
        batch.columns[1].push_bag([(7, 1.0)]);
        batch.columns[1].push_bag([(8, 0.5), (0, 0.5)]);
        assert_eq!(batch.row(1).dense(0), [3.0, 4.0]);
        assert_eq!(batch.row(1).bag(1), (&[8, 0][..], &[0.5, 0.5][..]));
        assert!(batch.row(2).dense(0).is_empty());
        assert!(batch.row(2).bag(1).0.is_empty());
        batch.truncate(1);
        assert_eq!(batch.rows, 1);
        assert!(batch.row(1).dense(0).is_empty());
        assert_eq!(batch.row(0).bag(1).0, [7]);
        assert!(batch.row(1).bag(1).0.is_empty());
    }
}
