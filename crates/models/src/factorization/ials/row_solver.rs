//! One row, solved exactly or made better.

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

use super::conjugate_gradient::ConjugateGradient;
use super::factors::Factors;
use super::{IalsConfig, Solver};
use crate::dense::{IdentityPlusGram, add_scaled, padded};
use crate::incidence::Incidence;
use crate::{Error, Result};

/// Vectors that are transposed at a time, where a row has more of them than there are dimensions.
pub(super) const TRANSPOSED: usize = 512;
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
    pub(super) scale: Vec<f32>,
    /// What the vector should score with each column.
    pub(super) target: Vec<f32>,
    /// `W`, or a part of it.
    pub(super) scaled: Vec<f32>,
    /// A part of `Wᵀ`.
    transposed: Vec<f32>,
    solution: Vec<f32>,
    system: IdentityPlusGram,
    /// A block of the vector, times `D^{½}`.
    pub(super) block: Vec<f32>,
    gradient: ConjugateGradient,
}

/// A row that is to be solved against the fixed side.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) fixed: FixedSide<'a>,
    /// The rows of the fixed side that it has.
    pub(super) columns: &'a [u32],
    /// `λ_u`.
    pub(super) ridge: f32,
}

impl RowSolver {
    /// The vector of a row; `false` where values are no longer finite.
    ///
    /// # Shapes
    /// `out`: `[stride]`, the vector in the basis of the fixed side, then zeros.
    pub(super) fn solve(&mut self, row: Row<'_>, out: &mut [f32]) -> bool {
        Arch::new().dispatch(SolveRow {
            solver: self,
            row,
            by: Solver::Exact,
            config: None,
            out,
        })
    }

    /// All rows of one side, on all threads. What does not solve exactly begins at the vectors that are there, which
    /// are in the basis of the fixed side.
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
                for (number, out) in (block * ROWS_AT_ONCE..).zip(vectors.chunks_mut(stride)) {
                    let columns = incidence.row(number);
                    let ridge = config.ridge(columns.len(), incidence.n_columns());
                    let solved = Arch::new().dispatch(SolveRow {
                        solver,
                        row: Row {
                            fixed,
                            columns,
                            ridge,
                        },
                        by: config.solver,
                        config: Some(config),
                        out,
                    });
                    if !solved {
                        return Err(Error::Diverged { model: "iALS" });
                    }
                }
                Ok(())
            })
    }
}

struct SolveRow<'a> {
    solver: &'a mut RowSolver,
    row: Row<'a>,
    by: Solver,
    /// Needed by whatever is not exact.
    config: Option<&'a IalsConfig>,
    out: &'a mut [f32],
}

impl WithSimd for SolveRow<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self {
            solver,
            row,
            by,
            config,
            out,
        } = self;
        if row.columns.is_empty() {
            out.fill(0.0);
            return true;
        }
        solver.start(row);
        let solved = match (by, config) {
            (Solver::Cg, Some(config)) => {
                solver
                    .gradient
                    .improve(simd, row, &solver.scale, config.cg_steps, out);
                true
            }
            (Solver::Blocks, Some(config)) => solver.improve_blocks(simd, row, config.block_size, out),
            (Solver::Exact, _) | (_, None) => {
                solver.target.clear();
                solver.target.resize(row.columns.len(), 1.0);
                let solved = solver.solve_block(simd, row, 0, row.fixed.factors.dim, out);
                for (value, scale) in out.iter_mut().zip(&solver.scale) {
                    *value *= scale;
                }
                solved
            }
        };
        solved && out.iter().all(|value| value.is_finite())
    }
}

impl RowSolver {
    /// `D^{-½}` of a row.
    #[inline(always)]
    fn start(&mut self, row: Row<'_>) {
        self.scale.clear();
        self.scale.resize(row.fixed.factors.stride, 0.0);
        for (scale, eigenvalue) in self.scale.iter_mut().zip(row.fixed.eigenvalues) {
            *scale = 1.0 / (row.fixed.alpha0 * eigenvalue + row.ridge).sqrt();
        }
    }

    /// The block of `len` dimensions from `begin` on, times `D^{½}`, that alone explains `target` best.
    ///
    /// # Shapes
    /// `out`: `[len, padded]`, overwritten.
    #[inline(always)]
    pub(super) fn solve_block<S: Simd>(
        &mut self,
        simd: S,
        row: Row<'_>,
        begin: usize,
        len: usize,
        out: &mut [f32],
    ) -> bool {
        out.fill(0.0);
        if row.columns.len() < len {
            self.solve_by_items(simd, row, begin, len, out)
        } else {
            self.solve_by_dimensions(simd, row, begin, len, out)
        }
    }

    /// `Wᵀ (I + W Wᵀ)⁻¹ target`.
    #[inline(always)]
    fn solve_by_items<S: Simd>(
        &mut self,
        simd: S,
        row: Row<'_>,
        begin: usize,
        len: usize,
        out: &mut [f32],
    ) -> bool {
        let n = row.columns.len();
        let width = padded(len);
        self.gather(row, begin, len, 0, n);
        let Self {
            scaled,
            target,
            solution,
            system,
            ..
        } = &mut *self;
        solution.clear();
        solution.extend_from_slice(target);
        system.start(n);
        system.add(simd, scaled, width);
        let solved = system.solve(simd, solution);
        for i in 0..n {
            add_scaled(simd, solution[i], &scaled[i * width..(i + 1) * width], out);
        }
        solved
    }

    /// `(I + Wᵀ W)⁻¹ Wᵀ target`.
    #[inline(always)]
    fn solve_by_dimensions<S: Simd>(
        &mut self,
        simd: S,
        row: Row<'_>,
        begin: usize,
        len: usize,
        out: &mut [f32],
    ) -> bool {
        let width = padded(len);
        self.system.start(len);
        for first in (0..row.columns.len()).step_by(TRANSPOSED) {
            let n = TRANSPOSED.min(row.columns.len() - first);
            self.gather(row, begin, len, first, n);
            let Self {
                scaled,
                target,
                transposed,
                system,
                ..
            } = &mut *self;
            for i in 0..n {
                add_scaled(simd, target[first + i], &scaled[i * width..(i + 1) * width], out);
            }
            let height = padded(n);
            transposed.clear();
            transposed.resize((len + 4) * height, 0.0);
            for i in 0..n {
                for j in 0..len {
                    transposed[j * height + i] = scaled[i * width + j];
                }
            }
            system.add(simd, transposed, height);
        }
        self.system.solve(simd, &mut out[..len])
    }

    /// A block of `W` for `n` columns from `first` on, and four rows of zeros.
    #[inline(always)]
    pub(super) fn gather(&mut self, row: Row<'_>, begin: usize, len: usize, first: usize, n: usize) {
        let width = padded(len);
        let Self { scale, scaled, .. } = &mut *self;
        // Only rows that will not be written anyway are cleared.
        scaled.resize((n + 4) * width, 0.0);
        scaled[n * width..].fill(0.0);
        for i in 0..n {
            let from = &row.fixed.factors.row(row.columns[first + i] as usize)[begin..begin + len];
            let (to, rest) = scaled[i * width..(i + 1) * width].split_at_mut(len);
            let scale = &scale[begin..begin + len];
            for j in 0..len {
                to[j] = from[j] * scale[j];
            }
            rest.fill(0.0);
        }
    }
}
