//! Skip-gram with negative sampling: vectors from what occurs together in sessions.
//!
//! Mikolov et al., *Distributed Representations of Words and Phrases and their Compositionality* (2013); for items,
//! Barkan and Koenigstein, *Item2Vec* (2016). Every item has an input vector `u` and an output vector `v`. For each pair
//! of an item and one of its context, and `K` negatives drawn by a power of the frequency,
//!
//! ```text
//! log σ(⟨u_i, v_j⟩) + Σ_k log σ(−⟨u_i, v_k⟩)
//! ```
//!
//! is climbed by stochastic gradient steps. Input vectors are what is used afterwards, compared by cosine.
//!
//! Good for: what goes with what, from sessions or baskets without users; millions of items; fast. Not for: items with
//! few events, which it knows nothing of, and the order of what somebody does.
//!
//! Where we depart from the papers: a negative that is the positive is drawn again, not skipped. An item's contexts
//! are trained from the item's side (its input vector against their output vectors): over a session these are the same
//! ordered pairs as word2vec's, which goes the other way round.

mod config;
mod deterministic;
mod item_vectors;
mod kernel;
mod lanes;
mod lock_free;
mod model;
mod plan;
mod record;
mod rows;
mod sigmoid;
#[cfg(test)]
mod tests;
mod worker;

/// How a recipe asks for sessions; here for those who configure a model and make no sessions.
pub use catchment_sampling::{SessionsConfig, SessionsFrom};
pub use config::{Decay, Parallel, SgnsConfig};
pub use item_vectors::{ITEMS_FILE, ItemVectors, OUTPUT_FILE};
pub use model::{SgnsModel, SgnsReport, memory_bytes};

use catchment_sampling::{Session, SessionSource, Unigram, Walk};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::progress::{Flow, Progress};
use crate::{Error, Result};
use deterministic::Lanes;
use kernel::Kernel;
use rows::Rows;
use worker::{Done, Task};

/// Steps of progress in an epoch, about.
const STEPS_AN_EPOCH: usize = 32;

/// Learns vectors for `n_items` items from sessions. Progress counts events; its note is the mean loss of a pair with
/// its negatives, and how many pairs were trained so far.
///
/// An item in no session has a zero vector.
///
/// # Errors
/// [`Error::Config`] and [`Error::Sampling`]; [`Error::NoInteractions`] without sessions, [`Error::NoPairs`] where none
/// has two different items; [`Error::UnknownSessionItem`]; [`Error::Diverged`]; [`Error::Stopped`] when progress says
/// so; [`Error::File`] when sessions cannot be read.
pub fn fit(
    source: &dyn SessionSource,
    n_items: usize,
    config: &SgnsConfig,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<SgnsModel> {
    config.validate()?;
    let counts = count(source, n_items)?;
    let total_events: u64 = counts.iter().sum();
    let walk = Walk::new(config.context, config.subsample, &counts)?;
    let negatives = Unigram::new(&counts, config.exponent)?;
    let (input, output) = (start(&counts, config.dim, seed), Rows::zeros(n_items, config.dim));
    let task = Task {
        config,
        walk: &walk,
        negatives: &negatives,
        kernel: Kernel::best(),
        tables: [&input, &output],
        seed,
    };
    let mut lanes = (config.parallel == Parallel::Deterministic).then(|| Lanes::new(&task, source));
    let mut report = SgnsReport {
        events: total_events,
        ..SgnsReport::default()
    };
    let all_events = total_events * u64::from(config.epochs);
    let mut watch = Watch::new(progress, all_events);
    for epoch in 0..config.epochs {
        let mut shards: Vec<usize> = (0..source.n_shards()).collect();
        shards.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(
            seed.wrapping_add(0x5851_F42D_4C95_7F2D_u64.wrapping_mul(u64::from(epoch) + 1)),
        ));
        let before = watch.done;
        if let Some(lanes) = &mut lanes {
            lanes.begin_epoch(epoch, &shards);
            let mut is_left = true;
            while is_left {
                let rate = config.rate(watch.done.events as f64 / all_events as f64);
                is_left = lanes.round(rate, &mut watch.done)?;
                watch.step(is_left || epoch + 1 < config.epochs, total_events)?;
            }
        } else {
            let some = shards
                .len()
                .div_ceil(STEPS_AN_EPOCH)
                .max(rayon::current_num_threads());
            for (number, some_shards) in shards.chunks(some).enumerate() {
                let events = [watch.done.events, all_events];
                let done = lock_free::train(&task, source, epoch, some_shards, events)?;
                watch.done.add(&done);
                let is_last = (number + 1) * some >= shards.len() && epoch + 1 == config.epochs;
                watch.step(!is_last, 0)?;
            }
        }
        let pairs = watch.done.loss_pairs - before.loss_pairs;
        report
            .losses
            .push((watch.done.loss - before.loss) / pairs.max(1) as f64);
        if watch.done.pairs == 0 {
            return Err(Error::NoPairs);
        }
        if !report.losses.iter().all(|loss| loss.is_finite()) {
            return Err(Error::Diverged { model: "sgns" });
        }
    }
    drop(lanes);
    report.pairs = watch.done.pairs;
    report.targets = watch.done.targets;
    SgnsModel::new(config, [&input, &output], report)
}

/// How often each item occurs.
fn count(source: &dyn SessionSource, n_items: usize) -> Result<Vec<u64>> {
    let mut counts = vec![0; n_items];
    let mut session = Session::default();
    for shard in 0..source.n_shards() {
        let mut stream = source.shard(shard)?;
        while stream.next_session(&mut session)? {
            for item in &session.items {
                *counts.get_mut(item.index()).ok_or(Error::UnknownSessionItem {
                    item: item.0,
                    n_items,
                })? += 1;
            }
        }
    }
    if counts.iter().all(|&count| count == 0) {
        return Err(Error::NoInteractions);
    }
    Ok(counts)
}

/// Numbers evenly from −1/2 to 1/2, over the width; zero for an item that does not occur.
fn start(counts: &[u64], dim: usize, seed: u64) -> Rows {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut vectors = vec![0.0; counts.len() * dim];
    for (vector, _) in vectors
        .chunks_exact_mut(dim)
        .zip(counts)
        .filter(|(_, count)| **count > 0)
    {
        vector.fill_with(|| (rng.random::<f32>() - 0.5) / dim as f32);
    }
    Rows::from_vectors(&vectors, dim)
}

/// Tells progress, not too often.
struct Watch<'a> {
    progress: &'a mut dyn Progress,
    done: Done,
    total: u64,
    told: Done,
}

impl<'a> Watch<'a> {
    fn new(progress: &'a mut dyn Progress, total: u64) -> Self {
        Self {
            progress,
            done: Done::default(),
            total,
            told: Done::default(),
        }
    }

    /// Tells what was done, where it is enough of an epoch or the last of all.
    fn step(&mut self, is_more: bool, epoch_events: u64) -> Result<()> {
        let since = self.done.events - self.told.events;
        if is_more && since * (STEPS_AN_EPOCH as u64) < epoch_events {
            return Ok(());
        }
        let pairs = self.done.loss_pairs - self.told.loss_pairs;
        let loss = (self.done.loss - self.told.loss) / pairs.max(1) as f64;
        let note = format!("loss {loss:.4}, {:.1}M pairs", self.done.pairs as f64 / 1e6);
        self.told = self.done;
        let flow = self.progress.step(self.done.events, self.total, &note);
        if flow == Flow::Stop && is_more {
            return Err(Error::Stopped);
        }
        Ok(())
    }
}
