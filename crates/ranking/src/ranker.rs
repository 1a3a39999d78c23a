//! The trait that every ranker implements.

use catchment_features::{FeatureBatch, FeatureRow};
use catchment_schema::{ItemIdx, Score};

use crate::RankError;

/// What a ranker knows of one request.
#[derive(Clone, Copy, Debug)]
pub struct RankQuery<'a> {
    /// The user's features.
    pub user: FeatureRow<'a>,
    /// The context's features.
    pub context: FeatureRow<'a>,
    /// The features of the whole catalogue, transformed at publish: row `i` is item `i`.
    pub items: &'a FeatureBatch,
}

/// Puts candidates in order.
///
/// # Laws
/// 1. `scores` has one entry for each candidate, in their order.
/// 2. A score depends on the user, the context and that candidate alone: `score(batch)[i] == score([x_i])`, to the bit.
/// 3. Every score is finite, and a calibrated ranker's lies in [0, 1].
/// 4. An item beyond the catalogue, or features of the wrong shape, are an error, never a panic.
/// 5. [`Ranker::prepare_items`] changes no score, to the bit; a prepared ranker refuses a catalogue of another length.
///
/// [`crate::testing::ranker_laws`] checks them for any implementation.
pub trait Ranker: Send + Sync {
    /// Scores `candidates`; `candidate_features` row `i` describes `candidates[i]` (channel ranks and scores).
    /// `scores` is cleared first; after an error it holds nothing that can be used.
    ///
    /// # Errors
    /// [`RankError::UnknownItem`], [`RankError::WrongShape`], [`RankError::NotFinite`].
    fn score(
        &self,
        query: &RankQuery<'_>,
        candidates: &[ItemIdx],
        candidate_features: &FeatureBatch,
        scores: &mut Vec<Score>,
    ) -> Result<(), RankError>;

    /// Computes once what depends on the items alone; called when a bundle is opened. Afterwards every query must
    /// carry this very catalogue. A ranker that has nothing of the kind does nothing.
    ///
    /// # Errors
    /// [`RankError::WrongShape`], [`RankError::NotFinite`]; the ranker is then as it was.
    fn prepare_items(&mut self, items: &FeatureBatch) -> Result<(), RankError>;
}
