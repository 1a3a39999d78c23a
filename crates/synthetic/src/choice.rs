//! How a user chooses: the one law of the world.
//!
//! At a moment t, user u chooses item i among those that are published and that u has not chosen yet:
//!
//! ```text
//! P(i | u, t) = exp(⟨taste_u, vector_i⟩ / τ + quality_i) / Σ_j exp(⟨taste_u, vector_j⟩ / τ + quality_j)
//! ```
//!
//! the multinomial logit (`McFadden` 1974), drawn without repeats.

use catchment_schema::Time;

use crate::catalogue::Item;
use crate::population::User;
use crate::stream::Stream;

/// One thing that a user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Position in [`crate::World::users`].
    pub user: usize,
    /// Position in [`crate::World::items`].
    pub item: usize,
    /// When, to the second.
    pub time: Time,
    /// What came of it.
    pub kind: ChoiceKind,
}

/// What a user did with a chosen item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoiceKind {
    /// Looked at it.
    Click,
    /// Bought it, which is the likelier the better it fits the taste.
    Purchase,
}

impl ChoiceKind {
    /// The word in the log's `event` column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Purchase => "purchase",
        }
    }
}

/// ⟨taste, vector⟩: how well an item fits a user, from -1 to 1.
pub(crate) fn fit(user: &User, item: &Item) -> f64 {
    user.taste
        .iter()
        .zip(&item.vector)
        .map(|(taste, value)| taste * value)
        .sum()
}

/// The exponents of the law.
pub(crate) fn utilities(temperature: f64, user: &User, items: &[Item]) -> Vec<f64> {
    items
        .iter()
        .map(|item| fit(user, item) / temperature + item.quality)
        .collect()
}

/// The numerators of the law, the largest at 1 so that none overflows.
pub(crate) fn weights(utilities: &[f64]) -> Vec<f64> {
    let largest = utilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    utilities
        .iter()
        .map(|utility| libm::exp(utility - largest))
        .collect()
}

/// Draws in proportion to the weights among the items that are open; `None` when none is.
pub(crate) fn draw(weights: &[f64], is_open: impl Fn(usize) -> bool, stream: &mut Stream) -> Option<usize> {
    let open = || (0..weights.len()).filter(|&item| is_open(item));
    let total: f64 = open().map(|item| weights[item]).sum();
    let mut left = stream.uniform() * total;
    let mut last = None;
    for item in open() {
        left -= weights[item];
        last = Some(item);
        if left < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    #[test]
    fn draws_follow_the_law() {
        let utilities = [0.0, 1.0, 2.0, 700.0];
        let weights: Vec<_> = weights(&utilities[..3]);
        let total: f64 = weights.iter().sum();
        let mut stream = Stream::new(3, Purpose::Log, 0);
        let mut counts = [0.0; 3];
        for _ in 0..100_000 {
            counts[draw(&weights, |_| true, &mut stream).expect("open")] += 1.0;
        }
        for (count, weight) in counts.iter().zip(&weights) {
            let expected = weight / total;
            // Four standard deviations.
            let tolerance = 4.0 * (expected * (1.0 - expected) / 100_000.0).sqrt();
            assert!((count / 100_000.0 - expected).abs() < tolerance, "{counts:?}");
        }
        assert!(super::weights(&utilities).iter().all(|weight| weight.is_finite()));
    }

    #[test]
    fn what_is_not_open_is_not_drawn() {
        let mut stream = Stream::new(3, Purpose::Log, 0);
        for _ in 0..1000 {
            assert_eq!(draw(&[5.0, 1e-300, 9.0], |item| item == 1, &mut stream), Some(1));
        }
        assert_eq!(draw(&[1.0], |_| false, &mut stream), None);
        assert_eq!(draw(&[], |_| true, &mut stream), None);
    }
}
