//! How far the gradient of a softmax over a sample is from that of the softmax over all classes: its bias and its
//! variance, for every sampler and every correction, on a toy whose every class can be counted.

use catchment_models::losses::{Correction, SoftmaxConfig, in_batch_softmax, sampled_softmax};
use catchment_sampling::{
    AliasTable, Candidates, CountedFrequency, LogUniform, Mixed, Proposal, Uniform, Unigram, in_batch,
};
use catchment_schema::ItemIdx;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

pub(crate) const N_ITEMS: u32 = 2_000;
const N_USERS: usize = 32;
const DIM: usize = 8;
/// Rows of a batch, and draws beside them.
pub(crate) const N_ROWS: usize = 128;
pub(crate) const N_DRAWN: usize = 128;

/// Where candidates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampler {
    Uniform,
    LogUniform,
    Unigram,
    InBatch,
    Mixed,
}

pub(crate) const SAMPLERS: [Sampler; 5] = [
    Sampler::Uniform,
    Sampler::LogUniform,
    Sampler::Unigram,
    Sampler::InBatch,
    Sampler::Mixed,
];

/// Of the gradient by all vectors of items, in parts of the length of the true one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// `‖E g - g*‖ / ‖g*‖`, with what the finite number of batches adds taken out; 0 where nothing is left.
    pub(crate) bias: f64,
    /// `√(E ‖g - E g‖² / batches) / ‖g*‖`: how far chance alone leaves the mean from where it belongs, before that is
    /// taken out of the bias.
    pub(crate) noise: f64,
    /// `√(E ‖g - E g‖²) / ‖g*‖`, of one batch.
    pub(crate) deviation: f64,
}

/// Users, items and a log whose frequencies fall as one over the rank. What users take depends on their taste as well.
pub(crate) struct Toy {
    users: Vec<[f32; DIM]>,
    items: Vec<[f32; DIM]>,
    /// Of each user, what is taken.
    choices: Vec<AliasTable>,
    frequency: CountedFrequency,
    counts: Vec<u64>,
    /// `[items][dim]`: of the mean of `-ln P(item | user)` over what is taken.
    truth: Vec<f64>,
}

impl Toy {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        // Uniform with the variance of a tenth of a normal one: scores of about ±1.
        let mut vector = || std::array::from_fn(|_| rng.random_range(-0.9_f32..0.9));
        let users: Vec<[f32; DIM]> = (0..N_USERS).map(|_| vector()).collect();
        let items: Vec<[f32; DIM]> = (0..N_ITEMS as usize).map(|_| vector()).collect();
        // A model that has learned half of the taste, and no popularity: its gradient is far from 0.
        let mut shares = vec![0.0; N_ITEMS as usize];
        let mut truth = vec![0.0; N_ITEMS as usize * DIM];
        let mut choices = vec![];
        for user in &users {
            let scores: Vec<f64> = items.iter().map(|item| f64::from(dot(user, item))).collect();
            let taken: Vec<f64> = (0..N_ITEMS as usize)
                .map(|item| (2.0 * scores[item]).exp() / (item as f64 + 1.0))
                .collect();
            let (taken_sum, sum): (f64, f64) =
                (taken.iter().sum(), scores.iter().map(|score| score.exp()).sum());
            for item in 0..N_ITEMS as usize {
                let taken = taken[item] / taken_sum;
                shares[item] += taken / N_USERS as f64;
                let gradient = (scores[item].exp() / sum - taken) / N_USERS as f64;
                for (cell, value) in truth[item * DIM..].iter_mut().zip(user) {
                    *cell += gradient * f64::from(*value);
                }
            }
            choices.push(AliasTable::new(&taken).expect("weights"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "shares of a number of rows"
        )]
        let counts: Vec<u64> = shares.iter().map(|share| (share * 1e12) as u64).collect();
        Self {
            frequency: CountedFrequency::new(&counts, N_ROWS).expect("counts"),
            users,
            items,
            choices,
            counts,
            truth,
        }
    }

    /// Over `n_batches` batches.
    pub(crate) fn gap(&self, sampler: Sampler, correction: Correction, n_batches: usize, seed: u64) -> Gap {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut sum = vec![0.0; self.truth.len()];
        let mut squares = 0.0;
        for _ in 0..n_batches {
            let gradient = self.batch(sampler, correction, &mut rng);
            for (sum, value) in sum.iter_mut().zip(&gradient) {
                *sum += value;
                squares += value * value;
            }
        }
        let n = n_batches as f64;
        let norm: f64 = self.truth.iter().map(|value| value * value).sum();
        let mean_norm: f64 = sum.iter().map(|sum| (sum / n) * (sum / n)).sum();
        let variance = (squares / n - mean_norm) * n / (n - 1.0);
        let distance: f64 = sum
            .iter()
            .zip(&self.truth)
            .map(|(sum, truth)| (sum / n - truth).powi(2))
            .sum();
        let bias = ((distance - variance / n) / norm).max(0.0).sqrt();
        Gap {
            bias,
            noise: (variance / n / norm).sqrt(),
            deviation: (variance / norm).sqrt(),
        }
    }

    /// The gradient of one batch by the vectors of all items.
    fn batch(&self, sampler: Sampler, correction: Correction, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        let users: Vec<usize> = (0..N_ROWS).map(|_| rng.random_range(0..N_USERS)).collect();
        let labels: Vec<ItemIdx> = users
            .iter()
            .map(|&user| ItemIdx(self.choices[user].draw(rng)))
            .collect();
        let config = SoftmaxConfig {
            temperature: 1.0,
            correction,
        };
        let mut gradient = vec![0.0; self.truth.len()];
        if let Some(mut proposal) = self.proposal(sampler) {
            let negatives = proposal.draw(N_DRAWN, rng);
            let positives = proposal.expected(&labels, N_DRAWN);
            let positive_scores: Vec<f32> = users
                .iter()
                .zip(&labels)
                .map(|(&user, &item)| self.score(user, item))
                .collect();
            let scores = self.scores(&users, &negatives);
            let mut by_positive = vec![0.0; N_ROWS];
            let mut by_negative = vec![0.0; scores.len()];
            sampled_softmax(
                &positive_scores,
                &scores,
                &positives,
                &negatives,
                &config,
                None,
                None,
                (&mut by_positive, &mut by_negative),
            );
            for (row, (&user, &item)) in users.iter().zip(&labels).enumerate() {
                self.add(&mut gradient, user, item, by_positive[row]);
            }
            self.add_all(&mut gradient, &users, &negatives, &by_negative);
        } else {
            let columns = match sampler {
                Sampler::Mixed => {
                    let mixed = Mixed::new(N_ITEMS, N_DRAWN).expect("items");
                    mixed.draw(&labels, &self.frequency, rng)
                }
                _ => in_batch(&labels, &self.frequency),
            };
            let scores = self.scores(&users, &columns);
            let mut by_score = vec![0.0; scores.len()];
            in_batch_softmax(&scores, N_ROWS, &columns, &config, None, None, &mut by_score);
            self.add_all(&mut gradient, &users, &columns, &by_score);
        }
        gradient
    }

    fn proposal(&self, sampler: Sampler) -> Option<Box<dyn Proposal>> {
        let n_items = N_ITEMS;
        Some(match sampler {
            Sampler::Uniform => Box::new(Uniform::new(n_items).expect("items")),
            Sampler::LogUniform => Box::new(LogUniform::new(n_items).expect("items")),
            Sampler::Unigram => Box::new(Unigram::new(&self.counts, 0.75).expect("counts")),
            Sampler::InBatch | Sampler::Mixed => return None,
        })
    }

    fn score(&self, user: usize, item: ItemIdx) -> f32 {
        dot(&self.users[user], &self.items[item.index()])
    }

    fn scores(&self, users: &[usize], columns: &Candidates) -> Vec<f32> {
        let row = |&user: &usize| columns.ids().iter().map(move |&item| self.score(user, item));
        users.iter().flat_map(row).collect()
    }

    fn add_all(&self, gradient: &mut [f64], users: &[usize], columns: &Candidates, by_score: &[f32]) {
        for (&user, by_score) in users.iter().zip(by_score.chunks_exact(columns.len())) {
            for (&item, &by_score) in columns.ids().iter().zip(by_score) {
                self.add(gradient, user, item, by_score);
            }
        }
    }

    fn add(&self, gradient: &mut [f64], user: usize, item: ItemIdx, by_score: f32) {
        for (cell, value) in gradient[item.index() * DIM..].iter_mut().zip(&self.users[user]) {
            *cell += f64::from(by_score * value);
        }
    }
}

fn dot(a: &[f32; DIM], b: &[f32; DIM]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrected_gradients_are_near_the_full_one_and_plain_ones_are_not() {
        let toy = Toy::new(3);
        for sampler in SAMPLERS {
            let [plain, corrected, refined] = [Correction::None, Correction::LogQ, Correction::Refined]
                .map(|correction| toy.gap(sampler, correction, 400, 11));
            for near in [corrected, refined] {
                assert!(near.bias < 0.05, "{sampler:?}: {near:?}");
                assert!(near.deviation < 2.0, "{sampler:?}: {near:?}");
            }
            // Every item alike is what no correction takes for granted.
            let is_far = plain.bias > 0.2 && plain.bias > 4.0 * corrected.bias;
            assert_eq!(
                is_far,
                sampler != Sampler::Uniform,
                "{sampler:?}: {plain:?} {corrected:?}"
            );
        }
    }
}
