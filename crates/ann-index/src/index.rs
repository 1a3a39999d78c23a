//! The trait that every index implements.

use catchment_schema::{ItemFilter, ItemIdx, Metric, ScoredItem};
use serde::{Deserialize, Serialize};

use crate::SearchError;
use crate::exact::{ScanBuffers, TopK};

/// How hard an approximate index should look. An exact one ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct SearchParams {
    /// Length of the candidate pool of a graph search; `None`: what the index was tuned to.
    pub ef: Option<usize>,
}

/// Buffers of one thread, reused from search to search.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The query as it is compared.
    pub(crate) query: Vec<f32>,
    /// The best so far.
    pub(crate) top: TopK,
    /// The items that a narrow filter lets pass, or the pool of a graph search.
    pub(crate) items: Vec<ItemIdx>,
    /// Packed items and their scores.
    pub(crate) buffers: ScanBuffers,
}

/// Finds the items whose vectors are nearest to a query vector.
///
/// # Laws
/// 1. No item comes twice.
/// 2. Hits are sorted: falling score, ties by item.
/// 3. Every hit passes the filter.
/// 4. At most `k` hits; fewer only when fewer items pass the filter.
/// 5. The score of a hit is the exact metric of that pair, whatever approximation found it.
/// 6. If [`VectorIndex::is_exact`], the hits equal a full sort of all passing items.
/// 7. A query of the wrong width, or with a value that is not finite, is an error, never a panic.
///
/// [`crate::testing::index_laws`] checks them for any implementation.
pub trait VectorIndex: Send + Sync {
    /// How many vectors there are. Row `i` belongs to item `i`.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Width of a vector.
    fn dim(&self) -> usize;

    /// How vectors are compared.
    fn metric(&self) -> Metric;

    /// Whether the answer is always the true top k.
    fn is_exact(&self) -> bool;

    /// The `k` nearest items that pass `filter`, into `hits` (cleared first).
    ///
    /// # Shapes
    /// `query`: `[dim]`.
    ///
    /// # Errors
    /// [`SearchError`] for a query of the wrong width or with a value that is not finite.
    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &SearchParams,
        filter: ItemFilter<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<ScoredItem>,
    ) -> Result<(), SearchError>;

    /// [`VectorIndex::search`] for many queries, on all threads of the current rayon pool; `hits[i]`
    /// answers query `i`. `filters` is empty (no filter) or has one entry a query.
    ///
    /// # Shapes
    /// `queries`: `[n, dim]`, row-major.
    ///
    /// # Errors
    /// As [`VectorIndex::search`], also when the lengths disagree.
    fn search_batch(
        &self,
        queries: &[f32],
        k: usize,
        params: &SearchParams,
        filters: &[ItemFilter<'_>],
        hits: &mut Vec<Vec<ScoredItem>>,
    ) -> Result<(), SearchError>;
}
