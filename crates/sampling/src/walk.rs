//! Which items of a session are each other's context.

use catchment_schema::ItemIdx;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::SamplingError;

/// What of a session an item is trained against.
///
/// Barkan and Koenigstein (2016) take baskets for sets: every ordered pair of distinct items, wherever they stand.
/// Where sessions are long or have an order, a window is nearer to the truth and costs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// Everything else in the session, an item that is there several times counting once. A session of `n` different
    /// items has `n (n − 1)` pairs.
    Set,
    /// So many others of the same set, drawn evenly for every centre anew; all of them where there are not more. A set
    /// whose cost grows with the session, not with its square.
    Sampled(u32),
    /// Items at most so many places away.
    Window(u32),
    /// The same, each centre's width drawn evenly from 1 to this: near items count more (word2vec).
    DrawnWindow(u32),
}

/// Walks sessions: first frequent items are thinned out, then every item left meets its context.
#[derive(Clone, Debug)]
pub struct Walk {
    context: Context,
    /// Of 2³² parts, how many of an item's occurrences stay; empty where all do.
    keep: Vec<u32>,
}

impl Walk {
    /// With `subsample = ρ`, an item that makes up the part `f` of the log is kept with probability `√(ρ/f)`, always
    /// where that is above 1 (Mikolov et al. 2013: discarded with probability `1 − √(ρ/f)`). 0 keeps everything.
    ///
    /// # Errors
    /// [`SamplingError::Config`] for a window of 0, or a `subsample` that is negative or not finite.
    pub fn new(context: Context, subsample: f64, counts: &[u64]) -> Result<Self, SamplingError> {
        if let Context::Window(0) | Context::DrawnWindow(0) | Context::Sampled(0) = context {
            return Err(SamplingError::Config {
                key: "context",
                value: "0".to_owned(),
                allowed: "1 or more",
            });
        }
        if !subsample.is_finite() || subsample < 0.0 {
            return Err(SamplingError::Config {
                key: "subsample",
                value: subsample.to_string(),
                allowed: "0 (keep everything) or a positive number",
            });
        }
        let total: u64 = counts.iter().sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below 2^32, and a cast saturates"
        )]
        let keep = |&count: &u64| {
            let share = count as f64 / total as f64;
            ((subsample / share).sqrt() * 4_294_967_296.0) as u32
        };
        Ok(Self {
            context,
            keep: if subsample == 0.0 {
                Vec::new()
            } else {
                counts.iter().map(keep).collect()
            },
        })
    }

    /// The probability with which an occurrence of the item stays.
    pub fn keep_probability(&self, item: ItemIdx) -> f64 {
        match self.keep.get(item.index()) {
            None | Some(&u32::MAX) => 1.0,
            Some(&parts) => f64::from(parts) / 4_294_967_296.0,
        }
    }

    /// How many events of this log stay on average, of those that `counts` has.
    pub fn expected_events(&self, counts: &[u64]) -> f64 {
        let stays =
            |(item, &count): (usize, &u64)| count as f64 * self.keep_probability(ItemIdx::from_index(item));
        counts.iter().enumerate().map(stays).sum()
    }

    /// Puts into `kept` what stays of a session: where the context is a set, of each item its first occurrence.
    #[inline]
    pub fn thin(&self, items: &[ItemIdx], rng: &mut impl Rng, kept: &mut Vec<ItemIdx>) {
        kept.clear();
        if let Context::Set | Context::Sampled(_) = self.context {
            first_occurrences(items, kept);
        } else {
            kept.extend_from_slice(items);
        }
        if self.keep.is_empty() {
            return;
        }
        kept.retain(|item| {
            let keep = self.keep.get(item.index()).copied().unwrap_or(u32::MAX);
            keep == u32::MAX || rng.next_u32() < keep
        });
    }

    /// Puts into `contexts` the context of the item at `centre` of what [`Walk::thin`] kept. An item is never its own
    /// context.
    #[inline]
    pub fn contexts(&self, kept: &[ItemIdx], centre: usize, rng: &mut impl Rng, contexts: &mut Vec<ItemIdx>) {
        contexts.clear();
        let width = match self.context {
            Context::Sampled(n) if kept.len() > n as usize + 1 => {
                let others = kept.len() - 1;
                let drawn = (0..n).map(|_| {
                    let place = rng.random_range(0..others);
                    kept[place + usize::from(place >= centre)]
                });
                contexts.extend(drawn.filter(|&other| other != kept[centre]));
                return;
            }
            Context::Set | Context::Sampled(_) => kept.len(),
            Context::Window(width) => width as usize,
            Context::DrawnWindow(most) => rng.random_range(1..=most) as usize,
        };
        let item = kept[centre];
        let near = &kept
            [centre.saturating_sub(width)..kept.len().min(centre.saturating_add(width).saturating_add(1))];
        contexts.extend(near.iter().filter(|&&other| other != item));
    }

    /// All ordered pairs of a session, as an iterator: for those who train something else on them.
    pub fn pairs<'a, R: Rng>(
        &'a self,
        items: &[ItemIdx],
        rng: &'a mut R,
    ) -> impl Iterator<Item = (ItemIdx, ItemIdx)> + 'a {
        let mut kept = Vec::with_capacity(items.len());
        self.thin(items, rng, &mut kept);
        let mut contexts = Vec::new();
        let (mut centre, mut next) = (0, 0);
        std::iter::from_fn(move || {
            while next == contexts.len() {
                if centre == kept.len() {
                    return None;
                }
                self.contexts(&kept, centre, rng, &mut contexts);
                centre += 1;
                next = 0;
            }
            next += 1;
            Some((kept[centre - 1], contexts[next - 1]))
        })
    }
}

/// Fills `firsts`, which is empty, with each item of a session once, in their order.
fn first_occurrences(items: &[ItemIdx], firsts: &mut Vec<ItemIdx>) {
    firsts.extend_from_slice(items);
    firsts.sort_unstable();
    firsts.dedup();
    if firsts.len() == items.len() {
        firsts.copy_from_slice(items);
        return;
    }
    let mut is_new = vec![true; firsts.len()];
    let in_order = items.iter().filter(|item| {
        let place = firsts.partition_point(|other| other < *item);
        std::mem::take(&mut is_new[place])
    });
    let in_order: Vec<ItemIdx> = in_order.copied().collect();
    firsts.copy_from_slice(&in_order);
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    fn check(context: Context, items: &[u32], expect: &str) {
        let walk = Walk::new(context, 0.0, &[]).expect("settings");
        let items: Vec<_> = items.iter().copied().map(ItemIdx).collect();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let pairs: Vec<String> = walk
            .pairs(&items, &mut rng)
            .map(|(centre, context)| format!("{}{}", centre.0, context.0))
            .collect();
        assert_eq!(pairs.join(" "), expect);
    }

    #[test]
    fn a_set_is_every_ordered_pair_of_distinct_items() {
        check(Context::Set, &[1, 2, 3], "12 13 21 23 31 32");
        check(Context::Set, &[1, 1], "");
        check(Context::Set, &[3, 1, 3, 2, 1], "31 32 13 12 23 21");
        check(Context::Sampled(5), &[2, 1, 2], "21 12");
        check(Context::Window(1), &[2, 1, 2], "21 12 12 21");
        check(Context::Set, &[4], "");
        check(Context::Set, &[], "");
    }

    #[test]
    fn a_window_reaches_so_far_to_both_sides() {
        check(Context::Window(1), &[1, 2, 3], "12 21 23 32");
        check(Context::Window(u32::MAX), &[1, 2, 3], "12 13 21 23 31 32");
        check(Context::DrawnWindow(1), &[1, 2, 3], "12 21 23 32");
    }

    #[test]
    fn a_sample_of_a_set_is_even_and_small_sets_are_whole() {
        check(Context::Sampled(2), &[1, 2, 3], "12 13 21 23 31 32");
        let walk = Walk::new(Context::Sampled(3), 0.0, &[]).expect("settings");
        let items: Vec<_> = (0..8).map(ItemIdx).collect();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut met = [0_u32; 8];
        let mut contexts = Vec::new();
        for _ in 0..70_000 {
            walk.contexts(&items, 2, &mut rng, &mut contexts);
            assert_eq!(contexts.len(), 3);
            for item in &contexts {
                met[item.index()] += 1;
            }
        }
        assert_eq!(met[2], 0);
        for (item, &n) in met.iter().enumerate().filter(|(item, _)| *item != 2) {
            assert!(n.abs_diff(30_000) < 900, "{item}: {n}");
        }
    }

    #[test]
    fn a_drawn_window_meets_near_items_more_often() {
        let walk = Walk::new(Context::DrawnWindow(4), 0.0, &[]).expect("settings");
        let items: Vec<_> = (0..9).map(ItemIdx).collect();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut met = [0_u32; 9];
        let mut contexts = Vec::new();
        for _ in 0..40_000 {
            walk.contexts(&items, 0, &mut rng, &mut contexts);
            for item in &contexts {
                met[item.index()] += 1;
            }
        }
        for (distance, expected) in [(1, 1.0), (2, 0.75), (3, 0.5), (4, 0.25)] {
            let share = f64::from(met[distance]) / 40_000.0;
            assert!((share - expected).abs() < 0.015, "{distance}: {share}");
        }
        assert_eq!(met[5], 0);
    }

    #[test]
    fn frequent_items_are_thinned_out_as_the_formula_says() {
        // Item 0 is 80 % of the log, item 1 20 %.
        let walk = Walk::new(Context::Window(1), 0.2, &[80, 20]).expect("settings");
        assert!((walk.keep_probability(ItemIdx(0)) - 0.5).abs() < 1e-9);
        assert!((walk.keep_probability(ItemIdx(1)) - 1.0).abs() < 1e-9);
        assert!((walk.expected_events(&[80, 20]) - 60.0).abs() < 1e-6);
        let items: Vec<_> = (0..20_000).map(|at| ItemIdx(at % 2)).collect();
        let mut kept = Vec::new();
        walk.thin(&items, &mut Xoshiro256PlusPlus::seed_from_u64(9), &mut kept);
        let zeros = kept.iter().filter(|item| item.0 == 0).count();
        assert_eq!(kept.len() - zeros, 10_000);
        assert!((4_800..5_200).contains(&zeros), "{zeros}");
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let failed = |context, subsample| {
            Walk::new(context, subsample, &[1])
                .expect_err("refused")
                .to_string()
        };
        assert!(failed(Context::Window(0), 0.0).contains("context"));
        assert!(failed(Context::Set, -1.0).contains("subsample"));
        assert!(failed(Context::Set, f64::NAN).contains("subsample"));
    }
}
