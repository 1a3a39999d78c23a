//! Draws items by their rank, as Zipf's law has it.

use catchment_schema::ItemIdx;
use rand::{Rng, RngExt};

use crate::{Candidates, Proposal, SamplingError};

/// `q(i) = ln((i + 2) / (i + 1)) / ln(n_items + 1)` of the item at rank `i`, counted from 0: about one over the rank, with
/// replacement. The items must be numbered by falling frequency, as the vocabularies of a prepared log are. It needs no
/// counts and no memory, and is the usual proposal of a sampled softmax (Jean et al. 2014, Covington et al. 2016).
#[derive(Clone, Debug, PartialEq)]
pub struct LogUniform {
    n_items: u32,
    /// `ln(n_items + 1)`.
    scale: f64,
}

impl LogUniform {
    /// Items from 0, the most frequent, to below `n_items`.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`].
    pub fn new(n_items: u32) -> Result<Self, SamplingError> {
        if n_items == 0 {
            return Err(SamplingError::NoItems);
        }
        Ok(Self {
            n_items,
            scale: (f64::from(n_items) + 1.0).ln(),
        })
    }
}

impl Proposal for LogUniform {
    fn n_items(&self) -> usize {
        self.n_items as usize
    }

    fn draw(&mut self, n: usize, rng: &mut dyn Rng) -> Candidates {
        let rank = |uniform: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to n_items, by the definition of the scale"
            )]
            let rank = ((uniform * self.scale).exp() - 1.0) as u32;
            // The exponential may round up to n_items.
            ItemIdx(rank.min(self.n_items - 1))
        };
        let ids: Vec<ItemIdx> = (0..n).map(|_| rank(rng.random::<f64>())).collect();
        self.expected(&ids, n)
    }

    fn log_expected_count(&self, item: ItemIdx, n: usize) -> f32 {
        if item.0 >= self.n_items {
            return f32::NEG_INFINITY;
        }
        let probability = (1.0 / (f64::from(item.0) + 1.0)).ln_1p() / self.scale;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log = (n as f64 * probability).ln() as f32;
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
            proposal_laws(&mut LogUniform::new(n_items).expect("items"), 23);
        }
    }

    #[test]
    fn the_first_items_come_as_often_as_the_definition_says() {
        let proposal = LogUniform::new(3).expect("items");
        let ln4 = 4.0_f32.ln();
        for (item, wanted) in [2.0_f32, 1.5, 4.0 / 3.0].into_iter().enumerate() {
            let expected = proposal.log_expected_count(ItemIdx::from_index(item), 10).exp();
            assert!(
                (expected - 10.0 * wanted.ln() / ln4).abs() < 1e-5,
                "{item}: {expected}"
            );
        }
        assert!(
            proposal.log_expected_count(ItemIdx(3), 10) < f32::MIN,
            "never drawn"
        );
    }

    #[test]
    fn nothing_to_draw_from_is_an_error() {
        assert_eq!(LogUniform::new(0), Err(SamplingError::NoItems));
    }
}
