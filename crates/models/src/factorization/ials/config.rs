//! The settings of iALS.

use serde::{Deserialize, Serialize};

use crate::dense::padded;
use crate::{Error, Result};

/// How the vectors of one side are found while the other is held still. All three never let the loss rise, and a model
/// is asked in the same way whichever it was fitted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// Each row solved.
    #[default]
    Exact,
    /// Each row made better by `cg_steps` steps of conjugate gradient. Cheaper where rows have many pairs.
    Cg,
    /// Each row made better by solving blocks of `block_size` dimensions in turn. Cheaper where vectors are wide.
    Blocks,
}

/// Settings of [`fit`](super::fit).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IalsConfig {
    /// Width `d` of the vectors.
    pub dim: usize,
    /// Weight `α₀` of every pair, seen or not, beside the weight 1 of a pair that was seen. The most important setting
    /// together with `regularization`; they are chosen together.
    pub alpha0: f64,
    /// Strength `λ` of the pull of every vector towards 0.
    pub regularization: f64,
    /// Exponent `ν` of the frequency in the regularisation: 0 treats every row alike, 1 as if each pair had a pull of
    /// its own.
    pub nu: f64,
    /// How often users and items are solved.
    pub sweeps: u32,
    /// Items begin as normal numbers of this standard deviation over `√d`.
    pub stddev: f64,
    /// How a row is solved: `exact`, `cg` or `blocks`.
    pub solver: Solver,
    /// Of `cg`: how many steps a row and sweep.
    pub cg_steps: u32,
    /// Of `blocks`: how many dimensions a block has; from `dim` on it is all of them, and the solution exact.
    pub block_size: usize,
}

impl Default for IalsConfig {
    fn default() -> Self {
        Self {
            dim: 128,
            alpha0: 0.02,
            regularization: 0.004,
            nu: 1.0,
            sweeps: 8,
            stddev: 0.1,
            solver: Solver::Exact,
            cg_steps: 3,
            block_size: 64,
        }
    }
}

impl IalsConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Config`] names the first key that is out of range.
    pub fn validate(&self) -> Result<()> {
        let refuse = |key, value: String, allowed| Err(Error::Config { key, value, allowed });
        if !(1..=8192).contains(&self.dim) {
            return refuse("dim", self.dim.to_string(), "1 to 8192");
        }
        if !(0.0..=1e6).contains(&self.alpha0) {
            return refuse("alpha0", self.alpha0.to_string(), "0 to 1000000");
        }
        if !(1e-9..=1e6).contains(&self.regularization) {
            return refuse(
                "regularization",
                self.regularization.to_string(),
                "1e-9 to 1000000",
            );
        }
        if !(0.0..=2.0).contains(&self.nu) {
            return refuse("nu", self.nu.to_string(), "0 to 2");
        }
        if !(1..=10_000).contains(&self.sweeps) {
            return refuse("sweeps", self.sweeps.to_string(), "1 to 10000");
        }
        if !(1e-6..=1e3).contains(&self.stddev) {
            return refuse("stddev", self.stddev.to_string(), "1e-6 to 1000");
        }
        if !(1..=1000).contains(&self.cg_steps) {
            return refuse("cg_steps", self.cg_steps.to_string(), "1 to 1000");
        }
        if !(1..=8192).contains(&self.block_size) {
            return refuse("block_size", self.block_size.to_string(), "1 to 8192");
        }
        Ok(())
    }

    /// `λ (n + α₀ n_others)^ν`: the pull on a row that has `n` pairs with `n_others` possible ones.
    pub(super) fn ridge(&self, n: usize, n_others: usize) -> f32 {
        let frequency = n as f64 + self.alpha0 * n_others as f64;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounding to single precision is meant"
        )]
        let ridge = (self.regularization * frequency.powf(self.nu)) as f32;
        ridge
    }
}

/// About how many bytes [`fit`](super::fit) holds at its peak, without the histories that it is given.
///
/// `n_pairs` is the number of distinct pairs of user and item; the number of events is an upper bound.
pub fn memory_bytes(n_users: usize, n_items: usize, n_pairs: usize, config: &IalsConfig) -> usize {
    let width = padded(config.dim);
    // The vectors; at the end the model's own copy, and the items once more in the encoder's basis.
    let vectors = 4 * (n_users + n_items) * (width + config.dim) + 4 * n_items * width;
    let incidence = 2 * 4 * n_pairs + 8 * (n_users + n_items);
    let square = 8 * width * width;
    let gramian = square * (6 + n_users.max(n_items) / (2 * super::factors::GRAM_ROWS));
    // A row's matrix, its scaled vectors and their transpose.
    let threads = rayon::current_num_threads() * 3 * 4 * width * width.max(512);
    vectors + incidence + gramian + threads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let check = |config: IalsConfig, expected: &str| match config.validate() {
            Err(Error::Config { key, .. }) => assert_eq!(key, expected),
            other => panic!("{other:?}"),
        };
        let fine = IalsConfig::default();
        assert!(fine.validate().is_ok());
        check(
            IalsConfig {
                dim: 0,
                ..fine.clone()
            },
            "dim",
        );
        check(
            IalsConfig {
                alpha0: f64::NAN,
                ..fine.clone()
            },
            "alpha0",
        );
        check(
            IalsConfig {
                regularization: 0.0,
                ..fine.clone()
            },
            "regularization",
        );
        check(
            IalsConfig {
                nu: 2.5,
                ..fine.clone()
            },
            "nu",
        );
        check(
            IalsConfig {
                sweeps: 0,
                ..fine.clone()
            },
            "sweeps",
        );
        check(
            IalsConfig {
                stddev: 0.0,
                ..fine.clone()
            },
            "stddev",
        );
        check(
            IalsConfig {
                cg_steps: 0,
                ..fine.clone()
            },
            "cg_steps",
        );
        check(
            IalsConfig {
                block_size: 0,
                ..fine
            },
            "block_size",
        );
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let found = serde_json::from_str::<IalsConfig>(r#"{"dims": 4}"#);
        assert!(found.expect_err("unknown").to_string().contains("dims"));
    }
}
