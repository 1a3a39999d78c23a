//! What goes with the things somebody had lately.

use std::collections::BinaryHeap;

use catchment_schema::{ItemIdx, ItemSet, NeighbourTable, ScoredItem};
use serde::{Deserialize, Serialize};

use super::ITEMS_BETWEEN_LOOKS;
use crate::ranked_scores::RankedScores;
use crate::{Accumulator, Channel, ChannelError, ChannelScratch, ConfigError, RecallQuery, Recalled};

/// How an [`ItemToItemChannel`] chooses and weighs its seeds.
///
/// The default takes the whole history at equal weights: then the channel's scores are the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemToItemConfig {
    /// How many of the most recent distinct items of the history are seeds; 0: all of them.
    pub recent_items: usize,
    /// After how many positions, counted back from the most recent distinct item, a seed weighs half.
    /// Above 0 and finite; none: every seed weighs 1.
    pub half_life: Option<f32>,
}

impl ItemToItemConfig {
    fn validate(self, channel: &str) -> Result<(), ConfigError> {
        match self.half_life {
            Some(half_life) if !(half_life > 0.0 && half_life.is_finite()) => Err(ConfigError::OutOfRange {
                key: format!("half_life of channel `{channel}`"),
                value: half_life.to_string(),
                allowed: "above 0 and finite",
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
    table: NeighbourTable,
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
        table: NeighbourTable,
        item_bias: Option<Vec<f32>>,
        config: ItemToItemConfig,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
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

    /// The seeds with their weights, the most important first, each item once.
    fn seeds(&self, query: &RecallQuery<'_>) -> Vec<(ItemIdx, f64)> {
        let mut met = ItemSet::new();
        if !query.seeds.is_empty() {
            let distinct = query.seeds.iter().filter(|&&seed| met.insert(seed));
            return distinct.map(|&seed| (seed, 1.0)).collect();
        }
        let most = match self.config.recent_items {
            0 => usize::MAX,
            n => n,
        };
        let newest_first = query.history.events().iter().rev().map(|event| event.item);
        let distinct = newest_first.filter(|&item| met.insert(item)).take(most);
        distinct
            .enumerate()
            .map(|(position, item)| (item, self.config.weight(position)))
            .collect()
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

    fn touched_top_k(&self, query: &RecallQuery<'_>, k: usize, sums: &Accumulator) -> Best {
        let mut best = Best::new(k);
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
        best: &mut Best,
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
        let seeds = self.seeds(query);
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
}

/// The best `k` so far; the worst of them on top of the heap.
struct Best {
    k: usize,
    heap: BinaryHeap<ScoredItem>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// Whether there is room, or the item stands before the worst.
    fn would_take(&self, scored: ScoredItem) -> bool {
        self.heap.len() < self.k || self.heap.peek().is_some_and(|&worst| scored < worst)
    }

    fn take(&mut self, scored: ScoredItem) {
        if self.heap.len() == self.k {
            self.heap.pop();
        }
        self.heap.push(scored);
    }

    fn into_sorted(self) -> Vec<ScoredItem> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, History, ItemFilter, Score, Time};
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{FakeDeadline, channel_laws, query};

    fn table(rows: &[&[(u32, f32)]]) -> NeighbourTable {
        NeighbourTable::from_lists(rows.iter().map(|row| {
            row.iter()
                .map(|&(item, score)| ScoredItem::new(ItemIdx(item), Score::clamped(score)))
                .collect()
        }))
    }

    fn history(items: &[u32]) -> Vec<Event> {
        items
            .iter()
            .map(|&item| Event::new(ItemIdx(item), Time::UNKNOWN))
            .collect()
    }

    fn shown(answer: &Result<Recalled, ChannelError>) -> String {
        let Ok(recalled) = answer else {
            return format!("{answer:?}");
        };
        let items = recalled
            .items
            .iter()
            .map(|scored| format!("{}({}) ", scored.item.0, scored.score.get()));
        let items: String = items.collect();
        format!(
            "{}{}",
            items.trim_end(),
            if recalled.cut_short { " cut short" } else { "" }
        )
    }

    /// Items 0 to 5; 5 has no neighbours and is nobody's.
    fn check(config: ItemToItemConfig, bias: Option<&[f32]>, asked: &RecallQuery<'_>, expected: &Expect) {
        let rows: &[&[(u32, f32)]] = &[
            &[(1, 0.5), (2, 0.25)],
            &[(0, 0.5), (3, 0.75)],
            &[(3, 0.25), (4, -0.5)],
            &[],
            &[(2, 1.0)],
            &[],
        ];
        let channel =
            ItemToItemChannel::new("item_cf", table(rows), bias.map(<[f32]>::to_vec), config).unwrap();
        channel_laws(&channel, &[*asked]);
        expected.assert_eq(&shown(&channel.recall(asked, 4, &mut ChannelScratch::default())));
    }

    #[test]
    fn distinct_items_of_the_history_add_up() {
        let events = history(&[0, 1, 1, 0]);
        let asked = RecallQuery {
            history: History::new(&events),
            ..query()
        };
        check(
            ItemToItemConfig::default(),
            None,
            &asked,
            &expect!["3(0.75) 0(0.5) 1(0.5) 2(0.25)"],
        );
    }

    #[test]
    fn only_the_recent_items_are_seeds_and_repeats_do_not_count() {
        let events = history(&[1, 0, 2, 2, 2]);
        let asked = RecallQuery {
            history: History::new(&events),
            ..query()
        };
        let config = ItemToItemConfig {
            recent_items: 2,
            half_life: None,
        };
        check(config, None, &asked, &expect!["1(0.5) 2(0.25) 3(0.25) 4(-0.5)"]);
    }

    #[test]
    fn a_seed_one_half_life_back_weighs_half() {
        let events = history(&[0, 1]);
        let asked = RecallQuery {
            history: History::new(&events),
            ..query()
        };
        let config = ItemToItemConfig {
            recent_items: 0,
            half_life: Some(1.0),
        };
        check(config, None, &asked, &expect!["3(0.75) 0(0.5) 1(0.25) 2(0.125)"]);
    }

    #[test]
    fn seeds_of_the_query_replace_the_history_and_weigh_the_same() {
        let events = history(&[0]);
        let asked = RecallQuery {
            history: History::new(&events),
            seeds: &[ItemIdx(4), ItemIdx(1)],
            ..query()
        };
        let config = ItemToItemConfig {
            recent_items: 1,
            half_life: Some(1.0),
        };
        check(config, None, &asked, &expect!["2(1) 3(0.75) 0(0.5)"]);
    }

    #[test]
    fn items_of_the_history_stay_away_when_the_filter_says_so() {
        let events = history(&[0, 1]);
        let seen: ItemSet = [ItemIdx(0), ItemIdx(1)].into_iter().collect();
        let filter = ItemFilter::excluding(&seen);
        let asked = RecallQuery {
            history: History::new(&events),
            filter,
            ..query()
        };
        check(
            ItemToItemConfig::default(),
            None,
            &asked,
            &expect!["3(0.75) 2(0.25)"],
        );
    }

    #[test]
    fn with_biases_untouched_items_score_their_bias() {
        let events = history(&[2]);
        let asked = RecallQuery {
            history: History::new(&events),
            ..query()
        };
        let bias = [0.0, 0.375, 0.0, 0.25, 2.0, 0.75];
        check(
            ItemToItemConfig::default(),
            Some(&bias),
            &asked,
            &expect!["4(1.5) 5(0.75) 3(0.5) 1(0.375)"],
        );
    }

    #[test]
    fn without_seeds_or_neighbours_there_is_nothing_to_go_on() {
        check(
            ItemToItemConfig::default(),
            None,
            &query(),
            &expect!["Err(NothingToGoOn)"],
        );
        let bias = [0.0; 6];
        check(
            ItemToItemConfig::default(),
            Some(&bias),
            &query(),
            &expect!["Err(NothingToGoOn)"],
        );
        let events = history(&[5, 77]);
        let asked = RecallQuery {
            history: History::new(&events),
            ..query()
        };
        check(
            ItemToItemConfig::default(),
            None,
            &asked,
            &expect!["Err(NothingToGoOn)"],
        );
        check(
            ItemToItemConfig::default(),
            Some(&bias),
            &asked,
            &expect!["0(0) 1(0) 2(0) 3(0)"],
        );
    }

    #[test]
    fn at_the_deadline_the_newest_seeds_have_been_heard() {
        let many: Vec<(u32, f32)> = (0..1500u16)
            .map(|item| (u32::from(item), f32::from(item)))
            .collect();
        let channel = ItemToItemChannel::new(
            "i2i",
            table(&[&[(7, 1.0)], &many]),
            None,
            ItemToItemConfig::default(),
        );
        let events = history(&[0, 1]);
        let deadline = FakeDeadline::after(1);
        let hurried = RecallQuery {
            history: History::new(&events),
            deadline: &deadline,
            ..query()
        };
        let answer = channel
            .unwrap()
            .recall(&hurried, 2, &mut ChannelScratch::default());
        expect!["1499(1499) 1498(1498) cut short"].assert_eq(&shown(&answer));
    }

    #[test]
    fn bad_settings_are_refused_by_name() {
        let refused = |bias: Option<Vec<f32>>, half_life| {
            let config = ItemToItemConfig {
                recent_items: 0,
                half_life,
            };
            ItemToItemChannel::new("i2i", table(&[&[(2, 1.0)]]), bias, config)
                .unwrap_err()
                .to_string()
        };
        expect!["half_life of channel `i2i` = 0 is out of range: above 0 and finite"]
            .assert_eq(&refused(None, Some(0.0)));
        expect!["channel `i2i`: 1 biases for a table of 3 items"].assert_eq(&refused(Some(vec![0.0]), None));
        expect!["channel `i2i`: the bias of item 1 is inf, not finite"]
            .assert_eq(&refused(Some(vec![0.0, f32::INFINITY, 0.0]), None));
    }

    proptest! {
        #[test]
        fn the_answer_equals_a_sort_of_the_whole_catalogue(
            rows in proptest::collection::vec(proptest::collection::btree_map(0..30u32, -4..5i8, 0..8), 30),
            bias in proptest::option::of(proptest::collection::vec(-4..5i8, 30)),
            seeds in proptest::collection::btree_set(0..30u32, 1..6),
            deny in proptest::collection::vec(0..30u32, 0..20),
            k in 0..35usize,
        ) {
            let rows: Vec<Vec<(u32, f32)>> = rows
                .into_iter()
                .map(|row| row.into_iter().map(|(item, score)| (item, f32::from(score))).collect())
                .collect();
            let bias: Option<Vec<f32>> = bias.map(|bias| bias.into_iter().map(f32::from).collect());
            let deny: ItemSet = deny.into_iter().map(ItemIdx).collect();
            let events = history(&seeds.iter().copied().collect::<Vec<_>>());

            let mut everything = Vec::new();
            for item in (0..30).filter(|&item| !deny.contains(ItemIdx(item))) {
                let of_seed = |&seed: &u32| rows[seed as usize].iter().find(|found| found.0 == item);
                let terms: Vec<f32> = seeds.iter().filter_map(of_seed).map(|found| found.1).collect();
                if bias.is_some() || !terms.is_empty() {
                    let offset = bias.as_ref().map_or(0.0, |bias| bias[item as usize]);
                    let score = Score::clamped(terms.iter().sum::<f32>() + offset);
                    everything.push(ScoredItem::new(ItemIdx(item), score));
                }
            }
            everything.sort();
            everything.truncate(k);

            let borrowed: Vec<&[(u32, f32)]> = rows.iter().map(Vec::as_slice).collect();
            let config = ItemToItemConfig::default();
            let channel = ItemToItemChannel::new("i2i", table(&borrowed), bias, config).unwrap();
            let filter = ItemFilter::excluding(&deny);
            let asked = RecallQuery { history: History::new(&events), filter, ..query() };
            channel_laws(&channel, &[asked]);
            match channel.recall(&asked, k, &mut ChannelScratch::default()) {
                Ok(recalled) => prop_assert_eq!(recalled.items, everything),
                Err(error) => {
                    prop_assert_eq!(error, ChannelError::NothingToGoOn);
                    prop_assert!(everything.is_empty());
                }
            }
        }
    }
}
