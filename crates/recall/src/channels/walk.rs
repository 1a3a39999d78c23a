//! A sorted list, walked with the filter.

use catchment_schema::{ItemIdx, ScoredItem};

use super::ITEMS_BETWEEN_LOOKS;
use crate::{RecallQuery, Recalled};

/// The first `k` items of a sorted list that pass the query's filter and `also`, or as many as the deadline allows.
pub(super) fn walk(
    best_first: &[ScoredItem],
    query: &RecallQuery<'_>,
    k: usize,
    also: impl Fn(ItemIdx) -> bool,
) -> Recalled {
    let mut recalled = Recalled::default();
    // The first stretch is walked even when time is up: it costs less than saying no.
    for (stretch, items) in best_first.chunks(ITEMS_BETWEEN_LOOKS).enumerate() {
        if stretch > 0 && recalled.items.len() < k && query.deadline.expired() {
            recalled.cut_short = true;
            return recalled;
        }
        for &scored in items {
            if recalled.items.len() == k {
                return recalled;
            }
            if query.filter.passes(scored.item) && also(scored.item) {
                recalled.items.push(scored);
            }
        }
    }
    recalled
}
