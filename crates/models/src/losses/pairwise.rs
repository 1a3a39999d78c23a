//! Losses of a positive against each negative by itself. They rank; they stand for no distribution, so that expected
//! counts correct nothing in them: [`Candidates`] say who was drawn.

use catchment_sampling::Candidates;

/// Checks the lengths; the number of rows and of negatives of each.
fn shape(
    positive_scores: &[f32],
    negative_scores: &[f32],
    positives: &Candidates,
    negatives: &Candidates,
    gradients: &(&mut [f32], &mut [f32]),
) -> (usize, usize) {
    let (n_rows, n_negatives) = (positives.len(), negatives.len());
    assert_eq!(positive_scores.len(), n_rows, "a score for each positive");
    assert_eq!(gradients.0.len(), n_rows, "a gradient for each positive");
    assert_eq!(
        negative_scores.len(),
        n_rows * n_negatives,
        "a score for each negative of each row"
    );
    assert_eq!(
        gradients.1.len(),
        negative_scores.len(),
        "a gradient for each score"
    );
    (n_rows, n_negatives)
}

/// Bayesian personalised ranking (Rendle et al. 2009): the mean of `-ln σ(s_p - s_n)` over all pairs of a row's positive
/// and a negative that is not the same item.
///
/// `positive_scores`: `[rows]`, `negative_scores`: `[rows × negatives]`, raw; the gradients, as these, are overwritten.
///
/// # Panics
/// Where the lengths do not fit together.
pub fn bpr(
    positive_scores: &[f32],
    negative_scores: &[f32],
    positives: &Candidates,
    negatives: &Candidates,
    gradients: (&mut [f32], &mut [f32]),
) -> f64 {
    let (n_rows, n_negatives) = shape(positive_scores, negative_scores, positives, negatives, &gradients);
    let (positive_gradient, negative_gradient) = gradients;
    let weight = 1.0 / (n_rows * n_negatives).max(1) as f32;
    let mut loss = 0.0;
    for row in 0..n_rows {
        positive_gradient[row] = 0.0;
        for (column, &item) in negatives.ids().iter().enumerate() {
            let cell = row * n_negatives + column;
            negative_gradient[cell] = 0.0;
            if item == positives.ids()[row] {
                continue;
            }
            let margin = positive_scores[row] - negative_scores[cell];
            // ln(1 + exp(-margin)), without overflow.
            let softplus = (-margin.abs()).exp().ln_1p() + (-margin).max(0.0);
            loss += f64::from(softplus);
            let push = weight / (1.0 + margin.exp());
            negative_gradient[cell] = push;
            positive_gradient[row] -= push;
        }
    }
    loss * f64::from(weight)
}

/// The cosine contrastive loss (Mao et al. 2021, SimpleX): the mean over rows of
/// `(1 - s_p) + weight · mean_n max(0, s_n - margin)`, for scores that are cosines. A negative further away than the
/// margin teaches nothing more. Negatives that are the row's own item are left out.
///
/// `positive_scores`: `[rows]`, `negative_scores`: `[rows × negatives]`; the gradients, as these, are overwritten.
///
/// # Panics
/// Where the lengths do not fit together.
pub fn cosine_contrastive(
    positive_scores: &[f32],
    negative_scores: &[f32],
    positives: &Candidates,
    negatives: &Candidates,
    margin: f32,
    negative_weight: f32,
    gradients: (&mut [f32], &mut [f32]),
) -> f64 {
    let (n_rows, n_negatives) = shape(positive_scores, negative_scores, positives, negatives, &gradients);
    let (positive_gradient, negative_gradient) = gradients;
    let weight = 1.0 / n_rows.max(1) as f32;
    let each = weight * negative_weight / n_negatives.max(1) as f32;
    let mut loss = 0.0;
    for row in 0..n_rows {
        loss += f64::from(weight) * f64::from(1.0 - positive_scores[row]);
        positive_gradient[row] = -weight;
        for (column, &item) in negatives.ids().iter().enumerate() {
            let cell = row * n_negatives + column;
            let above = negative_scores[cell] - margin;
            let counts = above > 0.0 && item != positives.ids()[row];
            negative_gradient[cell] = if counts { each } else { 0.0 };
            if counts {
                loss += f64::from(each) * f64::from(above);
            }
        }
    }
    loss
}
