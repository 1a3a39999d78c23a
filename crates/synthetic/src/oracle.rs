//! What somebody who knows the truth would recommend, and how well that can do.
//!
//! The next choice has a known distribution. Ranking by it is optimal for every metric that only asks how
//! far up the chosen item stands (recall, hit rate, NDCG, MRR with one relevant item), so its expected
//! value is a ceiling: a model that is reported above it has seen the answers.

use catchment_schema::Time;

use crate::World;
use crate::choice::{utilities, weights};

/// The best that can be reached for each user's last choice, on average over users and over chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    /// The cut-off.
    pub k: usize,
    /// How many users have a last choice.
    pub n_users: usize,
    /// Recall@k, which with one relevant item is hit rate@k.
    pub recall: f64,
    /// NDCG@k, which with one relevant item is 1 / log₂(rank + 1).
    pub ndcg: f64,
    /// Standard deviation of the recall that a perfect ranker would measure on this log: how far above or
    /// below the ceiling luck alone takes it.
    pub recall_deviation: f64,
}

impl World {
    /// P(item | user, time) for every item, by position: 0 for those that are `seen` or not yet published,
    /// 1 in sum (unless nothing is left).
    ///
    /// # Panics
    /// When there is no such user or item.
    pub fn probabilities(&self, user: usize, at: Time, seen: &[usize]) -> Vec<f64> {
        let utilities = utilities(self.config().temperature, &self.users()[user], self.items());
        let mut weights = weights(&utilities);
        for (weight, item) in weights.iter_mut().zip(self.items()) {
            if item.published_at > at {
                *weight = 0.0;
            }
        }
        for &item in seen {
            weights[item] = 0.0;
        }
        let total: f64 = weights.iter().sum();
        if total > 0.0 {
            for weight in &mut weights {
                *weight /= total;
            }
        }
        weights
    }

    /// The `k` items that the user would most probably choose, with the logarithm of the probability;
    /// ties by position. Fewer when fewer are left.
    ///
    /// # Panics
    /// When there is no such user or item.
    pub fn ideal_list(&self, user: usize, at: Time, seen: &[usize], k: usize) -> Vec<(usize, f64)> {
        let mut list: Vec<_> = self
            .probabilities(user, at, seen)
            .into_iter()
            .enumerate()
            .filter(|(_, probability)| *probability > 0.0)
            .collect();
        list.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        list.truncate(k);
        list.into_iter()
            .map(|(item, probability)| (item, libm::log(probability)))
            .collect()
    }

    /// The ceiling of leave-last-out at cut-off `k`: corpus of all items, earlier choices left out, users
    /// without any event left out.
    pub fn ceiling(&self, k: usize) -> Ceiling {
        let (mut n_users, mut recall, mut ndcg, mut variance) = (0, 0.0, 0.0, 0.0);
        for user in 0..self.users().len() {
            let Some((last, earlier)) = self.choices_of(user).split_last() else {
                continue;
            };
            let seen: Vec<_> = earlier.iter().map(|choice| choice.item).collect();
            let mut hit = 0.0;
            for (place, (_, logarithm)) in self.ideal_list(user, last.time, &seen, k).iter().enumerate() {
                let probability = libm::exp(*logarithm);
                hit += probability;
                ndcg += probability / libm::log2((place + 2) as f64);
            }
            n_users += 1;
            recall += hit;
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
}
