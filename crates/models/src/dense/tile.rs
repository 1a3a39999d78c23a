//! The one inner loop: a register tile of dot products.

#![allow(
    clippy::needless_range_loop,
    reason = "the compiler leaves iterators of inner loops as calls, and a call costs more than the work in it"
)]

use pulp::Simd;

/// Columns of a tile. With three rows that is twelve accumulators, which with four operands fill sixteen registers.
pub(crate) const TILE_COLUMNS: usize = 4;

/// `out[r][c] = ⟨left[r], right[c]⟩`.
///
/// # Shapes
/// All rows have one length, a multiple of [`super::LANES`].
// No closures in here: one that is not inlined would lose the vector instructions of its caller.
#[inline(always)]
pub(crate) fn dots<S: Simd, const ROWS: usize>(
    simd: S,
    left: [&[f32]; ROWS],
    right: [&[f32]; TILE_COLUMNS],
) -> [[f32; TILE_COLUMNS]; ROWS] {
    let mut a: [&[S::f32s]; ROWS] = [&[]; ROWS];
    let mut b: [&[S::f32s]; TILE_COLUMNS] = [&[]; TILE_COLUMNS];
    let n = S::as_simd_f32s(left[0]).0.len();
    for r in 0..ROWS {
        a[r] = &S::as_simd_f32s(left[r]).0[..n];
    }
    for c in 0..TILE_COLUMNS {
        b[c] = &S::as_simd_f32s(right[c]).0[..n];
    }
    let mut sums = [[simd.splat_f32s(0.0); TILE_COLUMNS]; ROWS];
    for k in 0..n {
        // Columns outside: three rows, one column and twelve sums are what sixteen registers hold.
        for c in 0..TILE_COLUMNS {
            let b = b[c][k];
            for r in 0..ROWS {
                sums[r][c] = simd.mul_add_e_f32s(a[r][k], b, sums[r][c]);
            }
        }
    }
    let mut out = [[0.0; TILE_COLUMNS]; ROWS];
    for r in 0..ROWS {
        for c in 0..TILE_COLUMNS {
            out[r][c] = simd.reduce_sum_f32s(sums[r][c]);
        }
    }
    out
}

/// `y += factor · x`.
///
/// # Shapes
/// Both have one length, a multiple of [`super::LANES`].
#[inline(always)]
pub(crate) fn add_scaled<S: Simd>(simd: S, factor: f32, x: &[f32], y: &mut [f32]) {
    let factor = simd.splat_f32s(factor);
    let y = S::as_mut_simd_f32s(y).0;
    let x = &S::as_simd_f32s(x).0[..y.len()];
    for k in 0..y.len() {
        y[k] = simd.mul_add_e_f32s(factor, x[k], y[k]);
    }
}

/// `out[i] = ⟨vector, rows[i]⟩`.
///
/// # Shapes
/// `vector`: `[width]`, a multiple of [`super::LANES`]; `rows`: `[n, width]` with at least `out.len()` rows, rounded up
/// to whole tiles.
#[inline(always)]
pub(crate) fn dots_with<S: Simd>(simd: S, vector: &[f32], rows: &[f32], out: &mut [f32]) {
    let width = vector.len();
    for (out, rows) in out
        .chunks_mut(TILE_COLUMNS)
        .zip(rows.chunks(TILE_COLUMNS * width))
    {
        let mut right: [&[f32]; TILE_COLUMNS] = [&[]; TILE_COLUMNS];
        for (right, row) in right.iter_mut().zip(rows.chunks(width)) {
            *right = row;
        }
        let [values] = dots(simd, [vector], right);
        out.copy_from_slice(&values[..out.len()]);
    }
}
