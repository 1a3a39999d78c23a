//! From requests to a ranker.

use catchment_models::factorization::lr::{Examples, fit, sigmoid};
use catchment_models::progress::Progress;

use super::ranker::correct;
use super::{LrRanker, LrRankerConfig, LrReport, PartReport};
use crate::judgement::JudgedRow;
use crate::request_split::RequestSplit;
use crate::{Calibration, Judgement, RankError, TrainingSet};

impl LrRanker {
    /// Learns from most requests of `set`, lets some choose the pass and the calibration, and judges the outcome on
    /// the rest. The same set, settings and `seed` give the same ranker. A step of `progress`
    /// is a pass.
    ///
    /// # Errors
    /// [`RankError::Config`]; [`RankError::OneClass`] when a part lacks positives or negatives;
    /// [`RankError::Model`].
    pub fn fit(
        set: &TrainingSet<'_>,
        config: &LrRankerConfig,
        seed: u64,
        progress: &mut dyn Progress,
    ) -> Result<(Self, LrReport), RankError> {
        config.validate()?;
        let split = RequestSplit::draw(set, config.validation_fraction, config.test_fraction, seed);
        let examples = Examples::new(set.rows(), set.labels(), Some(set.weights()))?;
        for (part, rows) in [
            ("train", &split.train),
            ("validation", &split.validation),
            ("test", &split.test),
        ] {
            check_classes(&examples, part, rows)?;
        }
        let fitted = fit(
            &examples,
            &split.train,
            &split.validation,
            &config.ftrl,
            seed,
            progress,
        )?;
        let model = fitted.model;
        let logit = |&row: &usize| model.wide_logit(set.rows().row(row));
        let logits: Vec<f64> = split.validation.iter().map(logit).collect();
        let (labels, weights): (Vec<f64>, Vec<f64>) = split
            .validation
            .iter()
            .map(|&row| examples.get(row))
            .map(|(_, label, weight)| (label, weight))
            .unzip();
        let calibration = Calibration::fit(config.calibration, &logits, &labels, &weights);

        let test_logits: Vec<f64> = split.test.iter().map(logit).collect();
        let ranker = Self::new(
            set.layout().clone(),
            model,
            calibration,
            config.negative_rate,
            set.feature_fingerprint(),
        )?;
        let judge = |probability: &dyn Fn(f64) -> f64| {
            let rows = split.test.iter().zip(&test_logits).map(|(&row, &logit)| {
                let (_, label, weight) = examples.get(row);
                let kept = if label > 0.0 { 1.0 } else { config.negative_rate };
                JudgedRow {
                    prediction: probability(logit),
                    label,
                    weight: weight / kept,
                }
            });
            Judgement::of(rows.collect())
        };
        let part = |rows: &[usize]| PartReport {
            rows: rows.len(),
            positives: rows.iter().filter(|&&row| set.labels()[row] > 0.0).count(),
        };
        let report = LrReport {
            train: part(&split.train),
            validation: part(&split.validation),
            test: part(&split.test),
            uncalibrated: judge(&|logit| correct(sigmoid(logit), config.negative_rate)),
            calibrated: judge(&|logit| ranker.probability(logit)),
            n_weights: ranker.model.weights.len(),
            nonzero_weights: ranker.model.n_nonzero(),
            epochs: fitted.epochs,
            best_epoch: fitted.best_epoch,
            stop: fitted.stop,
        };
        Ok((ranker, report))
    }
}

fn check_classes(examples: &Examples<'_>, part: &'static str, rows: &[usize]) -> Result<(), RankError> {
    let (mut positive, mut negative) = (0.0, 0.0);
    for &row in rows {
        let (_, label, weight) = examples.get(row);
        positive += weight * label;
        negative += weight * (1.0 - label);
    }
    if positive > 0.0 && negative > 0.0 {
        Ok(())
    } else {
        Err(RankError::OneClass { part })
    }
}
