//! The laws of [merging](mod@crate::merge) as a function.

use catchment_schema::{ItemIdx, ItemSet};

use crate::{Candidate, ChannelList, Merged, Source};

/// Checks the laws that every merge keeps (1 to 6 of [the merge module](mod@crate::merge)) for these lists.
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
        let found = |candidate: &&Candidate| {
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
