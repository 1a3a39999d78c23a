//! How the views are dealt out to the users, and the users to shards.

use std::ops::Range;

use rayon::prelude::*;

use super::MarketplaceConfig;
use super::calendar::Calendar;
use super::person::Person;
use super::places::Market;
use super::walk::MOST_PER_DAY;
use crate::Result;
use crate::catalogue::whole;
use crate::config::{SECONDS_PER_DAY, check};

/// The fewest views of a user who is not cold.
const FEWEST: u64 = 3;
/// Users whose weights are summed as one: all that is kept of 64 users is 16 bytes.
const BLOCK: u32 = 64;
/// A shard has so many views at least (the last one excepted), and at most one block's more.
const SHARD_VIEWS: u64 = 1 << 16;

/// Sums over blocks of users, from which each user's share follows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crowd {
    /// Weight and fewest views of all users before each block; one more than there are blocks.
    before: Vec<(f64, u64)>,
    n_users: u32,
    /// Views that are dealt out by weight.
    free: u64,
}

impl Crowd {
    pub(crate) fn new(config: &MarketplaceConfig, calendar: &Calendar, markets: &[Market]) -> Result<Self> {
        let n_blocks = config.n_users.div_ceil(BLOCK);
        let blocks: Vec<(f64, u64, f64)> = (0..n_blocks)
            .into_par_iter()
            .map(|block| {
                let users = block * BLOCK..(block.saturating_add(1) * BLOCK).min(config.n_users);
                users.fold((0.0, 0, 0.0), |(weight, fewest, most), user| {
                    let person = Person::new(config, calendar, markets, user);
                    let of_user = person.weight(config);
                    (
                        weight + of_user,
                        fewest + fewest_of(&person),
                        f64::max(most, person.activity),
                    )
                })
            })
            .collect();
        let mut before = Vec::with_capacity(blocks.len() + 1);
        before.push((0.0, 0));
        let (mut weight, mut fewest, mut most) = (0.0, 0, 0.0f64);
        for block in blocks {
            weight += block.0;
            fewest += block.1;
            most = most.max(block.2);
            before.push((weight, fewest));
        }
        let free = config.n_views - fewest.min(config.n_views);
        // The most active user has time for no more.
        let per_day = most * SECONDS_PER_DAY as f64 / weight * free as f64;
        let (allowed, days) = (f64::from(MOST_PER_DAY), f64::from(config.n_days));
        check("n_views", config.n_views, per_day <= allowed, || {
            let most = whole(config.n_views as f64 * allowed / per_day);
            format!("at most about {most} with these n_users and {days} days: more users or more days")
        })?;
        Ok(Self {
            before,
            n_users: config.n_users,
            free,
        })
    }

    /// How many views the users of one shard have, in order.
    pub(crate) fn counts(
        &self,
        users: Range<u32>,
        mut weight_of: impl FnMut(u32) -> (Person, f64),
    ) -> Vec<(Person, u64)> {
        let mut counts = Vec::with_capacity(users.len());
        let mut weight_in_block = 0.0;
        for user in users {
            let block = (user / BLOCK) as usize;
            if user % BLOCK == 0 {
                weight_in_block = 0.0;
            }
            let from = self.dealt(self.before[block].0 + weight_in_block);
            let (person, weight) = weight_of(user);
            weight_in_block += weight;
            let to = self.dealt(self.before[block].0 + weight_in_block);
            let count = fewest_of(&person) + (to - from);
            counts.push((person, count));
        }
        counts
    }

    /// Runs of users with about equally many views, which begin and end with a block.
    pub(crate) fn shards(&self) -> Vec<Range<u32>> {
        let views_before = |block: usize| {
            let (weight, fewest) = self.before[block];
            fewest + self.dealt(weight)
        };
        let mut shards = Vec::new();
        let mut first = 0;
        for block in 1..self.before.len() {
            let is_last = block + 1 == self.before.len();
            if is_last || views_before(block) - views_before(first) >= SHARD_VIEWS {
                let user = |block: usize| u32::try_from(block).unwrap_or(u32::MAX).saturating_mul(BLOCK);
                shards.push(user(first)..user(block).min(self.n_users));
                first = block;
            }
        }
        shards
    }

    /// The first user of the block that a user is in.
    pub(crate) fn block_start(user: u32) -> u32 {
        user / BLOCK * BLOCK
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.before)
    }

    /// How many of the free views go to users up to a sum of weights. All of them to all users, whatever rounding
    /// does on the way.
    fn dealt(&self, weight: f64) -> u64 {
        let total = self.before.last().map_or(0.0, |last| last.0);
        if weight >= total {
            return self.free;
        }
        long(weight / total * self.free as f64).min(self.free)
    }
}

fn fewest_of(person: &Person) -> u64 {
    if person.is_cold { 1 } else { FEWEST }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion from float saturates, which is what is wanted"
)]
fn long(value: f64) -> u64 {
    value as u64
}
