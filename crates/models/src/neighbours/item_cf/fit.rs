//! Counts which items share users.

use catchment_schema::{Histories, ItemIdx, NeighbourTable, Score, ScoredItem};
use rayon::prelude::*;

use super::{ItemCf, ItemCfConfig, Normalise};
use crate::incidence::Incidence;
use crate::progress::{Flow, Progress};
use crate::{Error, Result};

/// Candidates between two calls of progress.
const CANDIDATES_A_STEP: usize = 4096;

pub(super) fn fit(
    histories: &Histories,
    n_items: usize,
    config: &ItemCfConfig,
    progress: &mut dyn Progress,
) -> Result<ItemCf> {
    let by_user = Incidence::of_histories(histories, n_items)?;
    let by_item = by_user.transposed();
    let mean = |item: usize| by_item.row(item).len() as f64 / by_user.n_rows() as f64;

    let mut seeds = vec![Vec::new(); n_items];
    let mut item_bias = Vec::with_capacity(n_items);
    for start in (0..n_items).step_by(CANDIDATES_A_STEP) {
        let end = n_items.min(start + CANDIDATES_A_STEP);
        let rows: Vec<Vec<ScoredItem>> = (start..end)
            .into_par_iter()
            .map_init(Counts::default, |counts, item| {
                candidate_row(item, &by_user, &by_item, config, counts)
            })
            .collect();
        for (item, row) in (start..end).zip(rows) {
            let mut bias = mean(item);
            for seed in &row {
                bias -= f64::from(seed.score.get()) * mean(seed.item.index());
                seeds[seed.item.index()].push(ScoredItem::new(ItemIdx::from_index(item), seed.score));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounding to single precision is meant"
            )]
            item_bias.push(if config.center { bias as f32 } else { 0.0 });
        }
        if progress.step(end as u64, n_items as u64, "") == Flow::Stop && end < n_items {
            return Err(Error::Stopped);
        }
    }
    Ok(ItemCf {
        table: NeighbourTable::from_lists(seeds),
        item_bias,
    })
}

/// Buffers of one thread.
#[derive(Default)]
struct Counts {
    /// How many users each item shares with the candidate; all zero between candidates.
    shared: Vec<u32>,
    /// The items that share any.
    touched: Vec<u32>,
}

/// The neighbours that a candidate keeps, with their weights.
fn candidate_row(
    item: usize,
    by_user: &Incidence,
    by_item: &Incidence,
    config: &ItemCfConfig,
    counts: &mut Counts,
) -> Vec<ScoredItem> {
    let Counts { shared, touched } = counts;
    shared.resize(by_item.n_rows(), 0);
    for &user in by_item.row(item) {
        for &other in by_user.row(user as usize) {
            if shared[other as usize] == 0 {
                touched.push(other);
            }
            shared[other as usize] += 1;
        }
    }
    let n_users = by_item.row(item).len() as f64;
    let mut row = Vec::with_capacity(touched.len());
    for other in touched.drain(..) {
        let both = std::mem::take(&mut shared[other as usize]);
        if other as usize != item {
            let norm = (n_users * by_item.row(other as usize).len() as f64).sqrt();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounding to single precision is meant"
            )]
            let cosine = (f64::from(both) / norm) as f32;
            row.push(ScoredItem::new(ItemIdx(other), Score::clamped(cosine)));
        }
    }
    if row.len() > config.neighbours {
        row.select_nth_unstable(config.neighbours - 1);
        row.truncate(config.neighbours);
    }
    // Also makes the order, and with it the rounding of the sum, independent of how the selection went.
    row.sort_unstable();
    row.shrink_to_fit();
    if config.normalise == Normalise::L1 {
        let sum: f64 = row.iter().map(|neighbour| f64::from(neighbour.score.get())).sum();
        for neighbour in &mut row {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounding to single precision is meant"
            )]
            let share = (f64::from(neighbour.score.get()) / sum) as f32;
            neighbour.score = Score::clamped(share);
        }
    }
    row
}
