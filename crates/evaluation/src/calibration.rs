//! Whether probabilities come true as often as they say.

use serde::{Deserialize, Serialize};

use crate::{Error, logloss};

/// Rows of about equal probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// How many rows.
    pub rows: usize,
    /// The lowest probability in it.
    pub low: f32,
    /// The highest probability in it.
    pub high: f32,
    /// Mean probability.
    pub predicted: f64,
    /// The share that came true.
    pub observed: f64,
}

/// [`calibration()`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// `Σ_b n_b / n · |observed_b − predicted_b|`.
    pub ece: f64,
    /// The bins, by rising probability.
    pub bins: Vec<ReliabilityBin>,
}

/// The expected calibration error with bins of equal mass (Naeini, Cooper & Hauskrecht 2015; equal mass as Nguyen &
/// O'Connor 2015 have it), and its bins.
///
/// Rows are sorted by probability and cut after `⌈n b / n_bins⌉` rows, and each cut moves up to the end of the rows with
/// that very probability: equal probabilities share a bin, so that the order of rows does not matter. There may be fewer
/// bins than asked for.
///
/// # Shapes
/// `labels`: `[n]`, each 0 or 1; `probabilities`: `[n]`, each from 0 to 1; `n_bins` ≥ 1.
///
/// # Errors
/// [`Error::Predictions`] as [`logloss()`].
pub fn calibration(labels: &[f32], probabilities: &[f32], n_bins: usize) -> Result<Calibration, Error> {
    logloss(labels, probabilities)?;
    let n = labels.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let (mut bins, mut start) = (Vec::new(), 0);
    for bin in 1..=n_bins.max(1) {
        let mut end = (n * bin).div_ceil(n_bins.max(1));
        if end <= start {
            continue;
        }
        let last = probabilities[order[end - 1]];
        end += order[end..]
            .iter()
            .take_while(|&&row| probabilities[row].to_bits() == last.to_bits())
            .count();
        let rows = &order[start..end];
        let mean = |values: &[f32]| {
            let sum: f64 = rows.iter().map(|&row| f64::from(values[row])).sum();
            sum / rows.len() as f64
        };
        bins.push(ReliabilityBin {
            rows: rows.len(),
            low: probabilities[rows[0]],
            high: last,
            predicted: mean(probabilities),
            observed: mean(labels),
        });
        start = end;
    }
    let gap = |bin: &ReliabilityBin| bin.rows as f64 / n as f64 * (bin.observed - bin.predicted).abs();
    Ok(Calibration {
        ece: bins.iter().map(gap).sum(),
        bins,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bins_by_hand_and_ties_stay_together() {
        let probabilities = [0.1, 0.3, 0.3, 0.3, 0.8];
        let labels = [0.0, 1.0, 0.0, 0.0, 1.0];
        let found = calibration(&labels, &probabilities, 2).expect("probabilities");
        assert_eq!(found.bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [4, 1]);
        assert!(
            (found.bins[0].predicted - 0.25).abs() < 1e-7 && (found.bins[0].observed - 0.25).abs() < 1e-12
        );
        assert!((found.ece - 0.2 * 0.2).abs() < 1e-7);
        let reversed = calibration(&[1.0, 0.0, 0.0, 1.0, 0.0], &[0.8, 0.3, 0.3, 0.3, 0.1], 2).expect("valid");
        assert_eq!(found, reversed);
    }

    #[test]
    fn more_bins_than_rows_are_as_many_bins_as_rows() {
        let found = calibration(&[0.0, 1.0], &[0.0, 1.0], 10).expect("probabilities");
        assert_eq!((found.bins.len(), found.ece.to_bits()), (2, 0.0f64.to_bits()));
        assert!(calibration(&[0.0], &[1.5], 10).is_err() && calibration(&[], &[], 10).is_err());
    }
}
