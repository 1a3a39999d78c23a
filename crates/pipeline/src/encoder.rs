//! Query encoders: where a model of `models` becomes the encoder that `recall` asks.

use std::sync::Arc;

use catchment_features::{ContextInput, FeatureBatch, FeatureColumn, FittedFeatures, UserInput};
use catchment_models::Error as ModelError;
use catchment_models::factorization::ials::IalsEncoder;
use catchment_models::sgns::ItemVectors;
use catchment_models::towers::{QueryScratch, QueryTower};
use catchment_recall::{ChannelError, ItemToItemConfig, QueryEncoder, REASONS_AMONG, Reasons, RecallQuery};
use catchment_schema::{Event, History, ItemIdx, Time};

/// How a user becomes a vector, apart from any request.
pub(crate) trait UserEncoder: Send + Sync {
    /// Width of the vector.
    fn dim(&self) -> usize;

    /// Fills `out`, `[dim]`.
    fn encode_user(&self, user: &UserInput<'_>, out: &mut [f32]) -> Result<(), ModelError>;
}

impl UserEncoder for IalsEncoder {
    fn dim(&self) -> usize {
        IalsEncoder::dim(self)
    }

    fn encode_user(&self, user: &UserInput<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        self.fold_in(user.history.events().iter().map(|event| event.item), out)
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
            let events = query.history.events().iter();
            self.encoder.fold_in(events.map(|event| event.item), out)
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

/// Of the seeds those that speak most for each item, by their weighted likeness.
fn most_alike(
    seeds: &[(ItemIdx, f64)],
    items: &[ItemIdx],
    likeness: impl Fn(ItemIdx, ItemIdx) -> f64,
) -> Vec<Vec<ItemIdx>> {
    let mut reasons = Reasons::new(items);
    for &(seed, weight) in seeds.iter().take(REASONS_AMONG) {
        for &item in items {
            reasons.speak(item, seed, weight * likeness(seed, item));
        }
    }
    reasons.strongest()
}

/// The direction of the recent items' weighted mean.
pub(crate) struct Pooled {
    vectors: Arc<ItemVectors>,
    /// What the mean is compared with, `[n_items, dim]`, where that is another table than the vectors themselves.
    against: Option<Vec<f32>>,
    seeds: ItemToItemConfig,
}

impl Pooled {
    pub(crate) fn new(vectors: Arc<ItemVectors>, against: Option<Vec<f32>>, seeds: ItemToItemConfig) -> Self {
        Self {
            vectors,
            against,
            seeds,
        }
    }

    /// The part that a seed of weight 1 has in an item's score, but for the length of the sum of all.
    fn part(&self, seed: ItemIdx, item: ItemIdx) -> f64 {
        let Some(against) = &self.against else {
            return self.vectors.cosine(seed, item);
        };
        let dim = self.vectors.dim();
        let row = |of: ItemIdx| of.index() * dim..(of.index() + 1) * dim;
        match (self.vectors.vectors().get(row(seed)), against.get(row(item))) {
            (Some(seed), Some(item)) => seed.iter().zip(item).map(|(a, b)| f64::from(a * b)).sum(),
            _ => 0.0,
        }
    }
}

impl UserEncoder for Pooled {
    fn dim(&self) -> usize {
        self.vectors.dim()
    }

    fn encode_user(&self, user: &UserInput<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        self.vectors.pool(self.seeds.seeds(&[], user.history), out)
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
        most_alike(&seeds, items, |seed, item| self.part(seed, item))
    }
}

/// Features of the user and the moment, through the query tower.
pub(crate) struct TowerEncoder {
    features: FittedFeatures,
    tower: QueryTower,
}

impl TowerEncoder {
    pub(crate) fn new(features: FittedFeatures, tower: QueryTower) -> Self {
        Self { features, tower }
    }
}

/// Whether anything at all is known of the user.
fn says_something(user: &FeatureBatch) -> bool {
    user.columns.iter().any(|column| match column {
        FeatureColumn::Dense { width, .. } => *width > 0,
        FeatureColumn::Bag { ids, .. } => !ids.is_empty(),
    })
}

impl UserEncoder for TowerEncoder {
    fn dim(&self) -> usize {
        self.tower.dim()
    }

    fn encode_user(&self, user: &UserInput<'_>, out: &mut [f32]) -> Result<(), ModelError> {
        let (mut row, mut moment) = (FeatureBatch::default(), FeatureBatch::default());
        self.features.transform_user(user, &mut row)?;
        if !row.columns.is_empty() && !says_something(&row) {
            return Err(ModelError::NothingToFoldIn);
        }
        let now = ContextInput { now: user.now };
        self.features.transform_context(&now, &mut moment)?;
        self.tower
            .encode(&row, &moment, &mut QueryScratch::default(), out)
    }
}

/// The query of a tower: who asks, and when.
pub(crate) struct AskTower(pub(crate) Arc<TowerEncoder>);

impl QueryEncoder for AskTower {
    fn dim(&self) -> usize {
        self.0.tower.dim()
    }

    fn encode(&self, query: &RecallQuery<'_>, out: &mut [f32]) -> Result<(), ChannelError> {
        // Items to start from stand for a history of just these.
        let seeds: Vec<Event> = query
            .seeds
            .iter()
            .map(|&item| Event::new(item, Time::UNKNOWN))
            .collect();
        let history = if seeds.is_empty() {
            query.history
        } else {
            History::new(&seeds)
        };
        let user = UserInput {
            id: query.user_id,
            attributes: query.user_attributes,
            history,
            everything: None,
            now: query.now,
        };
        self.0.encode_user(&user, out).map_err(channel_error)
    }
}

#[cfg(test)]
mod tests {
    use catchment_recall::NoDeadline;
    use catchment_schema::ItemFilter;

    use super::*;

    #[test]
    fn reasons_go_by_what_the_items_were_compared_with() {
        let vectors = vec![1.0, 0.0, 0.0, 1.0, 0.9, 0.1];
        let output = vec![0.0, 0.0, 0.0, 0.0, -0.2, 3.0];
        let vectors = Arc::new(ItemVectors::new(vectors, 2).expect("vectors"));
        let events = [0, 1].map(|item| Event::new(ItemIdx(item), Time::UNKNOWN));
        let query = RecallQuery {
            user: None,
            history: History::new(&events),
            seeds: &[],
            user_id: None,
            user_attributes: None,
            filter: ItemFilter::NONE,
            now: Time::UNKNOWN,
            deadline: &NoDeadline,
        };
        let because = |against| {
            let asks = Pooled::new(vectors.clone(), against, ItemToItemConfig::default());
            asks.because(&query, &[ItemIdx(2)])
        };
        assert_eq!(because(None), [[ItemIdx(0), ItemIdx(1)]]);
        // By its output vector the item goes with the second, and the first speaks against it.
        assert_eq!(because(Some(output)), [[ItemIdx(1)]]);
    }
}
