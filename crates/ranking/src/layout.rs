//! Where in one vector of weights each feature has its place.

use catchment_features::{FeatureBatch, FeatureColumn, FeatureRow};
use serde::{Deserialize, Serialize};

use crate::{RankError, Side};

/// The shape of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ColumnShape {
    /// So many numbers a row.
    Dense {
        /// Numbers a row.
        width: usize,
    },
    /// Any number of ids a row.
    Bag {
        /// Ids are below this.
        cardinality: u32,
    },
}

impl ColumnShape {
    /// The shape of a column.
    pub fn of(column: &FeatureColumn) -> Self {
        match *column {
            FeatureColumn::Dense { width, .. } => Self::Dense { width },
            FeatureColumn::Bag { cardinality, .. } => Self::Bag { cardinality },
        }
    }

    /// How many weights it needs.
    fn width(self) -> u64 {
        match self {
            Self::Dense { width } => width as u64,
            Self::Bag { cardinality } => u64::from(cardinality),
        }
    }
}

/// The shapes of the features of all four sides, as they stand in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shapes {
    /// The user's.
    pub user: Vec<ColumnShape>,
    /// The context's.
    pub context: Vec<ColumnShape>,
    /// An item's.
    pub item: Vec<ColumnShape>,
    /// A candidate's.
    pub candidate: Vec<ColumnShape>,
}

impl Shapes {
    fn of(&self, side: Side) -> &[ColumnShape] {
        match side {
            Side::User => &self.user,
            Side::Context => &self.context,
            Side::Item => &self.item,
            Side::Candidate => &self.candidate,
        }
    }
}

/// Numbers every weight of a linear model over four sides: a dense column has `width` of them, a bag
/// `cardinality`; columns follow each other in their order, sides in that of [`Side::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    shapes: Shapes,
    /// The first weight of each column, by side.
    first: [Vec<u32>; 4],
    width: usize,
}

impl Layout {
    /// The layout for these shapes.
    ///
    /// # Errors
    /// [`RankError::TooWide`].
    pub fn new(shapes: Shapes) -> Result<Self, RankError> {
        let mut width = 0_u64;
        let mut first: [Vec<u32>; 4] = Default::default();
        for (side, first) in Side::ALL.into_iter().zip(&mut first) {
            for shape in shapes.of(side) {
                first.push(u32::try_from(width).map_err(|_| RankError::TooWide { width })?);
                width = width.saturating_add(shape.width());
            }
        }
        if width > u64::from(u32::MAX) {
            return Err(RankError::TooWide { width });
        }
        let width = usize::try_from(width).map_err(|_| RankError::TooWide { width })?;
        Ok(Self { shapes, first, width })
    }

    /// The layout for batches like these; how many rows they have does not matter.
    ///
    /// # Errors
    /// [`RankError::TooWide`].
    pub fn of(
        user: &FeatureBatch,
        context: &FeatureBatch,
        item: &FeatureBatch,
        candidate: &FeatureBatch,
    ) -> Result<Self, RankError> {
        let [user, context, item, candidate] =
            [user, context, item, candidate].map(|batch| batch.columns.iter().map(ColumnShape::of).collect());
        Self::new(Shapes {
            user,
            context,
            item,
            candidate,
        })
    }

    /// The shapes that it was made for.
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// How many weights there are in all.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Calls `visit(weight's number, value)` for each number and each id of a row, column by column. Numbers are below
    /// [`Layout::width`]. This is the one way from features to weights, in training and in scoring.
    ///
    /// # Errors
    /// [`RankError::WrongShape`] when the row has not this side's shape.
    pub fn visit(
        &self,
        side: Side,
        row: FeatureRow<'_>,
        mut visit: impl FnMut(u32, f32),
    ) -> Result<(), RankError> {
        let FeatureRow { batch, row } = row;
        let shapes = self.shapes.of(side);
        let wrong = |reason: String| RankError::WrongShape { side, reason };
        if batch.columns.len() != shapes.len() {
            let found = batch.columns.len();
            return Err(wrong(format!("{found} columns instead of {}", shapes.len())));
        }
        if row >= batch.rows {
            return Err(wrong(format!("row {row} of {}", batch.rows)));
        }
        let firsts = &self.first[side as usize];
        for (number, ((&shape, &first), column)) in shapes.iter().zip(firsts).zip(&batch.columns).enumerate()
        {
            let found = ColumnShape::of(column);
            if found != shape {
                return Err(wrong(format!(
                    "column {number} is {found:?} instead of {shape:?}"
                )));
            }
            let too_short = || wrong(format!("column {number} is too short for row {row}"));
            match column {
                FeatureColumn::Dense { width, values } => {
                    let values = values.get(row * width..(row + 1) * width).ok_or_else(too_short)?;
                    for (index, &value) in (first..).zip(values) {
                        visit(index, value);
                    }
                }
                FeatureColumn::Bag {
                    cardinality,
                    offsets,
                    ids,
                    weights,
                } => {
                    let offset = |at: usize| offsets.get(at).map(|&offset| offset as usize);
                    let range = offset(row).ok_or_else(too_short)?..offset(row + 1).ok_or_else(too_short)?;
                    let ids = ids.get(range.clone()).ok_or_else(too_short)?;
                    let weights = weights.get(range).ok_or_else(too_short)?;
                    for (&id, &weight) in ids.iter().zip(weights) {
                        if id >= *cardinality {
                            return Err(wrong(format!("column {number} has id {id} of {cardinality}")));
                        }
                        visit(first + id, weight);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(width: usize, values: &[f32]) -> FeatureColumn {
        FeatureColumn::Dense {
            width,
            values: values.to_vec(),
        }
    }

    fn bag(cardinality: u32, offsets: &[u32], ids: &[u32]) -> FeatureColumn {
        FeatureColumn::Bag {
            cardinality,
            offsets: offsets.to_vec(),
            ids: ids.to_vec(),
            weights: vec![1.0; ids.len()],
        }
    }

    fn batch(rows: usize, columns: Vec<FeatureColumn>) -> FeatureBatch {
        FeatureBatch { rows, columns }
    }

    fn layout() -> Layout {
        let user = batch(1, vec![bag(5, &[0, 0], &[])]);
        let item = batch(
            2,
            vec![dense(2, &[1.0, 2.0, 3.0, 4.0]), bag(3, &[0, 2, 2], &[2, 0])],
        );
        Layout::of(&user, &batch(1, vec![]), &item, &batch(1, vec![dense(1, &[0.0])])).expect("narrow enough")
    }

    #[test]
    fn every_weight_has_one_place() {
        let layout = layout();
        assert_eq!(layout.width(), 5 + 2 + 3 + 1);
        let item = batch(
            2,
            vec![dense(2, &[1.0, 2.0, 3.0, 4.0]), bag(3, &[0, 2, 2], &[2, 0])],
        );
        let (candidate, context) = (batch(1, vec![dense(1, &[0.5])]), batch(1, vec![]));
        let entries = |side, row: FeatureRow<'_>| {
            let mut entries = vec![];
            layout
                .visit(side, row, |index, value| entries.push((index, value)))
                .expect("right shape");
            entries
        };
        assert_eq!(
            entries(Side::Item, item.row(0)),
            [(5, 1.0), (6, 2.0), (9, 1.0), (7, 1.0)]
        );
        assert_eq!(entries(Side::Item, item.row(1)), [(5, 3.0), (6, 4.0)]);
        assert_eq!(entries(Side::Candidate, candidate.row(0)), [(10, 0.5)]);
        assert_eq!(entries(Side::Context, context.row(0)), []);
    }

    #[test]
    fn another_shape_is_an_error_that_says_where() {
        let layout = layout();
        let fails = |side, batch: FeatureBatch, row: usize, expected: &str| {
            let error = layout
                .visit(side, batch.row(row), |_, _| {})
                .expect_err("wrong shape")
                .to_string();
            assert!(
                error.starts_with(side.name()) && error.contains(expected),
                "{error}"
            );
        };
        fails(Side::User, batch(1, vec![]), 0, "0 columns instead of 1");
        fails(Side::User, batch(1, vec![bag(5, &[0, 0], &[])]), 1, "row 1 of 1");
        fails(
            Side::User,
            batch(1, vec![bag(4, &[0, 0], &[])]),
            0,
            "column 0 is Bag",
        );
        fails(
            Side::User,
            batch(1, vec![dense(5, &[0.0; 5])]),
            0,
            "column 0 is Dense",
        );
        fails(Side::User, batch(1, vec![bag(5, &[0], &[])]), 0, "too short");
        fails(Side::User, batch(1, vec![bag(5, &[0, 3], &[1])]), 0, "too short");
        fails(Side::User, batch(1, vec![bag(5, &[1, 0], &[1])]), 0, "too short");
        fails(Side::User, batch(1, vec![bag(5, &[0, 1], &[5])]), 0, "id 5 of 5");
        fails(Side::Candidate, batch(2, vec![dense(1, &[0.0])]), 1, "too short");
    }

    #[test]
    fn more_weights_than_can_be_numbered_are_refused() {
        let shapes = Shapes {
            user: vec![ColumnShape::Bag {
                cardinality: u32::MAX,
            }],
            item: vec![ColumnShape::Dense { width: 1 }],
            ..Default::default()
        };
        assert!(matches!(Layout::new(shapes), Err(RankError::TooWide { .. })));
        let shapes = Shapes {
            user: vec![ColumnShape::Dense { width: usize::MAX }; 2],
            ..Default::default()
        };
        assert!(matches!(Layout::new(shapes), Err(RankError::TooWide { .. })));
    }
}
