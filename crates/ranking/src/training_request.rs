//! One request with its outcome.

use catchment_features::{FeatureBatch, FeatureRow};
use catchment_models::Error;
use catchment_schema::ItemIdx;

use crate::{RankError, Side};

/// One request, what was or could have been answered, and what came of it.
///
/// Candidates must come from channels that have not seen the labels: fitted before the time that the labels are
/// from, or on other folds. Otherwise the ranker learns to trust ranks that serving will never have.
#[derive(Clone, Copy, Debug)]
pub struct TrainingRequest<'a> {
    /// The user's features.
    pub user: FeatureRow<'a>,
    /// The context's features.
    pub context: FeatureRow<'a>,
    /// The items that were candidates.
    pub candidates: &'a [ItemIdx],
    /// Row `i` describes `candidates[i]`.
    pub candidate_features: &'a FeatureBatch,
    /// One a candidate, in [0, 1]: 1 for what the user took.
    pub labels: &'a [f32],
    /// One a candidate, from 0; `None` where all count the same.
    pub weights: Option<&'a [f32]>,
}

impl TrainingRequest<'_> {
    /// That there is a label, a weight and a row of features for each candidate, and none out of range.
    pub(crate) fn check_outcome(&self) -> Result<(), RankError> {
        let candidates = self.candidates.len();
        let lengths = |what, found: usize| {
            let error = RankError::Lengths {
                what,
                found,
                candidates,
            };
            if found == candidates { Ok(()) } else { Err(error) }
        };
        lengths("labels", self.labels.len())?;
        lengths("weights", self.weights.map_or(candidates, <[f32]>::len))?;
        if self.candidate_features.rows != candidates {
            let reason = format!(
                "{} rows for {candidates} candidates",
                self.candidate_features.rows
            );
            return Err(RankError::WrongShape {
                side: Side::Candidate,
                reason,
            });
        }
        let label = self
            .labels
            .iter()
            .enumerate()
            .find(|(_, label)| !(0.0..=1.0).contains(*label));
        if let Some((row, &value)) = label {
            return Err(Error::Label { row, value }.into());
        }
        let weights = self.weights.unwrap_or_default();
        let weight = weights
            .iter()
            .enumerate()
            .find(|(_, weight)| !weight.is_finite() || **weight < 0.0);
        match weight {
            Some((row, &value)) => Err(Error::Weight { row, value }.into()),
            None => Ok(()),
        }
    }
}
