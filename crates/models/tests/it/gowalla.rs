//! Gowalla in the `LightGCN` split, by the protocol of its published figures: every item is ranked, training items are
//! left out, Recall@20 is hits over a user's test items, NDCG@20 has the ideal list of min(20, test items) hits; both
//! are means over the users that have test items.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use catchment_models::factorization::ials::IalsModel;
use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use flate2::read::MultiGzDecoder;
use rayon::prelude::*;

/// Users that are scored together.
const BLOCK: usize = 256;
const K: usize = 20;

/// Items by user, sorted.
pub(crate) type Rows = Vec<Vec<u32>>;

pub(crate) struct Split {
    pub(crate) train: Rows,
    pub(crate) test: Rows,
    pub(crate) n_items: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quality {
    pub(crate) recall: f64,
    pub(crate) ndcg: f64,
}

/// `None` where `CATCHMENT_DATA` does not say where the data are.
pub(crate) fn open() -> Option<Split> {
    let folder = PathBuf::from(std::env::var_os("CATCHMENT_DATA")?).join("gowalla");
    let (train, test) = (
        read(&folder.join("train.txt.gz")),
        read(&folder.join("test.txt.gz")),
    );
    let n_items = train
        .iter()
        .chain(&test)
        .flatten()
        .max()
        .map_or(0, |&item| item as usize + 1);
    Some(Split { train, test, n_items })
}

fn read(path: &Path) -> Rows {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rows = Rows::new();
    for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
        let line = line.expect("text");
        let mut numbers = line
            .split_whitespace()
            .map(|number| number.parse::<u32>().expect("a number"));
        let Some(user) = numbers.next() else { continue };
        rows.resize(rows.len().max(user as usize + 1), vec![]);
        rows[user as usize].extend(numbers);
        rows[user as usize].sort_unstable();
    }
    rows
}

impl Split {
    /// Takes about a tenth of the training pairs, chosen by a hash of the pair, as the test part.
    pub(crate) fn validation(&self) -> Self {
        self.held_out(10)
    }

    /// The same of one in `n` pairs. Of a fifth, users have as many held-out items as in the test part itself: a mean over
    /// users then weighs those with few items as much as the test does.
    pub(crate) fn held_out(&self, n: u64) -> Self {
        let mut split = Self {
            train: vec![],
            test: vec![],
            n_items: self.n_items,
        };
        for (user, row) in (0u64..).zip(&self.train) {
            let held_out = |item: &u32| splitmix(user << 32 | u64::from(*item)).is_multiple_of(n);
            let (test, train) = row.iter().partition(|item| held_out(item));
            split.train.push(train);
            split.test.push(test);
        }
        split
    }

    pub(crate) fn histories(&self) -> Histories {
        let pairs = || {
            self.train
                .iter()
                .enumerate()
                .flat_map(|(user, row)| row.iter().map(move |item| (user, *item)))
        };
        let users: Vec<_> = pairs().map(|(user, _)| UserIdx::from_index(user)).collect();
        let events: Vec<_> = pairs()
            .map(|(_, item)| Event::new(ItemIdx(item), Time::UNKNOWN))
            .collect();
        Histories::group(self.train.len(), &users, &events)
    }

    /// Judges scores: `score(users, scores)` fills `[users.len(), n_items]`.
    pub(crate) fn judge(&self, score: impl Fn(&[usize], &mut [f32]) + Sync) -> Quality {
        let of_users = self.judge_users(K, score);
        let n = of_users.len() as f64;
        Quality {
            recall: of_users.iter().map(|of| of.recall).sum::<f64>() / n,
            ndcg: of_users.iter().map(|of| of.ndcg).sum::<f64>() / n,
        }
    }

    /// The same at another length, of each user that has test items.
    pub(crate) fn judge_users(&self, k: usize, score: impl Fn(&[usize], &mut [f32]) + Sync) -> Vec<Quality> {
        let users: Vec<usize> = (0..self.train.len())
            .filter(|&user| self.test.get(user).is_some_and(|row| !row.is_empty()))
            .collect();
        let parts: Vec<Vec<Quality>> = users
            .par_chunks(BLOCK)
            .map_init(
                || vec![0.0f32; BLOCK * self.n_items],
                |scores, users| {
                    let scores = &mut scores[..users.len() * self.n_items];
                    score(users, scores);
                    let rows = users.iter().zip(scores.chunks_mut(self.n_items));
                    rows.map(|(&user, scores)| self.judge_one(k, user, scores))
                        .collect()
                },
            )
            .collect();
        parts.concat()
    }

    fn judge_one(&self, k: usize, user: usize, scores: &mut [f32]) -> Quality {
        for &item in &self.train[user] {
            scores[item as usize] = f32::NEG_INFINITY;
        }
        let order = best(scores, k);
        let test = &self.test[user];
        let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
        let hits = || (0..order.len()).filter(|&rank| test.binary_search(&order[rank]).is_ok());
        let ideal: f64 = (0..k.min(test.len())).map(discount).sum();
        Quality {
            recall: hits().count() as f64 / test.len() as f64,
            ndcg: hits().map(discount).sum::<f64>() / ideal,
        }
    }

    /// Judges inner products.
    pub(crate) fn judge_ials(&self, model: &IalsModel) -> Quality {
        self.judge(|users, scores| {
            let queries: Vec<f32> = users.iter().flat_map(|&user| model.user(user)).copied().collect();
            inner_products(&queries, &model.item_vectors, model.dim, scores);
        })
    }
}

/// `[n_queries, dim]` and `[n_items, dim]` to `[n_queries, n_items]`.
pub(crate) fn inner_products(queries: &[f32], items: &[f32], dim: usize, scores: &mut [f32]) {
    let (n_queries, n_items) = (queries.len() / dim, items.len() / dim);
    let queries = MatRef::from_row_major_slice(queries, n_queries, dim);
    let items = MatRef::from_row_major_slice(items, n_items, dim);
    let out = MatMut::from_row_major_slice_mut(scores, n_queries, n_items);
    matmul(out, Accum::Replace, queries, items.transpose(), 1.0, Par::Seq);
}

/// The best `k` items: falling score, ties by item.
fn best(scores: &[f32], k: usize) -> Vec<u32> {
    let by_score = |a: &u32, b: &u32| {
        scores[*b as usize]
            .total_cmp(&scores[*a as usize])
            .then_with(|| a.cmp(b))
    };
    let (mut found, mut bar) = (Vec::with_capacity(16 * k), f32::NEG_INFINITY);
    for (item, &score) in (0u32..).zip(scores) {
        if score > bar {
            found.push(item);
            if found.len() == found.capacity() {
                found.select_nth_unstable_by(k - 1, by_score);
                found.truncate(k);
                bar = scores[found[k - 1] as usize];
            }
        }
    }
    found.sort_unstable_by(by_score);
    found.truncate(k);
    found
}

fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
