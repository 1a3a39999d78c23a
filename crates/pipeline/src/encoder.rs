//! Query encoders: where a model of `models` becomes the encoder that `recall` asks.

use std::sync::Arc;

use catchment_models::factorization::ials::IalsEncoder;
use catchment_recall::{ChannelError, QueryEncoder, RecallQuery};

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
        if query.seeds.is_empty() && query.history.is_empty() {
            return Err(ChannelError::NothingToGoOn);
        }
        let folded = if query.seeds.is_empty() {
            self.encoder
                .fold_in(query.history.events().iter().map(|event| event.item), out)
        } else {
            self.encoder.fold_in(query.seeds.iter().copied(), out)
        };
        folded.map_err(|error| match error {
            catchment_models::Error::NothingToFoldIn => ChannelError::NothingToGoOn,
            error => ChannelError::Failed(error.to_string()),
        })
    }
}
