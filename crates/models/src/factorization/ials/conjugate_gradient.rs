//! A row made better by a few steps of conjugate gradient.
//!
//! G. Takács, I. Pilászy, D. Tikk, *Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative
//! Filtering*, `RecSys` 2011. Each sweep begins at the vector of the sweep before, so that a few steps do.
//!
//! We step in the eigenbasis of the Gramian and scale by its diagonal `D`: of `I + Wᵀ W` all eigenvalues but as many as
//! the row has columns are 1, whatever the spectrum of the Gramian, so that it takes no more steps than that, and a
//! step costs two passes over the columns and nothing that grows with the square of the width.

#![allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "the compiler leaves iterators of inner loops as calls, and a call costs more than the work in it"
)]

use pulp::Simd;

use super::row_solver::Row;
use crate::dense::{TILE_COLUMNS, add_scaled, dots};

/// Below this share of where it began, a squared residual is rounding.
const SOLVED: f32 = 1e-14;

/// Buffers of one thread, all `[stride]`.
#[derive(Debug, Default)]
pub(super) struct ConjugateGradient {
    /// `D^{½} w`.
    solution: Vec<f32>,
    residual: Vec<f32>,
    direction: Vec<f32>,
    /// `(I + Wᵀ W)` times the direction.
    image: Vec<f32>,
    /// A vector times `D^{-½}`, for a product with the columns as they are.
    unscaled: Vec<f32>,
}

impl ConjugateGradient {
    /// `steps` steps for `(I + Wᵀ W) y = Wᵀ 1`, beginning at the vector in `out`.
    ///
    /// # Shapes
    /// `scale`: `D^{-½}`, `[stride]`, zero in the padding. `out`: `[stride]`, the vector in the basis of the fixed
    /// side, then zeros.
    #[inline(always)]
    pub(super) fn improve<S: Simd>(
        &mut self,
        simd: S,
        row: Row<'_>,
        scale: &[f32],
        steps: u32,
        out: &mut [f32],
    ) {
        let (dim, stride) = (row.fixed.factors.dim, row.fixed.factors.stride);
        let Self {
            solution,
            residual,
            direction,
            image,
            unscaled,
        } = self;
        for buffer in [&mut *solution, residual, direction, image, unscaled] {
            buffer.clear();
            buffer.resize(stride, 0.0);
        }
        for j in 0..dim {
            solution[j] = out[j] / scale[j];
        }
        // Wᵀ (1 − W y) − y
        through_columns(simd, row, out, -1.0, 1.0, residual);
        for j in 0..stride {
            residual[j] = residual[j] * scale[j] - solution[j];
            direction[j] = residual[j];
        }
        let mut squared = square(simd, residual);
        let solved = squared * SOLVED;
        for _ in 0..steps {
            // Also where it is 0.
            if squared <= solved {
                break;
            }
            for j in 0..stride {
                unscaled[j] = direction[j] * scale[j];
            }
            image.fill(0.0);
            through_columns(simd, row, unscaled, 1.0, 0.0, image);
            for j in 0..stride {
                image[j] = image[j] * scale[j] + direction[j];
            }
            let length = squared / product(simd, direction, image);
            add_scaled(simd, length, direction, solution);
            add_scaled(simd, -length, image, residual);
            let next = square(simd, residual);
            let turn = next / squared;
            for j in 0..stride {
                direction[j] = residual[j] + turn * direction[j];
            }
            squared = next;
        }
        for j in 0..dim {
            out[j] = solution[j] * scale[j];
        }
    }
}

/// `to += Σ_c (factor · ⟨h_c, vector⟩ + offset) h_c` over the columns of the row.
#[inline(always)]
fn through_columns<S: Simd>(simd: S, row: Row<'_>, vector: &[f32], factor: f32, offset: f32, to: &mut [f32]) {
    for columns in row.columns.chunks(TILE_COLUMNS) {
        // A last tile that is not full is filled up with its first column.
        let mut rows = [row.fixed.factors.row(columns[0] as usize); TILE_COLUMNS];
        for c in 1..columns.len() {
            rows[c] = row.fixed.factors.row(columns[c] as usize);
        }
        let [products] = dots(simd, [vector], rows);
        for c in 0..columns.len() {
            add_scaled(simd, factor * products[c] + offset, rows[c], to);
        }
    }
}

#[inline(always)]
fn square<S: Simd>(simd: S, vector: &[f32]) -> f32 {
    product(simd, vector, vector)
}

#[inline(always)]
fn product<S: Simd>(simd: S, left: &[f32], right: &[f32]) -> f32 {
    dots(simd, [left], [right; TILE_COLUMNS])[0][0]
}
