//! What goes with the things somebody had lately.

use std::sync::Arc;

use catchment_schema::{History, ItemIdx, ItemSet, NeighbourTable, ScoredItem};
use serde::{Deserialize, Serialize};

use super::ITEMS_BETWEEN_LOOKS;
use crate::channel::REASONS_AMONG;
use crate::ranked_scores::RankedScores;
use crate::reasons::Reasons;
use crate::top_k::TopK;
use crate::{Accumulator, Channel, ChannelError, ChannelScratch, ConfigError, RecallQuery, Recalled};

/// How an [`ItemToItemChannel`] chooses and weighs its seeds.
///
/// The default takes the whole history at equal weights: then the channel's scores are the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemToItemConfig {
    /// How many of the most recent distinct items of the history are seeds; 0, which a recipe says by leaving the key
    /// out: all of them.
    pub recent_items: usize,
    /// After how many positions, counted back from the most recent distinct item, a seed weighs half.
    /// 0.001 to 1,000,000; none: every seed weighs 1.
    pub half_life: Option<f32>,
}

impl ItemToItemConfig {
    /// Checks every key; `channel` is named in the error.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`].
    pub fn validate(self, channel: &str) -> Result<(), ConfigError> {
        match self.half_life {
            Some(half_life) if !(1e-3..=1e6).contains(&half_life) => Err(ConfigError::OutOfRange {
                key: format!("half_life of channel `{channel}`"),
                value: half_life.to_string(),
                allowed: "0.001 to 1000000, or left out",
            }),
            _ => Ok(()),
        }
    }

    /// The weight of the seed at `position`, 0 being the most recent.
    fn weight(self, position: usize) -> f64 {
        self.half_life.map_or(1.0, |half_life| {
            (-(position as f64) / f64::from(half_life)).exp2()
        })
    }

    /// The seeds of a query with their weights, the most important first, each item once: the query's own, each of
    /// weight 1, or else the most recent items of the history.
    pub fn seeds(self, seeds: &[ItemIdx], history: History<'_>) -> Vec<(ItemIdx, f64)> {
        let mut met = ItemSet::new();
        if !seeds.is_empty() {
            let distinct = seeds.iter().filter(|&&seed| met.insert(seed));
            return distinct.map(|&seed| (seed, 1.0)).collect();
        }
        let most = match self.recent_items {
            0 => usize::MAX,
            n => n,
        };
        let newest_first = history.events().iter().rev().map(|event| event.item);
        let distinct = newest_first.filter(|&item| met.insert(item)).take(most);
        distinct
            .enumerate()
            .map(|(position, item)| (item, self.weight(position)))
            .collect()
    }
}

/// Sums the neighbours of several seeds: item-based collaborative filtering, Swing, or any other model
/// that writes a [`NeighbourTable`].
///
/// ```text
/// score(c) = Σ_s weight(s) · table[s][c]  (+ bias[c])
/// ```
/// The seeds `s` are the query's seeds, each of weight 1, or else the most recent distinct items of the
/// history, the newest first. Sums run in 64 bits and are rounded once, so that the order of the seeds
/// does not decide between equal candidates.
///
/// Seeds are candidates like any other item: they come back when the filter lets them. A caller who
/// does not want that excludes them, see [`crate::RequestFilter`].
///
/// **With biases** (a model whose score is not zero where nothing is known, for instance item CF on
/// centred rows) *every* item of the catalogue is a candidate: one that no seed touches scores its bias
/// alone. They are met by walking the items in the order of their biases, merged with the touched ones,
/// until none of the rest can enter the top k: the answer equals a sort of the whole catalogue.
/// **Without biases** only touched items are candidates.
#[derive(Clone, Debug)]
pub struct ItemToItemChannel {
    name: String,
    table: Arc<NeighbourTable>,
    biases: Option<RankedScores>,
    /// Every item of the table, row or neighbour, is below this.
    n_items: usize,
    config: ItemToItemConfig,
}

impl ItemToItemChannel {
    /// A channel over a table; `item_bias[i]` is added to the score of item `i`.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] for the config; [`ConfigError::WrongLength`] and
    /// [`ConfigError::NotFinite`] for the biases.
    pub fn new(
        name: impl Into<String>,
        table: impl Into<Arc<NeighbourTable>>,
        item_bias: Option<Vec<f32>>,
        config: ItemToItemConfig,
    ) -> Result<Self, ConfigError> {
        let (name, table) = (name.into(), table.into());
        config.validate(&name)?;
        let rows = (0..table.n_items()).map(ItemIdx::from_index);
        let neighbours = rows.flat_map(|item| table.of(item));
        let beyond_last = neighbours.map(|neighbour| neighbour.item.index() + 1).max();
        let n_items = table.n_items().max(beyond_last.unwrap_or(0));
        let biases = match item_bias {
            Some(bias) if bias.len() != n_items => {
                return Err(ConfigError::WrongLength {
                    channel: name,
                    expected: n_items,
                    found: bias.len(),
                });
            }
            Some(bias) => Some(RankedScores::new(&name, "the bias", &bias)?),
            None => None,
        };
        Ok(Self {
            name,
            table,
            biases,
            n_items,
            config,
        })
    }

    /// Fills `sums`; says whether all seeds were heard before the deadline.
    fn sum_up(&self, query: &RecallQuery<'_>, seeds: &[(ItemIdx, f64)], sums: &mut Accumulator) -> bool {
        sums.start(self.n_items);
        let mut since_look = ITEMS_BETWEEN_LOOKS;
        for &(seed, weight) in seeds {
            if since_look >= ITEMS_BETWEEN_LOOKS {
                if query.deadline.expired() {
                    return false;
                }
                since_look = 0;
            }
            let neighbours = self.table.of(seed);
            for neighbour in neighbours {
                sums.add(neighbour.item, weight * f64::from(neighbour.score.get()));
            }
            since_look += neighbours.len() + 1;
        }
        true
    }

    fn touched_top_k(&self, query: &RecallQuery<'_>, k: usize, sums: &Accumulator) -> TopK {
        let mut best = TopK::new(k);
        for &item in sums.touched() {
            let bias = self.biases.as_ref().and_then(|biases| biases.score(item));
            let scored = ScoredItem::new(item, sums.score(item, bias.map_or(0.0, f32::from)));
            if best.would_take(scored) && query.filter.passes(item) {
                best.take(scored);
            }
        }
        best
    }

    /// Adds the items that no seed touched; says whether it came to an end before the deadline.
    fn add_untouched(
        biases: &RankedScores,
        query: &RecallQuery<'_>,
        sums: &Accumulator,
        best: &mut TopK,
    ) -> bool {
        for (stretch, items) in biases.best_first().chunks(ITEMS_BETWEEN_LOOKS).enumerate() {
            if stretch > 0 && query.deadline.expired() {
                return false;
            }
            for &scored in items {
                if !best.would_take(scored) {
                    return true;
                }
                if !sums.is_touched(scored.item) && query.filter.passes(scored.item) {
                    best.take(scored);
                }
            }
        }
        true
    }
}

impl Channel for ItemToItemChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn recall(
        &self,
        query: &RecallQuery<'_>,
        k: usize,
        scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        let seeds = self.config.seeds(query.seeds, query.history);
        if seeds.is_empty() {
            return Err(ChannelError::NothingToGoOn);
        }
        let sums = &mut scratch.sums;
        let mut complete = self.sum_up(query, &seeds, sums);
        if complete && self.biases.is_none() && sums.touched().is_empty() {
            return Err(ChannelError::NothingToGoOn);
        }
        let mut best = self.touched_top_k(query, k, sums);
        // Without all sums an untouched item is not known to be one.
        if complete && let Some(biases) = &self.biases {
            complete = Self::add_untouched(biases, query, sums, &mut best);
        }
        Ok(Recalled {
            items: best.into_sorted(),
            cut_short: !complete,
        })
    }

    /// The seeds with the largest terms of the item's sum.
    fn because(&self, query: &RecallQuery<'_>, items: &[ItemIdx]) -> Vec<Vec<ItemIdx>> {
        let mut reasons = Reasons::new(items);
        let seeds = self.config.seeds(query.seeds, query.history);
        for &(seed, weight) in seeds.iter().take(REASONS_AMONG) {
            for neighbour in self.table.of(seed) {
                reasons.speak(neighbour.item, seed, weight * f64::from(neighbour.score.get()));
            }
        }
        reasons.strongest()
    }
}

#[cfg(test)]
mod tests;
