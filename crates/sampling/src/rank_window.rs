//! Hard negatives: what a model itself ranks high, but not highest.

use catchment_schema::ItemIdx;
use rand::Rng;

use crate::shown::alike;
use crate::{Candidates, SamplingError};

/// Draws from a stretch of a ranked list, every place alike. What ranks first may well be what the user would take, so that
/// a stretch begins some way down (Huang et al. 2020, section 6.1, take ranks 101 to 500).
///
/// Each drawn item carries `ln(n / w)` for `n` draws from a stretch of `w`: how often it was expected, given the list. A
/// softmax over a positive (which is there for certain: `ln 1`) and these is then one over the positive and the whole
/// stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankWindow {
    from: usize,
    to: usize,
    n: usize,
}

impl RankWindow {
    /// `n` draws from the ranks `from..to`, counted from 0.
    ///
    /// # Errors
    /// [`SamplingError::Config`] for a stretch without ranks, or no draws.
    pub fn new(from: usize, to: usize, n: usize) -> Result<Self, SamplingError> {
        if from >= to {
            return Err(SamplingError::Config {
                key: "ranks",
                value: format!("{from} to {to}"),
                allowed: "the first below the last",
            });
        }
        if n == 0 {
            return Err(SamplingError::Config {
                key: "n",
                value: "0".to_owned(),
                allowed: "at least 1",
            });
        }
        Ok(Self { from, to, n })
    }

    /// How many ranks a list has to have.
    pub fn depth(&self) -> usize {
        self.to
    }

    /// Draws from `ranked`, the best first. Of a list that ends within the stretch, from what there is of it; of one that
    /// ends before it, from its last place.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`] for an empty list.
    pub fn draw(&self, ranked: &[ItemIdx], rng: &mut dyn Rng) -> Result<Candidates, SamplingError> {
        let to = self.to.min(ranked.len());
        let from = self.from.min(to.saturating_sub(1));
        let stretch = &ranked[from..to];
        if stretch.is_empty() {
            return Err(SamplingError::NoItems);
        }
        Ok(alike(stretch, self.n, rng))
    }

    /// The positives beside such draws: each is there, whatever was drawn.
    pub fn positives(items: &[ItemIdx]) -> Candidates {
        Candidates::new(items.to_vec(), vec![0.0; items.len()])
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Each rank of the stretch is drawn as often as it says, and no other.
    #[test]
    fn ranks_of_the_stretch_are_drawn_as_often_as_expected() {
        let ranked: Vec<ItemIdx> = (0..20).rev().map(ItemIdx).collect();
        let window = RankWindow::new(3, 8, 2).expect("ranks");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let (rounds, mut found) = (20_000, [0_u32; 20]);
        for _ in 0..rounds {
            let drawn = window.draw(&ranked, &mut rng).expect("drawn");
            assert_eq!(drawn.len(), 2);
            for (item, log) in drawn.ids().iter().zip(drawn.log_expected_count()) {
                found[item.index()] += 1;
                assert!((log.exp() - 0.4).abs() < 1e-6);
            }
        }
        for (item, &found) in found.iter().enumerate() {
            let mean = f64::from(found) / f64::from(rounds);
            let expected = if (12..17).contains(&item) { 0.4 } else { 0.0 };
            assert!((mean - expected).abs() < 0.02, "item {item}: {mean}");
        }
    }

    #[test]
    fn short_lists_give_what_they_have() {
        let window = RankWindow::new(3, 8, 4).expect("ranks");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let four: Vec<ItemIdx> = (0..4).map(ItemIdx).collect();
        let drawn = window.draw(&four, &mut rng).expect("drawn");
        assert_eq!(drawn.ids(), [ItemIdx(3); 4]);
        assert!((drawn.log_expected_count()[0].exp() - 4.0).abs() < 1e-5);
        let drawn = window.draw(&four[..2], &mut rng).expect("drawn");
        assert_eq!(drawn.ids(), [ItemIdx(1); 4]);
        assert_eq!(window.draw(&[], &mut rng), Err(SamplingError::NoItems));
    }

    #[test]
    fn a_stretch_of_nothing_is_an_error() {
        assert!(matches!(
            RankWindow::new(8, 8, 1),
            Err(SamplingError::Config { key: "ranks", .. })
        ));
        assert!(matches!(
            RankWindow::new(0, 8, 0),
            Err(SamplingError::Config { key: "n", .. })
        ));
    }
}
