//! What a space of vectors looks like: how many of its directions are used, and where items lie seen from above.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use crate::dense::self_adjoint;
use crate::sgns::normalise;
use crate::{Error, Result};

/// Rows that are added up at once in single precision.
const ROWS: usize = 256;

/// The directions of some vectors: their singular values, and the plane in which they differ most.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    singular_values: Vec<f64>,
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
}

impl Spectrum {
    /// Of `[n, dim]`, each taken at length 1; zero vectors have no direction and are passed over.
    ///
    /// # Errors
    /// [`Error::WrongLength`]; [`Error::Diverged`] for a value that is not finite; [`Error::NoInteractions`] where no
    /// vector has a direction.
    pub fn of_directions(vectors: &[f32], dim: usize) -> Result<Self> {
        if dim == 0 || !vectors.len().is_multiple_of(dim) {
            return Err(Error::WrongLength {
                what: "vectors",
                expected: vectors.len().next_multiple_of(dim.max(1)),
                found: vectors.len(),
            });
        }
        let mut gramian = Mat::<f64>::zeros(dim, dim);
        let mut mean = vec![0.0; dim];
        let mut n = 0_usize;
        let mut directions = Vec::with_capacity(ROWS * dim);
        for rows in vectors.chunks(ROWS * dim) {
            directions.clear();
            directions.extend_from_slice(rows);
            directions.chunks_exact_mut(dim).for_each(normalise);
            // What has no direction adds nothing.
            let some = MatRef::from_column_major_slice(&directions, dim, directions.len() / dim);
            let mut part = Mat::<f32>::zeros(dim, dim);
            matmul(&mut part, Accum::Replace, some, some.transpose(), 1.0, Par::Seq);
            for column in 0..dim {
                for row in 0..dim {
                    gramian[(row, column)] += f64::from(part[(row, column)]);
                }
            }
            for direction in directions.chunks_exact(dim) {
                for (mean, x) in mean.iter_mut().zip(direction) {
                    *mean += f64::from(*x);
                }
                n += usize::from(direction.iter().any(|&x| x != 0.0));
            }
        }
        if n == 0 {
            return Err(Error::NoInteractions);
        }
        for x in &mut mean {
            *x /= n as f64;
        }
        let second = Mat::from_fn(dim, dim, |row, column| gramian[(row, column)] / n as f64);
        let around_mean = Mat::from_fn(dim, dim, |row, column| {
            second[(row, column)] - mean[row] * mean[column]
        });
        let failed = || Error::Diverged { model: "spectrum" };
        let (squares, _) = self_adjoint(&second).ok_or_else(failed)?;
        let (_, vectors) = self_adjoint(&around_mean).ok_or_else(failed)?;
        // Eigenvalues rise: the last is the largest.
        let axis = |from_last: usize| match dim.checked_sub(from_last) {
            Some(column) => one_way((0..dim).map(|row| vectors[(row, column)]).collect()),
            None => vec![0.0; dim],
        };
        Ok(Self {
            singular_values: squares
                .iter()
                .rev()
                .map(|square| square.max(0.0).sqrt())
                .collect(),
            axes: [axis(1), axis(2)],
            mean,
        })
    }

    /// Of the matrix of directions, over the root of their number: falling, and their squares add up to 1.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular_values
    }

    /// How many directions are used, as if evenly: the exponential of the entropy of the squares (Roy and Vetterli
    /// 2007). From 1, where all vectors point one way, to the width.
    pub fn effective_rank(&self) -> f64 {
        let squares = self.singular_values.iter().map(|value| value * value);
        let entropy: f64 = squares
            .filter(|square| *square > 0.0)
            .map(|square| -square * square.ln())
            .sum();
        entropy.exp()
    }

    /// Where a vector's direction lies in the plane of the first two principal components; `None` for the zero vector
    /// or one of another width.
    pub fn place(&self, vector: &[f32]) -> Option<[f64; 2]> {
        if vector.len() != self.mean.len() {
            return None;
        }
        let mut direction = vector.to_vec();
        normalise(&mut direction);
        if direction.iter().all(|&x| x == 0.0) {
            return None;
        }
        Some(self.axes.each_ref().map(|axis| {
            let apart = direction.iter().zip(&self.mean);
            let along = apart.zip(axis);
            along.map(|((x, mean), axis)| (f64::from(*x) - mean) * axis).sum()
        }))
    }
}

/// An axis has no sign of its own: its largest number is made positive, so that a map is not mirrored by chance.
fn one_way(mut axis: Vec<f64>) -> Vec<f64> {
    let largest = axis
        .iter()
        .copied()
        .fold(0.0_f64, |most, x| if x.abs() > most.abs() { x } else { most });
    if largest < 0.0 {
        for x in &mut axis {
            *x = -*x;
        }
    }
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_that_are_used_evenly_have_full_rank_and_collapse_has_rank_one() {
        let even = [3.0, 0.0, 0.0, -0.1, 0.0, 2.0, 0.0, 0.0];
        let spectrum = Spectrum::of_directions(&even, 2).expect("vectors");
        // Two of the three directions lie along the second axis.
        let [first, second] = [2.0_f64 / 3.0, 1.0 / 3.0].map(f64::sqrt);
        assert!((spectrum.singular_values()[0] - first).abs() < 1e-6);
        assert!((spectrum.singular_values()[1] - second).abs() < 1e-6);
        let collapsed: Vec<f32> = (1..50).flat_map(|n| [n as f32, 2.0 * n as f32, 0.0]).collect();
        let spectrum = Spectrum::of_directions(&collapsed, 3).expect("vectors");
        assert!((spectrum.effective_rank() - 1.0).abs() < 1e-3);
        let many: Vec<f32> = (0..400)
            .map(|at| if at % 4 == at / 4 % 4 { 1.0 } else { 0.0 })
            .collect();
        let spectrum = Spectrum::of_directions(&many, 4).expect("vectors");
        assert!((spectrum.effective_rank() - 4.0).abs() < 1e-6);
    }

    #[test]
    fn a_map_spreads_along_what_differs_most() {
        let mut vectors = Vec::new();
        for n in 0..600_u32 {
            let wide = (n as f32 / 300.0 - 1.0) * 0.8;
            let narrow = if n % 2 == 0 { 0.1 } else { -0.1 };
            vectors.extend([narrow, 1.0, wide]);
        }
        let spectrum = Spectrum::of_directions(&vectors, 3).expect("vectors");
        let places: Vec<[f64; 2]> = vectors.chunks(3).filter_map(|v| spectrum.place(v)).collect();
        assert_eq!(places.len(), 600);
        assert!(
            places.windows(3).all(|some| some[0][0] < some[2][0]),
            "along the wide one"
        );
        assert!(
            places
                .iter()
                .zip(0..)
                .all(|(place, n)| (place[1] > 0.0) == (n % 2 == 0))
        );
        assert_eq!(spectrum.place(&[0.0; 3]), None);
        assert_eq!(spectrum.place(&[1.0; 2]), None);
    }

    #[test]
    fn what_is_no_set_of_directions_is_refused() {
        let failed = |vectors: &[f32], dim| Spectrum::of_directions(vectors, dim).expect_err("refused");
        assert!(matches!(failed(&[1.0; 3], 2), Error::WrongLength { .. }));
        assert!(matches!(failed(&[], 0), Error::WrongLength { .. }));
        assert!(matches!(failed(&[0.0; 4], 2), Error::NoInteractions));
        assert!(matches!(
            failed(&[f32::NAN, 1.0], 2),
            Error::NoInteractions | Error::Diverged { .. }
        ));
        assert!(matches!(
            failed(&[f32::INFINITY, 1.0], 2),
            Error::NoInteractions | Error::Diverged { .. }
        ));
        assert!((Spectrum::of_directions(&[2.0], 1).expect("one").effective_rank() - 1.0).abs() < 1e-9);
    }
}
