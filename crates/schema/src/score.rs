//! Scores that have a total order.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::ItemIdx;

/// A finite `f32`. Because NaN cannot be made, scores can be sorted without an escape hatch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(try_from = "f32", into = "f32")]
pub struct Score(f32);

impl Score {
    /// The score 0.
    pub const ZERO: Self = Self(0.0);

    /// `None` when `value` is NaN or infinite. Negative zero becomes zero, so that equal scores are equal bytes.
    #[inline]
    pub fn new(value: f32) -> Option<Self> {
        value.is_finite().then_some(Self(value + 0.0))
    }

    /// The nearest finite score: NaN becomes the lowest, infinities the extremes.
    #[inline]
    pub fn clamped(value: f32) -> Self {
        if value.is_nan() {
            Self(f32::MIN)
        } else {
            Self(value.clamp(f32::MIN, f32::MAX) + 0.0)
        }
    }

    /// The value.
    #[inline]
    pub fn get(self) -> f32 {
        self.0
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl From<Score> for f32 {
    fn from(score: Score) -> Self {
        score.0
    }
}

impl TryFrom<f32> for Score {
    type Error = NotFinite;
    fn try_from(value: f32) -> Result<Self, NotFinite> {
        Self::new(value).ok_or(NotFinite(value))
    }
}

/// A score was NaN or infinite. Whoever computed it is to blame.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("score {0} is not finite")]
pub struct NotFinite(pub f32);

/// An item with its score. The order is the order of a result list: **greater is earlier** is *not* used;
/// instead `a < b` means that `a` stands before `b`: higher score first, ties by lower [`ItemIdx`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredItem {
    /// The item.
    pub item: ItemIdx,
    /// Its score; higher is better.
    pub score: Score,
}

impl ScoredItem {
    /// An item with its score.
    #[inline]
    pub fn new(item: ItemIdx, score: Score) -> Self {
        Self { item, score }
    }
}

impl PartialOrd for ScoredItem {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScoredItem {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.cmp(&self.score).then(self.item.cmp(&other.item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_are_no_scores() {
        assert!(Score::new(f32::NAN).is_none());
        assert!(Score::new(f32::INFINITY).is_none());
        assert_eq!(Score::clamped(f32::NEG_INFINITY), Score::clamped(f32::MIN));
        assert_eq!(Score::new(-0.0), Score::new(0.0));
    }

    #[test]
    fn lists_sort_by_falling_score_and_then_by_item() {
        let scored = |item, score| ScoredItem::new(ItemIdx(item), Score::clamped(score));
        let mut list = [scored(3, 1.0), scored(1, 1.0), scored(2, 5.0)];
        list.sort();
        assert_eq!(list.iter().map(|s| s.item.0).collect::<Vec<_>>(), [2, 1, 3]);
    }
}
