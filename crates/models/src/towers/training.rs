//! Trains two sides of an inner product.

mod assembly;
mod checkpoint;
mod outcome;
mod step;
mod stepwise;

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use catchment_features::{FeatureBatch, FeatureColumn, FittedFeatures};
use catchment_sampling::CrossBatchMemory;
use catchment_schema::{Histories, ItemIdx};
use rand_xoshiro::Xoshiro256PlusPlus;
use xxhash_rust::xxh3::Xxh3Default;

use super::buffers::Buffers;
use super::device::TrainingDevice;
use super::hard::Miner;
use super::hidden::Hidden;
use super::input::InputLayer;
use super::plan::Plan;
use super::sampler::Sampler;
use super::served::QueryTower;
use super::tables::Tables;
use super::{ExampleBatch, ExampleSource, ExampleStream};
use crate::embedding_table::EmbeddingTable;
use crate::progress::{Flow, Progress};
use crate::{Error, Result};

pub use assembly::memory_bytes;
pub use stepwise::Steps;

/// What towers are trained on.
pub struct TowersData<'a> {
    /// Fitted on what came before the examples.
    pub features: &'a FittedFeatures,
    /// The whole catalogue, transformed.
    pub items: &'a FeatureBatch,
    /// How many items there are.
    pub n_items: usize,
    /// What each user took: item frequencies, and what is spared.
    pub histories: &'a Histories,
    /// Names of the user features whose ids are items.
    pub histories_of: &'a [String],
    /// The name of the item feature that is the item's own id, where there is one.
    pub item_id: Option<&'a str>,
    /// The examples.
    pub examples: &'a dyn ExampleSource,
}

/// What a training was like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TowersReport {
    /// The mean loss of each epoch; of each shard, where examples come in the order of time: each of them is then a loss
    /// over examples that nothing has been learned from yet.
    pub losses: Vec<f64>,
    /// The root of the mean squared length of the gradient by the vectors of both sides, of each of these.
    pub gradients: Vec<f64>,
    /// Examples seen.
    pub examples: u64,
    /// Of the time of the steps, the share in which they waited for the next batch.
    pub waited: f64,
    /// At the end.
    pub temperature: f32,
    /// Of a frequency that is estimated on the way, at the end; empty with any other.
    pub frequencies: Vec<SeenFrequency>,
    /// Of the examples, those that were compared with something that was shown beside what was taken.
    pub with_shown: u64,
    /// Why the tables stayed beside the processor where a device trained: it has no room for one of them.
    pub kept_here: Option<String>,
}

/// How often a batch holds an item: what was the case, and what was thought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenFrequency {
    /// Rows of a batch that are of the item, on average over the last pass.
    pub counted: f64,
    /// What the estimate says after it.
    pub estimated: f64,
}

/// A trained pair.
#[derive(Clone, Debug)]
pub struct Towers {
    /// `[n_items × dim]`: what an index is built from.
    pub items: Vec<f32>,
    /// Their width; that of a query as well.
    pub dim: usize,
    /// Makes queries.
    pub query: QueryTower,
    /// How it went.
    pub report: TowersReport,
}

/// The name of the input that says how old an example is.
pub const EXAMPLE_AGE: &str = "example_age";

/// One side's layers: over an input, to a vector.
struct Tower {
    input: InputLayer,
    hidden: Hidden,
}

/// The softmax weights.
struct ItemTable {
    /// Which of the tables.
    table: usize,
    bias: Option<EmbeddingTable>,
}

enum Items {
    Table(ItemTable),
    Tower(Box<Tower>),
}

/// A training between two steps.
struct Training<'a> {
    plan: &'a Plan,
    data: &'a TowersData<'a>,
    tables: Tables,
    /// The device that trains, where it is not the processor.
    device: Option<Device>,
    /// Why the tables are not on the device that trains.
    kept_here: Option<String>,
    query: Tower,
    items: Items,
    sampler: Sampler,
    miner: Option<Miner>,
    memory: Option<(CrossBatchMemory, Vec<f32>)>,
    log_temperature: Scalar,
    rng: Xoshiro256PlusPlus,
    item_rows: FeatureBatch,
    known: Vec<Vec<ItemIdx>>,
    buffers: Buffers,
}

/// One number that Adam moves.
#[derive(Clone, Copy, Debug)]
struct Scalar {
    value: f64,
    mean: f64,
    square: f64,
    steps: i32,
}

impl Scalar {
    fn new(value: f64) -> Self {
        Self {
            value,
            mean: 0.0,
            square: 0.0,
            steps: 0,
        }
    }

    fn step(&mut self, slope: f64, rate: f64) {
        let (beta1, beta2): (f64, f64) = (0.9, 0.999);
        self.steps = self.steps.saturating_add(1);
        self.mean += (1.0 - beta1) * (slope - self.mean);
        self.square += (1.0 - beta2) * (slope * slope - self.square);
        let mean = self.mean / (1.0 - beta1.powi(self.steps));
        let square = self.square / (1.0 - beta2.powi(self.steps));
        self.value -= rate * mean / (square.sqrt() + 1e-8);
    }
}

/// What one step was like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// The mean loss of the batch's examples, before they were learned from.
    pub loss: f64,
    /// The sum of the squares of the gradient by the vectors of both sides.
    pub squares: f64,
    /// Examples that were compared with something that was shown beside what was taken.
    pub with_shown: u64,
}

/// Trains by the plan on a device; the same plan, data and seed give the same on it, whatever the number of threads.
///
/// # Errors
/// [`Error::Config`] for a plan that is none, [`Error::NoInteractions`] without examples, [`Error::Diverged`] when a loss
/// is no longer finite, [`Error::Stopped`] when `progress` says so, [`Error::Device`].
pub fn fit(
    plan: &Plan,
    data: &TowersData<'_>,
    device: TrainingDevice,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<Towers> {
    fit_or_resume(plan, data, device, seed, None, progress)
}

/// As [`fit`], leaving at `checkpoint` after each epoch what a training that is stopped goes on from, to the same end as if
/// it had not been. The file of a training that has ended is for the caller to remove.
///
/// # Errors
/// As [`fit`]; [`Error::OtherRun`] for a checkpoint of other settings, data or seed, [`Error::File`] for a damaged one.
pub fn fit_or_resume(
    plan: &Plan,
    data: &TowersData<'_>,
    device: TrainingDevice,
    seed: u64,
    checkpoint: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<Towers> {
    let mut nothing = |_: usize, _: &Current<'_>| Ok(());
    fit_shards(plan, data, device, seed, checkpoint, &mut nothing, progress)
}

/// What a training has learned so far.
pub struct Current<'a> {
    training: &'a Training<'a>,
    n_shards: usize,
}

impl Current<'_> {
    /// As if the training ended here.
    ///
    /// # Errors
    /// [`Error::Diverged`], [`Error::Device`].
    pub fn towers(&self) -> Result<Towers> {
        self.training.towers(TowersReport::default(), self.n_shards)
    }
}

/// As [`fit_or_resume`], calling `after` with each shard (or epoch, where there is but one shard) that is learned: to
/// judge what is there on the next day, or to publish it. What a resumed training had learned before is not shown again.
///
/// # Errors
/// As [`fit_or_resume`], and what `after` answers.
pub fn fit_shards(
    plan: &Plan,
    data: &TowersData<'_>,
    device: TrainingDevice,
    seed: u64,
    checkpoint: Option<&Path>,
    after: &mut dyn FnMut(usize, &Current<'_>) -> Result<()>,
    progress: &mut dyn Progress,
) -> Result<Towers> {
    plan.validate()?;
    let mut training = Training::new(plan, data, device, seed)?;
    let n_shards = data.examples.n_shards();
    let steps_of = |shard: usize| data.examples.n_examples(shard).div_ceil(plan.batch);
    let total = plan.epochs as u64 * (0..n_shards).map(|shard| steps_of(shard) as u64).sum::<u64>();
    let mut report = TowersReport::default();
    let (mut waiting, mut working) = (Duration::ZERO, Duration::ZERO);
    let mut done = 0_u64;
    let mut first_pass = 0;
    let run = run_hash(plan, data, seed);
    if let Some(path) = checkpoint
        && let Some(position) = checkpoint::read(path, run, &mut training, &mut report)?
    {
        (first_pass, done) = (position.passes, position.done);
    }
    let n_passes = plan.epochs * n_shards;
    let mut times_learned = vec![0_u64; data.n_items];
    for pass in first_pass..n_passes {
        let (epoch, shard) = (pass / n_shards, pass % n_shards);
        let (mut loss, mut squares, mut n_rows) = (0.0, 0.0, 0_u64);
        times_learned.fill(0);
        if let (true, Some(until)) = (assembly::needs_known(plan), data.examples.known_until(shard)) {
            training.known = assembly::items_of_users(data.histories, Some(until));
        }
        if let Some(miner) = &mut training.miner {
            miner.forget();
        }
        let outcome: Result<Flow> = thread::scope(|scope| {
            let (filled, batches) = sync_channel::<Result<ExampleBatch>>(AHEAD);
            let (give_back, empties) = sync_channel::<ExampleBatch>(AHEAD + 1);
            scope.spawn(move || {
                let stream = data.examples.pass(epoch as u64, shard, seed);
                read_ahead(stream, plan.batch, &filled, &empties);
            });
            loop {
                let begun = Instant::now();
                let Ok(batch) = batches.recv() else {
                    return Ok(Flow::Continue);
                };
                let received = Instant::now();
                waiting += received - begun;
                let batch = batch?;
                let rate = plan.learning_rate * plan.decay.factor(done as f64 / total as f64);
                let rows = batch.len();
                let step = training.step_where_best(&batch, rate)?;
                working += received.elapsed();
                if !step.loss.is_finite() {
                    return Err(Error::Diverged { model: plan.model });
                }
                done += 1;
                n_rows += rows as u64;
                loss += step.loss * rows as f64;
                squares += step.squares;
                report.examples += rows as u64;
                report.with_shown += step.with_shown;
                for label in &batch.labels {
                    times_learned[label.index()] += 1;
                }
                // Nobody may be there to take it at the end.
                let _ = give_back.try_send(batch);
                progress.work(report.examples, "examples");
                let part = if n_shards == 1 { "epoch" } else { "shard" };
                let note = format!("{part} {}: loss {:.4}", pass + 1, loss / n_rows as f64);
                if progress.step(done, total, &note) == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
        });
        if outcome? == Flow::Stop {
            return Err(Error::Stopped);
        }
        report.losses.push(loss / n_rows.max(1) as f64);
        report
            .gradients
            .push((squares / steps_of(shard).max(1) as f64).sqrt());
        let current = Current {
            training: &training,
            n_shards: if epoch == 0 { shard + 1 } else { n_shards },
        };
        after(pass, &current)?;
        if let Some(path) = checkpoint
            && pass + 1 < n_passes
        {
            checkpoint::write(path, run, &mut training, &report, (pass + 1, done))?;
        }
    }
    let last_steps = steps_of(n_shards.saturating_sub(1));
    report.kept_here.clone_from(&training.kept_here);
    report.frequencies = training.sampler.frequencies(&times_learned, last_steps);
    report.waited = waiting.as_secs_f64() / (waiting + working).as_secs_f64().max(1e-9);
    training.towers(report, n_shards)
}

/// What decides about a training, in short.
fn run_hash(plan: &Plan, data: &TowersData<'_>, seed: u64) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(format!("{plan:?} {seed} {} {}", data.n_items, data.features.fingerprint()).as_bytes());
    for (user, history) in data.histories.iter() {
        hash.update(&user.0.to_le_bytes());
        for event in history.events() {
            hash.update(&event.item.0.to_le_bytes());
            hash.update(&event.time.millis().unwrap_or(i64::MIN).to_le_bytes());
            hash.update(&event.value.to_le_bytes());
        }
    }
    for column in &data.items.columns {
        match column {
            FeatureColumn::Dense { values, .. } => {
                for value in values {
                    hash.update(&value.to_le_bytes());
                }
            }
            FeatureColumn::Bag { ids, .. } => {
                for id in ids {
                    hash.update(&id.to_le_bytes());
                }
            }
        }
    }
    hash.digest()
}

/// Batches that lie ready.
const AHEAD: usize = 2;

/// Fills batches on a thread of its own until there are no more, or nobody wants them.
fn read_ahead(
    mut stream: Box<dyn ExampleStream + '_>,
    rows: usize,
    filled: &SyncSender<Result<ExampleBatch>>,
    empties: &Receiver<ExampleBatch>,
) {
    loop {
        let mut batch = empties.try_recv().unwrap_or_default();
        let next = stream.next_batch(rows, &mut batch);
        if next.is_ok() && batch.is_empty() {
            return;
        }
        let failed = next.is_err();
        if filled.send(next.map(|()| batch)).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod example_tests;
#[cfg(all(test, feature = "gpu"))]
mod gpu_tests;
#[cfg(test)]
mod knowledge_tests;
#[cfg(test)]
mod shown_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
