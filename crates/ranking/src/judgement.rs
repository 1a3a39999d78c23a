//! How good probabilities are.

use serde::{Deserialize, Serialize};

/// Into how many bins of about equal weight the calibration error cuts the rows.
pub const CALIBRATION_BINS: usize = 20;

/// Probabilities beside what came true. All figures are weighted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Mean logloss, in nats.
    pub logloss: f64,
    /// The probability that a positive row is above a negative one, over all requests; ties count half.
    pub auc: f64,
    /// Expected calibration error: mean distance between the mean prediction and the mean label in each of
    /// [`CALIBRATION_BINS`] bins.
    pub ece: f64,
    /// Mean prediction over mean label; 1 is right.
    pub mean_prediction_over_mean_label: f64,
}

/// A row to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JudgedRow {
    pub(crate) prediction: f64,
    pub(crate) label: f64,
    pub(crate) weight: f64,
}

impl Judgement {
    /// Judges rows that have both positive and negative weight.
    pub(crate) fn of(mut rows: Vec<JudgedRow>) -> Self {
        rows.sort_by(|a, b| a.prediction.total_cmp(&b.prediction));
        let sum = |of: &dyn Fn(&JudgedRow) -> f64| rows.iter().map(|row| row.weight * of(row)).sum::<f64>();
        let (total, labels, predictions) = (sum(&|_| 1.0), sum(&|row| row.label), sum(&|row| row.prediction));
        let loss = sum(&|row| {
            let p = row.prediction.clamp(1e-15, 1.0 - 1e-15);
            -row.label * p.ln() - (1.0 - row.label) * (1.0 - p).ln()
        });
        Self {
            logloss: loss / total,
            auc: auc(&rows, labels, total - labels),
            ece: calibration_error(&rows, total),
            mean_prediction_over_mean_label: predictions / labels,
        }
    }
}

/// Equal predictions, together.
fn ties(rows: &[JudgedRow]) -> impl Iterator<Item = &[JudgedRow]> {
    rows.chunk_by(|a, b| a.prediction.total_cmp(&b.prediction).is_eq())
}

/// `rows` by rising prediction. A label between 0 and 1 is that much positive and the rest negative.
fn auc(rows: &[JudgedRow], positives: f64, negatives: f64) -> f64 {
    let (mut negatives_below, mut wins) = (0.0, 0.0);
    for tied in ties(rows) {
        let positive: f64 = tied.iter().map(|row| row.weight * row.label).sum();
        let negative: f64 = tied.iter().map(|row| row.weight * (1.0 - row.label)).sum();
        wins += positive * (negatives_below + negative / 2.0);
        negatives_below += negative;
    }
    wins / (positives * negatives)
}

/// `rows` by rising prediction. Equal predictions are never cut apart.
fn calibration_error(rows: &[JudgedRow], total: f64) -> f64 {
    let (mut error, mut weight, mut distance) = (0.0, 0.0, 0.0);
    for tied in ties(rows) {
        weight += tied.iter().map(|row| row.weight).sum::<f64>();
        distance += tied
            .iter()
            .map(|row| row.weight * (row.prediction - row.label))
            .sum::<f64>();
        if weight * CALIBRATION_BINS as f64 >= total {
            error += distance.abs();
            (weight, distance) = (0.0, 0.0);
        }
    }
    (error + distance.abs()) / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rows: &[(f64, f64, f64)]) -> Judgement {
        let rows = rows.iter().map(|&(prediction, label, weight)| JudgedRow {
            prediction,
            label,
            weight,
        });
        Judgement::of(rows.collect())
    }

    #[test]
    fn figures_are_those_of_a_case_worked_by_hand() {
        let judgement = judge(&[(0.1, 0.0, 1.0), (0.6, 0.0, 1.0), (0.6, 1.0, 1.0), (0.9, 1.0, 1.0)]);
        // Pairs: .6 above .1, .6 tied with .6, .9 above both: 3.5 of 4.
        assert!((judgement.auc - 0.875).abs() < 1e-12);
        let logloss = -(0.9_f64.ln() + 0.4_f64.ln() + 0.6_f64.ln() + 0.9_f64.ln()) / 4.0;
        assert!((judgement.logloss - logloss).abs() < 1e-12);
        // Bins: {.1}, {.6, .6}, {.9}: |.1| + |1.2 − 1| + |.9 − 1| = .4 over 4 rows.
        assert!((judgement.ece - 0.1).abs() < 1e-12);
        assert!((judgement.mean_prediction_over_mean_label - 1.1).abs() < 1e-12);
    }

    #[test]
    fn a_weight_of_two_is_a_row_twice() {
        let once = judge(&[(0.2, 0.0, 2.0), (0.4, 1.0, 1.0), (0.7, 0.0, 1.0), (0.8, 1.0, 2.0)]);
        let twice = judge(&[
            (0.2, 0.0, 1.0),
            (0.8, 1.0, 1.0),
            (0.4, 1.0, 1.0),
            (0.2, 0.0, 1.0),
            (0.7, 0.0, 1.0),
            (0.8, 1.0, 1.0),
        ]);
        assert!((once.auc - twice.auc).abs() < 1e-12 && (once.logloss - twice.logloss).abs() < 1e-12);
        assert!((once.ece - twice.ece).abs() < 1e-12);
    }

    #[test]
    fn certain_and_right_is_nearly_free_and_certain_and_wrong_is_finite() {
        assert!(judge(&[(0.0, 0.0, 1.0), (1.0, 1.0, 1.0)]).logloss < 1e-12);
        assert!(judge(&[(0.0, 1.0, 1.0), (1.0, 0.0, 1.0)]).logloss.is_finite());
    }
}
