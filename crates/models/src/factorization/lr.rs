//! Logistic regression by FTRL-Proximal.
//!
//! *Ad Click Prediction: a View from the Trenches*, KDD 2013, Algorithm 1 (<https://doi.org/10.1145/2487575.2488200>).
//!
//! A linear model of the log-odds, `logit(x) = b + Σ_i w_i x_i`, learned one row at a time. Each coordinate has a
//! learning rate of its own that falls with the gradients it has seen, so that rare features still learn when frequent
//! ones have settled; and the L1 term is solved exactly at every step, so that weights which carry too little
//! evidence are *exactly* zero. After gradients `g_1 … g_t` a weight is
//!
//! ```text
//! w = argmin_w  Σ_s g_s·w + ½ Σ_s σ_s (w − w_s)² + l1·|w| + ½ l2·w²,     Σ_s σ_s = (β + √(Σ_s g_s²)) / α
//! ```
//!
//! which two numbers a coordinate are enough for: `z = Σ g_s − Σ σ_s w_s` and `n = Σ g_s²`.
//!
//! **Good for** many sparse features, a first ranker, a baseline that is hard to embarrass; one pass is often enough.
//! **Not good for** interactions between features: what no feature says, the model cannot know.
//!
//! **Where we depart from the paper.** Several passes are possible (the state goes on, so `l1` and `l2` weigh less
//! against the longer sum of gradients); a validation part stops them early; the bias is not regularised.
//!
//! Model ([`LogisticRegression`]), optimiser ([`Ftrl`]), rows ([`SparseRows`]) and the loop ([`fit`]) are apart.
//!
//! ```
//! use catchment_models::factorization::lr::{Examples, FtrlConfig, SparseRows, fit};
//! use catchment_models::progress::Silent;
//!
//! // Feature 0 speaks for a click, feature 1 against it.
//! let mut rows = SparseRows::new(2);
//! for _ in 0..50 {
//!     rows.push([(0, 1.0)])?;
//!     rows.push([(1, 1.0)])?;
//! }
//! let labels = [1.0, 0.0].repeat(50);
//! let examples = Examples::new(&rows, &labels, None)?;
//! let train: Vec<usize> = (0..rows.len()).collect();
//! let fitted = fit(&examples, &train, &[], &FtrlConfig::default(), 7, &mut Silent)?;
//! assert!(fitted.model.logit(rows.row(0)) > 0.0);
//! assert!(fitted.model.logit(rows.row(1)) < 0.0);
//! # Ok::<(), catchment_models::Error>(())
//! ```

mod config;
mod examples;
mod fit;
mod ftrl;
mod model;
mod sparse_rows;

pub use config::FtrlConfig;
pub use examples::Examples;
pub use fit::{EpochReport, Fitted, StopReason, fit};
pub use ftrl::Ftrl;
pub use model::{LINEAR_MODEL, LogisticRegression, logloss, sigmoid};
pub use sparse_rows::{SparseRow, SparseRows};

#[cfg(test)]
mod tests;
