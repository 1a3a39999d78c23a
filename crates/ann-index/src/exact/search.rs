//! One query on one thread, and many on all: how a scan is cut.

use catchment_schema::{ItemFilter, Metric, ScoredItem};
use rayon::prelude::*;

use super::kernel::Kernel;
use super::rows::{Rows, normalise};
use super::scan::{Items, ScanBuffers, scan};
use super::top_k::TopK;
use crate::Scratch;
use crate::query::filter_of;

/// Queries that share a packed block of items; packing costs about as much as scoring five of them (measured
/// at 192 dimensions). A multiple of every kernel's group.
const QUERIES_A_TASK: usize = 120;
/// Fewer items are not worth a task of their own.
const MIN_ITEMS_A_TASK: usize = 2048;
/// A filter that allows fewer than one in so many items is followed item by item instead of scanning
/// everything.
const SELECTIVE: usize = 8;

fn is_selective(filter: &ItemFilter<'_>, n_items: usize) -> bool {
    filter
        .allow
        .is_some_and(|allow| allow.len().saturating_mul(SELECTIVE) < n_items)
}

/// Copies the query as it is compared into `to`.
pub(crate) fn prepare_query(metric: Metric, dim: usize, queries: &[f32], to: &mut Vec<f32>) {
    to.clear();
    to.extend_from_slice(queries);
    if metric == Metric::Cosine {
        to.chunks_exact_mut(dim).for_each(normalise);
    }
}

/// The best `k` for the query in `scratch.query`, which is prepared, into `scratch.top`.
pub(crate) fn search_one(
    rows: &Rows,
    kernel: Kernel,
    k: usize,
    filter: ItemFilter<'_>,
    scratch: &mut Scratch,
) {
    let n_items = rows.len();
    let Scratch {
        query,
        top,
        items,
        buffers,
    } = scratch;
    top.reset(k.min(n_items));
    let tops = std::slice::from_mut(top);
    match filter.allow {
        Some(allow) if is_selective(&filter, n_items) => {
            items.clear();
            items.extend(
                allow
                    .iter()
                    .take_while(|item| item.index() < n_items)
                    .filter(|&item| filter.passes(item)),
            );
            scan(rows, kernel, query, &Items::Listed(items), &[], tops, buffers);
        }
        _ => scan(
            rows,
            kernel,
            query,
            &Items::Range(0..n_items),
            &[filter],
            tops,
            buffers,
        ),
    }
}

/// The best `k` for each prepared query, on all threads of the current pool. Tasks are cut by queries and,
/// where those are few, by items as well; the best `k` of a set does not depend on how it was cut.
pub(super) fn search_many(
    rows: &Rows,
    kernel: Kernel,
    queries: &[f32],
    k: usize,
    filters: &[ItemFilter<'_>],
    hits: &mut Vec<Vec<ScoredItem>>,
) {
    let (dim, n_items) = (rows.dim(), rows.len());
    let n_queries = queries.len() / dim;
    let k = k.min(n_items);
    hits.truncate(n_queries);
    hits.iter_mut().for_each(Vec::clear);
    hits.resize_with(n_queries, Vec::new);
    if k == 0 {
        return;
    }
    if filters.iter().any(|filter| is_selective(filter, n_items)) {
        let one = |scratch: &mut Scratch,
                   (position, (query, hits)): (usize, (&[f32], &mut Vec<ScoredItem>))| {
            scratch.query.clear();
            scratch.query.extend_from_slice(query);
            search_one(rows, kernel, k, filter_of(filters, position), scratch);
            hits.extend_from_slice(scratch.top.sorted());
        };
        let all = queries.par_chunks_exact(dim).zip(hits.par_iter_mut()).enumerate();
        all.for_each_init(Scratch::default, one);
        return;
    }

    let n_chunks = n_queries.div_ceil(QUERIES_A_TASK);
    let wanted = (2 * rayon::current_num_threads()).div_ceil(n_chunks.max(1));
    let n_parts = wanted.clamp(1, (n_items / MIN_ITEMS_A_TASK).max(1));
    let part = n_items.div_ceil(n_parts);
    let tasks = (0..n_chunks)
        .flat_map(|chunk| (0..n_parts).map(move |p| (chunk, p * part)))
        .collect::<Vec<_>>();
    let task = |(buffers, tops): &mut (ScanBuffers, Vec<TopK>), &(chunk, start): &(usize, usize)| {
        let first = chunk * QUERIES_A_TASK;
        let last = (first + QUERIES_A_TASK).min(n_queries);
        let filters = if filters.is_empty() {
            filters
        } else {
            &filters[first..last]
        };
        tops.resize_with(QUERIES_A_TASK, TopK::default);
        let tops = &mut tops[..last - first];
        for top in tops.iter_mut() {
            top.reset(k);
        }
        let items = Items::Range(start..(start + part).min(n_items));
        scan(
            rows,
            kernel,
            &queries[first * dim..last * dim],
            &items,
            filters,
            tops,
            buffers,
        );
        tops.iter_mut()
            .map(|top| top.sorted().to_vec())
            .collect::<Vec<_>>()
    };
    let lists: Vec<Vec<Vec<ScoredItem>>> = tasks.par_iter().map_init(Default::default, task).collect();

    let mut top = TopK::default();
    let chunks = hits.chunks_mut(QUERIES_A_TASK).zip(lists.chunks(n_parts));
    for (hits, parts) in chunks {
        for (position, hits) in hits.iter_mut().enumerate() {
            top.reset(k);
            for &hit in parts.iter().flat_map(|part| &part[position]) {
                top.push(hit);
            }
            hits.extend_from_slice(top.sorted());
        }
    }
}
