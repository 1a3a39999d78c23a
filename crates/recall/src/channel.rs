//! The trait that every channel implements.

use catchment_schema::{ItemIdx, ScoredItem};

use crate::{Accumulator, ChannelError, RecallQuery};

/// So many items are named at most where a channel says what speaks for one.
pub const MOST_REASONS: usize = 3;
/// So many of the query's items, the most recent of its history, are looked at for reasons.
pub const REASONS_AMONG: usize = 50;

/// Buffers of one thread, reused from request to request.
#[derive(Debug, Default)]
pub struct ChannelScratch {
    /// For the vector index behind an embedding channel.
    pub index: catchment_ann_index::Scratch,
    /// The encoded query.
    pub vector: Vec<f32>,
    /// Sums over items.
    pub sums: Accumulator,
}

/// What a channel found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recalled {
    /// Best first.
    pub items: Vec<ScoredItem>,
    /// Whether the channel had to stop at the deadline.
    pub cut_short: bool,
}

/// One way to find candidates.
///
/// # Laws
/// 1. No item comes twice.
/// 2. Items are sorted: falling score, ties by item.
/// 3. Every item passes the query's filter.
/// 4. At most `k` items.
/// 5. The same query gives the same answer.
/// 6. At an expired deadline it returns what it has and does not fail. What is not marked `cut_short` is
///    the answer that an unhurried query gets, and an unhurried query is never cut short.
/// 7. What an earlier request left in `scratch` does not matter.
/// 8. Many queries at once are answered as one by one, as long as no deadline cuts in.
/// 9. What is named by [`Channel::because`] is the query's: its seeds, or items of its history; at most [`MOST_REASONS`],
///    none twice.
///
/// [`crate::testing::channel_laws()`] checks them for any implementation.
pub trait Channel: Send + Sync {
    /// The name in the recipe, in reports and in `degraded`.
    fn name(&self) -> &str;

    /// The channel's best `k` items for this query.
    ///
    /// # Errors
    /// [`ChannelError`]: the channel is then left out of this answer, and said to be.
    fn recall(
        &self,
        query: &RecallQuery<'_>,
        k: usize,
        scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError>;

    /// [`Channel::recall`] for many queries, for evaluation and batches; the answers are in their order. A channel
    /// overrides it when it can answer many for less than their sum, and may then use the current rayon pool.
    fn recall_batch(
        &self,
        queries: &[RecallQuery<'_>],
        k: usize,
        scratch: &mut ChannelScratch,
    ) -> Vec<Result<Recalled, ChannelError>> {
        let one = |query| self.recall(query, k, scratch);
        queries.iter().map(one).collect()
    }

    /// For each of `items`, which of the query's own items speak for it, the strongest first; an empty list where the
    /// channel cannot say.
    fn because(&self, query: &RecallQuery<'_>, items: &[ItemIdx]) -> Vec<Vec<ItemIdx>> {
        let _ = query;
        vec![Vec::new(); items.len()]
    }
}

/// Turns a query into a vector of the space that a channel's items live in.
pub trait QueryEncoder: Send + Sync {
    /// Width of the vector.
    fn dim(&self) -> usize;

    /// Fills `out`.
    ///
    /// # Shapes
    /// `out`: `[dim]`, overwritten.
    ///
    /// # Errors
    /// [`ChannelError::NothingToGoOn`] when the query holds nothing that the encoder can use.
    fn encode(&self, query: &RecallQuery<'_>, out: &mut [f32]) -> Result<(), ChannelError>;

    /// As [`Channel::because`].
    fn because(&self, query: &RecallQuery<'_>, items: &[ItemIdx]) -> Vec<Vec<ItemIdx>> {
        let _ = query;
        vec![Vec::new(); items.len()]
    }
}
