//! The best that can be reached in a marketplace, on average over chance.

use rayon::prelude::*;

use super::Marketplace;
use super::oracle::{Label, Question};
use crate::Ceiling;

/// The best that a predictor of bookings can reach, on average over chance: what the true probabilities reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelCeiling {
    /// How many views.
    pub n: usize,
    /// Share of them that end in a booking.
    pub rate: f64,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Mean of -ln of the probability given to what happened.
    pub log_loss: f64,
    /// Mean squared difference.
    pub brier: f64,
}

impl Marketplace {
    /// The ceiling of guessing the last view of these users, among the items that they had not viewed, by all that
    /// happened before: [`Marketplace::last_view`].
    pub fn view_ceiling(&self, k: usize, users: impl IntoIterator<Item = u32>) -> Ceiling {
        ceiling(
            k,
            users,
            |user| self.last_view(user),
            |question| self.view_probabilities(question.user, question.at, question.session),
        )
    }

    /// The ceiling of guessing the first booking after the split of these users, by all that happened before:
    /// [`Marketplace::first_booking`].
    pub fn booking_ceiling(&self, k: usize, users: impl IntoIterator<Item = u32>) -> Ceiling {
        ceiling(
            k,
            users,
            |user| self.first_booking(user),
            |question| self.booking_probabilities(question.user, question.at, question.session),
        )
    }
}

fn ceiling(
    k: usize,
    users: impl IntoIterator<Item = u32>,
    ask: impl Fn(u32) -> Option<Question> + Sync,
    know: impl Fn(&Question) -> Vec<f64> + Sync,
) -> Ceiling {
    let users: Vec<u32> = users.into_iter().collect();
    let reached: Vec<Option<(f64, f64)>> = users
        .into_par_iter()
        .map(|user| {
            let question = ask(user)?;
            let probabilities = know(&question);
            let seen: f64 = question
                .seen
                .iter()
                .map(|&item| probabilities[item as usize])
                .sum();
            let left = probabilities.iter().sum::<f64>() - seen;
            let list = Marketplace::ideal_list(&probabilities, &question.seen, k);
            Some(
                (0usize..)
                    .zip(list)
                    .fold((0.0, 0.0), |(hit, gain), (place, (_, value))| {
                        let probability = value / left;
                        (
                            hit + probability,
                            gain + probability / libm::log2((place + 2) as f64),
                        )
                    }),
            )
        })
        .collect();
    let (mut n_users, mut recall, mut ndcg, mut variance) = (0usize, 0.0, 0.0, 0.0);
    for (hit, gain) in reached.into_iter().flatten() {
        n_users += 1;
        recall += hit;
        ndcg += gain;
        variance += hit * (1.0 - hit);
    }
    let n = (n_users as f64).max(1.0);
    Ceiling {
        k,
        n_users,
        recall: recall / n,
        ndcg: ndcg / n,
        recall_deviation: variance.max(0.0).sqrt() / n,
    }
}

impl LabelCeiling {
    /// Of these views.
    pub fn of(labels: &[Label]) -> Self {
        let mut sorted: Vec<f64> = labels.iter().map(|label| label.probability).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        let (mut booked, mut log_loss, mut brier) = (0.0, 0.0, 0.0);
        for &p in &sorted {
            booked += p;
            log_loss -= p * libm::log(p) + (1.0 - p) * libm::log(1.0 - p);
            brier += p * (1.0 - p);
        }
        // Expected number of (booked, not booked) pairs in the right order, over that of all pairs of two views.
        let (mut right, mut pairs, mut lower) = (0.0, 0.0, 0.0);
        for tie in sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
            let (p, size) = (tie[0], tie.len() as f64);
            right += size * p * lower + 0.5 * size * (size - 1.0) * p * (1.0 - p);
            lower += size * (1.0 - p);
            pairs -= size * p * (1.0 - p);
        }
        pairs += booked * lower;
        let count = (n as f64).max(1.0);
        Self {
            n,
            rate: booked / count,
            auc: if pairs > 0.0 { right / pairs } else { 0.5 },
            log_loss: log_loss / count,
            brier: brier / count,
        }
    }
}
