//! Item-based collaborative filtering.
//!
//! M. Deshpande, G. Karypis, *Item-Based Top-N Recommendation Algorithms*, ACM TOIS 2004. Two items are alike when the
//! same users have both, and an item is recommended to those who have many of its like:
//!
//! ```text
//! cos_ij = |users of i and j| / √(n_i n_j),  cos_ii = 0
//! S_ij   = cos_ij / Σ_j' cos_ij'    over the `neighbours` items j' most like i, 0 for all others
//! score(u, i) = Σ_j S_ij (r_uj − m_j) + m_i        r_uj: 1 or 0,  m_j = n_j / n_users
//! ```
//!
//! Each *candidate* `i` chooses its neighbours, and their weights sum to 1, so that a popular candidate gets no higher
//! scores for having more neighbours; the centring by `m` lets popularity decide where histories say little.
//!
//! **Good for** short histories, explanations ("because you had …"), catalogues that fit in memory; it learns nothing
//! but counts, so that it is hard to get wrong. **Not good for** items that share no user, which it calls unrelated.
//!
//! A serving history is walked from its own items, the *seeds*: [`ItemCf::table`] has a row for each seed `j` with the
//! candidates `i` that it speaks for and `S_ij`. What does not depend on the user is [`ItemCf::item_bias`].

mod fit;

use std::path::Path;

use catchment_schema::{Histories, ItemIdx, NeighbourTable, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::progress::Progress;
use crate::{Error, Result, item_scores};

/// The table in a folder that [`ItemCf::save`] wrote.
pub const NEIGHBOURS_FILE: &str = "neighbours.parquet";
/// The biases in a folder that [`ItemCf::save`] wrote.
pub const BIAS_FILE: &str = "bias.parquet";

/// What is done to a candidate's row of similarities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    /// Divided by its sum.
    #[default]
    L1,
    /// Left as it is.
    None,
}

/// Settings of [`ItemCf::fit`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemCfConfig {
    /// How many neighbours a candidate keeps.
    pub neighbours: usize,
    /// What is done to a candidate's row: `l1` or `none`.
    pub normalise: Normalise,
    /// Whether popularity is taken out of the history and put back at the candidate; without it, `item_bias` is 0.
    pub center: bool,
}

impl Default for ItemCfConfig {
    fn default() -> Self {
        Self {
            neighbours: 100,
            normalise: Normalise::L1,
            center: true,
        }
    }
}

impl ItemCfConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Config`] names the first key that is out of range.
    pub fn validate(&self) -> Result<()> {
        if !(1..=100_000).contains(&self.neighbours) {
            let value = self.neighbours.to_string();
            return Err(Error::Config {
                key: "neighbours",
                value,
                allowed: "1 to 100000",
            });
        }
        Ok(())
    }
}

/// About how many bytes [`ItemCf::fit`] holds at its peak, without the histories that it is given. `n_pairs` is the
/// number of distinct pairs of user and item; the number of events is an upper bound.
pub fn memory_bytes(n_users: usize, n_items: usize, n_pairs: usize, config: &ItemCfConfig) -> usize {
    let incidence = 2 * 4 * n_pairs + 8 * (n_users + n_items);
    // Each entry is at a candidate, at a seed, and in the table.
    let entries = 3 * 8 * n_items * config.neighbours.min(n_items);
    incidence + entries + rayon::current_num_threads() * 16 * n_items
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemCf {
    /// Row `j` is a seed: the candidates `i` that it speaks for, with `S_ij`, best first.
    pub table: NeighbourTable,
    /// `m_i − Σ_j S_ij m_j`, `[n_items]`.
    pub item_bias: Vec<f32>,
}

impl ItemCf {
    /// Fits the model to `histories`, of which each pair of user and item counts once.
    ///
    /// The result is the same for any number of threads. A step is an item.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::NoInteractions`], [`Error::UnknownItem`]; [`Error::Stopped`] after
    /// [`Flow::Stop`](crate::progress::Flow::Stop), as half a table is none.
    pub fn fit(
        histories: &Histories,
        n_items: usize,
        config: &ItemCfConfig,
        progress: &mut dyn Progress,
    ) -> Result<Self> {
        config.validate()?;
        fit::fit(histories, n_items, config, progress)
    }

    /// The exact score of every item for a user with this history. An item counts once, and items that the model does
    /// not know are passed over; an empty history gives the biases.
    ///
    /// # Shapes
    /// `scores`: `[n_items]`, overwritten.
    ///
    /// # Errors
    /// [`Error::WrongLength`].
    pub fn score_into(&self, history: impl IntoIterator<Item = ItemIdx>, scores: &mut [f32]) -> Result<()> {
        if scores.len() != self.item_bias.len() {
            let (expected, found) = (self.item_bias.len(), scores.len());
            return Err(Error::WrongLength {
                what: "scores",
                expected,
                found,
            });
        }
        let mut seeds: Vec<ItemIdx> = history.into_iter().collect();
        seeds.sort_unstable();
        seeds.dedup();
        scores.copy_from_slice(&self.item_bias);
        for seed in seeds {
            for candidate in self.table.of(seed) {
                scores[candidate.item.index()] += candidate.score.get();
            }
        }
        Ok(())
    }

    /// Writes [`NEIGHBOURS_FILE`] and [`BIAS_FILE`] into `folder`.
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn save(&self, folder: impl AsRef<Path>, items: &Vocabulary) -> Result<()> {
        let folder = folder.as_ref();
        self.table.write(folder.join(NEIGHBOURS_FILE), items, "item_cf")?;
        Ok(item_scores::write(
            &folder.join(BIAS_FILE),
            items,
            &self.item_bias,
            "item_cf",
        )?)
    }

    /// Reads what [`ItemCf::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn open(folder: impl AsRef<Path>, items: &Vocabulary) -> Result<Self> {
        let folder = folder.as_ref();
        Ok(Self {
            table: NeighbourTable::read(folder.join(NEIGHBOURS_FILE), items)?,
            item_bias: item_scores::read(&folder.join(BIAS_FILE), items)?,
        })
    }
}

#[cfg(test)]
mod tests;
