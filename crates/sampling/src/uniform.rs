//! Every item alike.

use catchment_schema::ItemIdx;
use rand::{Rng, RngExt};

use crate::{Candidates, Proposal, SamplingError};

/// Draws with replacement, every item with probability `1 / n_items`, so that `n / n_items` of each are expected in
/// a draw of `n`. Its negatives are mostly items that nobody would have taken: easy to tell apart, unbiased, and the
/// part that keeps a mixture honest about rare items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uniform {
    n_items: u32,
}

impl Uniform {
    /// Items from 0 to below `n_items`.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`].
    pub fn new(n_items: u32) -> Result<Self, SamplingError> {
        if n_items == 0 {
            Err(SamplingError::NoItems)
        } else {
            Ok(Self { n_items })
        }
    }
}

impl Proposal for Uniform {
    fn n_items(&self) -> usize {
        self.n_items as usize
    }

    fn draw(&mut self, n: usize, rng: &mut dyn Rng) -> Candidates {
        let ids: Vec<ItemIdx> = (0..n)
            .map(|_| ItemIdx(rng.random_range(0..self.n_items)))
            .collect();
        self.expected(&ids, n)
    }

    fn log_expected_count(&self, item: ItemIdx, n: usize) -> f32 {
        if item.0 >= self.n_items {
            return f32::NEG_INFINITY;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log = (n as f64 / f64::from(self.n_items)).ln() as f32;
        log
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::proposal_laws;

    #[test]
    fn the_laws_hold() {
        for n_items in [1, 2, 7, 300] {
            proposal_laws(&mut Uniform::new(n_items).expect("items"), 11);
        }
    }

    #[test]
    fn the_expected_count_is_n_over_the_number_of_items() {
        let uniform = Uniform::new(40).expect("items");
        assert!((uniform.log_expected_count(ItemIdx(39), 10) - 0.25_f32.ln()).abs() < 1e-6);
        assert!((uniform.log_expected_count(ItemIdx(0), 80) - 2.0_f32.ln()).abs() < 1e-6);
        assert!(
            uniform.log_expected_count(ItemIdx(40), 10) < f32::MIN,
            "never drawn"
        );
        assert!(
            uniform.log_expected_count(ItemIdx(0), 0) < f32::MIN,
            "nothing drawn"
        );
    }

    #[test]
    fn nothing_to_draw_from_is_an_error() {
        assert_eq!(Uniform::new(0), Err(SamplingError::NoItems));
    }
}
