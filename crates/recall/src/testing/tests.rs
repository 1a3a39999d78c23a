//! Each law is broken once: a law book that lets everything pass proves nothing.

use catchment_schema::{ItemIdx, Score, ScoredItem};

use super::*;
use crate::{
    Candidate, Channel, ChannelError, ChannelList, ChannelScratch, MergeConfig, Merged, RecallQuery,
    Recalled, merge,
};

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

/// Merges two lists, lets `spoil` change the answer, and checks the laws.
fn spoilt(spoil: impl Fn(&mut Vec<Candidate>)) {
    let (a, b) = (
        list(&[(1, 2.0), (2, 1.0)], 2).items,
        list(&[(2, 9.0), (3, 8.0)], 2).items,
    );
    let lists = [("a", &a), ("b", &b)].into_iter().zip(0..);
    let lists: Vec<_> = lists
        .map(|((name, items), channel)| ChannelList { channel, name, items })
        .collect();
    let merge = |lists: &[ChannelList<'_>]| {
        let mut merged = merge(lists, &MergeConfig::default());
        spoil(&mut merged.candidates);
        merged
    };
    merge_laws(&merge, &lists);
}

#[test]
fn an_unspoilt_merge_passes() {
    spoilt(|_| ());
}

#[test]
#[should_panic(expected = "law 2")]
fn a_candidate_that_comes_twice_is_noticed() {
    spoilt(|candidates| candidates.push(candidates[0].clone()));
}

#[test]
#[should_panic(expected = "law 3")]
fn candidates_out_of_order_are_noticed() {
    spoilt(|candidates| candidates.swap(0, 2));
}

#[test]
#[should_panic(expected = "law 4")]
fn a_source_that_is_forgotten_is_noticed() {
    spoilt(|candidates| {
        candidates[0].sources.pop();
    });
}
