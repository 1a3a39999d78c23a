//! Implicit-feedback matrix factorisation by alternating least squares (iALS).
//!
//! Y. Hu, Y. Koren, C. Volinsky, *Collaborative Filtering for Implicit Feedback Datasets*, ICDM 2008, with the
//! frequency-scaled regularisation of S. Rendle, W. Krichene, L. Zhang, Y. Koren, *Revisiting the Performance of iALS
//! on Item Recommendation Benchmarks*, `RecSys` 2022.
//!
//! Every user `u` and item `i` has a vector. Pairs that were seen should score 1, and *all* pairs are pulled towards 0
//! with a small weight `α₀`:
//!
//! ```text
//! L = Σ_{(u,i) seen} (⟨w_u, h_i⟩ − 1)²  +  α₀ Σ_u Σ_i ⟨w_u, h_i⟩²  +  Σ_u λ_u ‖w_u‖²  +  Σ_i λ_i ‖h_i‖²
//! λ_u = λ (n_u + α₀ n_items)^ν          λ_i = λ (n_i + α₀ n_users)^ν
//! ```
//!
//! With the items held still, `L` is quadratic in each user apart, and the other way round; a sweep solves all users
//! and then all items exactly, so that `L` never rises:
//!
//! ```text
//! (Hᵤᵀ Hᵤ + α₀ G + λ_u I) w_u = Hᵤᵀ 1          G = Hᵀ H,  Hᵤ: the rows of the items that u had, [n_u, d]
//! ```
//!
//! **How a row is solved.** In the eigenbasis of `G` (turning both sides of the model changes no score) the part that
//! does not depend on who the user's items are is a diagonal `D = α₀ Λ + λ_u I`. With `W = Hᵤ D^{-½}`
//!
//! ```text
//! w_u = D^{-½} Wᵀ (I + W Wᵀ)⁻¹ 1   where n_u < d,          w_u = D^{-½} (I + Wᵀ W)⁻¹ Wᵀ 1   elsewhere
//! ```
//!
//! so that a row costs `min(n_u, d)² · max(n_u, d)` instead of `n_u d² + d³/3`: most users have far fewer items than
//! the model has dimensions. It is the same solution, not an approximation. Scaling by `D` also conditions the system,
//! which is why single precision does.
//!
//! **The other solvers** ([`Solver`]) make a row better instead: by a few steps of conjugate gradient (Takács, Pilászy,
//! Tikk, `RecSys` 2011) or block by block of dimensions (iALS++: Rendle, Krichene, Zhang, Koren 2021). Both work in the
//! same basis, begin at the vectors of the sweep before, and never let `L` rise; with enough steps, or a block as wide
//! as the model, they are the exact solution.
//!
//! **The objective of Hu, Koren and Volinsky** with confidence `c = 1 + α` of what was seen, 1 of everything else, and a
//! fixed `λ'` is `L` up to a factor that all scores share, for `α₀ = 1/α`, `λ = λ'/(1 + α)` and `ν = 0`.
//!
//! **Good for** a strong baseline that is hard to beat, any number of users and items, users that arrive or change
//! after training ([`IalsEncoder::fold_in`] solves one row). **Not good for** items that nobody has had yet, side
//! features, the order of events.
//!
//! **Where we depart from the papers.** A pair counts once, however many events it has. The fit ends with the users, so
//! that a trained user's vector is what folding in their history gives, exact whatever the solver.
//!
//! Model ([`IalsModel`]), loss ([`IalsLoss`]), fit ([`fit`]) and exporter ([`export`]) are apart; there is no sampler,
//! because every pair takes part.

mod blocks;
mod config;
mod conjugate_gradient;
mod eigenbasis;
mod encoder;
pub mod export;
mod factors;
mod fit;
mod loss;
mod model;
mod row_solver;

pub use config::{IalsConfig, Solver, memory_bytes};
pub use encoder::{FoldInScratch, IalsEncoder};
pub use fit::fit;
pub use loss::IalsLoss;
pub use model::IalsModel;

#[cfg(test)]
mod tests;
