//! Softmax cross-entropy: over all classes, over a sample, over the batch itself.

use std::borrow::Cow;

use catchment_sampling::Candidates;
use catchment_schema::ItemIdx;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::exp::exp_of_negative;

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
pub type IsPositive<'a> = &'a (dyn Fn(usize, ItemIdx) -> bool + Sync);

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
    check_rewards(rewards, n_rows);
    if n_rows == 0 {
        return 0.0;
    }
    let n_classes = scores.len() / n_rows;
    assert_eq!(scores.len(), n_rows * n_classes, "as many scores in each row");
    assert!(
        labels.iter().all(|label| label.index() < n_classes),
        "every label is a class"
    );
    let losses: Vec<f64> = (
        scores.par_chunks_exact(n_classes),
        gradient.par_chunks_exact_mut(n_classes),
        labels.par_iter().enumerate(),
    )
        .into_par_iter()
        .map(|(scores, gradient, (row, label))| {
            gradient.copy_from_slice(scores);
            for logit in gradient.iter_mut() {
                *logit /= temperature;
            }
            let own = std::mem::replace(&mut gradient[label.index()], f32::NEG_INFINITY);
            let weight = weight_of(rewards, row, n_rows);
            let (loss, slope) = against(gradient, own, weight, temperature);
            gradient[label.index()] = slope;
            loss
        })
        .collect();
    losses.iter().sum()
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
    check_rewards(rewards, n_rows);
    let columns = config.columns(negatives);
    let one = |row: usize, scores: &[f32], logits: &mut [f32], slope: &mut f32| {
        let own = positives.ids()[row];
        columns.logits(scores, own, logits);
        leave_out(logits, row, negatives.ids(), is_positive);
        let own = config.positive_logit(positive_scores[row], positives.log_expected_count()[row]);
        let weight = weight_of(rewards, row, n_rows);
        let loss;
        (loss, *slope) = against(logits, own, weight, config.temperature);
        loss
    };
    if n_negatives == 0 {
        let rows = positive_gradient.iter_mut().enumerate();
        return rows.map(|(row, slope)| one(row, &[], &mut [], slope)).sum();
    }
    let losses: Vec<f64> = (
        negative_scores.par_chunks_exact(n_negatives),
        negative_gradient.par_chunks_exact_mut(n_negatives),
        positive_gradient.par_iter_mut().enumerate(),
    )
        .into_par_iter()
        .map(|(scores, logits, (row, slope))| one(row, scores, logits, slope))
        .collect();
    losses.iter().sum()
}

/// The softmax over samples of which each row has its own, beside its own positive.
///
/// `positive_scores`: `[rows]`, `negative_scores`: `[rows × n]`, raw; `negatives`: `[rows × n]`, those of a row one after
/// the other, each with what was expected of it in a sample of `n`; `positives` the same of the rows' own classes. The rest
/// is as in [`sampled_softmax`].
///
/// # Panics
/// Where the lengths do not fit together.
#[expect(
    clippy::too_many_arguments,
    reason = "two of each: of the positives and of the negatives"
)]
pub fn own_softmax(
    positive_scores: &[f32],
    negative_scores: &[f32],
    positives: &Candidates,
    negatives: &Candidates,
    config: &SoftmaxConfig,
    rewards: Option<&[f32]>,
    is_positive: Option<IsPositive<'_>>,
    gradients: (&mut [f32], &mut [f32]),
) -> f64 {
    let n_rows = positives.len();
    let (positive_gradient, negative_gradient) = gradients;
    assert_eq!(positive_scores.len(), n_rows, "a score for each positive");
    assert_eq!(positive_gradient.len(), n_rows, "a gradient for each positive");
    assert_eq!(
        negative_scores.len(),
        negatives.len(),
        "a score for each negative"
    );
    assert_eq!(
        negative_gradient.len(),
        negatives.len(),
        "a gradient for each negative"
    );
    check_rewards(rewards, n_rows);
    if negatives.is_empty() {
        positive_gradient.fill(0.0);
        return 0.0;
    }
    assert!(
        negatives.len().is_multiple_of(n_rows),
        "as many negatives in each row"
    );
    let n = negatives.len() / n_rows;
    let columns = config.columns(negatives);
    let losses: Vec<f64> = negative_gradient
        .par_chunks_exact_mut(n)
        .zip(positive_gradient.par_iter_mut())
        .enumerate()
        .map(|(row, (logits, slope))| {
            let (own, first) = (positives.ids()[row], row * n);
            let columns = Columns {
                ids: &columns.ids[first..first + n],
                corrections: Cow::Borrowed(&columns.corrections[first..first + n]),
                temperature: columns.temperature,
            };
            columns.logits(&negative_scores[first..first + n], own, logits);
            leave_out(logits, row, columns.ids, is_positive);
            let own = config.positive_logit(positive_scores[row], positives.log_expected_count()[row]);
            let weight = weight_of(rewards, row, n_rows);
            let loss;
            (loss, *slope) = against(logits, own, weight, config.temperature);
            loss
        })
        .collect();
    losses.iter().sum()
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
    check_rewards(rewards, n_rows);
    if n_rows == 0 {
        return 0.0;
    }
    let (ids, expected) = (columns.ids(), columns.log_expected_count());
    let of_columns = config.columns(columns);
    let losses: Vec<f64> = (
        scores.par_chunks_exact(n_columns),
        gradient.par_chunks_exact_mut(n_columns),
    )
        .into_par_iter()
        .enumerate()
        .map(|(row, (scores, logits))| {
            // The row's own column has its own item: it is left out with the others, and stands beside them.
            of_columns.logits(scores, ids[row], logits);
            leave_out(logits, row, ids, is_positive);
            let own = config.positive_logit(scores[row], expected[row]);
            let weight = weight_of(rewards, row, n_rows);
            let (loss, slope) = against(logits, own, weight, config.temperature);
            logits[row] = slope;
            loss
        })
        .collect();
    losses.iter().sum()
}

fn check_rewards(rewards: Option<&[f32]>, n_rows: usize) {
    assert!(
        rewards.is_none_or(|rewards| rewards.len() == n_rows),
        "a reward for each row"
    );
}

fn weight_of(rewards: Option<&[f32]>, row: usize, n_rows: usize) -> f32 {
    rewards.map_or(1.0, |rewards| rewards[row]) / n_rows as f32
}

/// What is never expected has a logarithm of −∞, and would be all of a softmax; this is as rare as `f32` can say.
const LEAST_LOG: f32 = -87.0;

impl SoftmaxConfig {
    fn columns(self, of: &Candidates) -> Columns<'_> {
        let logs = of.log_expected_count().iter();
        let corrections = logs.map(|log| match self.correction {
            Correction::LogQ | Correction::Refined => log.max(LEAST_LOG),
            Correction::None => 0.0,
        });
        Columns {
            ids: of.ids(),
            corrections: corrections.collect(),
            temperature: self.temperature,
        }
    }

    fn positive_logit(self, score: f32, log_expected: f32) -> f32 {
        match self.correction {
            Correction::LogQ => score / self.temperature - log_expected.max(LEAST_LOG),
            Correction::Refined | Correction::None => score / self.temperature,
        }
    }
}

/// The classes that rows are compared with.
struct Columns<'a> {
    ids: &'a [ItemIdx],
    /// What is subtracted from each.
    corrections: Cow<'a, [f32]>,
    temperature: f32,
}

impl Columns<'_> {
    /// The corrected logits of one row; −∞ for its own item.
    fn logits(&self, scores: &[f32], own: ItemIdx, out: &mut [f32]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                let cells = scores.iter().zip(self.ids).zip(&*self.corrections);
                for (logit, ((score, &item), correction)) in out.iter_mut().zip(cells) {
                    let corrected = score / self.temperature - correction;
                    *logit = if item == own { f32::NEG_INFINITY } else { corrected };
                }
            },
        );
    }
}

fn leave_out(logits: &mut [f32], row: usize, ids: &[ItemIdx], is_positive: Option<IsPositive<'_>>) {
    let Some(is_positive) = is_positive else { return };
    for (logit, &item) in logits.iter_mut().zip(ids) {
        if is_positive(row, item) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

/// Numbers that are summed side by side.
const LANES: usize = 16;

/// `weight · -ln(exp(own) / (exp(own) + Σ exp(others)))`, and its gradient by the own raw score; the logits become that by
/// the others' raw scores. The sums go by lane, so that they are the same on every machine.
fn against(others: &mut [f32], own: f32, weight: f32, temperature: f32) -> (f64, f32) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut largest = [own; LANES];
            let (chunks, rest) = others.as_chunks::<LANES>();
            for chunk in chunks {
                for (largest, logit) in largest.iter_mut().zip(chunk) {
                    *largest = if *logit > *largest { *logit } else { *largest };
                }
            }
            let largest = largest.iter().chain(rest).copied().fold(own, f32::max);
            let mut sums = [0.0; LANES];
            let (chunks, rest) = others.as_chunks_mut::<LANES>();
            for chunk in chunks {
                for (sum, logit) in sums.iter_mut().zip(chunk) {
                    *logit = exp_of_negative(*logit - largest);
                    *sum += *logit;
                }
            }
            for (sum, logit) in sums.iter_mut().zip(rest) {
                *logit = exp_of_negative(*logit - largest);
                *sum += *logit;
            }
            let own_share = f64::from(exp_of_negative(own - largest));
            let of_others: f64 = sums.iter().map(|&sum| f64::from(sum)).sum();
            let sum = own_share + of_others;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a gradient needs no more than f32"
            )]
            let (scale, slope) = {
                let scale = f64::from(weight / temperature) / sum;
                // Not share − 1: where the own class has nearly all, only the others' sum is exact.
                (scale as f32, (-of_others * scale) as f32)
            };
            for share in others.iter_mut() {
                *share *= scale;
            }
            let loss = f64::from(weight) * (sum.ln() + f64::from(largest) - f64::from(own));
            (loss, slope)
        },
    )
}
