//! Which instructions compute the scores, and what a score is.
#![allow(
    unsafe_code,
    reason = "calls functions compiled for instructions that were detected at run time; the tests below compare all that this CPU has"
)]

use std::fmt;

use catchment_schema::{Metric, Score};

use super::lanes::portable_multiply_add;
use super::pack;
use super::rows::normalise;
use super::tile::{self, Block, Dot, NegativeSquaredL2, Operation, PANEL};

/// An instruction set that this CPU has. Only made by asking the CPU, so that holding one is the permission
/// to use it.
///
/// # What a score is
/// One chain of multiply-adds over the dimensions, in their order, in `f32`. AVX2 and AVX-512 round each of
/// them once and give the same bits on every machine. The portable kernel rounds as the compilation target
/// does (once on aarch64, twice on plain `x86_64`), and differs from them by at most `2 dim ε Σ|qᵢxᵢ|`
/// (`(qᵢ−xᵢ)²` for L2), `ε` = 2⁻²⁴.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The kernel in plain Rust.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// All that this CPU can run, the fastest last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "only one on other architectures")]
        let mut kernels = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kernels.push(Self(Instructions::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    kernels.push(Self(Instructions::Avx512));
                }
            }
        }
        kernels
    }

    /// The fastest that this CPU can run.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::PORTABLE)
    }

    /// Most queries scored at once.
    pub(super) fn group(self) -> usize {
        match self.0 {
            Instructions::Portable => tile::PORTABLE_GROUP,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => tile::AVX2_GROUP,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => tile::AVX512_GROUP,
        }
    }

    /// Scores a block into `out`: `[n_queries, n_panels · PANEL]`. Under cosine both sides have been
    /// normalised.
    pub(super) fn score_block(self, metric: Metric, block: Block<'_>, out: &mut [f32]) {
        match metric {
            Metric::InnerProduct | Metric::Cosine => self.run::<Dot>(block, out),
            Metric::L2 => self.run::<NegativeSquaredL2>(block, out),
        }
    }

    fn run<O: Operation>(self, block: Block<'_>, out: &mut [f32]) {
        match self.0 {
            Instructions::Portable => tile::portable::<O>(block, out),
            // SAFETY: a `Kernel` of these instructions exists only where the CPU has them.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { tile::avx2::<O>(block, out) },
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { tile::avx512::<O>(block, out) },
        }
    }

    /// Packs sixteen padded rows into `panel`: `[depth, PANEL]`.
    pub(super) fn pack(self, rows: &[&[f32]; PANEL], panel: &mut [f32]) {
        match self.0 {
            Instructions::Portable => pack::portable(rows, panel),
            // SAFETY: both kernels exist only where the CPU has AVX2.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 | Instructions::Avx512 => unsafe { pack::avx2(rows, panel) },
        }
    }

    /// The score of one pair; the same bits as a scan gives.
    ///
    /// # Shapes
    /// `query`, `item`: `[dim]`.
    pub fn score(self, metric: Metric, query: &[f32], item: &[f32]) -> Score {
        let value = match metric {
            Metric::InnerProduct => self.chain(query, item, |q, x| (q, x)),
            Metric::Cosine => {
                let (mut query, mut item) = (query.to_vec(), item.to_vec());
                normalise(&mut query);
                normalise(&mut item);
                self.chain(&query, &item, |q, x| (q, x))
            }
            Metric::L2 => 0.0 - self.chain(query, item, |q, x| (q - x, q - x)),
        };
        Score::clamped(value)
    }

    fn chain(self, query: &[f32], item: &[f32], factors: impl Fn(f32, f32) -> (f32, f32)) -> f32 {
        let pairs = query.iter().zip(item).map(|(&q, &x)| factors(q, x));
        match self.0 {
            Instructions::Portable => pairs.fold(0.0, |sum, (a, b)| portable_multiply_add(a, b, sum)),
            // `mul_add` rounds once by definition, whether the compiler finds an instruction or calls a
            // library.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 | Instructions::Avx512 => pairs.fold(0.0, |sum, (a, b)| a.mul_add(b, sum)),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2+fma",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512f",
        })
    }
}

/// The score of a pair by the kernel that this machine's indexes use; what every engine's hits carry.
///
/// Inner product and cosine as they are named (0 where a norm is 0), L2 as minus the squared distance. What
/// overflows `f32` saturates; see [`Kernel`] for the order of summation.
///
/// # Shapes
/// `query`, `item`: `[dim]`, finite.
///
/// ```
/// use catchment_ann_index::exact::score;
/// use catchment_schema::Metric;
///
/// assert_eq!(score(Metric::L2, &[1.0, 0.0], &[1.0, 2.0]).get(), -4.0);
/// assert_eq!(score(Metric::Cosine, &[0.0, 0.0], &[1.0, 2.0]).get(), 0.0);
/// ```
pub fn score(metric: Metric, query: &[f32], item: &[f32]) -> Score {
    Kernel::best().score(metric, query, item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::super::pack::PackedQueries;
    use super::super::tile::PANELS_A_STEP;
    use super::*;

    fn values(n: usize, rng: &mut impl Rng) -> Vec<f32> {
        (0..n).map(|_| rng.random_range(-1.0f32..1.0)).collect()
    }

    /// Scores `[n_queries, PANELS_A_STEP * PANEL]` through packing and tiles.
    fn block_scores(
        kernel: Kernel,
        metric: Metric,
        queries: &[f32],
        items: &[f32],
        dim: usize,
        depth: usize,
    ) -> Vec<f32> {
        let mut panels = vec![0.0; PANELS_A_STEP * depth * PANEL];
        let padded: Vec<Vec<f32>> = items
            .chunks(dim)
            .map(|row| {
                row.iter()
                    .copied()
                    .chain(std::iter::repeat_n(0.0, depth - dim))
                    .collect()
            })
            .collect();
        for (panel, rows) in panels.chunks_mut(depth * PANEL).zip(padded.chunks(PANEL)) {
            let rows: [&[f32]; PANEL] = std::array::from_fn(|i| rows[i].as_slice());
            kernel.pack(&rows, panel);
        }
        let mut packed = PackedQueries::default();
        packed.pack(queries, dim, kernel.group());
        let row = PANELS_A_STEP * PANEL;
        let mut out = vec![f32::NAN; queries.len() / dim * row];
        for (first, n_queries, queries) in packed.groups() {
            let block = Block {
                queries,
                n_queries,
                dim,
                panels: &panels,
                n_panels: PANELS_A_STEP,
                depth,
            };
            kernel.score_block(metric, block, &mut out[first * row..]);
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_kernel_gives_its_pair_score_in_any_tile_and_the_portable_one_within_the_bound(
            dim in 1usize..70, n_queries in 1usize..27, seed in any::<u64>(),
        ) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let n_items = PANELS_A_STEP * PANEL;
            let (queries, items) = (values(n_queries * dim, &mut rng), values(n_items * dim, &mut rng));
            let depth = dim.next_multiple_of(16);
            for metric in [Metric::InnerProduct, Metric::L2] {
                let mut fused: Option<Vec<u32>> = None;
                for kernel in Kernel::available() {
                    let scores = block_scores(kernel, metric, &queries, &items, dim, depth);
                    for (i, &found) in scores.iter().enumerate() {
                        let (query, item) = (&queries[i / n_items * dim..][..dim], &items[i % n_items * dim..][..dim]);
                        let found = Score::clamped(found);
                        prop_assert_eq!(found, kernel.score(metric, query, item), "{} {:?}", kernel, metric);
                        let portable = Kernel::PORTABLE.score(metric, query, item).get();
                        let magnitude: f32 = query.iter().zip(item).map(|(q, x)| match metric {
                            Metric::L2 => (q - x) * (q - x),
                            _ => (q * x).abs(),
                        }).sum();
                        let bound = 2.0 * dim as f32 * (f32::EPSILON / 2.0) * magnitude;
                        prop_assert!((found.get() - portable).abs() <= bound, "{} {:?}", kernel, metric);
                    }
                    if kernel != Kernel::PORTABLE {
                        let bits: Vec<u32> = scores.iter().map(|score| score.to_bits()).collect();
                        prop_assert!(fused.is_none_or(|other| other == bits), "AVX2 and AVX-512 differ");
                        fused = Some(bits);
                    }
                }
            }
        }
    }

    #[test]
    fn packing_in_registers_equals_the_plain_loop() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let rows: Vec<Vec<f32>> = (0..PANEL).map(|_| values(48, &mut rng)).collect();
        let rows: [&[f32]; PANEL] = std::array::from_fn(|i| rows[i].as_slice());
        let mut plain = vec![0.0; 48 * PANEL];
        pack::portable(&rows, &mut plain);
        for kernel in Kernel::available() {
            let mut panel = vec![0.0; 48 * PANEL];
            kernel.pack(&rows, &mut panel);
            assert_eq!(panel, plain, "{kernel}");
        }
    }

    #[test]
    fn scores_saturate_instead_of_overflowing() {
        let big = [f32::MAX, f32::MAX];
        assert_eq!(
            score(Metric::InnerProduct, &big, &big),
            Score::clamped(f32::INFINITY)
        );
        assert_eq!(
            score(Metric::L2, &big, &[f32::MIN; 2]),
            Score::clamped(f32::NEG_INFINITY)
        );
        assert!((score(Metric::Cosine, &big, &big).get() - 1.0).abs() < 1e-6);
    }
}
