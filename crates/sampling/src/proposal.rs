//! The trait that samplers from a known distribution implement.

use catchment_schema::ItemIdx;
use rand::Rng;

use crate::Candidates;

/// A distribution over items that negatives are drawn from, and that knows how likely each of them was.
///
/// # Laws
/// 1. `draw(n)` gives `n` items below [`Proposal::n_items`].
/// 2. Each drawn item carries `log_expected_count(item, n)`, to the bit: what is drawn and the true class are
///    corrected by the same rule.
/// 3. Expected counts are not above `n` each, and their sum over all items is `n`.
/// 4. Over many draws every item occurs as often as expected.
/// 5. The same generator in the same state gives the same draw.
///
/// [`crate::testing::proposal_laws`] checks them for any implementation.
pub trait Proposal {
    /// How many items there are to draw from.
    fn n_items(&self) -> usize;

    /// Draws `n` items.
    fn draw(&mut self, n: usize, rng: &mut dyn Rng) -> Candidates;

    /// The natural logarithm of how often `item` is expected in a draw of `n`; −∞ for what is never drawn, an item
    /// beyond [`Proposal::n_items`] or `n` = 0 among it.
    fn log_expected_count(&self, item: ItemIdx, n: usize) -> f32;

    /// These items, as if they had come in a draw of `n`: what a loss takes as the true classes beside one.
    fn expected(&self, items: &[ItemIdx], n: usize) -> Candidates {
        let logs = items
            .iter()
            .map(|&item| self.log_expected_count(item, n))
            .collect();
        Candidates::new(items.to_vec(), logs)
    }
}
