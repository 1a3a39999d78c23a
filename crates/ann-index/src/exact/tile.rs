//! The microkernel: a tile of queries × items whose sums stay in registers.
#![allow(
    clippy::inline_always,
    reason = "an intrinsic compiles to one instruction only inside a function of its instruction set, so everything between must vanish"
)]
#![allow(
    unsafe_code,
    reason = "reads packed blocks by pointer inside loops without bounds checks; `score_block` checks all lengths first, and `kernel::tests` compares every instruction set with a plain loop"
)]

use super::lanes::{Lanes, Portable};

/// Items whose values lie side by side: one AVX-512 register, two AVX2 ones.
pub(super) const PANEL: usize = 16;
/// A block has a multiple of so many panels: the widest tile.
pub(super) const PANELS_A_STEP: usize = 8;

/// What is summed over the dimensions, in order: a single chain of `multiply_add` for each pair. Because
/// every pair has a lane of its own, its score depends neither on its neighbours in the tile nor on the width
/// of a register.
pub(super) trait Operation {
    unsafe fn step<L: Lanes>(query: L::Vector, item: L::Vector, sum: L::Vector) -> L::Vector;
    unsafe fn finish<L: Lanes>(sum: L::Vector) -> L::Vector;
}

/// `Σ q·x`.
pub(super) struct Dot;

impl Operation for Dot {
    #[inline(always)]
    unsafe fn step<L: Lanes>(query: L::Vector, item: L::Vector, sum: L::Vector) -> L::Vector {
        // SAFETY: the caller's.
        unsafe { L::multiply_add(query, item, sum) }
    }

    #[inline(always)]
    unsafe fn finish<L: Lanes>(sum: L::Vector) -> L::Vector {
        sum
    }
}

/// `−Σ (q−x)²`. Not by way of the norms: `‖q‖² + ‖x‖² − 2⟨q,x⟩` loses the near pairs to cancellation, and
/// near pairs are what is asked for.
pub(super) struct NegativeSquaredL2;

impl Operation for NegativeSquaredL2 {
    #[inline(always)]
    unsafe fn step<L: Lanes>(query: L::Vector, item: L::Vector, sum: L::Vector) -> L::Vector {
        // SAFETY: the caller's.
        unsafe {
            let difference = L::subtract(query, item);
            L::multiply_add(difference, difference, sum)
        }
    }

    #[inline(always)]
    unsafe fn finish<L: Lanes>(sum: L::Vector) -> L::Vector {
        // SAFETY: the caller's.
        unsafe { L::subtract(L::splat(0.0), sum) }
    }
}

/// A block of packed items and one group of packed queries.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// `[dim, n_queries]`.
    pub(super) queries: &'a [f32],
    pub(super) n_queries: usize,
    pub(super) dim: usize,
    /// `[n_panels, depth, PANEL]`, `depth ≥ dim`.
    pub(super) panels: &'a [f32],
    pub(super) n_panels: usize,
    pub(super) depth: usize,
}

impl Block<'_> {
    /// The lengths that the unchecked loops rely on.
    pub(super) fn check(&self, out: &[f32]) {
        assert!(
            self.n_panels.is_multiple_of(PANELS_A_STEP) && self.depth >= self.dim,
            "panels are whole steps"
        );
        assert!(
            self.queries.len() >= self.dim * self.n_queries,
            "every query is packed"
        );
        assert!(
            self.panels.len() >= self.n_panels * self.depth * PANEL,
            "every panel is packed"
        );
        assert!(
            out.len() >= self.n_queries * self.n_panels * PANEL,
            "every score has a place"
        );
    }
}

/// Scores `NQ` queries against `NV` registers of items at a time; `out`: `[NQ, n_panels · PANEL]`.
///
/// # Safety
/// The CPU has `L`'s instructions; the block has been [checked](Block::check); `NV` registers are 1 to
/// [`PANELS_A_STEP`] panels.
#[inline(always)]
unsafe fn score_group<L: Lanes, O: Operation, const NQ: usize, const NV: usize>(
    block: Block<'_>,
    out: &mut [f32],
) {
    let registers_a_panel = PANEL / L::WIDTH;
    let row = block.n_panels * PANEL;
    for panel in (0..block.n_panels).step_by(NV / registers_a_panel) {
        // SAFETY: `check` has seen that the panels, queries and scores reached here exist.
        unsafe {
            let items = block.panels.as_ptr().add(panel * block.depth * PANEL);
            let mut starts = [items; NV];
            for (v, start) in starts.iter_mut().enumerate() {
                let (panel, lanes) = (v / registers_a_panel, v % registers_a_panel * L::WIDTH);
                *start = items.add(panel * block.depth * PANEL + lanes);
            }
            let mut sums = [[L::splat(0.0); NV]; NQ];
            let mut query = block.queries.as_ptr();
            for _ in 0..block.dim {
                let mut values = [L::splat(0.0); NV];
                for v in 0..NV {
                    values[v] = L::load(starts[v]);
                    starts[v] = starts[v].wrapping_add(PANEL);
                }
                for sums in &mut sums {
                    let of_query = L::splat(*query);
                    query = query.wrapping_add(1);
                    for v in 0..NV {
                        sums[v] = O::step::<L>(of_query, values[v], sums[v]);
                    }
                }
            }
            for (q, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    let to = out.as_mut_ptr().add(q * row + panel * PANEL + v * L::WIDTH);
                    L::store(O::finish::<L>(sum), to);
                }
            }
        }
    }
}

/// Picks the tile for the number of queries, so that there are enough independent sums to hide the latency of
/// an instruction and few enough to stay in registers.
macro_rules! tiles {
    ($lanes:ty, $operation:ty, $block:expr, $out:expr, $($queries:literal x $registers:literal),+) => {
        match $block.n_queries {
            0 => {}
            $($queries => score_group::<$lanes, $operation, $queries, $registers>($block, $out),)+
            n => unreachable!("a group of {n} queries"),
        }
    };
}

/// Most queries in a group of the portable kernel (16 registers of 4).
pub(super) const PORTABLE_GROUP: usize = 2;

pub(super) fn portable<O: Operation>(block: Block<'_>, out: &mut [f32]) {
    block.check(out);
    // SAFETY: plain Rust; lengths checked.
    unsafe { tiles!(Portable, O, block, out, 1 x 8, 2 x 4) }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{AVX2_GROUP, AVX512_GROUP, avx2, avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::lanes::{Avx2, Avx512};
    use super::{Block, Operation, score_group};

    /// Most queries in a group of the AVX2 kernel (16 registers of 8).
    pub(in super::super) const AVX2_GROUP: usize = 6;
    /// Most queries in a group of the AVX-512 kernel (32 registers of 16).
    pub(in super::super) const AVX512_GROUP: usize = 12;

    /// # Safety
    /// The CPU has AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub(in super::super) unsafe fn avx2<O: Operation>(block: Block<'_>, out: &mut [f32]) {
        block.check(out);
        // SAFETY: the caller's; lengths checked.
        unsafe { tiles!(Avx2, O, block, out, 1 x 8, 2 x 4, 3 x 2, 4 x 2, 5 x 2, 6 x 2) }
    }

    /// # Safety
    /// The CPU has AVX-512F.
    #[target_feature(enable = "avx512f")]
    pub(in super::super) unsafe fn avx512<O: Operation>(block: Block<'_>, out: &mut [f32]) {
        block.check(out);
        // SAFETY: the caller's; lengths checked.
        unsafe {
            tiles!(
                Avx512, O, block, out, 1 x 8, 2 x 4, 3 x 4, 4 x 4, 5 x 4, 6 x 4, 7 x 2, 8 x 2, 9 x 2, 10 x 2, 11 x 2, 12 x 2
            );
        }
    }
}
