//! What everybody likes.

use catchment_schema::{ItemSet, ScoredItem};

use super::walk::walk;
use crate::ranked_scores::RankedScores;
use crate::{Channel, ChannelError, ChannelScratch, ConfigError, RecallQuery, Recalled};

/// Above this share of the catalogue an `allow` set is checked while walking the sorted list; below it
/// the set itself is walked, because the list could go on for long without meeting any of its items.
const ALLOWED_SHARE_TO_WALK: f64 = 1.0 / 16.0;

/// The same scores for everybody, whatever they mean (counts, decayed counts, margins): sorted once,
/// walked with the filter at each request.
///
/// It needs to know nothing of the user, so it answers where other channels cannot. Cost: `k` steps
/// plus those items near the top that the filter holds back; the whole list in the worst case, and
/// still exact then.
#[derive(Clone, Debug)]
pub struct PopularChannel {
    name: String,
    ranked: RankedScores,
}

impl PopularChannel {
    /// `scores[i]` is the score of item `i`; higher comes first. Every item takes part, also one of score 0.
    ///
    /// # Errors
    /// [`ConfigError::NotFinite`].
    pub fn new(name: impl Into<String>, scores: &[f32]) -> Result<Self, ConfigError> {
        let name = name.into();
        let ranked = RankedScores::new(&name, "the score", scores)?;
        Ok(Self { name, ranked })
    }

    fn walk_allowed(&self, query: &RecallQuery<'_>, allowed: &ItemSet, k: usize) -> Recalled {
        if query.deadline.expired() {
            return Recalled {
                items: vec![],
                cut_short: true,
            };
        }
        let passing = allowed.iter().filter(|&item| query.filter.passes(item));
        let scored = passing.filter_map(|item| Some(ScoredItem::new(item, self.ranked.score(item)?)));
        let mut items: Vec<_> = scored.collect();
        items.sort_unstable();
        items.truncate(k);
        Recalled {
            items,
            cut_short: false,
        }
    }
}

impl Channel for PopularChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn recall(
        &self,
        query: &RecallQuery<'_>,
        k: usize,
        _scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        let few = self.ranked.len() as f64 * ALLOWED_SHARE_TO_WALK;
        Ok(match query.filter.allow {
            Some(allowed) if (allowed.len() as f64) < few => self.walk_allowed(query, allowed, k),
            _ => walk(self.ranked.best_first(), query, k, |_| true),
        })
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{ItemFilter, ItemIdx};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{FakeDeadline, channel_laws, query};

    fn items(recalled: &Recalled) -> Vec<u32> {
        recalled.items.iter().map(|scored| scored.item.0).collect()
    }

    #[test]
    fn the_best_come_first_and_ties_by_item() {
        let channel = PopularChannel::new("popular", &[1.0, 3.0, 3.0, 2.0]).unwrap();
        let recalled = channel
            .recall(&query(), 3, &mut ChannelScratch::default())
            .unwrap();
        assert_eq!(items(&recalled), [1, 2, 3]);
    }

    #[test]
    fn a_heavily_filtered_walk_still_finds_k() {
        let scores: Vec<f32> = (0..5000u16).rev().map(f32::from).collect();
        let channel = PopularChannel::new("popular", &scores).unwrap();
        let deny: ItemSet = (0..4990).map(ItemIdx).collect();
        let hard = RecallQuery {
            filter: ItemFilter::excluding(&deny),
            ..query()
        };
        let recalled = channel.recall(&hard, 5, &mut ChannelScratch::default()).unwrap();
        assert_eq!(items(&recalled), [4990, 4991, 4992, 4993, 4994]);
    }

    #[test]
    fn a_long_walk_stops_at_the_deadline_with_what_it_has() {
        let channel = PopularChannel::new("popular", &vec![1.0; 5000]).unwrap();
        let deny: ItemSet = (2..5000).map(ItemIdx).collect();
        let deadline = FakeDeadline::after(1);
        let hurried = RecallQuery {
            filter: ItemFilter::excluding(&deny),
            deadline: &deadline,
            ..query()
        };
        let recalled = channel
            .recall(&hurried, 5, &mut ChannelScratch::default())
            .unwrap();
        assert_eq!(items(&recalled), [0, 1]);
        assert!(recalled.cut_short);
    }

    #[test]
    fn a_score_that_is_not_finite_is_named() {
        let error = PopularChannel::new("popular", &[1.0, f32::NAN]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "channel `popular`: the score of item 1 is NaN, not finite"
        );
    }

    proptest! {
        /// Few allowed items (one way of walking) and many (the other) against a plain sort.
        #[test]
        fn laws_hold_and_both_walks_equal_a_sort(
            scores in proptest::collection::vec(-3..3i8, 0..80),
            allow in proptest::option::of(proptest::collection::vec(0..100u32, 0..40)),
            deny in proptest::collection::vec(0..100u32, 0..40),
            k in 0..20usize,
        ) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let channel = PopularChannel::new("popular", &scores).unwrap();
            let allow = allow.map(|items| items.into_iter().map(ItemIdx).collect::<ItemSet>());
            let deny: ItemSet = deny.into_iter().map(ItemIdx).collect();
            let filter = ItemFilter { allow: allow.as_ref(), ..ItemFilter::excluding(&deny) };
            let asked = RecallQuery { filter, ..query() };
            channel_laws(&channel, &[asked]);

            let mut expected = channel.ranked.best_first().to_vec();
            expected.retain(|scored| filter.passes(scored.item));
            expected.truncate(k);
            if let Some(allowed) = &allow {
                prop_assert_eq!(&channel.walk_allowed(&asked, allowed, k).items, &expected);
            }
            prop_assert_eq!(walk(channel.ranked.best_first(), &asked, k, |_| true).items, expected);
        }
    }
}
