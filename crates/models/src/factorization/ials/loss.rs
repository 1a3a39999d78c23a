//! What iALS minimises.

use catchment_schema::Histories;
use faer::Mat;
use rayon::prelude::*;

use super::factors::Factors;
use super::{IalsConfig, IalsModel};
use crate::Result;
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
            let user_vector = users.row(user);
            let pairs = by_user.row(user).iter();
            pairs
                .map(|&item| (f64::from(dot(user_vector, items.row(item as usize))) - 1.0).powi(2))
                .sum()
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
                f64::from(ridge) * f64::from(dot(factors.row(row), factors.row(row)))
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

/// In sixteen sums, which the compiler keeps in vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}
