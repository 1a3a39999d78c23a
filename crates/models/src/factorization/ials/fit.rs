//! The alternation.

use catchment_schema::Histories;
use rayon::prelude::*;

use super::eigenbasis::Eigenbasis;
use super::encoder::FoldInScratch;
use super::factors::Factors;
use super::row_solver::{FixedSide, RowSolver};
use super::{IalsConfig, IalsEncoder, IalsLoss, IalsModel, Solver};
use crate::incidence::Incidence;
use crate::progress::{Flow, Progress};
use crate::{Error, Result};

/// Fits iALS to `histories`, of which each pair of user and item counts once.
///
/// The result is the same, to the byte, for any number of threads. A step is a sweep, and the note holds the loss.
/// [`Flow::Stop`] ends the fit after that sweep, with the model as it is.
///
/// # Errors
/// [`Error::Config`], [`Error::NoInteractions`], [`Error::UnknownItem`], [`Error::Diverged`].
pub fn fit(
    histories: &Histories,
    n_items: usize,
    config: &IalsConfig,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<IalsModel> {
    config.validate()?;
    let by_user = Incidence::of_histories(histories, n_items)?;
    let by_item = by_user.transposed();
    let stddev = config.stddev / (config.dim as f64).sqrt();
    let mut items = Factors::random(n_items, config.dim, stddev, seed);
    let mut users = Factors::zeros(by_user.n_rows(), config.dim);
    let mut items_gramian = items.gramian();
    let mut sweeps = 0;
    while sweeps < config.sweeps {
        // Whatever does not solve exactly begins at the vectors of the sweep before, in the basis of this one.
        let basis = Eigenbasis::turn(&mut items, &items_gramian)?;
        if config.solver != Solver::Exact && sweeps > 0 {
            users.turn(basis.rotation.as_ref());
        }
        RowSolver::solve_all(&mut users, fixed(&items, &basis, config), &by_user, config)?;
        let users_gramian = users.gramian();
        let basis = Eigenbasis::turn(&mut users, &users_gramian)?;
        if config.solver != Solver::Exact {
            items.turn(basis.rotation.as_ref());
        }
        RowSolver::solve_all(&mut items, fixed(&users, &basis, config), &by_item, config)?;
        items_gramian = items.gramian();
        sweeps += 1;

        let gramians = [diagonal(&basis), items_gramian];
        let loss = IalsLoss::compute(&users, &items, &by_user, &by_item, &gramians, config).total();
        [_, items_gramian] = gramians;
        if !loss.is_finite() {
            return Err(Error::Diverged { model: "iALS" });
        }
        let note = format!("loss {loss:.8e}");
        if progress.step(u64::from(sweeps), u64::from(config.sweeps), &note) == Flow::Stop {
            break;
        }
    }
    drop(users);
    let item_vectors = items.to_rows();
    drop(items);
    let encoder = IalsEncoder::new(&item_vectors, config)?;
    Ok(IalsModel {
        config: config.clone(),
        dim: config.dim,
        n_users: by_user.n_rows(),
        n_items,
        user_vectors: fold_in_all(&encoder, &by_user)?,
        item_vectors,
        sweeps,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to single precision is meant"
)]
fn fixed<'a>(factors: &'a Factors, basis: &'a Eigenbasis, config: &IalsConfig) -> FixedSide<'a> {
    FixedSide {
        factors,
        eigenvalues: &basis.eigenvalues,
        alpha0: config.alpha0 as f32,
    }
}

/// The Gramian of factors that have been turned into their own eigenbasis.
fn diagonal(basis: &Eigenbasis) -> faer::Mat<f64> {
    let dim = basis.eigenvalues.len();
    faer::Mat::from_fn(dim, dim, |i, j| {
        if i == j {
            f64::from(basis.eigenvalues[i])
        } else {
            0.0
        }
    })
}

/// The last half of a sweep, by the very code that serving runs.
fn fold_in_all(encoder: &IalsEncoder, by_user: &Incidence) -> Result<Vec<f32>> {
    let dim = encoder.dim();
    let mut vectors = vec![0.0; by_user.n_rows() * dim];
    vectors.par_chunks_mut(dim).enumerate().try_for_each_init(
        FoldInScratch::default,
        |scratch, (user, out)| match by_user.row(user) {
            [] => Ok(()),
            items => encoder.fold_in_sorted(items, scratch, out),
        },
    )?;
    Ok(vectors)
}
