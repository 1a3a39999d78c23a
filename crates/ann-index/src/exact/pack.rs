//! Packing: rows of items into panels `[depth, PANEL]`, so that one load brings one dimension of sixteen
//! items.
#![allow(
    unsafe_code,
    reason = "transposes 8 × 8 values in registers; lengths are checked first, and a test compares with the plain loop"
)]

use super::tile::PANEL;

/// Transposes sixteen rows, plainly. The lengths are those of [`avx2`].
pub(super) fn portable(rows: &[&[f32]; PANEL], panel: &mut [f32]) {
    for (t, values) in panel.chunks_exact_mut(PANEL).enumerate() {
        for (value, row) in values.iter_mut().zip(rows) {
            *value = row[t];
        }
    }
}

/// Transposes sixteen rows.
///
/// # Shapes
/// Each row: `[depth]`, a multiple of 8; `panel`: `[depth, PANEL]`.
///
/// # Safety
/// The CPU has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn avx2(rows: &[&[f32]; PANEL], panel: &mut [f32]) {
    use std::arch::x86_64::{
        _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps,
        _mm256_unpacklo_ps,
    };

    const SIDE: usize = 8;
    let depth = panel.len() / PANEL;
    assert!(
        depth.is_multiple_of(SIDE) && panel.len() == depth * PANEL,
        "whole squares"
    );
    assert!(rows.iter().all(|row| row.len() >= depth), "whole rows");
    for first in [0, SIDE] {
        let mut from: [*const f32; SIDE] = std::array::from_fn(|i| rows[first + i].as_ptr());
        let mut to = panel.as_mut_ptr().wrapping_add(first);
        for _ in 0..depth / SIDE {
            // SAFETY: eight values from `t` on exist in each row, and eight lines of the panel from `t` on;
            // see the assertions.
            unsafe {
                let load = |i: usize| _mm256_loadu_ps(from[i]);
                let row = [
                    load(0),
                    load(1),
                    load(2),
                    load(3),
                    load(4),
                    load(5),
                    load(6),
                    load(7),
                ];
                let low = |i: usize| _mm256_unpacklo_ps(row[i], row[i + 1]);
                let high = |i: usize| _mm256_unpackhi_ps(row[i], row[i + 1]);
                let left = [
                    _mm256_shuffle_ps::<0x44>(low(0), low(2)),
                    _mm256_shuffle_ps::<0xEE>(low(0), low(2)),
                    _mm256_shuffle_ps::<0x44>(high(0), high(2)),
                    _mm256_shuffle_ps::<0xEE>(high(0), high(2)),
                ];
                let right = [
                    _mm256_shuffle_ps::<0x44>(low(4), low(6)),
                    _mm256_shuffle_ps::<0xEE>(low(4), low(6)),
                    _mm256_shuffle_ps::<0x44>(high(4), high(6)),
                    _mm256_shuffle_ps::<0xEE>(high(4), high(6)),
                ];
                for i in 0..4 {
                    _mm256_storeu_ps(
                        to.wrapping_add(i * PANEL),
                        _mm256_permute2f128_ps::<0x20>(left[i], right[i]),
                    );
                    _mm256_storeu_ps(
                        to.wrapping_add((i + 4) * PANEL),
                        _mm256_permute2f128_ps::<0x31>(left[i], right[i]),
                    );
                }
                for from in &mut from {
                    *from = from.wrapping_add(SIDE);
                }
                to = to.wrapping_add(SIDE * PANEL);
            }
        }
    }
}

/// Asks the memory for a row that will be packed soon: sixteen short runs at once are more than the hardware
/// follows by itself.
#[inline]
pub(super) fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(PANEL) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86_64, and a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Queries `[n, dim]` interleaved in groups: each group is `[dim, group's size]`, only the last is smaller.
#[derive(Debug, Default)]
pub(super) struct PackedQueries {
    values: Vec<f32>,
    n: usize,
    dim: usize,
    group: usize,
}

impl PackedQueries {
    pub(super) fn pack(&mut self, queries: &[f32], dim: usize, group: usize) {
        (self.n, self.dim, self.group) = (queries.len() / dim, dim, group);
        self.values.clear();
        for rows in queries.chunks(group * dim) {
            let n_rows = rows.len() / dim;
            for t in 0..dim {
                self.values.extend((0..n_rows).map(|row| rows[row * dim + t]));
            }
        }
    }

    /// Each group with the position of its first query and its size.
    pub(super) fn groups(&self) -> impl Iterator<Item = (usize, usize, &[f32])> {
        self.values
            .chunks(self.group * self.dim)
            .enumerate()
            .map(|(group, values)| (group * self.group, values.len() / self.dim, values))
    }
}
