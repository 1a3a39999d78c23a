//! Swing: items that stay together when users have little else in common.
//!
//! X. Yang, Y. Zhu, Y. Zhang, X. Wang, Q. Yuan, *Large Scale Product Graph Construction for Recommendation in
//! E-commerce*, arXiv 2010.05525, 2020. Two users who both have `i` and `j` form a swing that hangs on the pair. The
//! fewer items they share beside it, the less the pair can be chance, and the more the swing counts:
//!
//! ```text
//! s(i, j) = Σ_{u<v, both with i and j}  w_u w_v / (α + |I_u ∩ I_v|)        w_u = 1/√|I_u|, or 1
//! ```
//!
//! **Good for** substitutes and complements in noisy click logs: one user's whim and a crowd that buys everything both
//! count little. **Not good for** items that fewer than two users share, which it cannot see, and for very popular
//! items without a cap: the cost of an item grows with the square of its users.
//!
//! **Where we depart from the paper.** A pair of users counts once and not in both orders, and no user pairs with
//! themselves. The weights `w_u` can be switched off. An item with more than `max_users` users is judged by a seeded
//! sample of them; how many items that met is in the [`SwingReport`], and without such items the table is exact.

mod fit;

use std::path::Path;

use catchment_schema::{Histories, NeighbourTable, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::progress::Progress;
use crate::{Error, Result};

/// The table in a folder that [`Swing::save`] wrote.
pub const NEIGHBOURS_FILE: &str = "neighbours.parquet";

/// Settings of [`Swing::fit`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwingConfig {
    /// `α`, from 0: the larger, the less it matters how much two users have in common.
    pub alpha: f64,
    /// Whether a user counts `1/√|I_u|`: who has everything says little about anything. Without it everybody counts 1.
    pub user_weights: bool,
    /// How many neighbours an item keeps.
    pub neighbours: usize,
    /// How many users of an item are looked at, from 2; more are sampled, by the seed. With a number that no item
    /// reaches all are looked at, and the table is exact.
    pub max_users: usize,
}

impl Default for SwingConfig {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            user_weights: true,
            neighbours: 100,
            max_users: 1000,
        }
    }
}

impl SwingConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Config`] names the first key that is out of range.
    pub fn validate(&self) -> Result<()> {
        let refuse = |key, value: String, allowed| Err(Error::Config { key, value, allowed });
        if !(0.0..=1e6).contains(&self.alpha) {
            return refuse("alpha", self.alpha.to_string(), "0 to 1000000");
        }
        if !(1..=100_000).contains(&self.neighbours) {
            return refuse("neighbours", self.neighbours.to_string(), "1 to 100000");
        }
        if self.max_users < 2 {
            let allowed = "from 2; a number that no item reaches looks at all";
            return refuse("max_users", self.max_users.to_string(), allowed);
        }
        Ok(())
    }
}

/// What a fit left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwingReport {
    /// Items with more than `max_users` users, of which a sample was taken; 0: the table is exact.
    pub sampled_items: usize,
    /// The most users that any item has.
    pub most_users: usize,
}

/// For each item those that it speaks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Swing {
    /// Row `i` holds the `j` with the highest `s(i, j)`.
    pub table: NeighbourTable,
    /// How exact it is.
    pub report: SwingReport,
}

impl Swing {
    /// Looks at all pairs of users of each item. Each pair of user and item counts once.
    ///
    /// The result is the same for any number of threads. A step is an item; the last note says how many items were
    /// sampled.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::NoInteractions`], [`Error::UnknownItem`]; [`Error::Stopped`] after
    /// [`Flow::Stop`](crate::progress::Flow::Stop), as half a table is none.
    pub fn fit(
        histories: &Histories,
        n_items: usize,
        config: &SwingConfig,
        seed: u64,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        config.validate()?;
        fit::fit(histories, n_items, config, seed, progress)
    }

    /// Writes [`NEIGHBOURS_FILE`] into `folder`.
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn save(&self, folder: impl AsRef<Path>, items: &Vocabulary) -> Result<()> {
        Ok(self
            .table
            .write(folder.as_ref().join(NEIGHBOURS_FILE), items, "swing")?)
    }

    /// Reads the table that [`Swing::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn open_table(folder: impl AsRef<Path>, items: &Vocabulary) -> Result<NeighbourTable> {
        Ok(NeighbourTable::read(
            folder.as_ref().join(NEIGHBOURS_FILE),
            items,
        )?)
    }
}

#[cfg(test)]
mod tests;
