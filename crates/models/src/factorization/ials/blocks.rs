//! A row made better block by block (iALS++).
//!
//! S. Rendle, W. Krichene, L. Zhang, Y. Koren, *iALS++: Speeding up Matrix Factorization with Subspace Optimization*,
//! arXiv 2110.14044, 2021. With all other dimensions held still, a block `π` of the vector is the solution of a system
//! of the block's size, whose target is what the other dimensions leave to explain:
//!
//! ```text
//! (H_πᵀ H_π + D_π) w_π = H_πᵀ (1 − H w + H_π w_π)
//! ```
//!
//! In the eigenbasis of the Gramian, `D` is a diagonal, and blocks meet each other only in the items of the row.

#![allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "the compiler leaves iterators of inner loops as calls, and a call costs more than the work in it"
)]

use pulp::Simd;

use super::row_solver::{Row, RowSolver, TRANSPOSED};
use crate::dense::{TILE_COLUMNS, dots, padded};

impl RowSolver {
    /// Solves each block once, beginning at the vector in `out`; `false` where values are no longer finite.
    ///
    /// # Shapes
    /// `out`: `[stride]`, the vector in the basis of the fixed side, then zeros.
    #[inline(always)]
    pub(super) fn improve_blocks<S: Simd>(
        &mut self,
        simd: S,
        row: Row<'_>,
        block_size: usize,
        out: &mut [f32],
    ) -> bool {
        let dim = row.fixed.factors.dim;
        let mut block = std::mem::take(&mut self.block);
        self.target.clear();
        self.target.resize(row.columns.len(), 1.0);
        // What the whole vector leaves to explain.
        add_dots(
            simd,
            -1.0,
            out,
            |i| row.fixed.factors.row(row.columns[i] as usize),
            &mut self.target,
        );
        let mut solved = true;
        for begin in (0..dim).step_by(block_size) {
            let len = block_size.min(dim - begin);
            let width = padded(len);
            block.clear();
            block.resize(width, 0.0);
            for j in 0..len {
                block[j] = out[begin + j] / self.scale[begin + j];
            }
            self.gather(row, begin, len, 0, row.columns.len());
            add_dots(
                simd,
                1.0,
                &block,
                |i| &self.scaled[i * width..(i + 1) * width],
                &mut self.target,
            );
            solved &= self.solve_block(simd, row, begin, len, &mut block);
            // Of many columns only some are gathered now.
            if row.columns.len() > TRANSPOSED {
                self.gather(row, begin, len, 0, row.columns.len());
            }
            add_dots(
                simd,
                -1.0,
                &block,
                |i| &self.scaled[i * width..(i + 1) * width],
                &mut self.target,
            );
            for j in 0..len {
                out[begin + j] = block[j] * self.scale[begin + j];
            }
        }
        self.block = block;
        solved
    }
}

/// `to[i] += factor · ⟨vector, row(i)⟩`.
#[inline(always)]
fn add_dots<'a, S: Simd>(
    simd: S,
    factor: f32,
    vector: &[f32],
    row: impl Fn(usize) -> &'a [f32],
    to: &mut [f32],
) {
    let n = to.len();
    for first in (0..n).step_by(TILE_COLUMNS) {
        let mut rows: [&[f32]; TILE_COLUMNS] = [row(first); TILE_COLUMNS];
        for c in 1..TILE_COLUMNS.min(n - first) {
            rows[c] = row(first + c);
        }
        let [products] = dots(simd, [vector], rows);
        for c in 0..TILE_COLUMNS.min(n - first) {
            to[first + c] += factor * products[c];
        }
    }
}
