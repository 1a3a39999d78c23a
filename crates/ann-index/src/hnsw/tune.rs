//! How good the graph is, and how long its pool has to be for that.

use catchment_schema::{ItemFilter, ItemIdx};
use rayon::prelude::*;

use super::HnswIndex;
use crate::exact::{Rows, search_one};
use crate::{HnswReport, IndexConfig, Scratch};

/// Queries of a recall measurement where the caller gives none.
const SAMPLE: usize = 200;

impl HnswIndex {
    /// As [`Self::recall`], for prepared queries.
    pub(super) fn recall_of(&self, queries: &[f32], k: usize, ef: usize) -> f32 {
        let one = |scratch: &mut Scratch, query: &[f32]| {
            scratch.query.clear();
            scratch.query.extend_from_slice(query);
            let state = self.state();
            search_one(&state.rows, self.kernel, k, ItemFilter::NONE, scratch);
            let truth = scratch.top.sorted();
            let Some(last) = truth.last().map(|hit| hit.score) else {
                return (0, 0);
            };
            let n_true = truth.len();
            state.search(self.kernel, k, ef, ItemFilter::NONE, scratch);
            let found = scratch
                .top
                .sorted()
                .iter()
                .filter(|hit| hit.score >= last)
                .count();
            (found, n_true)
        };
        let counts = queries.par_chunks_exact(self.dim).map_init(Scratch::default, one);
        let (found, n_true) = counts.reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        if n_true == 0 {
            1.0
        } else {
            found as f32 / n_true as f32
        }
    }

    /// Lengthens the pool by halves until the asked recall is measured, and writes the report.
    pub(super) fn tune(&mut self, config: &IndexConfig, queries: &Rows) {
        let sample = if queries.len() > 0 {
            spread(queries, queries.len())
        } else {
            let rows = &self.state().rows;
            spread(rows, rows.len().min(SAMPLE))
        };
        let longest = config.hnsw.max_ef;
        let mut ef = self.report.ef;
        let mut recall = self.recall_of(&sample, config.k, ef);
        while recall < config.recall && ef < longest {
            ef = (ef + ef.div_ceil(2)).min(longest);
            recall = self.recall_of(&sample, config.k, ef);
        }
        self.report = HnswReport {
            ef,
            n_sampled: sample.len() / self.dim,
            recall_at_10: self.recall_of(&sample, 10, ef),
            recall_at_100: self.recall_of(&sample, 100, ef),
            recall_at_k: recall,
            gap: (config.recall - recall).max(0.0),
            ..self.report.clone()
        };
    }
}

/// `n` of the rows, evenly spread.
fn spread(rows: &Rows, n: usize) -> Vec<f32> {
    (0..n)
        .filter_map(|i| rows.get(ItemIdx::from_index(i * rows.len() / n)))
        .flatten()
        .copied()
        .collect()
}
