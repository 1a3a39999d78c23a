//! The wall around `hnsw_rs`: the only file that calls it.
//!
//! Read from its source, version 0.3.5, and answered here:
//! - it ends the process for more than 256 connections, and 1 makes its level generator infinite: the
//!   configuration is validated before;
//! - it panics on NaN and on negative distances: vectors are checked before, and `GraphDistance` never makes
//!   either;
//! - a filtered search with a pool of one can unwrap an empty heap: pools have at least [`MIN_EF`] places;
//! - parallel insertion into an empty graph can leave several points without edges: the first
//!   [`SERIAL_PREFIX`] go in one by one;
//! - nothing guards insertion against searching: `HnswIndex` holds a lock around this type;
//! - its dump loader asserts, exits and casts unchecked: it is never called. The vectors are the source.
//!
//! What could still panic is caught and becomes "no answer", which the caller replaces by an exact scan.

use std::panic::{AssertUnwindSafe, catch_unwind};

use catchment_schema::{ItemFilter, ItemIdx};
use hnsw_rs::prelude::{FilterT, Hnsw};

use super::distance::GraphDistance;
use crate::HnswConfig;

/// Layers that the library allows.
const MAX_LAYERS: usize = 16;
/// The shortest candidate pool.
const MIN_EF: usize = 16;
/// Points inserted one by one before threads may race.
const SERIAL_PREFIX: usize = 1024;

/// A graph over points that are numbered as the items are.
pub(super) struct Graph {
    /// `None` only after the library failed, and while dropping.
    points: Option<Hnsw<'static, f32, GraphDistance>>,
}

impl Graph {
    pub(super) fn new(n_expected: usize, config: &HnswConfig, distance: GraphDistance) -> Self {
        let points = Hnsw::new(
            config.max_connections,
            n_expected.max(1),
            MAX_LAYERS,
            config.ef_construction,
            distance,
        );
        Self { points: Some(points) }
    }

    /// Inserts points. Serial insertion gives the same graph for the same points in the same order: the
    /// library draws layers from a generator with a fixed seed.
    ///
    /// # Errors
    /// What the library panicked with; the graph then answers nothing any more.
    pub(super) fn insert(&mut self, points: &[(&[f32], usize)], parallel: bool) -> Result<(), String> {
        let Some(graph) = &self.points else {
            return Err("it failed before".to_owned());
        };
        let n_serial = if parallel {
            points
                .len()
                .min(SERIAL_PREFIX.saturating_sub(graph.get_nb_point()))
        } else {
            points.len()
        };
        let (serial, racing) = points.split_at(n_serial);
        let inserted = catch_unwind(AssertUnwindSafe(|| {
            for &point in serial {
                graph.insert_slice(point);
            }
            if !racing.is_empty() {
                graph.parallel_insert_slice(&racing.to_vec());
            }
        }));
        inserted.map_err(|panic| {
            self.discard();
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
                .unwrap_or_default()
        })
    }

    /// About `ef` of the points nearest to `query` that pass the filter, in item order, into `pool` (cleared
    /// first). May be fewer, or none.
    pub(super) fn nearest(
        &self,
        query: &[f32],
        ef: usize,
        filter: Option<ItemFilter<'_>>,
        pool: &mut Vec<ItemIdx>,
    ) {
        pool.clear();
        let Some(graph) = &self.points else { return };
        let ef = ef.max(MIN_EF);
        let item = |point: usize| u32::try_from(point).ok().map(ItemIdx);
        let passes =
            |point: &usize| filter.is_none_or(|filter| item(*point).is_some_and(|item| filter.passes(item)));
        let of_library = filter.map(|_| &passes as &dyn FilterT);
        let found = catch_unwind(AssertUnwindSafe(|| {
            graph.search_filter(query, ef, ef, of_library)
        }));
        pool.extend(
            found
                .unwrap_or_default()
                .iter()
                .filter(|point| passes(&point.d_id))
                .filter_map(|point| item(point.d_id)),
        );
        pool.sort_unstable();
        pool.dedup();
    }

    /// Lets go of the graph; a panic while it frees itself stays here.
    fn discard(&mut self) {
        let points = self.points.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(points)));
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.discard();
    }
}
