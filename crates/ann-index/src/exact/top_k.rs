//! The best `k` of a stream of scored items, without a full sort.

use catchment_schema::{ItemFilter, ItemIdx, Score, ScoredItem};

/// Scores compared with the threshold at once; a whole block below it costs a few instructions.
const BLOCK: usize = 16;
/// Room beside the best `k`, so that small `k` do not select after every item.
const SLACK: usize = 64;

/// Keeps the best `k` items of any number that are pushed: falling score, ties by item.
///
/// Items better than the worst kept one gather in a buffer of `2k`; when it is full, a selection (not a sort)
/// throws the worse half out and raises the threshold. Pushing `n` scores in random order costs `n`
/// comparisons with the threshold and about `k ln(n/k)` entries. The result depends on the set of pushed
/// items alone, never on their order or on how they were split into calls.
///
/// ```
/// use catchment_ann_index::exact::TopK;
/// use catchment_schema::{ItemFilter, ItemIdx};
///
/// let mut top = TopK::new(2);
/// top.push_scores(ItemIdx(0), &[0.5, 2.0, 0.5, 1.0], ItemFilter::NONE);
/// let items: Vec<u32> = top.sorted().iter().map(|hit| hit.item.0).collect();
/// assert_eq!(items, [1, 3]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct TopK {
    k: usize,
    kept: Vec<ScoredItem>,
    /// The worst of the best `k` so far, once there are `k`.
    worst: Option<ScoredItem>,
}

impl TopK {
    /// An empty list of at most `k` items.
    pub fn new(k: usize) -> Self {
        Self { k, ..Self::default() }
    }

    /// Empties the list and sets another `k`; keeps the memory.
    pub fn reset(&mut self, k: usize) {
        self.k = k;
        self.kept.clear();
        self.worst = None;
    }

    /// The score that an item must reach to matter; `-inf` while there are fewer than `k`.
    #[inline]
    pub fn threshold(&self) -> f32 {
        self.worst.map_or(f32::NEG_INFINITY, |worst| worst.score.get())
    }

    /// Offers one item.
    #[inline]
    pub fn push(&mut self, candidate: ScoredItem) {
        if self.k == 0 || self.worst.is_some_and(|worst| worst < candidate) {
            return;
        }
        self.kept.push(candidate);
        if self.kept.len() == self.k && self.worst.is_none() {
            self.worst = self.kept.iter().max().copied();
        }
        if self.kept.len() >= self.k.saturating_mul(2).max(self.k.saturating_add(SLACK)) {
            self.shrink();
        }
    }

    /// Offers the items `first_item, first_item + 1, …` with these scores; those that do not pass `filter`
    /// are left out. NaN counts as the lowest score, infinities as the extremes.
    ///
    /// # Shapes
    /// `scores`: `[n]`; `first_item + n` within `u32`.
    pub fn push_scores(&mut self, first_item: ItemIdx, scores: &[f32], filter: ItemFilter<'_>) {
        if self.k == 0 {
            return;
        }
        let mut threshold = self.threshold();
        for (block, scores) in scores.chunks(BLOCK).enumerate() {
            // Counting has no branches, so that whole vectors are compared; NaN is not below and is looked
            // at.
            let n_below: u32 = scores.iter().map(|&score| u32::from(score < threshold)).sum();
            if n_below as usize == scores.len() {
                continue;
            }
            for (position, &score) in scores.iter().enumerate() {
                if score < threshold {
                    continue;
                }
                let item = ItemIdx::from_index(first_item.index() + block * BLOCK + position);
                let candidate = ScoredItem::new(item, Score::clamped(score));
                if self.worst.is_none_or(|worst| candidate < worst) && filter.passes(item) {
                    self.push(candidate);
                    threshold = self.threshold();
                }
            }
        }
    }

    /// Offers listed items, one score each.
    ///
    /// # Shapes
    /// `items`, `scores`: `[n]`.
    pub fn push_listed(&mut self, items: &[ItemIdx], scores: &[f32]) {
        for (&item, &score) in items.iter().zip(scores) {
            self.push(ScoredItem::new(item, Score::clamped(score)));
        }
    }

    /// The best so far, sorted.
    pub fn sorted(&mut self) -> &[ScoredItem] {
        self.shrink();
        self.kept.sort_unstable();
        &self.kept
    }

    /// Throws everything but the best `k` out and raises the threshold.
    fn shrink(&mut self) {
        if self.k == 0 || self.kept.len() <= self.k {
            return;
        }
        let (_, worst, _) = self.kept.select_nth_unstable(self.k - 1);
        self.worst = Some(*worst);
        self.kept.truncate(self.k);
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::ItemSet;
    use proptest::prelude::*;

    use super::*;

    fn expected(scores: &[f32], k: usize, filter: ItemFilter<'_>) -> Vec<ScoredItem> {
        let mut all: Vec<_> = (0..)
            .zip(scores)
            .map(|(item, &score)| ScoredItem::new(ItemIdx(item), Score::clamped(score)))
            .filter(|hit| filter.passes(hit.item))
            .collect();
        all.sort();
        all.truncate(k);
        all
    }

    proptest! {
        #[test]
        fn it_equals_a_full_sort_however_the_scores_are_split(
            scores in proptest::collection::vec(
                prop_oneof![Just(0.0f32), Just(f32::NAN), Just(f32::INFINITY), -2.0f32..2.0, (0i32..4).prop_map(|i| i as f32)],
                0..400,
            ),
            k in 0usize..150,
            cut in 0usize..400,
            denied in proptest::collection::vec(0u32..400, 0..50),
        ) {
            let deny: ItemSet = denied.into_iter().map(ItemIdx).collect();
            let filter = ItemFilter::excluding(&deny);
            let cut = cut.min(scores.len());
            let mut top = TopK::new(k);
            // The later part first: order must not matter.
            top.push_scores(ItemIdx::from_index(cut), &scores[cut..], filter);
            top.push_scores(ItemIdx(0), &scores[..cut], filter);
            prop_assert_eq!(top.sorted(), expected(&scores, k, filter));
        }
    }

    #[test]
    fn a_reset_list_remembers_nothing() {
        let mut top = TopK::new(1);
        top.push_scores(ItemIdx(0), &[9.0], ItemFilter::NONE);
        top.reset(2);
        top.push_scores(ItemIdx(5), &[1.0, 2.0, 3.0], ItemFilter::NONE);
        assert_eq!(
            top.sorted().iter().map(|hit| hit.item.0).collect::<Vec<_>>(),
            [7, 6]
        );
    }
}
