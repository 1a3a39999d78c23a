//! The area under the ROC curve within each user.

use serde::{Deserialize, Serialize};

use crate::{Error, auc};

/// [`gauc()`], with what it is over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gauc {
    /// The mean over groups, weighted by impressions.
    pub value: f64,
    /// Groups with both classes.
    pub groups: usize,
    /// Groups with one class, which say nothing about order.
    pub groups_left_out: usize,
    /// Impressions of the groups with both classes.
    pub impressions: usize,
    /// Impressions of the groups that were left out.
    pub impressions_left_out: usize,
}

/// `Σ_g n_g AUC_g / Σ_g n_g` over groups with both classes, `n_g` the impressions of a group (Zhou et al. 2018, *Deep
/// Interest Network*, equation 8, there over users). Unlike AUC it does not reward knowing which users like more.
///
/// # Shapes
/// `groups`, `labels` (each 0 or 1), `predictions` (finite): `[n]`, in any order of rows.
///
/// # Errors
/// [`Error::Predictions`] when lengths differ, a value is out of range, or no group has both classes.
pub fn gauc(groups: &[u32], labels: &[f32], predictions: &[f32]) -> Result<Gauc, Error> {
    let wrong = |reason: String| Error::Predictions {
        labels: labels.len(),
        predictions: predictions.len(),
        reason,
    };
    if groups.len() != labels.len() || labels.len() != predictions.len() {
        return Err(wrong(format!("{} groups; needs as many of each", groups.len())));
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&row| groups[row]);
    let mut found = Gauc {
        value: 0.0,
        groups: 0,
        groups_left_out: 0,
        impressions: 0,
        impressions_left_out: 0,
    };
    for rows in order.chunk_by(|&a, &b| groups[a] == groups[b]) {
        let of = |values: &[f32]| rows.iter().map(|&row| values[row]).collect::<Vec<f32>>();
        let labels = of(labels);
        let positives = labels.iter().filter(|&&label| label > 0.0).count();
        if positives == 0 || positives == rows.len() {
            found.groups_left_out += 1;
            found.impressions_left_out += rows.len();
            continue;
        }
        found.value += rows.len() as f64 * auc(&labels, &of(predictions))?;
        found.groups += 1;
        found.impressions += rows.len();
    }
    if found.impressions == 0 {
        return Err(wrong("no group has both classes; GAUC needs one".to_owned()));
    }
    found.value /= found.impressions as f64;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_count_by_impressions_and_those_of_one_class_are_left_out() {
        let groups = [1, 2, 1, 2, 2, 3, 3, 9];
        let labels = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
        let predictions = [0.2, 0.9, 0.1, 0.5, 0.1, 0.3, 0.4, 0.5];
        let found = gauc(&groups, &labels, &predictions).expect("both classes");
        // Group 1: 1 of 2 rows; group 2: ½ of 3 rows.
        assert!((found.value - (2.0 * 1.0 + 3.0 * 0.5) / 5.0).abs() < 1e-12);
        assert_eq!((found.groups, found.groups_left_out), (2, 2));
        assert_eq!((found.impressions, found.impressions_left_out), (5, 3));
    }

    #[test]
    fn without_a_group_of_both_classes_there_is_none() {
        let error = gauc(&[1, 2], &[1.0, 0.0], &[0.1, 0.2]).expect_err("one class each");
        assert!(error.to_string().contains("no group has both classes"), "{error}");
        assert!(gauc(&[1], &[1.0, 0.0], &[0.1, 0.2]).is_err());
        assert!(gauc(&[1, 1], &[1.0, 0.0], &[f32::NAN, 0.2]).is_err());
    }
}
