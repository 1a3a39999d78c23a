//! The vectors of one side, while they are trained.

use faer::linalg::matmul::{matmul, triangular};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::dense::padded;

/// Rows of a partial Gramian. Fixed, so that the sum is the same for any number of threads.
pub(super) const GRAM_ROWS: usize = 4096;
/// Rows that are turned at a time.
const TURN_ROWS: usize = 256;

/// `[n, dim]`, row-major, each row padded with zeros to `stride`.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    pub(super) dim: usize,
    pub(super) stride: usize,
    pub(super) values: Vec<f32>,
}

impl Factors {
    pub(super) fn zeros(n: usize, dim: usize) -> Self {
        let stride = padded(dim);
        Self {
            dim,
            stride,
            values: vec![0.0; n * stride],
        }
    }

    /// Normal numbers with standard deviation `stddev`.
    pub(super) fn random(n: usize, dim: usize, stddev: f64, seed: u64) -> Self {
        let mut factors = Self::zeros(n, dim);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        for row in factors.values.chunks_mut(factors.stride) {
            for pair in row[..dim].chunks_mut(2) {
                for (value, number) in pair.iter_mut().zip(two_normals(&mut rng)) {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "rounding to single precision is meant"
                    )]
                    let rounded = (stddev * number) as f32;
                    *value = rounded;
                }
            }
        }
        factors
    }

    pub(super) fn from_rows(rows: &[f32], dim: usize) -> Self {
        let mut factors = Self::zeros(rows.len() / dim, dim);
        for (to, from) in factors.values.chunks_mut(factors.stride).zip(rows.chunks(dim)) {
            to[..dim].copy_from_slice(from);
        }
        factors
    }

    /// `[n, dim]` without the padding.
    pub(super) fn to_rows(&self) -> Vec<f32> {
        self.values
            .chunks(self.stride)
            .flat_map(|row| &row[..self.dim])
            .copied()
            .collect()
    }

    #[inline]
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.stride..(row + 1) * self.stride]
    }

    /// The lower triangle of `Vᵀ V`: in single precision over blocks of rows, which are added in double precision.
    pub(super) fn gramian(&self) -> Mat<f64> {
        let dim = self.dim;
        let parts: Vec<Mat<f32>> = self
            .values
            .par_chunks(self.stride * GRAM_ROWS)
            .map(|rows| {
                let rows = view(rows, dim, self.stride);
                let mut part = Mat::zeros(dim, dim);
                triangular::matmul(
                    &mut part,
                    triangular::BlockStructure::TriangularLower,
                    Accum::Replace,
                    rows.transpose(),
                    triangular::BlockStructure::Rectangular,
                    rows,
                    triangular::BlockStructure::Rectangular,
                    1.0,
                    Par::Seq,
                );
                part
            })
            .collect();
        let mut sum = Mat::zeros(dim, dim);
        for part in &parts {
            for column in 0..dim {
                for row in column..dim {
                    sum[(row, column)] += f64::from(part[(row, column)]);
                }
            }
        }
        sum
    }

    /// `V ← V Q`.
    pub(super) fn turn(&mut self, rotation: MatRef<'_, f32>) {
        let (dim, stride) = (self.dim, self.stride);
        self.values.par_chunks_mut(stride * TURN_ROWS).for_each_init(
            Vec::new,
            |before: &mut Vec<f32>, rows| {
                before.clear();
                before.extend_from_slice(rows);
                let n = before.len() / stride;
                // Not `from_row_major_slice_with_stride_mut`, which in faer 0.24.4 swaps the strides and so writes beyond
                // the slice.
                let after =
                    MatMut::from_column_major_slice_with_stride_mut(rows, dim, n, stride).transpose_mut();
                matmul(
                    after,
                    Accum::Replace,
                    view(before, dim, stride),
                    rotation,
                    1.0,
                    Par::Seq,
                );
            },
        );
    }
}

fn view(rows: &[f32], dim: usize, stride: usize) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice_with_stride(rows, rows.len() / stride, dim, stride)
}

/// Two independent standard normal numbers (Box and Muller's transform).
fn two_normals(rng: &mut impl Rng) -> [f64; 2] {
    // 53 random bits, in (0, 1] so that the logarithm is finite.
    let mut uniform = || ((rng.next_u64() >> 11) as f64 + 1.0) * 2f64.powi(-53);
    let radius = (-2.0 * uniform().ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * uniform()).sin_cos();
    [radius * cosine, radius * sine]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_have_the_spread_that_was_asked_for_and_follow_the_seed() {
        let factors = Factors::random(2000, 5, 0.5, 3);
        let rows = factors.to_rows();
        let mean = rows.iter().sum::<f32>() / 10_000.0;
        let variance = rows.iter().map(|x| x * x).sum::<f32>() / 10_000.0;
        assert!(
            mean.abs() < 0.02 && (variance - 0.25).abs() < 0.02,
            "{mean} {variance}"
        );
        assert_eq!(rows, Factors::random(2000, 5, 0.5, 3).to_rows());
        assert_ne!(rows, Factors::random(2000, 5, 0.5, 4).to_rows());
    }

    #[test]
    fn the_gramian_is_the_sum_of_outer_products() {
        let factors = Factors::random(5000, 3, 1.0, 1);
        let gramian = factors.gramian();
        for i in 0..3 {
            for j in 0..=i {
                let expected: f64 = (0..5000)
                    .map(|n| f64::from(factors.row(n)[i]) * f64::from(factors.row(n)[j]))
                    .sum();
                assert!(
                    (gramian[(i, j)] - expected).abs() < 1e-2,
                    "{} {expected}",
                    gramian[(i, j)]
                );
            }
        }
    }
}
