//! What each channel adds to what the others find.

use catchment_schema::ItemIdx;
use serde::{Deserialize, Serialize};

/// Channels beside each other, on the first `k` of each one's list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// How many items of each list are looked at.
    pub k: usize,
    /// The channels, in order; everything below is in this order.
    pub channels: Vec<String>,
    /// `overlap[a][b]`: the Jaccard index `|A ∩ B| / |A ∪ B|` of two channels' lists, mean over users for whom either has any.
    pub overlap: Vec<Vec<f64>>,
    /// Held-out items that a channel has.
    pub hits: Vec<u64>,
    /// Held-out items that this channel has and no other.
    pub unique_hits: Vec<u64>,
    /// Recall of the channel alone, mean over users.
    pub recall_alone: Vec<f64>,
    /// Recall of all channels' lists together, mean over users: what no order of the same items can exceed.
    pub recall_union: f64,
    /// Recall of all channels' lists together but this one's. [`Attribution::recall_union`] minus it is what the
    /// channel adds.
    pub recall_without: Vec<f64>,
}

impl Attribution {
    /// What the union loses without a channel, in the order of the channels.
    pub fn marginal_recall(&self) -> Vec<f64> {
        self.recall_without
            .iter()
            .map(|without| self.recall_union - without)
            .collect()
    }
}

/// Sums over some users.
#[derive(Clone, Debug)]
pub(crate) struct AttributionSums {
    n_channels: usize,
    users: u64,
    /// `[n_channels, n_channels]`: sums and for how many users.
    jaccard: Vec<(f64, u64)>,
    hits: Vec<u64>,
    unique_hits: Vec<u64>,
    recall_alone: Vec<f64>,
    recall_union: f64,
    recall_without: Vec<f64>,
}

impl AttributionSums {
    pub(crate) fn new(n_channels: usize) -> Self {
        Self {
            n_channels,
            users: 0,
            jaccard: vec![(0.0, 0); n_channels * n_channels],
            hits: vec![0; n_channels],
            unique_hits: vec![0; n_channels],
            recall_alone: vec![0.0; n_channels],
            recall_union: 0.0,
            recall_without: vec![0.0; n_channels],
        }
    }

    /// Adds one user.
    ///
    /// # Shapes
    /// `lists`: `[n_channels]`, each sorted by item, without duplicates. `reachable` and `n_relevant` as in
    /// [`crate::ListMetrics::add`].
    pub(crate) fn add(&mut self, lists: &[&[ItemIdx]], reachable: &[ItemIdx], n_relevant: usize) {
        self.users += 1;
        for (a, list) in lists.iter().enumerate() {
            for (b, other) in lists.iter().enumerate().skip(a + 1) {
                let common = n_common(list, other);
                let together = list.len() + other.len() - common;
                if together > 0 {
                    let cell = &mut self.jaccard[a * self.n_channels + b];
                    cell.0 += common as f64 / together as f64;
                    cell.1 += 1;
                }
            }
        }
        let n_relevant = n_relevant as f64;
        for item in reachable {
            let has = |list: &&[ItemIdx]| list.binary_search(item).is_ok();
            let n_having = lists.iter().filter(|list| has(list)).count();
            if n_having == 0 {
                continue;
            }
            self.recall_union += 1.0 / n_relevant;
            for (channel, list) in lists.iter().enumerate() {
                let has = has(list);
                self.hits[channel] += u64::from(has);
                self.unique_hits[channel] += u64::from(has && n_having == 1);
                if has {
                    self.recall_alone[channel] += 1.0 / n_relevant;
                }
                if !has || n_having > 1 {
                    self.recall_without[channel] += 1.0 / n_relevant;
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.users += other.users;
        for (cell, other) in self.jaccard.iter_mut().zip(&other.jaccard) {
            cell.0 += other.0;
            cell.1 += other.1;
        }
        for channel in 0..self.n_channels {
            self.hits[channel] += other.hits[channel];
            self.unique_hits[channel] += other.unique_hits[channel];
            self.recall_alone[channel] += other.recall_alone[channel];
            self.recall_without[channel] += other.recall_without[channel];
        }
        self.recall_union += other.recall_union;
    }

    pub(crate) fn finish(self, k: usize, channels: Vec<String>) -> Attribution {
        let n = self.users.max(1) as f64;
        let means = |sums: Vec<f64>| sums.into_iter().map(|sum| sum / n).collect();
        let cell = |a: usize, b: usize| {
            if a == b {
                return 1.0;
            }
            let (sum, users) = self.jaccard[a.min(b) * self.n_channels + a.max(b)];
            if users == 0 { 0.0 } else { sum / users as f64 }
        };
        let rows = 0..self.n_channels;
        Attribution {
            k,
            channels,
            overlap: rows
                .clone()
                .map(|a| rows.clone().map(|b| cell(a, b)).collect())
                .collect(),
            hits: self.hits,
            unique_hits: self.unique_hits,
            recall_alone: means(self.recall_alone),
            recall_union: self.recall_union / n,
            recall_without: means(self.recall_without),
        }
    }
}

/// How many items two sorted lists share.
fn n_common(a: &[ItemIdx], b: &[ItemIdx]) -> usize {
    let (mut a, mut b, mut n) = (a.iter().peekable(), b.iter().peekable(), 0);
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                n += 1;
                a.next();
                b.next();
            }
        }
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_users_and_three_channels_by_hand() {
        let items = |list: &[u32]| list.iter().map(|&item| ItemIdx(item)).collect::<Vec<_>>();
        let mut sums = AttributionSums::new(3);
        let mut more = AttributionSums::new(3);
        let (a, b, c) = (items(&[1, 2, 3]), items(&[2, 3, 4]), items(&[]));
        // Held out 1, 3, 9 and one that is cold.
        sums.add(&[&a, &b, &c], &items(&[1, 3, 9]), 4);
        let (a, b, c) = (items(&[]), items(&[]), items(&[5]));
        more.add(&[&a, &b, &c], &items(&[5]), 1);
        sums.merge(&more);
        let found = sums.finish(3, ["a", "b", "c"].map(str::to_owned).to_vec());
        let close = |value: f64, expect: f64| assert!((value - expect).abs() < 1e-12, "{value} {expect}");
        close(found.overlap[0][1], 0.5); // the second user has neither and does not count
        close(found.overlap[1][0], 0.5);
        close(found.overlap[0][2], 0.0);
        close(found.overlap[2][2], 1.0);
        assert_eq!((found.hits, found.unique_hits), (vec![2, 1, 1], vec![1, 0, 1]));
        close(found.recall_union, f64::midpoint(2.0 / 4.0, 1.0));
        close(found.recall_alone[0], 2.0 / 4.0 / 2.0);
        close(found.recall_without[0], f64::midpoint(1.0 / 4.0, 1.0));
        close(found.recall_without[1], found.recall_union);
        close(found.recall_without[2], 2.0 / 4.0 / 2.0);
    }
}
