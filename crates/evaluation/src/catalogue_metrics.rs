//! What lists do to the catalogue: how much of it they show, how evenly, how new, how popular.
//!
//! With `L_u` the first k of user u's list, `n` the number of competing items, and the popularity `p(i)` = how many
//! users had i before (each once), of `N` users with any history:
//!
//! - **`coverage@k`** = `|∪_u L_u| / n` (Ge, Delgado-Battenfeld & Jannach 2010, *catalog coverage*).
//! - **`gini@k`** = `Σ_j (2j − n − 1) x_j / ((n − 1) Σ_j x_j)` with `x_1 ≤ … ≤ x_n` how many lists each item is in, those in none
//!   included: 0 when all are shown alike, 1 when one takes all (Shani & Gunawardana 2011, *Evaluating Recommendation
//!   Systems*, section 8.3.7).
//! - **`novelty@k`** = mean over users of `mean_{i ∈ L_u} log2(N / max(1, p(i)))` bits: the self-information that a random
//!   user would have the item (Zhou et al. 2010). An item that nobody had counts as had by one user: a lower bound.
//! - **`popularity_lift@k`** = `Σ_u mean_{i ∈ L_u} p(i)` over `Σ_u mean_{i ∈ H_u} p(i)`, `H_u` the user's earlier items, over users who
//!   have both: 1 when the lists are as popular as what users chose by themselves (Abdollahpouri et al. 2019 give this
//!   minus 1).
//! - **`popularity_vs_held_out@k`**: the same with the user's held-out items in the place of `H_u`: 1 when the lists are as
//!   popular as what users went on to choose.
//!
//! Items beyond the vocabulary have no popularity and are left out of all means; users with nothing left, too.

use std::sync::atomic::{AtomicU32, Ordering};

use catchment_schema::{ItemIdx, UserIdx};

use crate::metric_table::MetricTable;
use crate::seen_items::SeenItems;

/// How many users had each item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPopularity {
    counts: Vec<u32>,
    /// Bits, by item.
    self_information: Vec<f64>,
}

impl ItemPopularity {
    /// Counts what was seen, for a catalogue of `n_items`.
    pub fn count(seen: &SeenItems, n_items: usize) -> Self {
        let mut counts = vec![0u32; n_items];
        let mut n_users = 0u32;
        for user in 0..seen.n_users() {
            let items = seen.of(UserIdx::from_index(user));
            n_users += u32::from(!items.is_empty());
            for item in items {
                if let Some(count) = counts.get_mut(item.index()) {
                    *count += 1;
                }
            }
        }
        let bits = |&count: &u32| (f64::from(n_users.max(1)) / f64::from(count.max(1))).log2();
        Self {
            self_information: counts.iter().map(bits).collect(),
            counts,
        }
    }

    /// How many users had each item.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    fn mean(&self, items: &[ItemIdx]) -> Option<f64> {
        let known = items.iter().filter_map(|item| self.counts.get(item.index()));
        let (n, sum) = known.fold((0u32, 0.0), |(n, sum), &count| (n + 1, sum + f64::from(count)));
        (n > 0).then(|| sum / f64::from(n))
    }
}

/// How often each item is shown, by any number of threads at once: counts have no order.
pub(crate) struct Exposure {
    n_items: usize,
    /// Cut-offs, rising.
    ks: Vec<usize>,
    /// `[n_ks, n_items]`: how many lists have the item at a rank up to this k and beyond the k before.
    counts: Vec<AtomicU32>,
}

impl Exposure {
    pub(crate) fn new(ks: &[usize], n_items: usize) -> Self {
        let mut ks = ks.to_vec();
        ks.sort_unstable();
        let counts = std::iter::repeat_with(|| AtomicU32::new(0)).take(ks.len() * n_items);
        Self {
            counts: counts.collect(),
            n_items,
            ks,
        }
    }

    pub(crate) fn add(&self, list: &[ItemIdx]) {
        let mut start = 0;
        for (row, &k) in self.ks.iter().enumerate() {
            let end = k.min(list.len());
            for item in &list[start..end] {
                if item.index() < self.n_items {
                    self.counts[row * self.n_items + item.index()].fetch_add(1, Ordering::Relaxed);
                }
            }
            start = end;
        }
    }

    /// Coverage and Gini of each cut-off, rising.
    fn measure(&self) -> Vec<(usize, f64, f64)> {
        let mut shown = vec![0u64; self.n_items];
        let rows = self.counts.chunks(self.n_items.max(1));
        let of_row = |(&k, row): (&usize, &[AtomicU32])| {
            for (shown, count) in shown.iter_mut().zip(row) {
                *shown += u64::from(count.load(Ordering::Relaxed));
            }
            let covered = shown.iter().filter(|&&count| count > 0).count();
            (k, covered as f64 / self.n_items as f64, gini(&shown))
        };
        self.ks.iter().zip(rows).map(of_row).collect()
    }
}

/// The Gini index of counts; 0 where there is nothing to compare.
fn gini(counts: &[u64]) -> f64 {
    let n = counts.len() as f64;
    let total: u64 = counts.iter().sum();
    if counts.len() < 2 || total == 0 {
        return 0.0;
    }
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let weighted: f64 = (1u32..)
        .zip(&sorted)
        .map(|(j, &count)| (2.0 * f64::from(j) - n - 1.0) * count as f64)
        .sum();
    weighted / ((n - 1.0) * total as f64)
}

/// What some users' lists add to novelty and popularity, by cut-off in the order of the config.
#[derive(Clone, Debug)]
pub(crate) struct ListPopularity {
    rows: Vec<PopularitySums>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PopularitySums {
    users: u64,
    novelty: f64,
    /// Of the lists and of what they are compared with.
    against_history: [f64; 2],
    against_held_out: [f64; 2],
}

impl ListPopularity {
    pub(crate) fn new(n_ks: usize) -> Self {
        Self {
            rows: vec![PopularitySums::default(); n_ks],
        }
    }

    /// Adds one user's list.
    pub(crate) fn add(
        &mut self,
        ks: &[usize],
        popularity: &ItemPopularity,
        list: &[ItemIdx],
        history: &[ItemIdx],
        held_out: &[ItemIdx],
    ) {
        let (history, held_out) = (popularity.mean(history), popularity.mean(held_out));
        for (row, &k) in self.rows.iter_mut().zip(ks) {
            let first = &list[..k.min(list.len())];
            let Some(of_list) = popularity.mean(first) else {
                continue;
            };
            let bits = |item: &ItemIdx| popularity.self_information.get(item.index());
            let (n, sum) = first
                .iter()
                .filter_map(bits)
                .fold((0u32, 0.0), |(n, sum), bits| (n + 1, sum + bits));
            row.users += 1;
            row.novelty += sum / f64::from(n);
            for (sums, other) in [
                (&mut row.against_history, history),
                (&mut row.against_held_out, held_out),
            ] {
                if let Some(other) = other {
                    sums[0] += of_list;
                    sums[1] += other;
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            row.users += other.users;
            row.novelty += other.novelty;
            for side in 0..2 {
                row.against_history[side] += other.against_history[side];
                row.against_held_out[side] += other.against_held_out[side];
            }
        }
    }
}

/// All values by name, metric by metric, each at every cut-off in the order of `ks`. What cannot be said (no user has
/// both sides of a lift) is left out.
pub(crate) fn table(ks: &[usize], exposure: &Exposure, lists: Option<&ListPopularity>) -> MetricTable {
    let measured = exposure.measure();
    let at = |k: usize| measured.iter().find(|row| row.0 == k);
    let ratio = |[list, other]: [f64; 2]| (other > 0.0).then(|| list / other);
    let mut values: Vec<(String, f64)> = Vec::new();
    let mut add = |name: &str, value: &dyn Fn(usize, usize) -> Option<f64>| {
        let named = ks.iter().enumerate().filter_map(|(position, &k)| {
            let value = value(position, k).filter(|value| value.is_finite());
            Some((format!("{name}@{k}"), value?))
        });
        values.extend(named);
    };
    add("coverage", &|_, k| at(k).map(|row| row.1));
    add("gini", &|_, k| at(k).map(|row| row.2));
    if let Some(ListPopularity { rows }) = lists {
        add("novelty", &|position, _| {
            let row = &rows[position];
            (row.users > 0).then(|| row.novelty / row.users as f64)
        });
        add("popularity_lift", &|position, _| {
            ratio(rows[position].against_history)
        });
        add("popularity_vs_held_out", &|position, _| {
            ratio(rows[position].against_held_out)
        });
    }
    values.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gini_is_0_for_equal_shares_and_1_when_one_takes_all() {
        assert!(gini(&[3, 3, 3]).abs() < 1e-12);
        assert!((gini(&[0, 0, 7]) - 1.0).abs() < 1e-12);
        // (−2·0 + 0·1 + 2·3) / (2 · 4)
        assert!((gini(&[3, 0, 1]) - 0.75).abs() < 1e-12);
        assert!(gini(&[]).abs() + gini(&[4]).abs() + gini(&[0, 0]).abs() < 1e-12);
    }

    #[test]
    fn values_by_hand() {
        // Four users with a history; item 0 was had by all, item 1 by two, item 2 by one, item 3 by nobody.
        let seen = SeenItems::from_csr(&[0, 1, 3, 6, 7], &[0, 0, 1, 0, 1, 2, 0]).expect("rows");
        let popularity = ItemPopularity::count(&seen, 4);
        assert_eq!(popularity.counts(), [4, 2, 1, 0]);
        let ks = [2, 1];
        let exposure = Exposure::new(&ks, 4);
        let mut lists = ListPopularity::new(2);
        let items = |list: &[u32]| list.iter().map(|&item| ItemIdx(item)).collect::<Vec<_>>();
        for (user, list, held_out) in [(0, &[1, 3][..], &[2][..]), (1, &[2, 9], &[9]), (7, &[], &[0])] {
            let list = items(list);
            exposure.add(&list);
            lists.add(&ks, &popularity, &list, seen.of(UserIdx(user)), &items(held_out));
        }
        let table = table(&ks, &exposure, Some(&lists));
        let check = |name: &str, expect: f64| {
            let value = table[name];
            assert!(
                (value - expect).abs() < 1e-12,
                "{name}: {value} instead of {expect}"
            );
        };
        check("coverage@1", 0.5);
        check("coverage@2", 0.75);
        check("novelty@1", f64::midpoint(1.0, 2.0));
        check("novelty@2", f64::midpoint(1.5, 2.0)); // item 9 is unknown, item 3 counts as had by one
        check("popularity_lift@1", (2.0 + 1.0) / (4.0 + 3.0));
        check("popularity_lift@2", (1.0 + 1.0) / (4.0 + 3.0));
        check("popularity_vs_held_out@1", 2.0 / 1.0); // user 1 held out what nobody knows
        assert_eq!(
            table.keys().take(4).collect::<Vec<_>>(),
            ["coverage@2", "coverage@1", "gini@2", "gini@1"]
        );
    }
}
