//! Draws items by their rank, as Zipf's law has it.

use catchment_schema::ItemIdx;
use rand::{Rng, RngExt};

use crate::{Candidates, Proposal, SamplingError};

/// `q(i) = ln((i + 2) / (i + 1)) / ln(n_items + 1)` of the item at rank `i`, counted from 0: about one over the rank, with
/// replacement. It is the usual proposal of a sampled softmax (Jean et al. 2014, Covington et al. 2016).
#[derive(Clone, Debug, PartialEq)]
pub struct LogUniform {
    n_items: u32,
    /// `ln(n_items + 1)`.
    scale: f64,
    /// Which item is at each rank, and the rank of each item; `None` where they are the same.
    ranks: Option<Ranks>,
}

#[derive(Clone, Debug, PartialEq)]
struct Ranks {
    item_at: Vec<u32>,
    rank_of: Vec<u32>,
}

impl LogUniform {
    /// Ranked by how often the log has each item, equal ones by their number.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`].
    pub fn of_counts(counts: &[u64]) -> Result<Self, SamplingError> {
        let in_order = Self::new(u32::try_from(counts.len()).unwrap_or(u32::MAX))?;
        if counts.is_sorted_by(|a, b| a >= b) {
            return Ok(in_order);
        }
        let mut item_at: Vec<u32> = (0..in_order.n_items).collect();
        item_at.sort_by_key(|&item| std::cmp::Reverse(counts[item as usize]));
        let mut rank_of = vec![0; item_at.len()];
        for (rank, &item) in (0..).zip(&item_at) {
            rank_of[item as usize] = rank;
        }
        Ok(Self {
            ranks: Some(Ranks { item_at, rank_of }),
            ..in_order
        })
    }

    /// Items from 0, the most frequent, to below `n_items`: numbered by falling frequency, as the vocabularies of a prepared
    /// log are. It needs no memory.
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
            ranks: None,
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
            let rank = rank.min(self.n_items - 1);
            ItemIdx(
                self.ranks
                    .as_ref()
                    .map_or(rank, |ranks| ranks.item_at[rank as usize]),
            )
        };
        let ids: Vec<ItemIdx> = (0..n).map(|_| rank(rng.random::<f64>())).collect();
        self.expected(&ids, n)
    }

    fn log_expected_count(&self, item: ItemIdx, n: usize) -> f32 {
        if item.0 >= self.n_items {
            return f32::NEG_INFINITY;
        }
        let rank = self.ranks.as_ref();
        let rank = rank.map_or(item.0, |ranks| ranks.rank_of[item.index()]);
        let probability = (1.0 / (f64::from(rank) + 1.0)).ln_1p() / self.scale;
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
    fn ranks_go_by_counts_and_the_laws_hold_for_them() {
        let counts = [3, 9, 9, 0, 4];
        let mut ranked = LogUniform::of_counts(&counts).expect("items");
        proposal_laws(&mut ranked, 23);
        let in_order = LogUniform::new(5).expect("items");
        for (rank, item) in [1, 2, 4, 0, 3].into_iter().enumerate() {
            let expected = in_order.log_expected_count(ItemIdx::from_index(rank), 7);
            assert!((ranked.log_expected_count(ItemIdx(item), 7) - expected).abs() < 1e-6);
        }
        assert_eq!(LogUniform::of_counts(&[5, 2, 2, 1, 0]), Ok(in_order));
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
