//! Metrics of probabilities against labels.
#![allow(
    clippy::float_cmp,
    reason = "labels are exactly 0 or 1, and only equal predictions are ties"
)]

use crate::Error;

fn checked(labels: &[f32], predictions: &[f32]) -> Result<(), Error> {
    let wrong = |reason: String| Error::Predictions {
        labels: labels.len(),
        predictions: predictions.len(),
        reason,
    };
    if labels.len() != predictions.len() || labels.is_empty() {
        return Err(wrong(
            "needs as many of one as of the other, and at least one".to_owned(),
        ));
    }
    if let Some(row) = labels.iter().position(|&label| label != 0.0 && label != 1.0) {
        return Err(wrong(format!(
            "label {} in row {row} is neither 0 nor 1",
            labels[row]
        )));
    }
    if let Some(row) = predictions.iter().position(|prediction| !prediction.is_finite()) {
        return Err(wrong(format!(
            "prediction {} in row {row} is not finite",
            predictions[row]
        )));
    }
    Ok(())
}

/// Area under the ROC curve: the chance that a random positive scores above a random negative, ties
/// counting half (Mann–Whitney). Any monotone score will do.
///
/// # Errors
/// [`Error::Predictions`] when the lengths differ, a value is out of range, or only one class is there.
///
/// # Shapes
/// `labels`: `[n]`, each 0 or 1; `predictions`: `[n]`, finite.
pub fn auc(labels: &[f32], predictions: &[f32]) -> Result<f64, Error> {
    checked(labels, predictions)?;
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| predictions[a].total_cmp(&predictions[b]));
    let (mut positives, mut negatives, mut wins) = (0u64, 0u64, 0.0);
    let mut rest = &order[..];
    while let Some(&first) = rest.first() {
        let tied = rest
            .iter()
            .take_while(|&&row| predictions[row] == predictions[first])
            .count();
        let tied_positives = rest[..tied].iter().filter(|&&row| labels[row] == 1.0).count() as u64;
        let tied_negatives = tied as u64 - tied_positives;
        wins += tied_positives as f64 * (negatives as f64 + tied_negatives as f64 / 2.0);
        positives += tied_positives;
        negatives += tied_negatives;
        rest = &rest[tied..];
    }
    if positives == 0 || negatives == 0 {
        return Err(Error::Predictions {
            labels: labels.len(),
            predictions: predictions.len(),
            reason: "only one class is there; AUC needs both".to_owned(),
        });
    }
    Ok(wins / (positives as f64 * negatives as f64))
}

/// Mean negative log-likelihood in nats. Probabilities are kept [`f32::EPSILON`] away from 0 and 1, so that one
/// sure mistake costs 15.9 and not infinity.
///
/// # Errors
/// [`Error::Predictions`] when the lengths differ, nothing is there, or a value is out of range.
///
/// # Shapes
/// `labels`: `[n]`, each 0 or 1; `probabilities`: `[n]`, each from 0 to 1.
pub fn logloss(labels: &[f32], probabilities: &[f32]) -> Result<f64, Error> {
    checked(labels, probabilities)?;
    if let Some(row) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::Predictions {
            labels: labels.len(),
            predictions: probabilities.len(),
            reason: format!("{} in row {row} is no probability", probabilities[row]),
        });
    }
    let sum: f64 = labels
        .iter()
        .zip(probabilities)
        .map(|(&label, &probability)| {
            let margin = f64::from(f32::EPSILON);
            let probability = f64::from(probability).clamp(margin, 1.0 - margin);
            let of_label = if label == 1.0 {
                probability
            } else {
                1.0 - probability
            };
            -of_label.ln()
        })
        .sum();
    Ok(sum / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_by_hand_with_ties() {
        // Pairs (positive, negative): .8>.1, .8>.5, .5>.1, .5=.5 → (1 + 1 + 1 + ½) / 4.
        let value = auc(&[1.0, 0.0, 1.0, 0.0], &[0.8, 0.1, 0.5, 0.5]).expect("both classes");
        assert!((value - 3.5 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn logloss_by_hand() {
        let value = logloss(&[1.0, 0.0], &[0.25, 0.5]).expect("valid");
        assert!((value - 4f64.ln().midpoint(2f64.ln())).abs() < 1e-7);
    }

    #[test]
    fn a_sure_mistake_costs_much_but_not_everything() {
        let value = logloss(&[1.0, 0.0], &[0.0, 0.0]).expect("valid");
        assert!((value + f64::from(f32::EPSILON).ln() / 2.0).abs() < 1e-6);
    }

    #[test]
    fn bad_input_is_an_error_that_says_where() {
        let check = |result: Result<f64, Error>, expect: &str| {
            let error = result.expect_err(expect).to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(auc(&[1.0, 1.0], &[0.5, 0.4]), "only one class");
        check(auc(&[], &[]), "at least one");
        check(
            auc(&[1.0], &[0.5, 0.4]),
            "cannot compare 1 labels with 2 predictions",
        );
        check(auc(&[1.0, 0.0], &[f32::NAN, 0.4]), "prediction NaN in row 0");
        check(logloss(&[1.0, 0.5], &[0.5, 0.4]), "label 0.5 in row 1");
        check(logloss(&[1.0, 0.0], &[1.5, 0.4]), "1.5 in row 0");
    }
}
