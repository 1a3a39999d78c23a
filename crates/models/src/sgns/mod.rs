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
//! is climbed by stochastic gradient steps. An [`Objective`] adds terms to it (Airbnb's). Input vectors are what is used afterwards, compared by cosine.
//!
//! Good for: what goes with what, from sessions or baskets without users; millions of items; fast. Not for: items with
//! few events, of which it knows little (those without any may be placed by their content,
//! [`SgnsModel::place_cold`]), and the order of what somebody does.
//!
//! Where we depart from the papers: a negative that is the positive is drawn again, not skipped. An item's contexts
//! are trained from the item's side (its input vector against their output vectors): over a session these are the same
//! ordered pairs as word2vec's, which goes the other way round. With `negatives_form = "shared"` the pairs of a centre
//! share their negatives: another estimate of the same objective, faster, and measured beside the classical one.

mod checkpoint;
mod cold;
mod config;
mod deterministic;
mod item_vectors;
mod kernel;
mod lanes;
mod lock_free;
mod model;
mod objective;
mod plan;
mod record;
mod rows;
mod sigmoid;
#[cfg(test)]
mod tests;
mod watch;
mod window;
mod worker;

/// How a recipe asks for sessions; here for those who configure a model and make no sessions.
pub use catchment_sampling::{SessionsConfig, SessionsFrom};
pub use cold::{ColdConfig, ColdReport};
pub use config::{Decay, NegativesForm, Parallel, SgnsConfig};
pub(crate) use item_vectors::normalise;
pub use item_vectors::{ITEMS_FILE, ItemVectors, OUTPUT_FILE};
pub use model::{SgnsModel, SgnsReport, memory_bytes};
pub use objective::{GroupNegatives, Objective};

use std::path::Path;

use catchment_sampling::{Session, SessionSource, Unigram, Walk};
use catchment_schema::ItemIdx;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use xxhash_rust::xxh3::Xxh3Default;

use crate::progress::{Flow, Progress};
use crate::{Error, Result};
use checkpoint::{Checkpoint, Position, Run};
use deterministic::Lanes;
use kernel::Kernel;
use objective::Drawn;
use rows::Rows;
use watch::{STEPS_AN_EPOCH, Watch};
use worker::Task;

/// Learns vectors for `n_items` items from sessions. Progress counts events; its note is the mean loss of a pair with
/// its negatives, and how many pairs were trained so far.
///
/// An item in no session has a zero vector.
///
/// # Errors
/// [`Error::Config`] and [`Error::Sampling`]; [`Error::NoSessions`] without sessions, [`Error::NoPairs`] where none
/// has two different items; [`Error::UnknownSessionItem`]; [`Error::Diverged`]; [`Error::Stopped`] when progress says
/// so; [`Error::File`] when sessions cannot be read.
pub fn fit(
    source: &dyn SessionSource,
    n_items: usize,
    config: &SgnsConfig,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<SgnsModel> {
    fit_objective(
        source,
        n_items,
        config,
        &Objective::default(),
        seed,
        None,
        progress,
    )
}

/// As [`fit`]; but when progress stops it, and after every epoch, what was done so far is left in the file
/// `checkpoint`, and where there is one of the same training, it is taken up.
///
/// In deterministic mode the bytes are then those of a training that was never stopped, on any number of threads (and
/// on a CPU with the same kind of vector instructions, as always). The file stays when the training is over: whoever
/// has saved the model takes it away.
///
/// # Errors
/// As [`fit`]; [`Error::OtherRun`] for a checkpoint of other settings, another seed, or other sessions; [`Error::File`]
/// for a damaged one, or where the disk refuses.
pub fn fit_or_resume(
    source: &dyn SessionSource,
    n_items: usize,
    config: &SgnsConfig,
    seed: u64,
    checkpoint: &Path,
    progress: &mut dyn Progress,
) -> Result<SgnsModel> {
    let objective = Objective::default();
    fit_objective(
        source,
        n_items,
        config,
        &objective,
        seed,
        Some(checkpoint),
        progress,
    )
}

/// [`fit`] and, with a `checkpoint`, [`fit_or_resume`], for an objective with more terms. A goal that is a positive
/// counts as a pair, and the loss is over all terms of centres that have a positive.
///
/// # Errors
/// As these; [`Error::Sampling`] also where not every item has a group; [`Error::OtherRun`] also for a checkpoint of
/// other terms.
pub fn fit_objective(
    source: &dyn SessionSource,
    n_items: usize,
    config: &SgnsConfig,
    objective: &Objective,
    seed: u64,
    checkpoint: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<SgnsModel> {
    config.validate()?;
    let (counts, sessions) = count(source, n_items)?;
    let total_events: u64 = counts.iter().sum();
    let walk = Walk::new(config.context, config.subsample, &counts)?;
    let negatives = Unigram::new(&counts, config.exponent)?;
    let (objective, terms) = (Drawn::new(objective, &counts, config.exponent)?, objective.hash());
    let checkpoint = checkpoint.map(|path| {
        let run = Run {
            config: config.clone(),
            seed,
            n_items,
            objective: terms,
            sessions,
        };
        Checkpoint::new(path, run)
    });
    let found = checkpoint.as_ref().map_or(Ok(None), Checkpoint::read)?;
    let (mut at, [input, output]) = found.unwrap_or_else(|| {
        let tables = [start(&counts, config.dim, seed), Rows::zeros(n_items, config.dim)];
        (Position::default(), tables)
    });
    let task = Task {
        config,
        walk: &walk,
        negatives: &negatives,
        objective: &objective,
        kernel: Kernel::best(),
        tables: [&input, &output],
        seed,
    };
    let mut lanes = (config.parallel == Parallel::Deterministic).then(|| Lanes::new(&task, source));
    let all_events = total_events * u64::from(config.epochs);
    let mut watch = Watch::new(progress, [at.done, at.told], all_events);
    let leave = |at: &mut Position, watch: &Watch<'_>| {
        (at.done, at.told) = (watch.done, watch.told);
        let left = checkpoint.as_ref().map(|file| file.write(at, task.tables));
        left.unwrap_or(Ok(()))
    };
    while at.epoch < config.epochs {
        let is_last = at.epoch + 1 == config.epochs;
        let shards = shuffled(source.n_shards(), seed, at.epoch);
        if let Some(lanes) = &mut lanes {
            lanes.begin_epoch(at.epoch, &shards);
            let positions = std::mem::take(&mut at.lanes);
            if !positions.is_empty() && !lanes.go_on(&positions)? {
                let path = checkpoint.as_ref().map(Checkpoint::path);
                return Err(Checkpoint::other_sessions(path.unwrap_or_default()));
            }
            let mut is_left = lanes.is_left();
            while is_left {
                let rate = config.rate(watch.done.events as f64 / all_events as f64);
                is_left = lanes.round(rate, &mut watch.done)?;
                if watch.step(is_left || !is_last, total_events) == Flow::Stop {
                    at.lanes = lanes.position();
                    leave(&mut at, &watch)?;
                    return Err(Error::Stopped);
                }
            }
        } else {
            let some = shards
                .len()
                .div_ceil(STEPS_AN_EPOCH)
                .max(rayon::current_num_threads());
            while at.shards < shards.len() {
                let events = [watch.done.events, all_events];
                let next = shards.len().min(at.shards + some);
                let done = lock_free::train(&task, source, at.epoch, &shards[at.shards..next], events)?;
                at.shards = next;
                watch.done.add(&done);
                if watch.step(next < shards.len() || !is_last, 0) == Flow::Stop {
                    leave(&mut at, &watch)?;
                    return Err(Error::Stopped);
                }
            }
            at.shards = 0;
        }
        let pairs = watch.done.loss_pairs - at.at_epoch.loss_pairs;
        let loss = (watch.done.loss - at.at_epoch.loss) / pairs.max(1) as f64;
        if watch.done.pairs == 0 {
            return Err(Error::NoPairs);
        }
        if !loss.is_finite() {
            return Err(Error::Diverged { model: "sgns" });
        }
        at.losses.push(loss.to_bits());
        at.at_epoch = watch.done;
        at.epoch += 1;
        if !is_last {
            leave(&mut at, &watch)?;
        }
    }
    drop(lanes);
    let report = SgnsReport {
        events: total_events,
        pairs: watch.done.pairs,
        targets: watch.done.targets,
        losses: at.losses.into_iter().map(f64::from_bits).collect(),
    };
    SgnsModel::new(config, [input, output], report)
}

/// The order in which an epoch reads its shards.
fn shuffled(n_shards: usize, seed: u64, epoch: u32) -> Vec<usize> {
    let mut shards: Vec<usize> = (0..n_shards).collect();
    shards.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(
        seed.wrapping_add(0x5851_F42D_4C95_7F2D_u64.wrapping_mul(u64::from(epoch) + 1)),
    ));
    shards
}

/// How often each item occurs, and a hash of all sessions in their order.
fn count(source: &dyn SessionSource, n_items: usize) -> Result<(Vec<u64>, u64)> {
    let mut counts = vec![0; n_items];
    let mut hash = Xxh3Default::new();
    let mut session = Session::default();
    for shard in 0..source.n_shards() {
        let mut stream = source.shard(shard)?;
        while stream.next_session(&mut session)? {
            hash.update(&(session.items.len() as u64).to_le_bytes());
            hash.update(
                &session
                    .goal
                    .map_or(u64::MAX, |goal| u64::from(goal.0))
                    .to_le_bytes(),
            );
            let unknown = |item: ItemIdx| Error::UnknownSessionItem {
                item: item.0,
                n_items,
            };
            for &item in &session.items {
                hash.update(&item.0.to_le_bytes());
                *counts.get_mut(item.index()).ok_or(unknown(item))? += 1;
            }
            for item in session.rejects.as_flattened() {
                hash.update(&item.0.to_le_bytes());
            }
            let others = session.rejects.as_flattened().iter().chain(&session.goal);
            if let Some(&item) = others.into_iter().find(|item| item.index() >= n_items) {
                return Err(unknown(item));
            }
        }
    }
    if counts.iter().all(|&count| count == 0) {
        return Err(Error::NoSessions);
    }
    Ok((counts, hash.digest()))
}

/// Numbers evenly from −1/2 to 1/2, over the width; zero for an item that does not occur.
fn start(counts: &[u64], dim: usize, seed: u64) -> Rows {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let rows = Rows::zeros(counts.len(), dim);
    let mut vector = vec![0.0; dim];
    for (row, _) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        vector.fill_with(|| (rng.random::<f32>() - 0.5) / dim as f32);
        rows.set(row, &vector);
    }
    rows
}
