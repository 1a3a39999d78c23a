//! The law books as functions, for every implementor's tests, and fakes of what comes from outside.
//!
//! ```
//! use catchment_recall::{PopularChannel, testing};
//!
//! let channel = PopularChannel::new("popular", &[3.0, 1.0, 2.0])?;
//! testing::channel_laws(&channel, &[testing::query()]);
//! # Ok::<(), catchment_recall::ConfigError>(())
//! ```

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use catchment_schema::{History, ItemFilter, ItemIdx, ItemSet, ScoredItem, Time};

use crate::{
    Channel, ChannelList, ChannelScratch, Deadline, Merged, NoDeadline, RecallQuery, Source, Stopwatch,
};

/// A deadline that expires when it was looked at often enough.
#[derive(Debug)]
pub struct FakeDeadline {
    looks_left: AtomicUsize,
}

impl FakeDeadline {
    /// Not expired for the first `looks` looks, expired from then on.
    pub fn after(looks: usize) -> Self {
        Self {
            looks_left: AtomicUsize::new(looks),
        }
    }

    /// Expired from the beginning.
    pub fn expired() -> Self {
        Self::after(0)
    }
}

impl Deadline for FakeDeadline {
    fn expired(&self) -> bool {
        let less_one = |left: usize| left.checked_sub(1);
        self.looks_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one)
            .is_err()
    }
}

/// A stopwatch on which the same time passes between any two looks.
#[derive(Debug)]
pub struct FakeStopwatch {
    micros: AtomicU64,
    step: u64,
}

impl FakeStopwatch {
    /// `step` microseconds between two looks.
    pub fn stepping(step: u64) -> Self {
        Self {
            micros: AtomicU64::new(0),
            step,
        }
    }
}

impl Stopwatch for FakeStopwatch {
    fn micros(&self) -> u64 {
        self.micros.fetch_add(self.step, Ordering::Relaxed)
    }
}

/// A query by nobody in particular: no user, no history, no filter, no hurry. Change what a test is about:
/// `RecallQuery { history, ..query() }`.
pub fn query() -> RecallQuery<'static> {
    RecallQuery {
        user: None,
        history: History::EMPTY,
        seeds: &[],
        user_features: None,
        context_features: None,
        filter: ItemFilter::NONE,
        now: Time::from_millis(0),
        deadline: &NoDeadline,
    }
}

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

/// Checks the laws that every merge keeps (1 to 6 of [`crate::merge`]) for these lists.
///
/// # Panics
/// When a law is broken; the message says which, and by what.
pub fn merge_laws(merge: &dyn Fn(&[ChannelList<'_>]) -> Merged, lists: &[ChannelList<'_>]) {
    let merged = merge(lists);
    let offered: ItemSet = lists
        .iter()
        .flat_map(|list| list.items)
        .map(|scored| scored.item)
        .collect();
    let kept: ItemSet = merged.candidates.iter().map(|candidate| candidate.item).collect();
    let cut: ItemSet = merged.report.cut.iter().copied().collect();

    assert_eq!(kept.len(), merged.candidates.len(), "law 2: an item comes twice");
    assert_eq!(cut.len(), merged.report.cut.len(), "law 1: an item is cut twice");
    assert_eq!(
        kept.difference_len(&cut),
        kept.len(),
        "law 1: an item is both kept and cut"
    );
    let mut accounted = kept;
    accounted.union_with(&cut);
    assert_eq!(accounted, offered, "law 1: kept and cut are not what was offered");

    let falling = merged.candidates.is_sorted_by(|a, b| a.score >= b.score);
    assert!(falling, "law 3: candidates are not sorted by falling score");
    for candidate in &merged.candidates {
        let expected = expected_sources(candidate.item, lists);
        assert_eq!(
            candidate.sources.as_slice(),
            expected,
            "law 4: sources of item {}",
            candidate.item.0
        );
    }
    for (list, report) in lists_by_channel(lists).iter().zip(&merged.report.lists) {
        let found = |candidate: &&crate::Candidate| {
            candidate
                .sources
                .iter()
                .any(|source| source.channel == list.channel)
        };
        let of_list = merged.candidates.iter().filter(found);
        let alone = of_list
            .clone()
            .filter(|candidate| candidate.sources.len() == 1)
            .count();
        let counted = (list.channel, list.items.len(), of_list.count(), alone);
        let reported = (report.channel, report.offered, report.kept, report.alone);
        assert_eq!(reported, counted, "law 5: the report on channel `{}`", list.name);
    }
    assert_eq!(merged.report.lists.len(), lists.len(), "law 5: one report a list");

    let reversed: Vec<ChannelList<'_>> = lists.iter().rev().copied().collect();
    assert_eq!(merge(&reversed), merged, "law 6: the order of the lists matters");
    assert_eq!(merge(lists), merged, "law 6: the same lists give another answer");
}

fn lists_by_channel<'a>(lists: &[ChannelList<'a>]) -> Vec<ChannelList<'a>> {
    let mut lists = lists.to_vec();
    lists.sort_by_key(|list| list.channel);
    lists
}

fn expected_sources(item: ItemIdx, lists: &[ChannelList<'_>]) -> Vec<Source> {
    let source = |list: &ChannelList<'_>| {
        let (rank, scored) = (1..).zip(list.items).find(|(_, scored)| scored.item == item)?;
        Some(Source {
            channel: list.channel,
            rank,
            score: scored.score,
        })
    };
    lists_by_channel(lists).iter().filter_map(source).collect()
}

#[cfg(test)]
mod tests {
    use catchment_schema::Score;

    use super::*;
    use crate::{ChannelError, Recalled};

    /// A channel that answers whatever it is told to.
    struct Scripted<F>(F);

    impl<F: Fn(&RecallQuery<'_>, usize) -> Recalled + Send + Sync> Channel for Scripted<F> {
        fn name(&self) -> &'static str {
            "scripted"
        }
        fn recall(
            &self,
            query: &RecallQuery<'_>,
            k: usize,
            _: &mut ChannelScratch,
        ) -> Result<Recalled, ChannelError> {
            Ok((self.0)(query, k))
        }
    }

    fn list(items: &[(u32, f32)], k: usize) -> Recalled {
        let scored = |&(item, score): &(u32, f32)| ScoredItem::new(ItemIdx(item), Score::clamped(score));
        Recalled {
            items: items.iter().map(scored).take(k).collect(),
            cut_short: false,
        }
    }

    #[test]
    #[should_panic(expected = "law 1")]
    fn an_item_that_comes_twice_is_noticed() {
        channel_laws(
            &Scripted(|_: &RecallQuery<'_>, k| list(&[(1, 2.0), (1, 1.0)], k)),
            &[query()],
        );
    }

    #[test]
    #[should_panic(expected = "law 2")]
    fn ties_in_the_wrong_order_are_noticed() {
        channel_laws(
            &Scripted(|_: &RecallQuery<'_>, k| list(&[(2, 1.0), (1, 1.0)], k)),
            &[query()],
        );
    }

    #[test]
    #[should_panic(expected = "law 3")]
    fn a_channel_that_ignores_the_filter_is_noticed() {
        channel_laws(
            &Scripted(|_: &RecallQuery<'_>, k| list(&[(1, 2.0), (2, 1.0)], k)),
            &[query()],
        );
    }

    #[test]
    #[should_panic(expected = "law 4")]
    fn too_many_items_are_noticed() {
        channel_laws(
            &Scripted(|_: &RecallQuery<'_>, _| list(&[(1, 2.0)], 1)),
            &[query()],
        );
    }

    #[test]
    #[should_panic(expected = "law 6")]
    fn a_short_answer_that_does_not_say_so_is_noticed() {
        let hasty = |query: &RecallQuery<'_>, k: usize| {
            let passing = [(1, 2.0)]
                .into_iter()
                .filter(|&(item, _)| query.filter.passes(ItemIdx(item)));
            let k = if query.deadline.expired() { 0 } else { k };
            list(&passing.collect::<Vec<_>>(), k)
        };
        channel_laws(&Scripted(hasty), &[query()]);
    }

    #[test]
    #[should_panic(expected = "law 1")]
    fn a_merge_that_forgets_items_is_noticed() {
        let items = list(&[(1, 2.0)], 1).items;
        let lists = [ChannelList {
            channel: 0,
            name: "a",
            items: &items,
        }];
        merge_laws(&|_: &[ChannelList<'_>]| Merged::default(), &lists);
    }
}
