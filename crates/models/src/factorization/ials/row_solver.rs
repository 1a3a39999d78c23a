//! One row, solved exactly.

#![allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "the compiler leaves iterators of inner loops as calls, and a call costs more than the work in it"
)]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::IalsConfig;
use super::factors::Factors;
use crate::dense::{IdentityPlusGram, add_scaled, padded};
use crate::incidence::Incidence;
use crate::{Error, Result};

/// Vectors that are transposed at a time, where a row has more of them than there are dimensions.
const TRANSPOSED: usize = 512;
/// Rows that one thread takes at a time.
const ROWS_AT_ONCE: usize = 16;

/// The side that is held still, in the basis where its Gramian is diagonal.
#[derive(Clone, Copy)]
pub(super) struct FixedSide<'a> {
    pub(super) factors: &'a Factors,
    pub(super) eigenvalues: &'a [f32],
    pub(super) alpha0: f32,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(super) struct RowSolver {
    /// `D^{-½}`, padded with zeros.
    scale: Vec<f32>,
    /// `W`, or a part of it.
    scaled: Vec<f32>,
    /// A part of `Wᵀ`.
    transposed: Vec<f32>,
    solution: Vec<f32>,
    system: IdentityPlusGram,
}

impl RowSolver {
    /// The vector of a row that has `columns` on the fixed side; `false` where values are no longer finite.
    ///
    /// # Shapes
    /// `out`: `[stride]`, the vector in the basis of the fixed side, then zeros.
    pub(super) fn solve(
        &mut self,
        fixed: FixedSide<'_>,
        columns: &[u32],
        ridge: f32,
        out: &mut [f32],
    ) -> bool {
        Arch::new().dispatch(SolveRow {
            solver: self,
            fixed,
            columns,
            ridge,
            out,
        })
    }

    /// All rows of one side, on all threads.
    ///
    /// # Errors
    /// [`Error::Diverged`].
    pub(super) fn solve_all(
        out: &mut Factors,
        fixed: FixedSide<'_>,
        incidence: &Incidence,
        config: &IalsConfig,
    ) -> Result<()> {
        let stride = out.stride;
        out.values
            .par_chunks_mut(stride * ROWS_AT_ONCE)
            .enumerate()
            .try_for_each_init(Self::default, |solver, (block, vectors)| {
                for (row, vector) in (block * ROWS_AT_ONCE..).zip(vectors.chunks_mut(stride)) {
                    let columns = incidence.row(row);
                    let ridge = config.ridge(columns.len(), incidence.n_columns());
                    if !solver.solve(fixed, columns, ridge, vector) {
                        return Err(Error::Diverged { model: "iALS" });
                    }
                }
                Ok(())
            })
    }
}

struct SolveRow<'a> {
    solver: &'a mut RowSolver,
    fixed: FixedSide<'a>,
    columns: &'a [u32],
    ridge: f32,
    out: &'a mut [f32],
}

impl WithSimd for SolveRow<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> bool {
        self.out.fill(0.0);
        if self.columns.is_empty() {
            return true;
        }
        let (dim, stride) = (self.fixed.factors.dim, self.fixed.factors.stride);
        let scale = &mut self.solver.scale;
        scale.clear();
        scale.resize(stride, 0.0);
        for (scale, eigenvalue) in scale.iter_mut().zip(self.fixed.eigenvalues) {
            *scale = 1.0 / (self.fixed.alpha0 * eigenvalue + self.ridge).sqrt();
        }
        let solved = if self.columns.len() < dim {
            self.solve_by_items(simd)
        } else {
            self.solve_by_dimensions(simd)
        };
        for (value, scale) in self.out.iter_mut().zip(&self.solver.scale) {
            *value *= scale;
        }
        solved && self.out.iter().all(|value| value.is_finite())
    }
}

impl SolveRow<'_> {
    /// `Wᵀ (I + W Wᵀ)⁻¹ 1`.
    #[inline(always)]
    fn solve_by_items<S: Simd>(&mut self, simd: S) -> bool {
        let n = self.columns.len();
        let stride = self.fixed.factors.stride;
        self.gather(0, n);
        let RowSolver {
            scaled,
            solution,
            system,
            ..
        } = &mut *self.solver;
        solution.clear();
        solution.resize(n, 1.0);
        system.start(n);
        system.add(simd, scaled, stride);
        let solved = system.solve(simd, solution);
        for i in 0..n {
            add_scaled(simd, solution[i], &scaled[i * stride..(i + 1) * stride], self.out);
        }
        solved
    }

    /// `(I + Wᵀ W)⁻¹ Wᵀ 1`.
    #[inline(always)]
    fn solve_by_dimensions<S: Simd>(&mut self, simd: S) -> bool {
        let (dim, stride) = (self.fixed.factors.dim, self.fixed.factors.stride);
        self.solver.system.start(dim);
        for first in (0..self.columns.len()).step_by(TRANSPOSED) {
            let n = TRANSPOSED.min(self.columns.len() - first);
            self.gather(first, n);
            let RowSolver {
                scaled,
                transposed,
                system,
                ..
            } = &mut *self.solver;
            for i in 0..n {
                add_scaled(simd, 1.0, &scaled[i * stride..(i + 1) * stride], self.out);
            }
            let width = padded(n);
            transposed.clear();
            transposed.resize((dim + 4) * width, 0.0);
            for i in 0..n {
                for j in 0..dim {
                    transposed[j * width + i] = scaled[i * stride + j];
                }
            }
            system.add(simd, transposed, width);
        }
        self.solver.system.solve(simd, &mut self.out[..dim])
    }

    /// `W` for `n` columns from `first` on, and four rows of zeros.
    #[inline(always)]
    fn gather(&mut self, first: usize, n: usize) {
        let stride = self.fixed.factors.stride;
        let RowSolver { scale, scaled, .. } = &mut *self.solver;
        // Only rows that will not be written anyway are cleared.
        scaled.resize((n + 4) * stride, 0.0);
        scaled[n * stride..].fill(0.0);
        for i in 0..n {
            let from = &self.fixed.factors.row(self.columns[first + i] as usize)[..stride];
            let to = &mut scaled[i * stride..(i + 1) * stride];
            let scale = &scale[..stride];
            for j in 0..stride {
                to[j] = from[j] * scale[j];
            }
        }
    }
}
