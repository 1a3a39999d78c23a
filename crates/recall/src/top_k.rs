//! The best few of many.

use std::collections::BinaryHeap;

use catchment_schema::ScoredItem;

/// The best `k` so far; the worst of them on top of the heap.
pub(crate) struct TopK {
    k: usize,
    heap: BinaryHeap<ScoredItem>,
}

impl TopK {
    pub(crate) fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// Whether there is room, or the item stands before the worst.
    pub(crate) fn would_take(&self, scored: ScoredItem) -> bool {
        self.heap.len() < self.k || self.heap.peek().is_some_and(|&worst| scored < worst)
    }

    pub(crate) fn take(&mut self, scored: ScoredItem) {
        if self.heap.len() == self.k {
            self.heap.pop();
        }
        self.heap.push(scored);
    }

    pub(crate) fn into_sorted(self) -> Vec<ScoredItem> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{ItemIdx, Score};

    use super::*;

    #[test]
    fn it_keeps_what_a_sort_would() {
        let scored: Vec<ScoredItem> = (0..50u32)
            .map(|item| ScoredItem::new(ItemIdx(item * 7 % 50), Score::clamped((item % 5) as f32)))
            .collect();
        let mut sorted = scored.clone();
        sorted.sort();
        for k in [0, 1, 3, 49, 50, 80] {
            let mut best = TopK::new(k);
            for &item in &scored {
                if best.would_take(item) {
                    best.take(item);
                }
            }
            assert_eq!(best.into_sorted(), sorted[..k.min(50)], "k = {k}");
        }
    }
}
