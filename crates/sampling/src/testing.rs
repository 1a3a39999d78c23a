//! The laws of [`Proposal`], for every implementation to run in its tests.

use catchment_schema::ItemIdx;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::Proposal;

/// Expected occurrences of an average item in the draws for law 4.
const OCCURRENCES: usize = 400;
/// How many standard deviations an item may be off: among a million items one is, by chance, about once in a
/// thousand runs; and the seed decides whether, not the clock.
const DEVIATIONS: f64 = 6.0;

/// Checks the laws by drawing with `seed`. Wants a vocabulary of some hundred items at most.
///
/// # Panics
/// When a law does not hold; the message names it.
pub fn proposal_laws(proposal: &mut dyn Proposal, seed: u64) {
    let n_items = proposal.n_items();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    for n in [0, 1, 3, 100] {
        let before = rng.clone();
        let drawn = proposal.draw(n, &mut rng);
        assert_eq!(drawn.len(), n, "law 1: as many as asked for");
        for (&item, log) in drawn.ids().iter().zip(drawn.log_expected_count()) {
            assert!(item.index() < n_items, "law 1: {item:?} of {n_items}");
            let same = proposal.log_expected_count(item, n);
            assert_eq!(log.to_bits(), same.to_bits(), "law 2: {item:?} in a draw of {n}");
        }
        let again = proposal.draw(n, &mut before.clone());
        assert_eq!(
            drawn.ids(),
            again.ids(),
            "law 5: the same generator, the same draw"
        );
        let counts: Vec<f64> = expected_counts(proposal, n);
        let bound = n as f64 * (1.0 + 1e-5);
        assert!(
            counts.iter().all(|&count| count <= bound),
            "law 3: more than all of a draw of {n}"
        );
        let sum: f64 = counts.iter().sum();
        assert!(
            (sum - n as f64).abs() <= 1e-5 * n as f64,
            "law 3: expected counts sum to {sum}, not {n}"
        );
    }
    frequencies(proposal, &mut rng);
}

/// Law 4.
fn frequencies(proposal: &mut dyn Proposal, rng: &mut Xoshiro256PlusPlus) {
    let n = proposal.n_items() * OCCURRENCES;
    let mut found = vec![0_u32; proposal.n_items()];
    for item in proposal.draw(n, rng).ids() {
        found[item.index()] += 1;
    }
    for (item, (&found, expected)) in found.iter().zip(expected_counts(proposal, n)).enumerate() {
        // Of a binomial count; the 1 is for the rounding of the logarithm.
        let deviation = (expected * (1.0 - expected / n as f64)).max(0.0).sqrt();
        let off = (f64::from(found) - expected).abs();
        assert!(
            off <= DEVIATIONS * deviation + 1.0,
            "law 4: item {item}: {found} for {expected} expected"
        );
    }
}

fn expected_counts(proposal: &dyn Proposal, n: usize) -> Vec<f64> {
    (0..proposal.n_items())
        .map(|item| f64::from(proposal.log_expected_count(ItemIdx::from_index(item), n)).exp())
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::{Candidates, Uniform};

    /// Claims to be uniform, and draws lower items more often; or claims expected probabilities instead of counts.
    struct Liar {
        skewed: bool,
        forgets_n: bool,
    }

    impl Proposal for Liar {
        fn n_items(&self) -> usize {
            5
        }

        fn draw(&mut self, n: usize, rng: &mut dyn Rng) -> Candidates {
            let honest = Uniform::new(5).expect("items").draw(n, rng);
            let skew = |&item: &ItemIdx| {
                if self.skewed && item.0 == 4 {
                    ItemIdx(0)
                } else {
                    item
                }
            };
            let ids: Vec<ItemIdx> = honest.ids().iter().map(skew).collect();
            let logs = ids.iter().map(|&item| self.log_expected_count(item, n)).collect();
            Candidates::new(ids, logs)
        }

        fn log_expected_count(&self, _item: ItemIdx, n: usize) -> f32 {
            let n = if self.forgets_n { 1 } else { n };
            (n as f32 / 5.0).ln()
        }
    }

    #[test]
    #[should_panic(expected = "law 4")]
    fn a_sampler_with_other_frequencies_is_caught() {
        proposal_laws(
            &mut Liar {
                skewed: true,
                forgets_n: false,
            },
            3,
        );
    }

    #[test]
    #[should_panic(expected = "law 3")]
    fn a_sampler_that_takes_probabilities_for_counts_is_caught() {
        proposal_laws(
            &mut Liar {
                skewed: false,
                forgets_n: true,
            },
            3,
        );
    }
}
