//! What a training came to.

use catchment_models::factorization::lr::{EpochReport, StopReason};
use serde::{Deserialize, Serialize};

use crate::Judgement;

/// How much there was of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartReport {
    /// Rows: candidates.
    pub rows: usize,
    /// Rows with a label above 0.
    pub positives: usize,
}

/// What [`crate::LrRanker::fit`] did, and how good the outcome is on requests that it has not learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LrReport {
    /// What was learned from.
    pub train: PartReport,
    /// What chose the pass and the calibration.
    pub validation: PartReport,
    /// What `uncalibrated` and `calibrated` are about.
    pub test: PartReport,
    /// The model's own probabilities, corrected for dropped negatives alone, on the test rows.
    pub uncalibrated: Judgement,
    /// The ranker's probabilities on the test rows.
    pub calibrated: Judgement,
    /// How many weights the layout has.
    pub n_weights: usize,
    /// How many of them are not zero.
    pub nonzero_weights: usize,
    /// Each pass.
    pub epochs: Vec<EpochReport>,
    /// The pass whose weights were kept, from 1.
    pub best_epoch: usize,
    /// Why training ended.
    pub stop: StopReason,
}
