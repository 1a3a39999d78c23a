//! Sums over a few items of a large catalogue.

use catchment_schema::{ItemIdx, Score};

/// A dense array of sums, cleared by the list of the items that were touched: a request pays for the
/// items it meets, not for the catalogue.
///
/// Sums are kept in 64 bits and rounded once, when they are read. So items whose exact sums are equal
/// come out equal (for sums of this size), in whichever order their terms arrived.
#[derive(Debug, Default)]
pub struct Accumulator {
    /// NaN where nothing was added yet: a sum of 0 that was reached is not the same as none.
    sums: Vec<f64>,
    touched: Vec<ItemIdx>,
}

impl Accumulator {
    /// Forgets everything, also what a request that ended in a panic left behind, and makes room for
    /// a catalogue of `n_items`.
    pub fn start(&mut self, n_items: usize) {
        for item in self.touched.drain(..) {
            self.sums[item.index()] = f64::NAN;
        }
        if self.sums.len() < n_items {
            self.sums.resize(n_items, f64::NAN);
        }
    }

    /// Adds a finite `amount` to an item.
    ///
    /// # Panics
    /// When the item lies beyond the catalogue that [`Accumulator::start`] was told of.
    #[inline]
    pub fn add(&mut self, item: ItemIdx, amount: f64) {
        let sum = &mut self.sums[item.index()];
        if sum.is_nan() {
            self.touched.push(item);
            *sum = amount;
        } else {
            *sum += amount;
        }
    }

    /// The items that something was added to, in the order in which they were met, each once.
    pub fn touched(&self) -> &[ItemIdx] {
        &self.touched
    }

    /// Whether something was added to the item.
    #[inline]
    pub fn is_touched(&self, item: ItemIdx) -> bool {
        self.sums.get(item.index()).is_some_and(|sum| !sum.is_nan())
    }

    /// The item's sum plus `offset`, as a score; `offset` alone for an item that was not touched.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the one rounding to 32 bits; what is too large is clamped"
    )]
    pub fn score(&self, item: ItemIdx, offset: f32) -> Score {
        let sum = self.sums.get(item.index()).filter(|sum| !sum.is_nan());
        Score::clamped((sum.copied().unwrap_or(0.0) + f64::from(offset)) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_whose_sum_returns_to_zero_is_touched_once() {
        let mut sums = Accumulator::default();
        sums.start(3);
        for amount in [1.0, -1.0, 0.0, 2.0] {
            sums.add(ItemIdx(1), amount);
        }
        assert_eq!(sums.touched(), [ItemIdx(1)]);
        assert_eq!(Some(sums.score(ItemIdx(1), 0.5)), Score::new(2.5));
        assert!(!sums.is_touched(ItemIdx(0)));
    }

    #[test]
    fn starting_again_forgets_everything_for_smaller_and_larger_catalogues() {
        let mut sums = Accumulator::default();
        sums.start(10);
        sums.add(ItemIdx(9), 1.0);
        sums.start(2);
        assert!(sums.touched().is_empty());
        sums.start(20);
        assert!(!sums.is_touched(ItemIdx(9)));
        assert_eq!(Some(sums.score(ItemIdx(19), 0.25)), Score::new(0.25));
    }

    #[test]
    fn equal_terms_in_another_order_give_the_same_score() {
        let terms = [0.1f32, 0.7, 1e-4, 0.3, 3.0, 1e-3];
        let score = |order: &[usize]| {
            let mut sums = Accumulator::default();
            sums.start(1);
            for &term in order {
                sums.add(ItemIdx(0), f64::from(terms[term]));
            }
            sums.score(ItemIdx(0), 0.0)
        };
        assert_eq!(score(&[0, 1, 2, 3, 4, 5]), score(&[4, 2, 0, 5, 3, 1]));
    }
}
