//! Softmax cross-entropy: over all classes, over a sample, over the batch itself.

use catchment_sampling::Candidates;
use catchment_schema::ItemIdx;
use serde::{Deserialize, Serialize};

/// How a sample is corrected for.
///
/// With `E_j` the expected count of class `j` in the sample, `z_j = s_j / τ - ln E_j`, and `P` the softmax over all classes,
/// the gradient that is wanted is, by `s_p` of the positive and `s_j` of any other class,
///
/// ```text
/// τ ∂L/∂s_p = P_p - 1        τ ∂L/∂s_j = P_j = exp(s_j / τ) / (exp(s_p / τ) + Σ_{k≠p} exp(s_k / τ))
/// ```
///
/// The sample is asked for the sum over `k ≠ p` alone: the positive is not drawn, it is there. `Σ exp(z_k)` over sampled
/// classes other than `p` has that sum as its expectation. So [`Correction::Refined`] puts `exp(s_p / τ)` itself beside it;
/// its gradient is the wanted one with the sum replaced by its estimate, and tends to it as the sample grows. The same is
/// reached by taking the positive out of the denominator and weighting the row by `1 - P_p`, held constant, as Wang et al.
/// (2025, "Correcting the `LogQ` Correction for Sampled Softmax") write it: their weight is the share of the others in this
/// very denominator, and cancels theirs.
///
/// [`Correction::LogQ`] lowers the positive as well, by `ln E_p` (Jean et al. 2014; Yi et al. 2019): as if it had been
/// drawn. A frequent positive is then believed less than it should be, a rare one more: rows are weighted, in effect, by how
/// rare their positive is. It is what published results were made with, and the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// Every class, the positive among them.
    #[default]
    LogQ,
    /// Every class but the positive.
    Refined,
    /// None: the model learns the sampler's taste with the users'. To compare with.
    None,
}

/// The settings of a softmax over a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftmaxConfig {
    /// Divides raw scores (`τ`); above 0.
    pub temperature: f32,
    /// What is subtracted after that.
    pub correction: Correction,
}

impl Default for SoftmaxConfig {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            correction: Correction::LogQ,
        }
    }
}

/// What a row's user has taken besides the row's positive: such classes are left out of its denominator.
pub type IsPositive<'a> = &'a dyn Fn(usize, ItemIdx) -> bool;

/// The softmax over all classes, and the reference of all others.
///
/// `scores`: `[rows × classes]`, raw; `labels`: `[rows]`, each below `classes`; `rewards`: `[rows]`, the weight of each
/// row (1 for all where there are none). `gradient`: as `scores`, overwritten with `∂L/∂scores`.
///
/// Returns the sum of `reward · -ln P(label)` divided by the number of rows; the gradient is of that.
///
/// # Panics
/// Where the lengths do not fit together, or a label is no class.
pub fn full_softmax(
    scores: &[f32],
    labels: &[ItemIdx],
    temperature: f32,
    rewards: Option<&[f32]>,
    gradient: &mut [f32],
) -> f64 {
    let n_rows = labels.len();
    assert_eq!(scores.len(), gradient.len(), "a gradient for each score");
    assert!(
        rewards.is_none_or(|rewards| rewards.len() == n_rows),
        "a reward for each row"
    );
    if n_rows == 0 {
        return 0.0;
    }
    let n_classes = scores.len() / n_rows;
    assert_eq!(scores.len(), n_rows * n_classes, "as many scores in each row");
    let rows = scores
        .chunks_exact(n_classes)
        .zip(gradient.chunks_exact_mut(n_classes));
    let mut loss = 0.0;
    for (row, ((scores, gradient), label)) in rows.zip(labels).enumerate() {
        for (logit, score) in gradient.iter_mut().zip(scores) {
            *logit = score / temperature;
        }
        let weight = rewards.map_or(1.0, |rewards| rewards[row]) / n_rows as f32;
        loss += row_loss(gradient, label.index(), weight, temperature);
    }
    loss
}

/// The softmax over a sample that all rows share, each beside its own positive.
///
/// `positive_scores`: `[rows]`, `negative_scores`: `[rows × negatives]`, raw. `positives` are the rows' own classes with
/// what was expected of *them* in such a sample ([`catchment_sampling::Proposal::expected`]); `negatives` is the sample.
/// A sampled class that is the row's own positive, an accidental hit, is left out of that row; so is what `is_positive`
/// says of `(row, item)`. `rewards` as in [`full_softmax`]; the gradients are overwritten.
///
/// # Panics
/// Where the lengths do not fit together.
#[expect(
    clippy::too_many_arguments,
    reason = "two of each: of the positives and of the negatives"
)]
pub fn sampled_softmax(
    positive_scores: &[f32],
    negative_scores: &[f32],
    positives: &Candidates,
    negatives: &Candidates,
    config: &SoftmaxConfig,
    rewards: Option<&[f32]>,
    is_positive: Option<IsPositive<'_>>,
    gradients: (&mut [f32], &mut [f32]),
) -> f64 {
    let (n_rows, n_negatives) = (positives.len(), negatives.len());
    let (positive_gradient, negative_gradient) = gradients;
    assert_eq!(positive_scores.len(), n_rows, "a score for each positive");
    assert_eq!(positive_gradient.len(), n_rows, "a gradient for each positive");
    assert_eq!(
        negative_scores.len(),
        n_rows * n_negatives,
        "a score for each negative of each row"
    );
    assert_eq!(
        negative_gradient.len(),
        negative_scores.len(),
        "a gradient for each score"
    );
    assert!(
        rewards.is_none_or(|rewards| rewards.len() == n_rows),
        "a reward for each row"
    );
    let mut logits = vec![0.0; n_negatives + 1];
    let mut loss = 0.0;
    for row in 0..n_rows {
        let own = positives.ids()[row];
        let columns = row * n_negatives..(row + 1) * n_negatives;
        let scores = negative_scores[columns.clone()].iter();
        let sampled = scores.zip(negatives.ids()).zip(negatives.log_expected_count());
        for (logit, ((score, &item), log_expected)) in logits.iter_mut().zip(sampled) {
            let is_left_out = item == own || is_positive.is_some_and(|is_positive| is_positive(row, item));
            *logit = config.logit(*score, *log_expected, is_left_out);
        }
        logits[n_negatives] =
            config.positive_logit(positive_scores[row], positives.log_expected_count()[row]);
        let weight = rewards.map_or(1.0, |rewards| rewards[row]) / n_rows as f32;
        loss += row_loss(&mut logits, n_negatives, weight, config.temperature);
        positive_gradient[row] = logits[n_negatives];
        negative_gradient[columns].copy_from_slice(&logits[..n_negatives]);
    }
    loss
}

/// The softmax over the columns of a batch (Yi et al. 2019, equations 3 to 6): column `i` is the positive of row `i`, and
/// every other column a negative of it, further ones included (mixed, or remembered: [`catchment_sampling::Mixed`],
/// [`catchment_sampling::CrossBatchMemory`]).
///
/// `scores`: `[rows × columns]`, raw, with at least as many columns as rows. Another column with the row's own item is left
/// out of the row; so is what `is_positive` says of `(row, item)`. `rewards` as in [`full_softmax`]; `gradient` is
/// overwritten.
///
/// # Panics
/// Where the lengths do not fit together.
pub fn in_batch_softmax(
    scores: &[f32],
    n_rows: usize,
    columns: &Candidates,
    config: &SoftmaxConfig,
    rewards: Option<&[f32]>,
    is_positive: Option<IsPositive<'_>>,
    gradient: &mut [f32],
) -> f64 {
    let n_columns = columns.len();
    assert!(n_rows <= n_columns, "a column for each row's positive");
    assert_eq!(
        scores.len(),
        n_rows * n_columns,
        "a score for each row and column"
    );
    assert_eq!(gradient.len(), scores.len(), "a gradient for each score");
    assert!(
        rewards.is_none_or(|rewards| rewards.len() == n_rows),
        "a reward for each row"
    );
    if n_rows == 0 {
        return 0.0;
    }
    let rows = scores
        .chunks_exact(n_columns)
        .zip(gradient.chunks_exact_mut(n_columns));
    let mut loss = 0.0;
    for (row, (scores, logits)) in rows.enumerate() {
        let own = columns.ids()[row];
        let sampled = scores.iter().zip(columns.ids()).zip(columns.log_expected_count());
        for (logit, ((score, &item), log_expected)) in logits.iter_mut().zip(sampled) {
            let is_left_out = item == own || is_positive.is_some_and(|is_positive| is_positive(row, item));
            *logit = config.logit(*score, *log_expected, is_left_out);
        }
        logits[row] = config.positive_logit(scores[row], columns.log_expected_count()[row]);
        let weight = rewards.map_or(1.0, |rewards| rewards[row]) / n_rows as f32;
        loss += row_loss(logits, row, weight, config.temperature);
    }
    loss
}

/// What is never expected has a logarithm of −∞, and would be all of a softmax; this is as rare as `f32` can say.
const LEAST_LOG: f32 = -87.0;

impl SoftmaxConfig {
    fn logit(self, score: f32, log_expected: f32, is_left_out: bool) -> f32 {
        match self.correction {
            _ if is_left_out => f32::NEG_INFINITY,
            Correction::LogQ | Correction::Refined => score / self.temperature - log_expected.max(LEAST_LOG),
            Correction::None => score / self.temperature,
        }
    }

    fn positive_logit(self, score: f32, log_expected: f32) -> f32 {
        match self.correction {
            Correction::LogQ => score / self.temperature - log_expected.max(LEAST_LOG),
            Correction::Refined | Correction::None => score / self.temperature,
        }
    }
}

/// `weight · -ln softmax(logits)[label]`; the logits become its gradient by the raw scores.
fn row_loss(logits: &mut [f32], label: usize, weight: f32, temperature: f32) -> f64 {
    let own = logits[label];
    let largest = logits.iter().copied().fold(own, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += f64::from(*logit);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a gradient needs no more than f32"
    )]
    let scale = (f64::from(weight / temperature) / sum) as f32;
    for share in logits.iter_mut() {
        *share *= scale;
    }
    logits[label] -= weight / temperature;
    f64::from(weight) * (sum.ln() + f64::from(largest) - f64::from(own))
}
