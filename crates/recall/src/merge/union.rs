//! All offered items, each once, with their sources: the ground on which every merge stands.

use std::cmp::Reverse;

use catchment_schema::{ItemIdx, Score};

use super::{Candidate, ChannelList, ListReport, MergeReport, Merged, Source, Sources};

/// One offered item.
pub(super) struct Found {
    pub(super) item: ItemIdx,
    pub(super) sources: Sources,
}

/// The union of several lists.
pub(super) struct Union {
    /// In the order of their items.
    pub(super) found: Vec<Found>,
    /// For each place of all lists, one list after the other: which of `found` stands there.
    found_at: Vec<u32>,
    /// Where each list begins in `found_at`, and the end.
    starts: Vec<usize>,
    reports: Vec<ListReport>,
}

impl Union {
    /// `lists` in the order of their channel numbers.
    pub(super) fn of(lists: &[ChannelList<'_>]) -> Self {
        let mut starts = vec![0];
        for list in lists {
            starts.push(starts[starts.len() - 1] + list.items.len());
        }
        let offered = lists.iter().flat_map(|list| list.items).map(|scored| scored.item);
        let mut entries: Vec<u64> = offered
            .zip(0..)
            .map(|(item, place)| packed(item, place))
            .collect();
        // Places break ties, so that the entries of one item come by channel and then by rank.
        entries.sort_unstable();

        let reports = lists.iter().map(|list| ListReport {
            channel: list.channel,
            offered: list.items.len(),
            ..ListReport::default()
        });
        let mut union = Self {
            found: Vec::with_capacity(entries.len()),
            found_at: vec![0; entries.len()],
            starts,
            reports: reports.collect(),
        };
        let mut position = 0;
        for (item, place) in entries.into_iter().map(unpacked) {
            if union.found.last().is_none_or(|found| found.item != item) {
                position = u32::try_from(union.found.len()).unwrap_or(u32::MAX);
                union.found.push(Found {
                    item,
                    sources: Sources::new(),
                });
            }
            union.found_at[place] = position;
            union.add_source(lists, place);
        }
        union
    }

    /// Adds what stands at `place` to the sources of the item that was found last.
    fn add_source(&mut self, lists: &[ChannelList<'_>], place: usize) {
        let list = self.starts.partition_point(|&start| start <= place) - 1;
        let within = place - self.starts[list];
        let source = Source {
            channel: lists[list].channel,
            rank: u32::try_from(within + 1).unwrap_or(u32::MAX),
            score: lists[list].items[within].score,
        };
        let Some(found) = self.found.last_mut() else {
            return;
        };
        if found
            .sources
            .last()
            .is_some_and(|last| last.channel == source.channel)
        {
            self.reports[list].repeated += 1;
        } else {
            found.sources.push(source);
        }
    }

    /// How many lists there are.
    pub(super) fn n_lists(&self) -> usize {
        self.reports.len()
    }

    /// Position in `found` of each item of list `list`, best first.
    pub(super) fn list(&self, list: usize) -> &[u32] {
        &self.found_at[self.starts[list]..self.starts[list + 1]]
    }

    /// The `limit` best items by `score`: falling score, then the best rank that any channel gave, then the item.
    pub(super) fn best_by(&self, limit: usize, score: impl Fn(&Found) -> Score) -> Vec<(u32, Score)> {
        let place = |found: &Found| {
            let best_rank = found.sources.iter().map(|source| source.rank).min();
            (Reverse(score(found)), best_rank, found.item)
        };
        let mut order: Vec<_> = self.found.iter().map(place).zip(0u32..).collect();
        if order.len() > limit {
            order.select_nth_unstable(limit);
            order.truncate(limit);
        }
        order.sort_unstable();
        let chosen = order.into_iter();
        chosen
            .map(|((Reverse(score), _, _), position)| (position, score))
            .collect()
    }

    /// Takes the chosen items out, in this order; the rest is cut. No position may come twice.
    pub(super) fn into_merged(mut self, chosen: Vec<(u32, Score)>) -> Merged {
        let mut candidates = Vec::with_capacity(chosen.len());
        for (position, score) in chosen {
            let found = &mut self.found[position as usize];
            let sources = std::mem::take(&mut found.sources);
            for source in &sources {
                if let Some(report) = self
                    .reports
                    .iter_mut()
                    .find(|report| report.channel == source.channel)
                {
                    report.kept += 1;
                    report.alone += usize::from(sources.len() == 1);
                }
            }
            candidates.push(Candidate {
                item: found.item,
                score,
                sources,
            });
        }
        // Whoever was chosen has no sources left.
        let left = self.found.iter().filter(|found| !found.sources.is_empty());
        let report = MergeReport {
            distinct: self.found.len(),
            cut: left.map(|found| found.item).collect(),
            lists: self.reports,
        };
        Merged { candidates, report }
    }
}

/// An item and a place as one number, which sorts in half the time of a pair.
fn packed(item: ItemIdx, place: u32) -> u64 {
    (u64::from(item.0) << 32) | u64::from(place)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "each half is one of the two 32-bit numbers"
)]
fn unpacked(entry: u64) -> (ItemIdx, usize) {
    (ItemIdx((entry >> 32) as u32), entry as u32 as usize)
}
