//! Generated vectors.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Clustered vectors `[n, dim]` with norms that differ, some of them zero and some equal to another.
pub(crate) fn vectors(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let centres: Vec<f32> = (0..8 * dim).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    let mut vectors: Vec<f32> = Vec::with_capacity(n * dim);
    for row in 0..n {
        match rng.random_range(0..20u32) {
            0 => vectors.extend(std::iter::repeat_n(0.0, dim)),
            1 if row > 0 => {
                let twin = rng.random_range(0..row) * dim;
                vectors.extend_from_within(twin..twin + dim);
            }
            _ => {
                let centre = rng.random_range(0..8usize) * dim;
                let scale = rng.random_range(0.5f32..2.0);
                let row: Vec<f32> = (0..dim)
                    .map(|t| scale * (centres[centre + t] + rng.random_range(-0.5f32..0.5)))
                    .collect();
                vectors.extend(row);
            }
        }
    }
    vectors
}
