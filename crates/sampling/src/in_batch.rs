//! Negatives that cost nothing: the items of the batch itself, alone or with a few from the whole catalogue.

use catchment_schema::ItemIdx;
use rand::{Rng, RngExt};

use crate::{BatchFrequency, Candidates, SamplingError};

/// The items of a batch as candidates of each of its rows. An item stands there as often as the log has it, so that each
/// carries the logarithm of how often a batch is expected to hold it, the row's own positive included (Yi et al. 2019,
/// equation 5).
///
/// `items[i]` is the positive of row `i`, and stays column `i`.
pub fn in_batch(items: &[ItemIdx], frequency: &dyn BatchFrequency) -> Candidates {
    let logs = items
        .iter()
        .map(|&item| frequency.log_expected_count(item))
        .collect();
    Candidates::new(items.to_vec(), logs)
}

/// In-batch candidates and further ones that are drawn from the whole catalogue, every item alike (Yang et al. 2020). The
/// first are popular, the second mostly rare: together they know both ends of the catalogue.
///
/// An item may come by either way: each column, of whichever, carries `ln(B · q(j) + B′ / N)`, what a batch of `B` rows and
/// `B′` draws from `N` items are expected to hold of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixed {
    n_items: u32,
    n_uniform: usize,
}

impl Mixed {
    /// With `n_uniform` (`B′`) draws from `n_items` (`N`).
    ///
    /// # Errors
    /// [`SamplingError::NoItems`].
    pub fn new(n_items: u32, n_uniform: usize) -> Result<Self, SamplingError> {
        if n_items == 0 {
            return Err(SamplingError::NoItems);
        }
        Ok(Self { n_items, n_uniform })
    }

    /// The items of the batch first, `items[i]` in column `i`, then the drawn ones.
    pub fn draw(&self, items: &[ItemIdx], frequency: &dyn BatchFrequency, rng: &mut dyn Rng) -> Candidates {
        let mut ids = items.to_vec();
        ids.extend((0..self.n_uniform).map(|_| ItemIdx(rng.random_range(0..self.n_items))));
        let logs = ids
            .iter()
            .map(|&item| self.log_expected_count(item, frequency))
            .collect();
        Candidates::new(ids, logs)
    }

    /// Of one item, in a batch and its draws together.
    pub fn log_expected_count(&self, item: ItemIdx, frequency: &dyn BatchFrequency) -> f32 {
        let in_batch = f64::from(frequency.log_expected_count(item)).exp();
        let drawn = if item.0 < self.n_items {
            self.n_uniform as f64 / f64::from(self.n_items)
        } else {
            0.0
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log = (in_batch + drawn).ln() as f32;
        log
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::{AliasTable, CountedFrequency};

    #[test]
    fn every_column_carries_what_a_batch_is_expected_to_hold() {
        let frequency = CountedFrequency::new(&[6, 3, 1], 20).expect("counts");
        let items = [ItemIdx(2), ItemIdx(0), ItemIdx(2)];
        let candidates = in_batch(&items, &frequency);
        assert_eq!(candidates.ids(), items);
        let expected: Vec<f32> = candidates
            .log_expected_count()
            .iter()
            .map(|log| log.exp())
            .collect();
        for (found, wanted) in expected.iter().zip([2.0, 12.0, 2.0]) {
            assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
        }
    }

    /// What is claimed is what is found: batches drawn by the log's own frequencies, with the further draws.
    #[test]
    fn mixed_columns_occur_as_often_as_they_say() {
        let counts = [50_u64, 30, 15, 5, 0];
        let (rows, further, rounds) = (16, 8, 4_000);
        let frequency = CountedFrequency::new(&counts, rows).expect("counts");
        let mixed = Mixed::new(5, further).expect("items");
        let log = AliasTable::new(&counts.map(|count| count as f64)).expect("weights");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut found = [0_u32; 5];
        for _ in 0..rounds {
            let items: Vec<ItemIdx> = (0..rows).map(|_| ItemIdx(log.draw(&mut rng))).collect();
            let candidates = mixed.draw(&items, &frequency, &mut rng);
            assert_eq!(candidates.len(), rows + further);
            assert_eq!(&candidates.ids()[..rows], items, "the batch stays in its columns");
            for item in candidates.ids() {
                found[item.index()] += 1;
            }
        }
        for (item, &found) in found.iter().enumerate() {
            let expected = f64::from(mixed.log_expected_count(ItemIdx::from_index(item), &frequency)).exp();
            let mean = f64::from(found) / f64::from(rounds);
            // Six standard errors of a count that varies no more than a Poisson's.
            let bound = 6.0 * (expected / f64::from(rounds)).sqrt();
            assert!(
                (mean - expected).abs() < bound,
                "item {item}: {mean} for {expected}"
            );
        }
    }

    #[test]
    fn a_catalogue_of_nothing_is_an_error() {
        assert_eq!(Mixed::new(0, 4), Err(SamplingError::NoItems));
    }
}
