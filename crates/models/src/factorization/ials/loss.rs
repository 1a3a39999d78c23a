//! What iALS minimises.

#![allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]

use catchment_schema::Histories;
use faer::Mat;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::factors::Factors;
use super::{IalsConfig, IalsModel};
use crate::Result;
use crate::dense::{TILE_COLUMNS, dots};
use crate::incidence::Incidence;

/// Rows whose terms are added by one thread. Fixed, so that the sum is the same for any number of threads.
const ROWS_AT_ONCE: usize = 1024;

/// The loss, exact over all pairs of user and item, in its three parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IalsLoss {
    /// `Σ (⟨w_u, h_i⟩ − 1)²` over the pairs that were seen.
    pub observed: f64,
    /// `α₀ Σ ⟨w_u, h_i⟩²` over all pairs, by way of the two Gramians.
    pub unobserved: f64,
    /// `Σ_u λ_u ‖w_u‖² + Σ_i λ_i ‖h_i‖²`.
    pub regularization: f64,
}

impl IalsLoss {
    /// The loss of a model on the histories that it was fitted to.
    ///
    /// # Errors
    /// As [`fit`](super::fit) for the histories.
    pub fn of(model: &IalsModel, histories: &Histories) -> Result<Self> {
        let users = Factors::from_rows(&model.user_vectors, model.dim);
        let items = Factors::from_rows(&model.item_vectors, model.dim);
        let by_user = Incidence::of_histories(histories, model.n_items)?;
        let gramians = [users.gramian(), items.gramian()];
        Ok(Self::compute(
            &users,
            &items,
            &by_user,
            &by_user.transposed(),
            &gramians,
            &model.config,
        ))
    }

    pub(super) fn compute(
        users: &Factors,
        items: &Factors,
        by_user: &Incidence,
        by_item: &Incidence,
        [users_gramian, items_gramian]: &[Mat<f64>; 2],
        config: &IalsConfig,
    ) -> Self {
        let observed = sum_over_rows(by_user.n_rows(), |user| {
            Arch::new().dispatch(Misses {
                vector: users.row(user),
                items,
                history: by_user.row(user),
            })
        });
        let mut both = 0.0;
        for column in 0..users.dim {
            both += users_gramian[(column, column)] * items_gramian[(column, column)];
            for row in column + 1..users.dim {
                both += 2.0 * users_gramian[(row, column)] * items_gramian[(row, column)];
            }
        }
        let pull = |factors: &Factors, incidence: &Incidence| {
            sum_over_rows(incidence.n_rows(), |row| {
                let ridge = config.ridge(incidence.row(row).len(), incidence.n_columns());
                f64::from(ridge) * squared_norm(factors.row(row))
            })
        };
        Self {
            observed,
            unobserved: config.alpha0 * both,
            regularization: pull(users, by_user) + pull(items, by_item),
        }
    }

    /// The sum of the parts.
    pub fn total(&self) -> f64 {
        self.observed + self.unobserved + self.regularization
    }
}

fn sum_over_rows(n: usize, term: impl Fn(usize) -> f64 + Sync) -> f64 {
    let starts: Vec<usize> = (0..n).step_by(ROWS_AT_ONCE).collect();
    let parts: Vec<f64> = starts
        .par_iter()
        .map(|&start| (start..n.min(start + ROWS_AT_ONCE)).map(&term).sum())
        .collect();
    parts.iter().sum()
}

/// `Σ (⟨w, h_i⟩ − 1)²` over a history.
struct Misses<'a> {
    vector: &'a [f32],
    items: &'a Factors,
    history: &'a [u32],
}

impl WithSimd for Misses<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut sum = 0.0;
        for items in self.history.chunks(TILE_COLUMNS) {
            // A last tile that is not full is filled up with its first item.
            let mut rows = [self.items.row(items[0] as usize); TILE_COLUMNS];
            for (row, item) in rows.iter_mut().zip(items) {
                *row = self.items.row(*item as usize);
            }
            let [scores] = dots(simd, [self.vector], rows);
            for score in &scores[..items.len()] {
                sum += (f64::from(*score) - 1.0).powi(2);
            }
        }
        sum
    }
}

fn squared_norm(vector: &[f32]) -> f64 {
    vector.iter().map(|value| f64::from(*value).powi(2)).sum()
}
