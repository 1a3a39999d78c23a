//! Rows with what was observed of them.

use super::{SparseRow, SparseRows};
use crate::{Error, Result};

/// Rows, each with a label and a sample weight. Checked once, when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    rows: &'a SparseRows,
    labels: &'a [f32],
    weights: Option<&'a [f32]>,
}

impl<'a> Examples<'a> {
    /// `labels` in [0, 1], one a row; `weights` from 0, one a row, or `None` where all count the same.
    ///
    /// # Errors
    /// [`Error::WrongLength`], [`Error::Label`], [`Error::Weight`].
    pub fn new(rows: &'a SparseRows, labels: &'a [f32], weights: Option<&'a [f32]>) -> Result<Self> {
        let lengths = |what, found: usize| {
            let error = Error::WrongLength {
                what,
                expected: rows.len(),
                found,
            };
            if found == rows.len() { Ok(()) } else { Err(error) }
        };
        lengths("labels", labels.len())?;
        if let Some((row, &value)) = labels
            .iter()
            .enumerate()
            .find(|(_, label)| !(0.0..=1.0).contains(*label))
        {
            return Err(Error::Label { row, value });
        }
        if let Some(weights) = weights {
            lengths("weights", weights.len())?;
            let bad = weights
                .iter()
                .enumerate()
                .find(|(_, weight)| !weight.is_finite() || **weight < 0.0);
            if let Some((row, &value)) = bad {
                return Err(Error::Weight { row, value });
            }
        }
        Ok(Self {
            rows,
            labels,
            weights,
        })
    }

    /// The rows.
    pub fn rows(&self) -> &'a SparseRows {
        self.rows
    }

    /// A row with its label and its weight.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn get(&self, row: usize) -> (SparseRow<'a>, f64, f64) {
        let weight = self.weights.map_or(1.0, |weights| f64::from(weights[row]));
        (self.rows.row(row), f64::from(self.labels[row]), weight)
    }

    /// The sum of the weights of some rows, after checking that they exist and that it is above 0.
    pub(super) fn total_weight(&self, rows: &[usize], purpose: &'static str) -> Result<f64> {
        if let Some(&found) = rows.iter().find(|&&row| row >= self.rows.len()) {
            let n_rows = self.rows.len();
            return Err(Error::UnknownRow { row: found, n_rows });
        }
        let total: f64 = rows.iter().map(|&row| self.get(row).2).sum();
        if total > 0.0 {
            Ok(total)
        } else {
            Err(Error::NoRows { purpose })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_weights_are_checked_with_the_row_named() {
        let mut rows = SparseRows::new(1);
        rows.push([(0, 1.0)]).expect("good row");
        rows.push([]).expect("good row");
        let fail = |labels: &[f32], weights: Option<&[f32]>| {
            Examples::new(&rows, labels, weights).expect_err("bad examples")
        };
        assert!(matches!(
            fail(&[1.0], None),
            Error::WrongLength { what: "labels", .. }
        ));
        assert!(matches!(fail(&[1.0, 2.0], None), Error::Label { row: 1, .. }));
        assert!(matches!(
            fail(&[f32::NAN, 0.0], None),
            Error::Label { row: 0, .. }
        ));
        assert!(matches!(
            fail(&[1.0, 0.0], Some(&[1.0])),
            Error::WrongLength { what: "weights", .. }
        ));
        assert!(matches!(
            fail(&[1.0, 0.0], Some(&[1.0, -1.0])),
            Error::Weight { row: 1, .. }
        ));
        let examples = Examples::new(&rows, &[1.0, 0.0], Some(&[1.0, 0.0])).expect("good examples");
        assert!(matches!(
            examples.total_weight(&[1], "train on"),
            Err(Error::NoRows { .. })
        ));
        assert!(matches!(
            examples.total_weight(&[2], "train on"),
            Err(Error::UnknownRow { row: 2, .. })
        ));
    }
}
