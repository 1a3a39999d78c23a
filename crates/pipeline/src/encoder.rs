//! Query encoders: where a model of `models` becomes the encoder that `recall` asks.

use std::sync::Arc;

use catchment_models::Error as ModelError;
use catchment_models::factorization::ials::IalsEncoder;
use catchment_models::sgns::ItemVectors;
use catchment_recall::{ChannelError, ItemToItemConfig, QueryEncoder, REASONS_AMONG, Reasons, RecallQuery};
use catchment_schema::{History, ItemIdx};

/// How a user becomes a vector, apart from any request.
pub(crate) trait HistoryEncoder: Send + Sync {
    /// Width of the vector.
    fn dim(&self) -> usize;

    /// Fills `out`, `[dim]`.
    fn encode_history(&self, history: History<'_>, out: &mut [f32]) -> Result<(), ModelError>;
}

impl HistoryEncoder for IalsEncoder {
    fn dim(&self) -> usize {
        IalsEncoder::dim(self)
    }

    fn encode_history(&self, history: History<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        self.fold_in(history.events().iter().map(|event| event.item), out)
    }
}

/// A model that has nothing to say of a history is no failure of the channel.
fn channel_error(error: ModelError) -> ChannelError {
    match error {
        ModelError::NothingToFoldIn => ChannelError::NothingToGoOn,
        error => ChannelError::Failed(error.to_string()),
    }
}

fn is_empty(query: &RecallQuery<'_>) -> bool {
    query.seeds.is_empty() && query.history.is_empty()
}

/// Solves for the user's vector from the history (or the seeds), as training solves for a user's row.
pub(crate) struct FoldIn {
    encoder: Arc<IalsEncoder>,
}

impl FoldIn {
    pub(crate) fn new(encoder: Arc<IalsEncoder>) -> Self {
        Self { encoder }
    }
}

impl QueryEncoder for FoldIn {
    fn dim(&self) -> usize {
        self.encoder.dim()
    }

    fn encode(&self, query: &RecallQuery<'_>, out: &mut [f32]) -> Result<(), ChannelError> {
        if is_empty(query) {
            return Err(ChannelError::NothingToGoOn);
        }
        let folded = if query.seeds.is_empty() {
            self.encoder.encode_history(query.history, out)
        } else {
            self.encoder.fold_in(query.seeds.iter().copied(), out)
        };
        folded.map_err(channel_error)
    }

    fn because(&self, query: &RecallQuery<'_>, items: &[ItemIdx]) -> Vec<Vec<ItemIdx>> {
        let seeds = ItemToItemConfig::default().seeds(query.seeds, query.history);
        most_alike(&seeds, items, |one, other| self.encoder.cosine(one, other))
    }
}

/// Of the seeds those that are most like each item, by weighted cosine.
fn most_alike(
    seeds: &[(ItemIdx, f64)],
    items: &[ItemIdx],
    cosine: impl Fn(ItemIdx, ItemIdx) -> f64,
) -> Vec<Vec<ItemIdx>> {
    let mut reasons = Reasons::new(items);
    for &(seed, weight) in seeds.iter().take(REASONS_AMONG) {
        for &item in items {
            reasons.speak(item, seed, weight * cosine(seed, item));
        }
    }
    reasons.strongest()
}

/// The direction of the recent items' weighted mean.
pub(crate) struct Pooled {
    vectors: Arc<ItemVectors>,
    seeds: ItemToItemConfig,
}

impl Pooled {
    pub(crate) fn new(vectors: Arc<ItemVectors>, seeds: ItemToItemConfig) -> Self {
        Self { vectors, seeds }
    }
}

impl HistoryEncoder for Pooled {
    fn dim(&self) -> usize {
        self.vectors.dim()
    }

    fn encode_history(&self, history: History<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        self.vectors.pool(self.seeds.seeds(&[], history), out)
    }
}

impl QueryEncoder for Pooled {
    fn dim(&self) -> usize {
        self.vectors.dim()
    }

    fn encode(&self, query: &RecallQuery<'_>, out: &mut [f32]) -> Result<(), ChannelError> {
        if is_empty(query) {
            return Err(ChannelError::NothingToGoOn);
        }
        self.vectors
            .pool(self.seeds.seeds(query.seeds, query.history), out)
            .map_err(channel_error)
    }

    fn because(&self, query: &RecallQuery<'_>, items: &[ItemIdx]) -> Vec<Vec<ItemIdx>> {
        let seeds = self.seeds.seeds(query.seeds, query.history);
        most_alike(&seeds, items, |one, other| self.vectors.cosine(one, other))
    }
}
