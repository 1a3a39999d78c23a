//! Where the two sides meet: scores of vectors, a loss over them, and the gradient of both sides.

use catchment_sampling::Candidates;
use catchment_schema::ItemIdx;
use rayon::prelude::*;

use super::buffers::Buffers;
use super::product::{Rows, times, times_transposed, transposed_times};
use crate::losses::softmax::IsPositive;
use crate::losses::{SoftmaxConfig, full_softmax, in_batch_softmax, own_softmax, sampled_softmax};

/// The gradients of a loss by both sides.
#[derive(Debug, Default)]
pub(crate) struct Gradients {
    /// `[rows × dim]`
    pub(crate) users: Vec<f32>,
    /// `[columns × dim]`
    pub(crate) items: Vec<f32>,
}

/// What a row counts, and what it is not compared with.
#[derive(Clone, Copy)]
pub(crate) struct RowRules<'a> {
    pub(crate) rewards: Option<&'a [f32]>,
    pub(crate) is_positive: Option<IsPositive<'a>>,
}

/// Every row against all items. `users`: `[rows × dim]`, `items`: `[n_items × dim]`.
pub(crate) fn all_items(
    users: &[f32],
    items: &[f32],
    dim: usize,
    labels: &[ItemIdx],
    temperature: f32,
    rules: RowRules<'_>,
    buffers: &mut Buffers,
) -> (f64, Gradients) {
    let scores = scores(users, items, dim, buffers);
    let mut slopes = buffers.take(scores.len());
    let loss = full_softmax(&scores, labels, temperature, rules.rewards, &mut slopes);
    buffers.give(scores);
    (loss, back(users, items, dim, slopes, buffers))
}

/// Every row against the columns, of which the first are the rows' own.
pub(crate) fn columns(
    users: &[f32],
    items: &[f32],
    dim: usize,
    columns: &Candidates,
    config: SoftmaxConfig,
    rules: RowRules<'_>,
    buffers: &mut Buffers,
) -> (f64, Gradients) {
    let scores = scores(users, items, dim, buffers);
    let mut slopes = buffers.take(scores.len());
    let RowRules { rewards, is_positive } = rules;
    let n_rows = users.len() / dim;
    let loss = in_batch_softmax(
        &scores,
        n_rows,
        columns,
        &config,
        rewards,
        is_positive,
        &mut slopes,
    );
    buffers.give(scores);
    (loss, back(users, items, dim, slopes, buffers))
}

/// Every row's own item against shared ones. `items`: the positives' vectors, then the negatives'.
pub(crate) fn beside(
    users: &[f32],
    items: &[f32],
    dim: usize,
    (positives, negatives): (&Candidates, &Candidates),
    config: SoftmaxConfig,
    rules: RowRules<'_>,
    buffers: &mut Buffers,
) -> (f64, Gradients) {
    let (own, shared) = items.split_at(positives.len() * dim);
    let own_scores: Vec<f32> = users
        .par_chunks_exact(dim)
        .zip(own.par_chunks_exact(dim))
        .map(|(user, item)| user.iter().zip(item).map(|(a, b)| a * b).sum())
        .collect();
    let shared_scores = scores(users, shared, dim, buffers);
    let (mut own_slopes, mut slopes) = (vec![0.0; own_scores.len()], buffers.take(shared_scores.len()));
    let loss = sampled_softmax(
        &own_scores,
        &shared_scores,
        positives,
        negatives,
        &config,
        rules.rewards,
        rules.is_positive,
        (&mut own_slopes, &mut slopes),
    );
    let Gradients {
        users: mut by_users,
        items: by_shared,
    } = back(users, shared, dim, slopes, buffers);
    let mut by_items = buffers.take(items.len());
    let (by_own, rest) = by_items.split_at_mut(own.len());
    rest.copy_from_slice(&by_shared);
    buffers.give(by_shared);
    buffers.give(shared_scores);
    (
        by_users.par_chunks_exact_mut(dim),
        by_own.par_chunks_exact_mut(dim),
        users.par_chunks_exact(dim),
        own.par_chunks_exact(dim),
        own_slopes.par_iter(),
    )
        .into_par_iter()
        .for_each(|(by_user, by_item, user, item, slope)| {
            for (((by_user, by_item), user), item) in by_user.iter_mut().zip(by_item).zip(user).zip(item) {
                *by_user += slope * item;
                *by_item = slope * user;
            }
        });
    let gradients = Gradients {
        users: by_users,
        items: by_items,
    };
    (loss, gradients)
}

/// Every row's own item against items of its own. `items`: the positives' vectors, then each row's negatives'.
pub(crate) fn own(
    users: &[f32],
    items: &[f32],
    dim: usize,
    (positives, negatives): (&Candidates, &Candidates),
    config: SoftmaxConfig,
    rules: RowRules<'_>,
) -> (f64, Gradients) {
    let n_rows = positives.len();
    let n = negatives.len().checked_div(n_rows).unwrap_or(0);
    let (positive_items, negative_items) = items.split_at(n_rows * dim);
    let dot = |user: &[f32], item: &[f32]| user.iter().zip(item).map(|(a, b)| a * b).sum::<f32>();
    let own_scores: Vec<f32> = users
        .par_chunks_exact(dim)
        .zip(positive_items.par_chunks_exact(dim))
        .map(|(user, item)| dot(user, item))
        .collect();
    let negative_scores: Vec<f32> = negative_items
        .par_chunks_exact(dim)
        .enumerate()
        .map(|(place, item)| dot(&users[place / n * dim..][..dim], item))
        .collect();
    let (mut own_slopes, mut slopes) = (vec![0.0; n_rows], vec![0.0; negatives.len()]);
    let loss = own_softmax(
        &own_scores,
        &negative_scores,
        positives,
        negatives,
        &config,
        rules.rewards,
        rules.is_positive,
        (&mut own_slopes, &mut slopes),
    );
    let mut gradients = Gradients {
        users: vec![0.0; users.len()],
        items: vec![0.0; items.len()],
    };
    let (by_positives, by_negatives) = gradients.items.split_at_mut(n_rows * dim);
    (
        gradients.users.par_chunks_exact_mut(dim),
        by_positives.par_chunks_exact_mut(dim),
        by_negatives.par_chunks_mut((n * dim).max(1)),
    )
        .into_par_iter()
        .enumerate()
        .for_each(|(row, (by_user, by_positive, by_negatives))| {
            let user = &users[row * dim..][..dim];
            let add = |slope: f32, item: &[f32], by_user: &mut [f32], by_item: &mut [f32]| {
                for (((by_user, by_item), user), item) in by_user.iter_mut().zip(by_item).zip(user).zip(item)
                {
                    *by_user += slope * item;
                    *by_item = slope * user;
                }
            };
            let positive = &positive_items[row * dim..][..dim];
            add(own_slopes[row], positive, by_user, by_positive);
            let negatives = negative_items[row * n * dim..].chunks_exact(dim);
            let slopes = &slopes[row * n..(row + 1) * n];
            for ((by_item, item), slope) in by_negatives.chunks_exact_mut(dim).zip(negatives).zip(slopes) {
                add(*slope, item, by_user, by_item);
            }
        });
    (loss, gradients)
}

fn scores(users: &[f32], items: &[f32], dim: usize, buffers: &mut Buffers) -> Vec<f32> {
    let (users, items) = (Rows::new(users, dim), Rows::new(items, dim));
    let mut scores = buffers.take(users.n_rows() * items.n_rows());
    times_transposed(users, items, &mut scores);
    scores
}

fn back(users: &[f32], items: &[f32], dim: usize, slopes: Vec<f32>, buffers: &mut Buffers) -> Gradients {
    let n_items = items.len() / dim;
    if n_items == 0 || slopes.is_empty() {
        return Gradients {
            users: vec![0.0; users.len()],
            items: vec![0.0; items.len()],
        };
    }
    let mut gradients = Gradients {
        users: buffers.take(users.len()),
        items: buffers.take(items.len()),
    };
    let by_scores = Rows::new(&slopes, n_items);
    times(by_scores, Rows::new(items, dim), &mut gradients.users);
    transposed_times(by_scores, Rows::new(users, dim), &mut gradients.items);
    buffers.give(slopes);
    gradients
}
