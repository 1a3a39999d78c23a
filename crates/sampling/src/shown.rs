//! What somebody was shown and did not take.

use catchment_schema::ItemIdx;
use rand::{Rng, RngExt};

use crate::{Candidates, SamplingError};

/// Draws from the items that were shown beside what was taken, every one alike.
///
/// Each drawn item carries `ln(n / w)` for `n` draws from a list of `w`: how often it was expected, given the list. A softmax
/// over a positive (which is there for certain: `ln 1`) and these is then one over the positive and the whole list: what was
/// taken, of all that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    n: usize,
}

impl Shown {
    /// `n` draws for each row.
    ///
    /// # Errors
    /// [`SamplingError::Config`] for no draws.
    pub fn new(n: usize) -> Result<Self, SamplingError> {
        if n == 0 {
            return Err(SamplingError::Config {
                key: "n",
                value: "0".to_owned(),
                allowed: "at least 1",
            });
        }
        Ok(Self { n })
    }

    /// Draws from `shown`, the items of a row's list without those that were taken. Where there is none, the row's own
    /// `positive` comes back `n` times: every loss leaves a positive out of its negatives, so that such a row has none.
    pub fn draw(&self, shown: &[ItemIdx], positive: ItemIdx, rng: &mut dyn Rng) -> Candidates {
        if shown.is_empty() {
            return Candidates::new(vec![positive; self.n], vec![0.0; self.n]);
        }
        alike(shown, self.n, rng)
    }
}

/// `n` draws from a list that is not empty, every place alike.
pub(crate) fn alike(list: &[ItemIdx], n: usize, rng: &mut dyn Rng) -> Candidates {
    let ids = (0..n).map(|_| list[rng.random_range(0..list.len())]).collect();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a logarithm needs no more than f32"
    )]
    let log = (n as f64 / list.len() as f64).ln() as f32;
    Candidates::new(ids, vec![log; n])
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Each shown item is drawn as often as it says.
    #[test]
    fn what_was_shown_is_drawn_as_often_as_expected() {
        let list = [3, 5, 8, 9].map(ItemIdx);
        let shown = Shown::new(2).expect("draws");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let (rounds, mut found) = (20_000, [0_u32; 10]);
        for _ in 0..rounds {
            let drawn = shown.draw(&list, ItemIdx(1), &mut rng);
            assert_eq!(drawn.len(), 2);
            for (item, log) in drawn.ids().iter().zip(drawn.log_expected_count()) {
                found[item.index()] += 1;
                assert!((log.exp() - 0.5).abs() < 1e-6);
            }
        }
        for (item, &found) in found.iter().enumerate() {
            let mean = f64::from(found) / f64::from(rounds);
            let expected = if [3, 5, 8, 9].contains(&item) { 0.5 } else { 0.0 };
            assert!((mean - expected).abs() < 0.02, "item {item}: {mean}");
        }
    }

    #[test]
    fn who_was_shown_nothing_has_no_negatives() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let drawn = Shown::new(3).expect("draws").draw(&[], ItemIdx(7), &mut rng);
        assert_eq!(drawn.ids(), [ItemIdx(7); 3]);
        assert!(matches!(
            Shown::new(0),
            Err(SamplingError::Config { key: "n", .. })
        ));
    }
}
