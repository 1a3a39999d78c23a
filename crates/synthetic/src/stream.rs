//! Random numbers that are the same everywhere.
//!
//! Every user and every item draws from a stream of their own, so that neither the order of the work nor
//! the number of users changes what one of them gets. The generator is xoshiro256++; the functions on top
//! are ours and `libm`'s, because those of the standard library differ between systems in the last bit.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What a stream is for. The numbers are part of what a seed means: never change one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Categories = 1,
    Order = 2,
    Item = 3,
    Places = 4,
    User = 5,
    Activity = 6,
    Log = 7,
    Listing = 8,
    Published = 9,
    Ranks = 10,
    Topic = 11,
    Season = 12,
    Market = 13,
    Place = 14,
    Person = 15,
    Walk = 16,
    Title = 17,
    Sense = 18,
    Query = 19,
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of the `index`-th thing of this kind.
    pub(crate) fn new(seed: u64, purpose: Purpose, index: usize) -> Self {
        let seed = mix(mix(mix(seed) ^ purpose as u64) ^ index as u64);
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..n`; 0 when `n` is 0. The bias is below n / 2⁶⁴.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let product = u128::from(self.0.next_u64()) * n as u128;
        usize::try_from(product >> 64).unwrap_or_default()
    }

    /// Uniform in `from..to`; `from` when the range is empty.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = usize::try_from(to.saturating_sub(from)).unwrap_or_default();
        from + i64::try_from(self.below(width)).unwrap_or_default()
    }

    /// Standard normal (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// A direction, uniform on the unit sphere.
    pub(crate) fn direction(&mut self, n_factors: usize) -> Vec<f64> {
        unit((0..n_factors).map(|_| self.normal()).collect())
    }

    /// `0..n` in random order (Fisher and Yates).
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    /// A rank in `0..n`, rank r being drawn in proportion to 1 / (r + 2): a mild long tail.
    pub(crate) fn long_tail(&mut self, n: usize) -> usize {
        let total: f64 = (0..n).map(|rank| 1.0 / (rank + 2) as f64).sum();
        let mut left = self.uniform() * total;
        for rank in 0..n {
            left -= 1.0 / (rank + 2) as f64;
            if left < 0.0 {
                return rank;
            }
        }
        n.saturating_sub(1)
    }
}

/// The sum of the vectors, each times its weight, at length one.
pub(crate) fn blend(parts: &[(f64, &[f64])]) -> Vec<f64> {
    let n_factors = parts.first().map_or(0, |(_, vector)| vector.len());
    let mut sum = vec![0.0; n_factors];
    for (weight, vector) in parts {
        for (sum, value) in sum.iter_mut().zip(*vector) {
            *sum += weight * value;
        }
    }
    unit(sum)
}

fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        for value in &mut vector {
            *value /= length;
        }
    }
    vector
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected by `tests/reference/stream.py`.
    #[test]
    fn a_seed_means_these_numbers_on_every_machine() {
        let mut stream = Stream::new(7, Purpose::Item, 3);
        assert_eq!(stream.uniform().to_bits(), 0x3fe8_60ee_a5ec_c40b);
        assert_eq!(stream.normal().to_bits(), 0x3fd1_b766_652b_750e);
        assert_eq!(stream.below(1000), 817);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut stream = Stream::new(1, Purpose::User, 0);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.015, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn whole_numbers_are_uniform_and_inside() {
        let mut stream = Stream::new(1, Purpose::User, 1);
        let mut counts = [0; 7];
        for _ in 0..70_000 {
            counts[stream.below(7)] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_600..10_400).contains(count)),
            "{counts:?}"
        );
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.between(5, 5), 5);
        assert!((0..1000).all(|_| (-3..2).contains(&stream.between(-3, 2))));
    }

    #[test]
    fn a_permutation_has_everything_once() {
        let mut order = Stream::new(1, Purpose::Order, 0).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn streams_of_neighbours_are_unlike() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).uniform().to_bits();
        let firsts = std::collections::BTreeSet::from([
            first(7, Purpose::Item, 0),
            first(7, Purpose::Item, 1),
            first(7, Purpose::User, 0),
            first(7, Purpose::User, 1),
            first(8, Purpose::Item, 0),
        ]);
        assert_eq!(firsts.len(), 5);
    }
}
