//! The graph index of `hnsw_rs`, walled in: nothing of it is visible, and no input makes it panic, print or
//! exit.
//!
//! Malkov and Yashunin, *Efficient and robust approximate nearest neighbor search using hierarchical
//! navigable small world graphs*, TPAMI 2018. Good for catalogues that outgrow a scan, one query at a time,
//! and for items that arrive between two builds ([`HnswIndex::insert`]). Not good for raw inner product
//! (refused), narrow filters (answered by a scan of what passes), deletes (filter them) or memory (about 3 kB
//! an item at 64 dimensions).
//!
//! # Opening
//! There is no file: the vectors are the source, and the graph is rebuilt from them. That costs about 2.3 CPU
//! milliseconds an item at the default settings and 64 dimensions (two minutes for 50,000), and grows a
//! little faster than the number of items.

mod distance;
mod graph;
mod tune;

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use catchment_schema::{ItemFilter, ItemIdx, Metric, ScoredItem};
use rayon::prelude::*;

use crate::exact::{Items, Kernel, Rows, prepare_query, scan, search_one};
use crate::query::{check_batch, check_query, filter_of};
use crate::{
    BuildError, HnswReport, IndexConfig, SampledFrom, Scratch, SearchError, SearchParams, VectorIndex,
};
use distance::GraphDistance;
use graph::Graph;

/// The engine's name in errors.
const ENGINE: &str = "hnsw";
/// A filter that lets fewer than one in so many items pass is answered by a scan: the graph would be walked
/// through in vain.
const NARROW: usize = 10;
/// A pool longer than one in so many passing items is answered by a scan, which is then the cheaper.
const LONG_POOL: usize = 8;

/// An approximate index over a navigable graph.
///
/// Inserting and searching from any number of threads is safe: a lock stands between them, and each query
/// sees the items from before or after an insertion, never a part. A batch takes the lock query by query.
pub struct HnswIndex {
    state: RwLock<State>,
    report: HnswReport,
    dim: usize,
    metric: Metric,
    kernel: Kernel,
}

/// The vectors and the graph over them, always of one length.
struct State {
    rows: Rows,
    graph: Graph,
}

impl HnswIndex {
    /// Builds the graph, then lengthens the search pool until the recall that `config` asks is measured or
    /// [`crate::HnswConfig::max_ef`] is reached; the [report](Self::report) says which.
    ///
    /// Recall is measured against the exact answers of `queries`, or of evenly spread items where that is
    /// empty. Give real queries (users' vectors) where there are any.
    ///
    /// # Shapes
    /// `vectors`: `[n, dim]`, `queries`: `[m, dim]`, both row-major.
    ///
    /// # Errors
    /// [`BuildError::UnsupportedMetric`] for inner product; [`BuildError::BadSetting`]; bad vectors (also in
    /// `queries`) as in [`crate::exact::ExactIndex::build`]; [`BuildError::EngineFailed`].
    pub fn build(
        vectors: &[f32],
        dim: usize,
        metric: Metric,
        config: &IndexConfig,
        queries: &[f32],
    ) -> Result<Self, BuildError> {
        config.validate()?;
        let unsupported = BuildError::UnsupportedMetric {
            engine: ENGINE,
            metric,
        };
        let distance = GraphDistance::of(metric).ok_or(unsupported)?;
        let rows = Rows::new(vectors, dim, metric)?;
        let queries = Rows::new(queries, dim, metric)?;
        let mut graph = Graph::new(rows.len(), &config.hnsw, distance);
        graph
            .insert(&points(&rows, 0), config.hnsw.parallel)
            .map_err(engine_failed)?;

        let mut index = Self {
            report: HnswReport {
                max_connections: config.hnsw.max_connections,
                ef_construction: config.hnsw.ef_construction,
                ef: config.k.min(config.hnsw.max_ef),
                reproducible: !config.hnsw.parallel,
                sampled_from: if queries.len() == 0 {
                    SampledFrom::Items
                } else {
                    SampledFrom::Queries
                },
                n_sampled: 0,
                recall_at_10: 1.0,
                recall_at_100: 1.0,
                k: config.k,
                recall_at_k: 1.0,
                asked: config.recall,
                gap: 0.0,
            },
            state: RwLock::new(State { rows, graph }),
            dim,
            metric,
            kernel: Kernel::best(),
        };
        index.tune(config, &queries);
        Ok(index)
    }

    /// What was built and how good it was right after; insertions do not change it.
    pub fn report(&self) -> &HnswReport {
        &self.report
    }

    /// Appends items and returns the first of them; the others follow. Searches wait meanwhile.
    ///
    /// # Shapes
    /// `vectors`: `[m, dim]`, row-major, `m ≥ 0`.
    ///
    /// # Errors
    /// For bad vectors as in [`HnswIndex::build`], with nothing changed. After [`BuildError::EngineFailed`]
    /// the items are in and searches go on without the graph, exactly and slowly: rebuild.
    pub fn insert(&self, vectors: &[f32]) -> Result<ItemIdx, BuildError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State { rows, graph } = &mut *state;
        let first = rows.len();
        rows.extend(vectors)?;
        // Serial on purpose: waiting for a pool while holding the lock could run a search on this very
        // thread.
        graph.insert(&points(rows, first), false).map_err(engine_failed)?;
        Ok(ItemIdx::from_index(first))
    }

    /// Mean share of the true top `k` that is found, ties at the last place counted as found; 1 where there
    /// is nothing to find.
    ///
    /// # Shapes
    /// `queries`: `[m, dim]`, row-major.
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn recall(&self, queries: &[f32], k: usize, params: &SearchParams) -> Result<f32, SearchError> {
        check_batch(queries, self.dim, &[])?;
        let mut prepared = Vec::new();
        prepare_query(self.metric, self.dim, queries, &mut prepared);
        Ok(self.recall_of(&prepared, k, self.ef(params)))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ef(&self, params: &SearchParams) -> usize {
        params.ef.unwrap_or(self.report.ef)
    }
}

fn engine_failed(reason: String) -> BuildError {
    BuildError::EngineFailed {
        engine: ENGINE,
        reason,
    }
}

/// The rows from `first` on, with their numbers.
fn points(rows: &Rows, first: usize) -> Vec<(&[f32], usize)> {
    (first..rows.len())
        .filter_map(|row| Some((rows.get(ItemIdx::from_index(row))?, row)))
        .collect()
}

impl State {
    /// The best `k` for the prepared query in `scratch.query`, into `scratch.top`.
    fn search(&self, kernel: Kernel, k: usize, ef: usize, filter: ItemFilter<'_>, scratch: &mut Scratch) {
        let n_items = self.rows.len();
        let is_filtered = !filter.is_none();
        let n_passing = if is_filtered {
            filter.n_passing(n_items).min(n_items)
        } else {
            n_items
        };
        let wanted = k.min(n_passing);
        let ef = ef.max(wanted);
        let scan_is_better =
            n_passing.saturating_mul(NARROW) < n_items || ef.saturating_mul(LONG_POOL) > n_passing;
        if !scan_is_better {
            let Scratch {
                query,
                top,
                items,
                buffers,
            } = scratch;
            self.graph
                .nearest(query, ef, is_filtered.then_some(filter), items);
            if items.len() >= wanted {
                top.reset(wanted);
                let tops = std::slice::from_mut(top);
                scan(
                    &self.rows,
                    kernel,
                    query,
                    &Items::Listed(items),
                    &[],
                    tops,
                    buffers,
                );
                return;
            }
        }
        search_one(&self.rows, kernel, k, filter, scratch);
    }
}

impl VectorIndex for HnswIndex {
    fn len(&self) -> usize {
        self.state().rows.len()
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn metric(&self) -> Metric {
        self.metric
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &SearchParams,
        filter: ItemFilter<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<ScoredItem>,
    ) -> Result<(), SearchError> {
        hits.clear();
        check_query(query, self.dim)?;
        if k == 0 {
            return Ok(());
        }
        prepare_query(self.metric, self.dim, query, &mut scratch.query);
        self.state()
            .search(self.kernel, k, self.ef(params), filter, scratch);
        hits.extend_from_slice(scratch.top.sorted());
        Ok(())
    }

    fn search_batch(
        &self,
        queries: &[f32],
        k: usize,
        params: &SearchParams,
        filters: &[ItemFilter<'_>],
        hits: &mut Vec<Vec<ScoredItem>>,
    ) -> Result<(), SearchError> {
        let n_queries = check_batch(queries, self.dim, filters).inspect_err(|_| hits.clear())?;
        hits.resize_with(n_queries, Vec::new);
        let all = queries
            .par_chunks_exact(self.dim)
            .zip(hits.par_iter_mut())
            .enumerate();
        all.try_for_each_init(Scratch::default, |scratch, (position, (query, hits))| {
            self.search(query, k, params, filter_of(filters, position), scratch, hits)
        })
    }
}

impl std::fmt::Debug for HnswIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HnswIndex")
            .field("len", &self.len())
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
