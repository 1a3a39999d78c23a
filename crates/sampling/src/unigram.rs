//! Draws items by a power of how often they occur.

use catchment_schema::ItemIdx;
use rand::Rng;

use crate::{AliasTable, Candidates, Proposal, SamplingError};

/// `q(i) ∝ count(i)^α`, for any real `α`: 1 draws as the log does, 0.75 is word2vec's (Mikolov et al. 2013), 0 treats
/// every item that occurs alike, and a negative one prefers the rare ones, which Caselles-Dupré et al. (2018) found best
/// for some logs. An item that never occurs is never drawn, whatever `α`.
#[derive(Clone, Debug)]
pub struct Unigram {
    table: AliasTable,
    /// Natural logarithms of `q`, −∞ for what is never drawn.
    log_probability: Vec<f32>,
}

impl Unigram {
    /// Of how often each item occurs.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`] where nothing occurs; [`SamplingError::Config`] for an exponent that is not finite.
    pub fn new(counts: &[u64], exponent: f64) -> Result<Self, SamplingError> {
        let weights = power(counts, exponent)?;
        let table = AliasTable::new(&weights)?;
        let total: f64 = weights.iter().sum();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log_probability = weights
            .iter()
            .map(|weight| (weight / total).ln() as f32)
            .collect();
        Ok(Self {
            table,
            log_probability,
        })
    }

    /// One item, without its expected count: for objectives that take none (negative sampling as word2vec has it).
    #[inline]
    pub fn draw_one(&self, rng: &mut (impl Rng + ?Sized)) -> ItemIdx {
        ItemIdx(self.table.draw(rng))
    }
}

/// `count^α` in proportion to the largest of them, which is 1; 0 where the count is 0.
pub(crate) fn power(counts: &[u64], exponent: f64) -> Result<Vec<f64>, SamplingError> {
    if !exponent.is_finite() {
        return Err(SamplingError::Config {
            key: "exponent",
            value: exponent.to_string(),
            allowed: "any finite number",
        });
    }
    let log = |count: u64| exponent * (count as f64).ln();
    let occurs = || counts.iter().copied().filter(|&count| count > 0);
    let largest = occurs().map(log).fold(f64::NEG_INFINITY, f64::max);
    let weight = |&count: &u64| {
        if count == 0 {
            0.0
        } else {
            (log(count) - largest).exp()
        }
    };
    Ok(counts.iter().map(weight).collect())
}

impl Proposal for Unigram {
    fn n_items(&self) -> usize {
        self.table.len()
    }

    fn draw(&mut self, n: usize, rng: &mut dyn Rng) -> Candidates {
        let ids: Vec<_> = (0..n).map(|_| self.draw_one(rng)).collect();
        self.expected(&ids, n)
    }

    fn log_expected_count(&self, item: ItemIdx, n: usize) -> f32 {
        let probability = self.log_probability.get(item.index());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log_n = (n as f64).ln() as f32;
        probability.map_or(f32::NEG_INFINITY, |log| log + log_n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::proposal_laws;

    #[test]
    fn the_laws_hold_for_any_exponent() {
        let counts = [9, 4, 0, 1, 100, 3];
        for exponent in [-1.0, -0.5, 0.0, 0.75, 1.0] {
            proposal_laws(&mut Unigram::new(&counts, exponent).expect("counts"), 5);
        }
        proposal_laws(&mut Unigram::new(&[7], 0.75).expect("one item"), 5);
    }

    #[test]
    fn the_exponent_says_who_is_preferred() {
        let expected = |exponent| {
            let unigram = Unigram::new(&[16, 1, 0], exponent).expect("counts");
            [0, 1].map(|item| unigram.log_expected_count(ItemIdx(item), 1).exp())
        };
        let close = |found: [f32; 2], wanted: [f32; 2]| {
            assert!(
                found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6),
                "{found:?} is not {wanted:?}"
            );
        };
        close(expected(1.0), [16.0 / 17.0, 1.0 / 17.0]);
        close(expected(0.75), [8.0 / 9.0, 1.0 / 9.0]);
        close(expected(0.0), [0.5, 0.5]);
        close(expected(-0.5), [0.2, 0.8]);
    }

    #[test]
    fn extreme_exponents_and_counts_stay_finite() {
        for exponent in [-50.0, 50.0] {
            let unigram = Unigram::new(&[u64::MAX, 1, 2], exponent).expect("counts");
            let sum: f32 = (0..3)
                .map(|item| unigram.log_expected_count(ItemIdx(item), 1).exp())
                .sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
        assert!(Unigram::new(&[1], f64::NAN).is_err());
        assert!(matches!(Unigram::new(&[0, 0], 0.0), Err(SamplingError::NoItems)));
    }
}
