//! Solves `(I + M Mᵀ) y = b` for a tall or flat `M`, by a blocked Cholesky factorisation.
//!
//! Both steps, the symmetric product and the factorisation, are made of the same dot products of contiguous rows, and
//! only the lower triangle is ever computed. The right-hand side travels as one more row of the matrix, so that the
//! forward substitution is part of the factorisation.

#![allow(
    clippy::needless_range_loop,
    reason = "the compiler leaves iterators of inner loops as calls, and a call costs more than the work in it"
)]

use pulp::Simd;

use super::tile::{TILE_COLUMNS, add_scaled, dots};
use super::{LANES, padded};

const TILE_ROWS: usize = 3;
/// Width of a panel of the factorisation.
const BLOCK: usize = LANES;

type Block = [[f32; BLOCK]; BLOCK];

/// The system and its buffers, reused from row to row: [`start`](Self::start), [`add`](Self::add) once or more, and
/// [`solve`](Self::solve).
#[derive(Debug, Default)]
pub(crate) struct IdentityPlusGram {
    /// Unknowns.
    n: usize,
    /// `n`, padded.
    size: usize,
    /// `[size + TILE_ROWS, size]`: below the diagonal the sum and then its factor, in the last row the right-hand side.
    /// Between them are rows that tiles hang over into, which stay zero.
    system: Vec<f32>,
    /// The inverse of each diagonal block, upper triangular.
    inverses: Vec<Block>,
}

impl IdentityPlusGram {
    /// Begins a system of `n` unknowns: the identity.
    pub(crate) fn start(&mut self, n: usize) {
        self.n = n;
        self.size = padded(n);
        self.system.clear();
        self.system.resize((self.size + TILE_ROWS) * self.size, 0.0);
        self.inverses.resize(self.size / BLOCK, [[0.0; BLOCK]; BLOCK]);
        for i in 0..self.size {
            self.system[i * self.size + i] = 1.0;
        }
    }

    /// Adds `M Mᵀ`: the lower triangle, tile by tile.
    ///
    /// # Shapes
    /// `rows`: `M`, `[n + 4, width]` with `width` a multiple of [`LANES`], zero in the last four rows, which let
    /// tiles hang over.
    #[inline(always)]
    pub(crate) fn add<S: Simd>(&mut self, simd: S, rows: &[f32], width: usize) {
        for i in (0..self.n).step_by(TILE_ROWS) {
            let left = tile_rows::<TILE_ROWS>(rows, width, i, width);
            for j in (0..self.n.min(i + TILE_ROWS)).step_by(TILE_COLUMNS) {
                let right = tile_rows(rows, width, j, width);
                let tile = dots(simd, left, right);
                for r in 0..TILE_ROWS {
                    let begin = (i + r) * self.size + j;
                    let sums = &mut self.system[begin..begin + TILE_COLUMNS];
                    for c in 0..TILE_COLUMNS {
                        sums[c] += tile[r][c];
                    }
                }
            }
        }
    }

    /// Solves for `y`; `false` where the matrix is not finite or rounding has left it without a positive pivot.
    ///
    /// # Shapes
    /// `solution`: `[n]`, `b` coming in and `y` going out.
    #[inline(always)]
    pub(crate) fn solve<S: Simd>(&mut self, simd: S, solution: &mut [f32]) -> bool {
        let begin = self.right_hand_side() * self.size;
        self.system[begin..begin + self.n].copy_from_slice(solution);
        for block in 0..self.size / BLOCK {
            self.update_panel(simd, block * BLOCK);
            if !self.factor_panel(simd, block * BLOCK) {
                return false;
            }
        }
        self.substitute_backwards(simd, solution);
        true
    }

    /// The row where `b` travels.
    #[inline(always)]
    fn right_hand_side(&self) -> usize {
        self.size + TILE_ROWS - 1
    }

    /// Takes what the panels to the left explain out of the panel that begins at `start`.
    #[inline(always)]
    fn update_panel<S: Simd>(&mut self, simd: S, start: usize) {
        if start == 0 {
            return;
        }
        for i in (start..self.n).step_by(TILE_ROWS) {
            self.update_rows::<S, TILE_ROWS>(simd, start, i);
        }
        self.update_rows::<S, 1>(simd, start, self.right_hand_side());
    }

    #[inline(always)]
    fn update_rows<S: Simd, const ROWS: usize>(&mut self, simd: S, start: usize, i: usize) {
        for j in (start..start + BLOCK).step_by(TILE_COLUMNS) {
            let left = tile_rows::<ROWS>(&self.system, self.size, i, start);
            let right = tile_rows(&self.system, self.size, j, start);
            let tile = dots(simd, left, right);
            for r in 0..ROWS {
                let begin = (i + r) * self.size + j;
                let rest = &mut self.system[begin..begin + TILE_COLUMNS];
                for c in 0..TILE_COLUMNS {
                    rest[c] -= tile[r][c];
                }
            }
        }
    }

    /// Factors the diagonal block, and solves the rows below it.
    #[inline(always)]
    fn factor_panel<S: Simd>(&mut self, simd: S, start: usize) -> bool {
        let (n, size) = (self.n, self.size);
        let mut upper = [[0.0; BLOCK]; BLOCK];
        for i in 0..BLOCK {
            for k in 0..=i {
                let value = self.system[(start + i) * size + start + k];
                upper[i][k] = value;
                upper[k][i] = value;
            }
        }
        if !factor_block(simd, &mut upper) {
            return false;
        }
        let inverse = invert_block(simd, &upper);
        for i in 0..BLOCK {
            for k in 0..=i {
                self.system[(start + i) * size + start + k] = upper[k][i];
            }
        }
        for i in start + BLOCK..n {
            self.times_inverse(simd, i * size + start, &inverse);
        }
        self.times_inverse(simd, self.right_hand_side() * size + start, &inverse);
        self.inverses[start / BLOCK] = inverse;
        true
    }

    #[inline(always)]
    fn times_inverse<S: Simd>(&mut self, simd: S, begin: usize, inverse: &Block) {
        let row = &mut self.system[begin..begin + BLOCK];
        let mut out = [0.0; BLOCK];
        for k in 0..BLOCK {
            add_scaled(simd, row[k], &inverse[k], &mut out);
        }
        row.copy_from_slice(&out);
    }

    /// `Lᵀ y = z`, with `z` where the right-hand side was.
    #[inline(always)]
    fn substitute_backwards<S: Simd>(&mut self, simd: S, solution: &mut [f32]) {
        let (n, size) = (self.n, self.size);
        let right_hand_side = self.right_hand_side();
        let (factor, rest) = self.system.split_at_mut(right_hand_side * size);
        let z = &mut rest[..size];
        for block in (0..size / BLOCK).rev() {
            let start = block * BLOCK;
            let (before, rest) = z.split_at_mut(start);
            let here = &mut rest[..BLOCK];
            let mut y = [0.0f32; BLOCK];
            for (y, inverse_row) in y.iter_mut().zip(&self.inverses[block]) {
                for (inverse, z) in inverse_row.iter().zip(&*here) {
                    *y += inverse * z;
                }
            }
            here.copy_from_slice(&y);
            for (i, y) in (start..n).zip(y) {
                add_scaled(simd, -y, &factor[i * size..i * size + start], before);
            }
        }
        solution.copy_from_slice(&z[..n]);
    }
}

/// The first `len` values of `N` rows from row `first` on.
#[inline(always)]
fn tile_rows<const N: usize>(matrix: &[f32], stride: usize, first: usize, len: usize) -> [&[f32]; N] {
    let mut rows: [&[f32]; N] = [&[]; N];
    for r in 0..N {
        let begin = (first + r) * stride;
        rows[r] = &matrix[begin..begin + len];
    }
    rows
}

/// `A = Uᵀ U`: `A` in full coming in, `U` going out (zero below the diagonal).
#[inline(always)]
fn factor_block<S: Simd>(simd: S, block: &mut Block) -> bool {
    for k in 0..BLOCK {
        let pivot = block[k][k];
        // Also refuses NaN.
        if !(pivot > 0.0 && pivot.is_finite()) {
            return false;
        }
        let scale = 1.0 / pivot.sqrt();
        let mut row = [0.0; BLOCK];
        add_scaled(simd, scale, &block[k], &mut row);
        for i in k + 1..BLOCK {
            add_scaled(simd, -row[i], &row, &mut block[i]);
        }
        row[..k].fill(0.0);
        block[k] = row;
    }
    true
}

/// The inverse of an upper triangle, from the last row to the first.
#[inline(always)]
fn invert_block<S: Simd>(simd: S, upper: &Block) -> Block {
    let mut inverse = [[0.0; BLOCK]; BLOCK];
    for k in (0..BLOCK).rev() {
        let mut row = [0.0; BLOCK];
        row[k] = 1.0;
        for i in k + 1..BLOCK {
            add_scaled(simd, -upper[k][i], &inverse[i], &mut row);
        }
        let mut scaled = [0.0; BLOCK];
        add_scaled(simd, 1.0 / upper[k][k], &row, &mut scaled);
        inverse[k] = scaled;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulp::{Arch, WithSimd};

    struct Solve<'a>(&'a mut IdentityPlusGram, &'a [f32], usize, &'a mut [f32]);

    impl WithSimd for Solve<'_> {
        type Output = bool;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> bool {
            self.0.start(self.3.len());
            self.0.add(simd, self.1, self.2);
            self.0.solve(simd, self.3)
        }
    }

    /// Gaussian elimination in f64, without a thought for speed.
    fn solve_slowly(rows: &[Vec<f32>], b: &[f32]) -> Vec<f64> {
        let n = rows.len();
        let dot = |i: usize, j: usize| -> f64 {
            rows[i]
                .iter()
                .zip(&rows[j])
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let mut matrix: Vec<Vec<f64>> = (0..n)
            .map(|i| (0..n).map(|j| dot(i, j) + f64::from(u8::from(i == j))).collect())
            .collect();
        let mut b: Vec<f64> = b.iter().map(|&x| f64::from(x)).collect();
        for k in 0..n {
            for i in k + 1..n {
                let factor = matrix[i][k] / matrix[k][k];
                let pivot_row = matrix[k].clone();
                for (value, pivot) in matrix[i].iter_mut().zip(&pivot_row).skip(k) {
                    *value -= factor * pivot;
                }
                b[i] -= factor * b[k];
            }
        }
        for k in (0..n).rev() {
            for j in k + 1..n {
                b[k] -= matrix[k][j] * b[j];
            }
            b[k] /= matrix[k][k];
        }
        b
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_size_agrees_with_elimination_in_double_precision(
            n in 1usize..70, dim in 1usize..40, seed in any::<u32>(), scale in 0.01f32..2.0,
        ) {
            let mut state = seed;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (f32::from(u16::try_from(state >> 16).expect("16 bits")) / 32768.0 - 1.0) * scale
            };
            let rows: Vec<Vec<f32>> = (0..n).map(|_| (0..dim).map(|_| random()).collect()).collect();
            let b: Vec<f32> = (0..n).map(|_| random()).collect();
            let width = padded(dim);
            let mut flat = vec![0.0; (n + 4) * width];
            for (row, values) in flat.chunks_mut(width).zip(&rows) {
                row[..dim].copy_from_slice(values);
            }
            // Dirt from another system must not show.
            let mut gram = IdentityPlusGram { system: vec![f32::NAN; 90 * 90], ..IdentityPlusGram::default() };
            let mut found = b.clone();
            prop_assert!(Arch::new().dispatch(Solve(&mut gram, &flat, width, &mut found)));
            for (found, expected) in found.iter().zip(solve_slowly(&rows, &b)) {
                prop_assert!((f64::from(*found) - expected).abs() < 2e-4 * f64::from(scale), "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_finite_is_refused() {
        let mut rows = vec![0.0; 6 * LANES];
        rows[3] = f32::NAN;
        let mut gram = IdentityPlusGram::default();
        assert!(!Arch::new().dispatch(Solve(&mut gram, &rows, LANES, &mut [1.0, 1.0])));
    }
}
