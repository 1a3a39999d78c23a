//! The laws of [`Channel`] as a function.

use catchment_schema::{ItemFilter, ItemIdx, ItemSet, ScoredItem};

use super::FakeDeadline;
use crate::{Channel, ChannelScratch, MOST_REASONS, NoDeadline, RecallQuery};

/// Checks the laws of [`Channel`] on each of the queries, whose deadlines are replaced: without hurry
/// and with several degrees of it, at several `k`, and with half of the answer forbidden.
///
/// # Panics
/// When a law is broken; the message says which, and by what.
pub fn channel_laws(channel: &dyn Channel, queries: &[RecallQuery<'_>]) {
    let mut used = ChannelScratch::default();
    for query in queries {
        for k in [0, 1, 2, 7, 100, usize::MAX] {
            let calm = RecallQuery {
                deadline: &NoDeadline,
                ..*query
            };
            let answer = channel.recall(&calm, k, &mut used);
            let fresh = channel.recall(&calm, k, &mut ChannelScratch::default());
            assert_eq!(
                answer, fresh,
                "laws 5 and 7: the answer depends on more than the query, k = {k}"
            );
            if let Ok(recalled) = &answer {
                assert!(!recalled.cut_short, "law 6: cut short without hurry, k = {k}");
                list_laws(&recalled.items, &calm, k);
            }
            for looks in [0, 1, 2, 3, 5, 10] {
                let deadline = FakeDeadline::after(looks);
                let hurried = channel.recall(
                    &RecallQuery {
                        deadline: &deadline,
                        ..calm
                    },
                    k,
                    &mut used,
                );
                match &hurried {
                    Ok(recalled) => {
                        list_laws(&recalled.items, &calm, k);
                        let complete = recalled.cut_short || hurried == answer;
                        assert!(
                            complete,
                            "law 6: incomplete and not marked, {looks} looks, k = {k}"
                        );
                    }
                    Err(error) => assert_eq!(hurried, answer, "law 6: the deadline made it fail: {error}"),
                }
            }
        }
        forbidding_half(channel, query, &mut used);
        reasons(channel, query, &mut used);
    }
    in_a_batch(channel, queries, &mut used);
}

fn in_a_batch(channel: &dyn Channel, queries: &[RecallQuery<'_>], scratch: &mut ChannelScratch) {
    let calm: Vec<RecallQuery<'_>> = queries
        .iter()
        .map(|query| RecallQuery {
            deadline: &NoDeadline,
            ..*query
        })
        .collect();
    for k in [0, 1, 7, usize::MAX] {
        let together = channel.recall_batch(&calm, k, scratch);
        let one_by_one: Vec<_> = calm
            .iter()
            .map(|query| channel.recall(query, k, scratch))
            .collect();
        assert_eq!(
            together, one_by_one,
            "law 8: a batch is answered otherwise, k = {k}"
        );
    }
}

fn list_laws(items: &[ScoredItem], query: &RecallQuery<'_>, k: usize) {
    let distinct: ItemSet = items.iter().map(|scored| scored.item).collect();
    assert_eq!(
        distinct.len(),
        items.len(),
        "law 1: an item comes twice, k = {k}: {items:?}"
    );
    assert!(items.is_sorted(), "law 2: not sorted, k = {k}: {items:?}");
    let forbidden = items.iter().find(|scored| !query.filter.passes(scored.item));
    assert!(
        forbidden.is_none(),
        "law 3: {forbidden:?} does not pass the filter, k = {k}"
    );
    assert!(items.len() <= k, "law 4: {} items for k = {k}", items.len());
}

fn reasons(channel: &dyn Channel, query: &RecallQuery<'_>, scratch: &mut ChannelScratch) {
    let calm = RecallQuery {
        deadline: &NoDeadline,
        ..*query
    };
    let found = channel.recall(&calm, 10, scratch).unwrap_or_default();
    let items: Vec<ItemIdx> = found.items.iter().map(|scored| scored.item).collect();
    let reasons = channel.because(&calm, &items);
    assert_eq!(reasons.len(), items.len(), "law 9: one list for each item");
    for because in &reasons {
        let distinct: ItemSet = because.iter().copied().collect();
        assert!(
            distinct.len() == because.len() && because.len() <= MOST_REASONS,
            "law 9: too many, or one twice: {because:?}"
        );
        let is_own = |item: &ItemIdx| {
            query.seeds.contains(item) || query.history.events().iter().any(|event| event.item == *item)
        };
        assert!(
            because.iter().all(is_own),
            "law 9: not the query's own: {because:?}"
        );
    }
}

fn forbidding_half(channel: &dyn Channel, query: &RecallQuery<'_>, scratch: &mut ChannelScratch) {
    let calm = RecallQuery {
        deadline: &NoDeadline,
        ..*query
    };
    let Ok(recalled) = channel.recall(&calm, 10, scratch) else {
        return;
    };
    let mut deny = query.filter.deny.cloned().unwrap_or_default();
    deny.extend(recalled.items.iter().step_by(2).map(|scored| scored.item));
    let narrower = RecallQuery {
        filter: ItemFilter {
            deny: Some(&deny),
            ..query.filter
        },
        ..calm
    };
    if let Ok(recalled) = channel.recall(&narrower, 10, scratch) {
        list_laws(&recalled.items, &narrower, 10);
    }
}
