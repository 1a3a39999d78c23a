//! Scoring many items for a few queries, block by block, into best-k lists.

use std::ops::Range;

use catchment_schema::{ItemFilter, ItemIdx};

use super::kernel::Kernel;
use super::pack::{PackedQueries, prefetch};
use super::rows::Rows;
use super::tile::{Block, PANEL, PANELS_A_STEP};
use super::top_k::TopK;
use crate::query::filter_of;

/// A block of packed items should lie in the second-level cache: 2¹⁶ values, 256 KiB.
const BLOCK_VALUES: usize = 1 << 16;
/// Most panels in a block, so that its scores stay in the first-level cache.
const MAX_PANELS: usize = 4 * PANELS_A_STEP;

/// Which items are scored.
#[derive(Clone, Debug)]
pub(crate) enum Items<'a> {
    /// A run of rows.
    Range(Range<usize>),
    /// These; all are rows that exist.
    Listed(&'a [ItemIdx]),
}

impl Items<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Listed(items) => items.len(),
        }
    }

    fn row(&self, position: usize) -> usize {
        match self {
            Self::Range(range) => range.start + position,
            Self::Listed(items) => items[position].index(),
        }
    }
}

/// The buffers of a scan, reused.
#[derive(Debug, Default)]
pub(crate) struct ScanBuffers {
    panels: Vec<f32>,
    scores: Vec<f32>,
    queries: PackedQueries,
}

/// Offers the scores of all `items` to the list of each query; filters apply to ranges alone, listed items
/// have passed theirs.
///
/// # Shapes
/// `queries`: `[n, dim]`, normalised under cosine; `tops`: `[n]`; `filters`: `[n]` or empty.
pub(crate) fn scan(
    rows: &Rows,
    kernel: Kernel,
    queries: &[f32],
    items: &Items<'_>,
    filters: &[ItemFilter<'_>],
    tops: &mut [TopK],
    buffers: &mut ScanBuffers,
) {
    let depth = rows.stride();
    let most_panels =
        (BLOCK_VALUES / (depth * PANEL) / PANELS_A_STEP * PANELS_A_STEP).clamp(PANELS_A_STEP, MAX_PANELS);
    let ScanBuffers {
        panels,
        scores,
        queries: packed,
    } = buffers;
    packed.pack(queries, rows.dim(), kernel.group());

    for start in (0..items.len()).step_by(most_panels * PANEL) {
        let n_items = (items.len() - start).min(most_panels * PANEL);
        let n_panels = n_items.div_ceil(PANEL).next_multiple_of(PANELS_A_STEP);
        let width = n_panels * PANEL;
        // What the last panels hold beyond the last item is scored and never looked at.
        panels.resize(panels.len().max(width * depth), 0.0);
        scores.resize(scores.len().max(width * kernel.group()), 0.0);
        for (panel, first) in panels
            .chunks_exact_mut(depth * PANEL)
            .zip((0..n_items).step_by(PANEL))
        {
            let row = |i: usize| rows.padded(items.row((start + first + i).min(items.len() - 1)));
            for ahead in PANEL..2 * PANEL {
                prefetch(row(ahead));
            }
            kernel.pack(&std::array::from_fn(row), panel);
        }
        for (first_query, n_queries, queries) in packed.groups() {
            let block = Block {
                queries,
                n_queries,
                dim: rows.dim(),
                panels,
                n_panels,
                depth,
            };
            kernel.score_block(rows.metric(), block, scores);
            let of_group = &mut tops[first_query..first_query + n_queries];
            for ((query, top), scores) in (first_query..).zip(of_group).zip(scores.chunks_exact(width)) {
                let scores = &scores[..n_items];
                match items {
                    Items::Range(range) => {
                        let first_item = ItemIdx::from_index(range.start + start);
                        top.push_scores(first_item, scores, filter_of(filters, query));
                    }
                    Items::Listed(items) => top.push_listed(&items[start..start + n_items], scores),
                }
            }
        }
    }
}
