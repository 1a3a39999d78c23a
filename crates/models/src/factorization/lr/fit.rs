//! The training loop.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::model::logloss;
use super::{Examples, Ftrl, FtrlConfig, LogisticRegression};
use crate::progress::{Flow, Progress};
use crate::{Error, Result};

/// What one pass did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Which pass, from 1.
    pub epoch: usize,
    /// Weighted mean over the rows of the pass, each judged *before* it was learned from.
    pub train_logloss: f64,
    /// Weighted mean over the validation rows after the pass, where there are any.
    pub validation_logloss: Option<f64>,
    /// How many weights are not zero.
    pub nonzero_weights: usize,
}

impl std::fmt::Display for EpochReport {
    /// A note for a bar.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "logloss {:.4}", self.train_logloss)?;
        match self.validation_logloss {
            Some(loss) => write!(f, ", validation {loss:.4}"),
            None => Ok(()),
        }
    }
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All passes were made.
    Epochs,
    /// The validation logloss had not become better for as many passes as `patience` says.
    Patience,
    /// The caller asked for it.
    Asked,
}

/// A fitted model and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The model after `best_epoch`.
    pub model: LogisticRegression,
    /// One report for each pass that was made.
    pub epochs: Vec<EpochReport>,
    /// The pass whose weights were kept, from 1.
    pub best_epoch: usize,
    /// Why it ended there.
    pub stop: StopReason,
}

/// Fits a logistic regression to the rows `train` of `examples`; the rows `validation` (maybe none) decide which
/// pass is kept. The same input and `seed` give the same bytes.
///
/// A step is a pass, and the note holds the loss. Patience ends a training before its last pass: the last step then says
/// that all is done. [`Flow::Stop`] ends it after that pass, with the best model so far.
///
/// # Errors
/// [`Error::Config`]; [`Error::NoRows`] when there is nothing to train on, or validation rows without weight;
/// [`Error::UnknownRow`]; [`Error::Diverged`].
pub fn fit(
    examples: &Examples<'_>,
    train: &[usize],
    validation: &[usize],
    config: &FtrlConfig,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<Fitted> {
    config.validate()?;
    let train_weight = examples.total_weight(train, "train on")?;
    let validation_weight = match validation {
        [] => None,
        rows => Some(examples.total_weight(rows, "validate on")?),
    };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut ftrl = Ftrl::new(config, examples.rows().n_features());
    let mut order = train.to_vec();
    let mut epochs: Vec<EpochReport> = Vec::new();
    let mut best: Option<(f64, usize, LogisticRegression)> = None;
    let mut stop = StopReason::Epochs;
    for epoch in 1..=config.epochs {
        if config.shuffle {
            order.shuffle(&mut rng);
        }
        let mut loss = 0.0;
        for &row in &order {
            let (row, label, weight) = examples.get(row);
            loss += weight * logloss(ftrl.step(row, label, weight), label);
        }
        let model = ftrl.model();
        let validation_logloss =
            validation_weight.map(|total| total_logloss(&model, examples, validation) / total);
        let report = EpochReport {
            epoch,
            train_logloss: loss / train_weight,
            validation_logloss,
            nonzero_weights: model.n_nonzero(),
        };
        let all_finite = model.bias.is_finite() && model.weights.iter().all(|weight| weight.is_finite());
        if !(all_finite && report.train_logloss.is_finite()) {
            return Err(Error::Diverged {
                model: "logistic regression",
            });
        }
        let is_better = match (&best, validation_logloss) {
            (Some((best, ..)), Some(loss)) => loss < *best,
            _ => true,
        };
        if is_better {
            best = Some((validation_logloss.unwrap_or(0.0), epoch, model));
        }
        let best_epoch = best.as_ref().map_or(epoch, |(_, epoch, _)| *epoch);
        let is_patient = config.patience == 0 || epoch - best_epoch < config.patience;
        let done = if is_patient { epoch } else { config.epochs };
        let flow = progress.step(done as u64, config.epochs as u64, &report.to_string());
        epochs.push(report);
        if flow == Flow::Stop {
            stop = StopReason::Asked;
            break;
        }
        if !is_patient {
            stop = StopReason::Patience;
            break;
        }
    }
    // `epochs` is at least 1, so that there is a best one.
    let (_, best_epoch, model) = best.ok_or(Error::NoRows { purpose: "train on" })?;
    Ok(Fitted {
        model,
        epochs,
        best_epoch,
        stop,
    })
}

fn total_logloss(model: &LogisticRegression, examples: &Examples<'_>, rows: &[usize]) -> f64 {
    let losses = rows.iter().map(|&row| {
        let (row, label, weight) = examples.get(row);
        weight * logloss(model.wide_logit(row), label)
    });
    losses.sum()
}
