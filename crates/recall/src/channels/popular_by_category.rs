//! What is popular among the kinds of things that somebody has.

use catchment_schema::{ItemIdx, ItemSet, ScoredItem};
use serde::{Deserialize, Serialize};

use super::ITEMS_BETWEEN_LOOKS;
use crate::ranked_scores::RankedScores;
use crate::top_k::TopK;
use crate::{Accumulator, Channel, ChannelError, ChannelScratch, ConfigError, RecallQuery, Recalled};

/// For whom something is popular: everybody, or those who like a category.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PopularQueryConfig {
    /// The items' column of categories, one or several an item. None: the same list for everybody.
    pub category: Option<String>,
    /// How many of the most recent distinct items of the history say which categories somebody likes; 0, which a
    /// recipe says by leaving the key out: all.
    pub recent_items: usize,
}

/// Popularity within the categories of somebody's history.
///
/// ```text
/// score(c) = Σ_s 1/|S| · Σ_{g of s} 1/|g of s| · P(c | g)        P(c | g) = popularity(c) / Σ_{c' of g} popularity(c')
/// ```
/// over the seeds `s` in `S` (the query's, or else the most recent distinct items of the history) and their categories
/// `g`: the chance of an item when somebody picks one of their things, then one of its categories, then an item of
/// that category by popularity. A seed without a category stands for all items, `P(c | g) = popularity(c) / Σ`, and so
/// does somebody who has nothing yet: the channel always answers.
///
/// Cost: one addition for each item of each of these categories.
#[derive(Clone, Debug)]
pub struct PopularByCategoryChannel {
    name: String,
    /// `popularity(c) / Σ`.
    among_all: RankedScores,
    /// By item.
    categories: Vec<Vec<u32>>,
    /// By category: its items with `P(c | g)`.
    items: Vec<Vec<(ItemIdx, f64)>>,
    recent_items: usize,
}

impl PopularByCategoryChannel {
    /// `scores[i]` is the popularity of item `i`, from 0, and `categories[i]` has the numbers of its categories,
    /// each once, counted from 0 without large gaps.
    ///
    /// # Errors
    /// [`ConfigError::NotFinite`] for a score below 0 or not finite; [`ConfigError::WrongLength`] when there are not as
    /// many lists of categories as scores.
    pub fn new(
        name: impl Into<String>,
        scores: &[f32],
        categories: Vec<Vec<u32>>,
        recent_items: usize,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        if categories.len() != scores.len() {
            return Err(ConfigError::WrongLength {
                channel: name,
                expected: scores.len(),
                found: categories.len(),
            });
        }
        if let Some((item, &value)) = (0..)
            .zip(scores)
            .find(|(_, score)| !(score.is_finite() && **score >= 0.0))
        {
            return Err(ConfigError::NotFinite {
                channel: name,
                what: "the score",
                item,
                value,
            });
        }
        let share = |score: f32, of: f64| if of > 0.0 { f64::from(score) / of } else { 0.0 };
        let all: f64 = scores.iter().map(|&score| f64::from(score)).sum();
        #[allow(
            clippy::cast_possible_truncation,
            reason = "rounding to single precision is meant"
        )]
        let shares: Vec<f32> = scores.iter().map(|&score| share(score, all) as f32).collect();
        let n_categories = categories
            .iter()
            .flatten()
            .max()
            .map_or(0, |&last| last as usize + 1);
        let mut sums = vec![0.0; n_categories];
        for (of, &score) in categories.iter().zip(scores) {
            for &category in of {
                sums[category as usize] += f64::from(score);
            }
        }
        let mut items = vec![Vec::new(); n_categories];
        for (item, (of, &score)) in categories.iter().zip(scores).enumerate() {
            for &category in of {
                let share = share(score, sums[category as usize]);
                items[category as usize].push((ItemIdx::from_index(item), share));
            }
        }
        Ok(Self {
            among_all: RankedScores::new(&name, "the score", &shares)?,
            name,
            categories,
            items,
            recent_items,
        })
    }

    /// How much each category counts, by its number, and how much all items together; they sum to 1.
    fn taste(&self, query: &RecallQuery<'_>) -> (Vec<(u32, f64)>, f64) {
        let mut met = ItemSet::new();
        let newest_first = query.history.events().iter().rev().map(|event| event.item);
        let seeds: Vec<ItemIdx> = if query.seeds.is_empty() {
            let most = match self.recent_items {
                0 => usize::MAX,
                n => n,
            };
            newest_first.filter(|&item| met.insert(item)).take(most).collect()
        } else {
            query
                .seeds
                .iter()
                .copied()
                .filter(|&item| met.insert(item))
                .collect()
        };
        if seeds.is_empty() {
            return (Vec::new(), 1.0);
        }
        let one = 1.0 / seeds.len() as f64;
        let (mut taste, mut anything) = (Vec::new(), 0.0);
        for seed in seeds {
            match self.categories.get(seed.index()).map_or(&[][..], Vec::as_slice) {
                [] => anything += one,
                of => taste.extend(of.iter().map(|&category| (category, one / of.len() as f64))),
            }
        }
        taste.sort_by_key(|&(category, _)| category);
        taste.dedup_by(|later, sum| {
            let same = later.0 == sum.0;
            if same {
                sum.1 += later.1;
            }
            same
        });
        (taste, anything)
    }

    /// Fills `sums`; says whether it came to an end before the deadline.
    fn sum_up(&self, query: &RecallQuery<'_>, taste: &[(u32, f64)], sums: &mut Accumulator) -> bool {
        sums.start(self.categories.len());
        for &(category, weight) in taste {
            for items in self.items[category as usize].chunks(ITEMS_BETWEEN_LOOKS) {
                if query.deadline.expired() {
                    return false;
                }
                for &(item, share) in items {
                    sums.add(item, weight * share);
                }
            }
        }
        true
    }

    /// Adds the items of no category that counts; says whether it came to an end before the deadline.
    fn add_untouched(
        &self,
        query: &RecallQuery<'_>,
        anything: f64,
        sums: &Accumulator,
        best: &mut TopK,
    ) -> bool {
        for (stretch, items) in self
            .among_all
            .best_first()
            .chunks(ITEMS_BETWEEN_LOOKS)
            .enumerate()
        {
            if stretch > 0 && query.deadline.expired() {
                return false;
            }
            for scored in items {
                let item = scored.item;
                let scaled = sums.score(item, scale(anything, scored.score.get()));
                if !sums.is_touched(item) {
                    // Rounding may have made several scores one: even the first item would come too late.
                    if !best.would_take(ScoredItem::new(ItemIdx(0), scaled)) {
                        return true;
                    }
                    let scored = ScoredItem::new(item, scaled);
                    if best.would_take(scored) && query.filter.passes(item) {
                        best.take(scored);
                    }
                }
            }
        }
        true
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "rounding to single precision is meant"
)]
fn scale(anything: f64, share: f32) -> f32 {
    (anything * f64::from(share)) as f32
}

impl Channel for PopularByCategoryChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn recall(
        &self,
        query: &RecallQuery<'_>,
        k: usize,
        scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        let (taste, anything) = self.taste(query);
        let sums = &mut scratch.sums;
        let mut complete = self.sum_up(query, &taste, sums);
        let mut best = TopK::new(k);
        for &item in sums.touched() {
            let share = self.among_all.score(item).map_or(0.0, f32::from);
            let scored = ScoredItem::new(item, sums.score(item, scale(anything, share)));
            if best.would_take(scored) && query.filter.passes(item) {
                best.take(scored);
            }
        }
        if complete && anything > 0.0 {
            complete = self.add_untouched(query, anything, sums, &mut best);
        }
        Ok(Recalled {
            items: best.into_sorted(),
            cut_short: !complete,
        })
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, History, ItemFilter, Time};
    use proptest::prelude::*;

    use super::*;
    use crate::PopularChannel;
    use crate::testing::{channel_laws, query};

    fn history(items: &[u32]) -> Vec<Event> {
        items
            .iter()
            .map(|&item| Event::new(ItemIdx(item), Time::UNKNOWN))
            .collect()
    }

    /// Items 0 to 2 are of category 0, item 2 also of 1, item 3 of 1, item 4 of none.
    fn channel(recent_items: usize) -> PopularByCategoryChannel {
        let categories = vec![vec![0], vec![0], vec![0, 1], vec![1], vec![]];
        PopularByCategoryChannel::new("mine", &[6.0, 3.0, 1.0, 1.0, 9.0], categories, recent_items).unwrap()
    }

    fn scores(channel: &PopularByCategoryChannel, history: &[Event]) -> Vec<(u32, f32)> {
        let asked = RecallQuery {
            history: History::new(history),
            ..query()
        };
        let recalled = channel
            .recall(&asked, 10, &mut ChannelScratch::default())
            .unwrap();
        recalled
            .items
            .iter()
            .map(|scored| (scored.item.0, scored.score.get()))
            .collect()
    }

    fn check(found: &[(u32, f32)], expected: &[(u32, f32)]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                found.0 == expected.0 && (found.1 - expected.1).abs() < 1e-6,
                "{found:?} {expected:?}"
            );
        }
    }

    #[test]
    fn somebody_is_offered_what_is_popular_in_their_categories() {
        let channel = channel(0);
        check(&scores(&channel, &history(&[1])), &[(0, 0.6), (1, 0.3), (2, 0.1)]);
        check(&scores(&channel, &history(&[3])), &[(2, 0.5), (3, 0.5)]);
        // Half of category 0, and of item 2 a quarter each.
        let both = [
            (0, 0.75 * 0.6),
            (1, 0.75 * 0.3),
            (2, 0.75 * 0.1 + 0.125),
            (3, 0.125),
        ];
        check(&scores(&channel, &history(&[2, 0, 2])), &both);
    }

    #[test]
    fn what_has_no_category_stands_for_everything() {
        let channel = channel(0);
        let everything = [(4, 0.45), (0, 0.3), (1, 0.15), (2, 0.05), (3, 0.05)];
        check(&scores(&channel, &history(&[4])), &everything);
        check(&scores(&channel, &[]), &everything);
        let mixed = [(0, 0.45), (4, 0.225), (1, 0.225), (2, 0.075), (3, 0.025)];
        let found = scores(&channel, &history(&[4, 0]));
        check(&found[..1], &mixed[..1]);
        check(&found[3..], &mixed[3..]);
    }

    #[test]
    fn only_recent_items_and_seeds_before_the_history() {
        let channel = channel(1);
        let found = scores(&channel, &history(&[4, 0, 3]));
        check(&found, &[(2, 0.5), (3, 0.5)]);
        let events = history(&[0]);
        let asked = RecallQuery {
            seeds: &[ItemIdx(3)],
            history: History::new(&events),
            ..query()
        };
        let recalled = channel
            .recall(&asked, 10, &mut ChannelScratch::default())
            .unwrap();
        assert_eq!(recalled.items.len(), 2);
    }

    #[test]
    fn scores_below_zero_and_lists_of_another_length_are_refused() {
        let negative = PopularByCategoryChannel::new("c", &[1.0, -1.0], vec![vec![]; 2], 0);
        assert!(matches!(negative, Err(ConfigError::NotFinite { item: 1, .. })));
        let short = PopularByCategoryChannel::new("c", &[1.0, 1.0], vec![vec![]; 1], 0);
        assert!(matches!(
            short,
            Err(ConfigError::WrongLength {
                expected: 2,
                found: 1,
                ..
            })
        ));
    }

    proptest! {
        #[test]
        fn laws_hold_and_the_answer_equals_a_sort_of_all_items(
            items in proptest::collection::vec((0..4u8, proptest::collection::btree_set(0..5u32, 0..3)), 1..60),
            had in proptest::collection::vec(0..70u32, 0..8),
            deny in proptest::collection::vec(0..60u32, 0..20),
            k in 0..20usize,
        ) {
            let scores: Vec<f32> = items.iter().map(|(score, _)| f32::from(*score)).collect();
            let categories: Vec<Vec<u32>> = items.iter().map(|(_, of)| of.iter().copied().collect()).collect();
            let channel = PopularByCategoryChannel::new("c", &scores, categories, 3).unwrap();
            let events = history(&had);
            let deny: ItemSet = deny.into_iter().map(ItemIdx).collect();
            let asked = RecallQuery {
                history: History::new(&events),
                filter: ItemFilter::excluding(&deny),
                ..query()
            };
            channel_laws(&channel, &[asked, query()]);
            let everything = channel.recall(&asked, 1000, &mut ChannelScratch::default()).unwrap().items;
            let some = channel.recall(&asked, k, &mut ChannelScratch::default()).unwrap().items;
            prop_assert_eq!(&everything[..k.min(everything.len())], &some[..]);
        }

        #[test]
        fn for_somebody_unknown_it_is_the_popular_channel(
            scores in proptest::collection::vec(0..9u8, 1..40), k in 0..20usize,
        ) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let categories = (0..).take(scores.len()).map(|item| vec![item % 3]).collect();
            let channel = PopularByCategoryChannel::new("c", &scores, categories, 0).unwrap();
            let popular = PopularChannel::new("p", &scores).unwrap();
            let items = |channel: &dyn Channel| -> Vec<ItemIdx> {
                let recalled = channel.recall(&query(), k, &mut ChannelScratch::default()).unwrap();
                recalled.items.iter().map(|scored| scored.item).collect()
            };
            prop_assert_eq!(items(&channel), items(&popular));
        }
    }
}
