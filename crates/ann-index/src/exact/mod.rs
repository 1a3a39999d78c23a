//! The reference: scores every item, block by block, and keeps the best.
//!
//! Rows of items are transposed into panels of sixteen in the cache, so that each lane of a register belongs
//! to one item; a tile of queries × items then keeps its sums in registers (Goto and van de Geijn, *Anatomy
//! of high-performance matrix multiplication*, ACM TOMS 2008, for the idea). Each score is one chain of
//! multiply-adds over the dimensions in their order, so that it does not depend on block, batch or thread,
//! and AVX2 and AVX-512 agree to the bit.
//!
//! Good for up to about 50k items always, and for more when queries come in batches, filters are narrow or
//! recall must be
//! 1. Not good for millions of items one query at a time: the time is that of reading all vectors.

mod kernel;
mod lanes;
mod pack;
mod rows;
mod scan;
mod search;
mod tile;
mod top_k;

use catchment_schema::{ItemFilter, ItemIdx, Metric, ScoredItem};

pub use kernel::{Kernel, score};
#[cfg(feature = "hnsw")]
pub(crate) use rows::Rows;
#[cfg(not(feature = "hnsw"))]
use rows::Rows;
pub(crate) use scan::ScanBuffers;
#[cfg(feature = "hnsw")]
pub(crate) use scan::{Items, scan};
pub(crate) use search::{prepare_query, search_one};
pub use top_k::TopK;

use crate::query::{check_batch, check_query};
use crate::{BuildError, Scratch, SearchError, SearchParams, VectorIndex};

/// An exact index: every answer is the true top k.
///
/// ```
/// use catchment_ann_index::exact::ExactIndex;
/// use catchment_ann_index::{Scratch, SearchParams, VectorIndex};
/// use catchment_schema::{ItemFilter, Metric};
///
/// let index = ExactIndex::build(vec![1.0, 0.0, 0.0, 1.0, 0.7, 0.7], 2, Metric::InnerProduct)?;
/// let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
/// index.search(&[1.0, 0.1], 2, &SearchParams::default(), ItemFilter::NONE, &mut scratch, &mut hits)?;
/// assert_eq!(hits.iter().map(|hit| hit.item.0).collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExactIndex {
    rows: Rows,
    kernel: Kernel,
}

impl ExactIndex {
    /// Takes the vectors over. Memory: `4 · n` bytes for each dimension, `dim` rounded up to 16.
    ///
    /// # Shapes
    /// `vectors`: `[n, dim]`, row-major; `n` may be 0.
    ///
    /// # Errors
    /// [`BuildError::ZeroDimension`], [`BuildError::Ragged`], [`BuildError::NotFinite`],
    /// [`BuildError::TooManyItems`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the caller's copy should be freed here, not live beside ours"
    )]
    pub fn build(vectors: Vec<f32>, dim: usize, metric: Metric) -> Result<Self, BuildError> {
        Ok(Self {
            rows: Rows::new(&vectors, dim, metric)?,
            kernel: Kernel::best(),
        })
    }

    /// The same index computed by other instructions, to compare kernels.
    #[must_use]
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// The instructions that compute its scores.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The vector of an item as it is compared, `[dim]`: of length 1 under cosine. `None` beyond the last
    /// item.
    pub fn vector(&self, item: ItemIdx) -> Option<&[f32]> {
        self.rows.get(item)
    }
}

impl VectorIndex for ExactIndex {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn metric(&self) -> Metric {
        self.rows.metric()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        _params: &SearchParams,
        filter: ItemFilter<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<ScoredItem>,
    ) -> Result<(), SearchError> {
        hits.clear();
        check_query(query, self.dim())?;
        if k == 0 {
            return Ok(());
        }
        prepare_query(self.metric(), self.dim(), query, &mut scratch.query);
        search_one(&self.rows, self.kernel, k, filter, scratch);
        hits.extend_from_slice(scratch.top.sorted());
        Ok(())
    }

    fn search_batch(
        &self,
        queries: &[f32],
        k: usize,
        _params: &SearchParams,
        filters: &[ItemFilter<'_>],
        hits: &mut Vec<Vec<ScoredItem>>,
    ) -> Result<(), SearchError> {
        check_batch(queries, self.dim(), filters).inspect_err(|_| hits.clear())?;
        let mut prepared = Vec::new();
        prepare_query(self.metric(), self.dim(), queries, &mut prepared);
        search::search_many(&self.rows, self.kernel, &prepared, k, filters, hits);
        Ok(())
    }
}
