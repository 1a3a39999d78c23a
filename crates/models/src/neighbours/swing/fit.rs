//! Walks the pairs of users of each item.

use catchment_schema::{Histories, ItemIdx, NeighbourTable, Score, ScoredItem};
use rand::SeedableRng;
use rand::seq::index;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::{Swing, SwingConfig, SwingReport};
use crate::incidence::Incidence;
use crate::progress::{Flow, Progress};
use crate::{Error, Result};

/// Items between two calls of progress.
const ITEMS_A_STEP: usize = 1024;

pub(super) fn fit(
    histories: &Histories,
    n_items: usize,
    config: &SwingConfig,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<Swing> {
    let by_user = Incidence::of_histories(histories, n_items)?;
    let by_item = by_user.transposed();
    let weight = |user: usize| 1.0 / (by_user.row(user).len().max(1) as f64).sqrt();
    let weights: Vec<f64> = if config.user_weights {
        (0..by_user.n_rows()).map(weight).collect()
    } else {
        vec![1.0; by_user.n_rows()]
    };
    let report = SwingReport {
        sampled_items: (0..n_items)
            .filter(|&item| is_sampled(by_item.row(item), config))
            .count(),
        most_users: (0..n_items)
            .map(|item| by_item.row(item).len())
            .max()
            .unwrap_or(0),
    };
    let walk = Walk {
        by_user: &by_user,
        by_item: &by_item,
        weights: &weights,
        config,
        seed,
    };
    let mut rows = Vec::with_capacity(n_items);
    for start in (0..n_items).step_by(ITEMS_A_STEP) {
        let end = n_items.min(start + ITEMS_A_STEP);
        // One item after the other, whoever is free takes the next: popular items cost far more than others.
        let some: Vec<Vec<ScoredItem>> = (start..end)
            .into_par_iter()
            .with_max_len(1)
            .map_init(Sums::default, |sums, item| walk.row(item, sums))
            .collect();
        rows.extend(some);
        let note = if end == n_items {
            format!("{} items judged by a sample of their users", report.sampled_items)
        } else {
            String::new()
        };
        if progress.step(end as u64, n_items as u64, &note) == Flow::Stop && end < n_items {
            return Err(Error::Stopped);
        }
    }
    Ok(Swing {
        table: NeighbourTable::from_lists(rows),
        report,
    })
}

fn is_sampled(users: &[u32], config: &SwingConfig) -> bool {
    users.len() > config.max_users
}

/// What every thread reads.
struct Walk<'a> {
    by_user: &'a Incidence,
    by_item: &'a Incidence,
    weights: &'a [f64],
    config: &'a SwingConfig,
    seed: u64,
}

/// Buffers of one thread.
#[derive(Default)]
struct Sums {
    /// `s(i, ·)`; all zero between items.
    of: Vec<f64>,
    /// The items whose sum is above zero.
    touched: Vec<u32>,
    /// `stamp` where the first user of the pair has the item.
    mark: Vec<u32>,
    /// Another one for each first user.
    stamp: u32,
    /// What both users of a pair have; room for a whole history and one more.
    shared: Vec<u32>,
    sample: Vec<u32>,
}

impl Sums {
    /// Forgets all marks.
    fn begin_marks(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.mark.fill(0);
            self.stamp = 1;
        }
    }
}

impl Walk<'_> {
    fn row(&self, item: usize, sums: &mut Sums) -> Vec<ScoredItem> {
        sums.of.resize(self.by_item.n_rows(), 0.0);
        sums.mark.resize(self.by_item.n_rows(), 0);
        let mut sample = std::mem::take(&mut sums.sample);
        let users = self.users(item, &mut sample);
        for (place, &first) in users.iter().enumerate() {
            sums.begin_marks();
            for &other in self.by_user.row(first as usize) {
                sums.mark[other as usize] = sums.stamp;
            }
            for &second in &users[place + 1..] {
                self.add_pair(item, first, second, sums);
            }
        }
        sums.sample = sample;
        self.best(sums)
    }

    /// The users of an item, rising; a sample where there are too many.
    fn users<'s>(&'s self, item: usize, sample: &'s mut Vec<u32>) -> &'s [u32] {
        let users = self.by_item.row(item);
        if !is_sampled(users, self.config) {
            return users;
        }
        // Of the item's own, so that it does not matter which thread comes to it when.
        let mut rng =
            Xoshiro256PlusPlus::seed_from_u64(self.seed ^ (item as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        sample.clear();
        let places = index::sample(&mut rng, users.len(), self.config.max_users);
        sample.extend(places.iter().map(|place| users[place]));
        sample.sort_unstable();
        sample
    }

    /// Adds what two users say about all items that they share beside `item`. The marks are those of `first`.
    fn add_pair(&self, item: usize, first: u32, second: u32, sums: &mut Sums) {
        let others = self.by_user.row(second as usize);
        if sums.shared.len() <= others.len() {
            sums.shared.resize(others.len() + 1, 0);
        }
        let mut n_shared = 0;
        for &other in others {
            // Written in any case and kept where it is shared: a branch here would be guessed wrong too often.
            sums.shared[n_shared] = other;
            n_shared += usize::from(sums.mark[other as usize] == sums.stamp);
        }
        if n_shared < 2 {
            return;
        }
        let both = self.weights[first as usize] * self.weights[second as usize];
        let amount = both / (self.config.alpha + n_shared as f64);
        for &other in &sums.shared[..n_shared] {
            if other as usize != item {
                if sums.of[other as usize] == 0.0 {
                    sums.touched.push(other);
                }
                sums.of[other as usize] += amount;
            }
        }
    }

    /// The best neighbours; leaves the sums at zero.
    fn best(&self, sums: &mut Sums) -> Vec<ScoredItem> {
        let mut row = Vec::with_capacity(sums.touched.len());
        for other in sums.touched.drain(..) {
            let sum = std::mem::take(&mut sums.of[other as usize]);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounding to single precision is meant"
            )]
            row.push(ScoredItem::new(ItemIdx(other), Score::clamped(sum as f32)));
        }
        if row.len() > self.config.neighbours {
            row.select_nth_unstable(self.config.neighbours - 1);
            row.truncate(self.config.neighbours);
        }
        row.sort_unstable();
        row.shrink_to_fit();
        row
    }
}
