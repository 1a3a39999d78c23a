//! Trains two sides of an inner product.

mod checkpoint;
mod steps;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use catchment_features::{FeatureBatch, FeatureColumn, Fingerprint, FittedFeatures, Side};
use catchment_sampling::{Candidates, CrossBatchMemory, RankWindow};
use catchment_schema::{Histories, History, ItemIdx, UserIdx};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3Default;

use super::buffers::Buffers;
use super::device::TrainingDevice;
use super::hard::Miner;
use super::head::{self, Gradients, RowRules};
use super::hidden::{Hidden, Tape};
use super::input::{Bend, InputLayer, rows_of};
use super::lengths::{normalise, normalise_backward};
use super::mlp::{Activation, Mlp, MlpScratch};
use super::plan::{ItemSide, Negatives, Plan};
use super::sampler::{Drawn, Sampler};
use super::served::{QueryTower, Table};
use super::{ExampleBatch, ExampleSource, ExampleStream, HiddenConfig};
use crate::embedding_table::{EmbeddingTable, Lookup, Source, TableView};
use crate::losses::SoftmaxConfig;
use crate::progress::{Flow, Progress};
use crate::{Error, Result};

pub use steps::Steps;

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
    tables: Vec<EmbeddingTable>,
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
pub struct Current<'a>(&'a Training<'a>);

impl Current<'_> {
    /// As if the training ended here.
    ///
    /// # Errors
    /// [`Error::Diverged`]
    pub fn towers(&self) -> Result<Towers> {
        self.0.towers(TowersReport::default())
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
    let mut training = Training::new(plan, data, &device.open()?, seed)?;
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
                // Inside the pool: a product that is asked for from outside wakes it anew each time.
                let step = rayon::scope(|_| training.step(&batch, rate))?;
                working += received.elapsed();
                if !step.loss.is_finite() {
                    return Err(Error::Diverged { model: plan.model });
                }
                done += 1;
                n_rows += rows as u64;
                loss += step.loss * rows as f64;
                squares += step.squares;
                report.examples += rows as u64;
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
        after(pass, &Current(&training))?;
        if let Some(path) = checkpoint
            && pass + 1 < n_passes
        {
            checkpoint::write(path, run, &mut training, &report, (pass + 1, done))?;
        }
    }
    let last_steps = steps_of(n_shards.saturating_sub(1));
    report.frequencies = training.sampler.frequencies(&times_learned, last_steps);
    report.waited = waiting.as_secs_f64() / (waiting + working).as_secs_f64().max(1e-9);
    training.towers(report)
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

/// How often the log has each item; of a log that is learned in the order of time, what may be known before that.
fn counts(data: &TowersData<'_>) -> Result<Vec<u64>> {
    let mut counts = vec![0_u64; data.n_items];
    let until = data.examples.counted_until();
    for (user, history) in data.histories.iter() {
        for event in history.events() {
            let Some(count) = counts.get_mut(event.item.index()) else {
                return Err(Error::UnknownItem {
                    user: user.0,
                    item: event.item.0,
                    n_items: data.n_items,
                });
            };
            if until.is_none_or(|until| event.time < until) {
                *count += 1;
            }
        }
    }
    if until.is_some() {
        // What has not been seen yet is rare, and not impossible: it will be a positive some day.
        for count in &mut counts {
            *count = (*count).max(1);
        }
    }
    Ok(counts)
}

/// What each user took at any time, sorted.
fn items_of_users(histories: &Histories) -> Vec<Vec<ItemIdx>> {
    let sorted = |history: History<'_>| {
        let mut items: Vec<ItemIdx> = history.events().iter().map(|event| event.item).collect();
        items.sort_unstable();
        items.dedup();
        items
    };
    histories.iter().map(|(_, history)| sorted(history)).collect()
}

/// Rows and widths of the tables; the first is that of items where it is shared.
struct Tables {
    is_shared: bool,
    dim: usize,
    sizes: Vec<(usize, usize)>,
    /// Those that begin as zeros, and stay small by themselves.
    biases: Vec<usize>,
    /// The tables of texts, by what their ids mean.
    texts: Vec<(Fingerprint, usize)>,
}

impl Tables {
    fn new(is_shared: bool, n_items: usize, dim: usize) -> Self {
        let sizes = if is_shared {
            vec![(n_items + 1, dim)]
        } else {
            vec![]
        };
        Self {
            is_shared,
            dim,
            sizes,
            biases: vec![],
            texts: vec![],
        }
    }

    /// The table of all features whose ids mean `ids`, and its width.
    fn add_text(&mut self, ids: Fingerprint, cardinality: u32) -> (usize, usize) {
        let known = self.texts.iter().find(|(other, _)| *other == ids);
        if let Some(&(_, table)) = known {
            return (table, self.dim);
        }
        let (table, dim) = self.add(false, cardinality);
        self.texts.push((ids, table));
        (table, dim)
    }

    /// `input` as a layer of its own, where there is to be one.
    fn bend(&mut self, input: InputLayer, activation: Option<Activation>) -> InputLayer {
        let Some(activation) = activation else {
            return input;
        };
        self.sizes.push((1, input.width()));
        let bias = self.sizes.len() - 1;
        self.biases.push(bias);
        input.bent(Bend { bias, activation })
    }

    /// The table of a feature, and its width.
    fn add(&mut self, is_item: bool, cardinality: u32) -> (usize, usize) {
        let rows = cardinality as usize;
        if is_item && self.is_shared {
            self.sizes[0].0 = self.sizes[0].0.max(rows);
            return (0, self.dim);
        }
        self.sizes.push((rows.max(1), self.dim));
        (self.sizes.len() - 1, self.dim)
    }
}

/// The features of texts that share tables, with what their ids mean.
fn texts_of<'a>(plan: &Plan, data: &TowersData<'a>, side: Side) -> BTreeMap<&'a str, Fingerprint> {
    if plan.shared_texts {
        data.features.texts(side).into_iter().collect()
    } else {
        BTreeMap::new()
    }
}

/// The side of the items, whose vectors are `dim` wide.
fn item_side(
    plan: &Plan,
    data: &TowersData<'_>,
    tables: &mut Tables,
    dim: usize,
    layers: &dyn Fn(usize, &HiddenConfig, u64) -> Hidden,
    seed: u64,
) -> Result<Items> {
    let bad =
        |key: &'static str, value: String, allowed: &'static str| Err(Error::Config { key, value, allowed });
    match &plan.item {
        ItemSide::Table { bias, shared } => {
            if *shared && dim != plan.dim {
                let allowed = "`dim` outputs where histories share the items' table";
                return bad("layers", format!("{dim} outputs"), allowed);
            }
            let table = if *shared {
                0
            } else {
                tables.sizes.push((data.n_items, dim));
                tables.sizes.len() - 1
            };
            let bias = bias
                .then(|| EmbeddingTable::new(data.n_items, 1, 0.0, plan.optimizer, 0))
                .transpose()?;
            Ok(Items::Table(ItemTable { table, bias }))
        }
        ItemSide::Tower { hidden, .. } => {
            let mut input = InputLayer::default();
            let texts = texts_of(plan, data, Side::Item);
            input.append(
                &data.features.shape(Side::Item),
                |column, cardinality| match texts.get(column.name.as_str()) {
                    Some(&ids) => tables.add_text(ids, cardinality),
                    None => tables.add(data.item_id == Some(column.name.as_str()), cardinality),
                },
            );
            if input.width() == 0 {
                let allowed = "at least one feature of the item";
                return bad("features.item", "none".to_owned(), allowed);
            }
            let input = tables.bend(input, plan.bend);
            let hidden = layers(input.width(), hidden, seed);
            if hidden.n_outputs() != dim {
                let value = format!("{dim} and {}", hidden.n_outputs());
                return bad("layers", value, "towers that end in the same width");
            }
            Ok(Items::Tower(Box::new(Tower { input, hidden })))
        }
    }
}

impl<'a> Training<'a> {
    fn new(
        plan: &'a Plan,
        data: &'a TowersData<'a>,
        device: &burn::tensor::Device,
        seed: u64,
    ) -> Result<Self> {
        let layers = |width: usize, config: &HiddenConfig, seed| {
            Hidden::new(width, config, plan.optimizer, device, seed)
        };
        Self::with_layers(plan, data, seed, &layers)
    }

    /// Of hidden layers that are made so, of a width, by a config, from a seed.
    fn with_layers(
        plan: &'a Plan,
        data: &'a TowersData<'a>,
        seed: u64,
        layers: &dyn Fn(usize, &HiddenConfig, u64) -> Hidden,
    ) -> Result<Self> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut seeds = (1_u64..).map(|part| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(part));
        let mut next_seed = || seeds.next().unwrap_or(seed);
        let counts = counts(data)?;
        let is_shared = match &plan.item {
            ItemSide::Table { shared, .. } | ItemSide::Tower { shared, .. } => *shared,
        };
        let mut tables = Tables::new(is_shared, data.n_items, plan.dim);
        let mut input = InputLayer::default();
        for side in [Side::User, Side::Context] {
            let texts = texts_of(plan, data, side);
            input.append(&data.features.shape(side), |column, cardinality| {
                if let Some(&ids) = texts.get(column.name.as_str()) {
                    return tables.add_text(ids, cardinality);
                }
                let is_item = side == Side::User && data.histories_of.contains(&column.name);
                tables.add(is_item, cardinality)
            });
        }
        if plan.example_age {
            input.append_numbers(EXAMPLE_AGE, 1);
        }
        if input.width() == 0 {
            return Err(Error::Config {
                key: "features.user",
                value: "none".to_owned(),
                allowed: "at least one feature of the user or the context",
            });
        }
        let input = tables.bend(input, plan.bend);
        let hidden = layers(input.width(), &plan.query, next_seed());
        let dim = hidden.n_outputs();
        let query = Tower { input, hidden };
        let items = item_side(plan, data, &mut tables, dim, layers, next_seed())?;
        let tables = tables
            .sizes
            .iter()
            .enumerate()
            .map(|(place, &(rows, dim))| {
                let (range, l2) = if tables.biases.contains(&place) {
                    (0.0, 0.0)
                } else {
                    (plan.init.range(rows, dim), plan.l2)
                };
                let table = EmbeddingTable::new(rows, dim, range, plan.optimizer, next_seed());
                table.map(|table| table.with_l2(l2))
            })
            .collect::<Result<Vec<_>>>()?;
        let memory = match plan.negatives {
            Negatives::InBatch { memory, .. } if memory > 0 => {
                Some((CrossBatchMemory::new(memory).map_err(Error::Sampling)?, vec![]))
            }
            _ => None,
        };
        let known = if plan.spare_known || plan.hard.is_some() {
            items_of_users(data.histories)
        } else {
            vec![]
        };
        let sampler = Sampler::new(plan, &counts)?;
        // So that drawing does not begin where the weights did.
        rng.jump();
        Ok(Self {
            plan,
            data,
            tables,
            query,
            items,
            sampler,
            miner: plan.hard.map(Miner::new).transpose()?,
            memory,
            log_temperature: Scalar::new(f64::from(plan.temperature.value).ln()),
            rng,
            item_rows: FeatureBatch::default(),
            known,
            buffers: Buffers::default(),
        })
    }

    fn temperature(&self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
        let temperature = self.log_temperature.value.exp() as f32;
        temperature
    }

    fn dim(&self) -> usize {
        self.query.hidden.n_outputs()
    }

    fn step(&mut self, batch: &ExampleBatch, rate: f64) -> Result<StepReport> {
        #[expect(clippy::cast_possible_truncation, reason = "rows are f32")]
        let row_rate = rate as f32;
        let dim = self.dim();
        let age = self.plan.example_age.then(|| batch.age_column());
        let query_columns = || query_columns(batch, age.as_ref());
        let mut inputs = vec![];
        self.query
            .input
            .forward(query_columns(), batch.len(), &views(&self.tables), &mut inputs)?;
        let (tape, mut users) = self.query.hidden.forward(&inputs)?;
        let user_lengths = self.plan.normalised.then(|| normalise(&mut users, dim));

        let drawn = self.sampler.draw(&batch.labels, &mut self.rng);
        let hard = self.mine(&users)?;
        let mut ids: Vec<ItemIdx> = match &drawn {
            Drawn::All => (0..self.data.n_items).map(ItemIdx::from_index).collect(),
            Drawn::Beside { positives, negatives } | Drawn::Own { positives, negatives } => {
                [positives.ids(), negatives.ids()].concat()
            }
            Drawn::Columns(columns) => columns.ids().to_vec(),
        };
        let n_drawn = ids.len();
        if let Some(hard) = &hard {
            ids.extend_from_slice(hard.ids());
        }
        let mut items = self.item_pass(&ids)?;
        if self.plan.normalised {
            items.lengths = Some(normalise(&mut items.vectors, dim));
        }

        // With a bias, one more dimension: 1 of every user, the bias of the item.
        let bias = items.bias.as_deref();
        let width = dim + usize::from(bias.is_some());
        let users_wide = widened(&users, dim, bias.map(|_| &[1.0][..]));
        let items_wide = widened(&items.vectors, dim, bias);
        let (drawn_items, hard_items) = items_wide.split_at(n_drawn * width);
        let (mut loss, mut gradients) = self.meet(&drawn, batch, &users_wide, drawn_items, width);
        if let Some(hard) = &hard {
            let items = (drawn_items, hard_items);
            loss += self.meet_hard(&drawn, hard, batch, &users_wide, items, width, &mut gradients);
        }
        let Gradients {
            users: by_users,
            items: by_items,
        } = gradients;
        let squares = sum_of_squares(&by_users) + sum_of_squares(&by_items);
        if self.plan.temperature.learned {
            // Scores are bilinear: Σ slope · score is ⟨user, its gradient⟩, summed.
            let along: f64 = users_wide
                .iter()
                .zip(&by_users)
                .map(|(value, slope)| f64::from(value * slope))
                .sum();
            self.log_temperature.step(-along, rate);
        }
        let (mut by_users, _) = narrowed(by_users, dim, width);
        let (mut by_items, by_bias) = narrowed(by_items, dim, width);
        if let Some(lengths) = &user_lengths {
            normalise_backward(&mut by_users, &users, lengths, dim);
        }
        if let Some(lengths) = &items.lengths {
            normalise_backward(&mut by_items, &items.vectors, lengths, dim);
        }
        let mut by_inputs = self.query.hidden.step(tape, by_users, rate)?;
        self.query.input.unbend(&inputs, &mut by_inputs);
        let zeros = vec![0; batch.len().max(ids.len())];

        // Tables last: every gradient is of the rows as they were.
        let mut sources: Vec<Vec<Source<'_>>> = self.tables.iter().map(|_| vec![]).collect();
        self.query
            .input
            .sources(query_columns(), &by_inputs, &zeros[..batch.len()], &mut sources);
        let mut by_item_inputs;
        let rows: Vec<u32> = ids.iter().map(|item| item.0).collect();
        match (&mut self.items, items.tape) {
            (Items::Table(table), _) => {
                sources[table.table].push(Source::whole(Lookup::single(&rows), &by_items, dim));
                if let Some(bias) = &mut table.bias {
                    bias.step(&[(Lookup::single(&rows), &by_bias)], row_rate)?;
                }
            }
            (Items::Tower(tower), Some(tape)) => {
                by_item_inputs = tower.hidden.step(tape, by_items, rate)?;
                tower.input.unbend(&items.inputs, &mut by_item_inputs);
                let columns = &self.item_rows.columns;
                let zeros = &zeros[..ids.len()];
                tower.input.sources(columns, &by_item_inputs, zeros, &mut sources);
            }
            (Items::Tower(_), None) => {}
        }
        for (table, sources) in self.tables.iter_mut().zip(&sources) {
            if !sources.is_empty() {
                table.step_by(sources, row_rate)?;
            }
        }
        self.buffers.give(by_inputs);
        Ok(StepReport { loss, squares })
    }

    /// For each row, items that rank high by vectors of a while ago; `None` where they are not asked for.
    fn mine(&mut self, users: &[f32]) -> Result<Option<Candidates>> {
        let Some(mut miner) = self.miner.take() else {
            return Ok(None);
        };
        let drawn = (|| {
            if miner.is_stale() {
                let (items, width) = self.item_vectors()?;
                miner.refresh(items, width);
            }
            let has_bias = matches!(&self.items, Items::Table(table) if table.bias.is_some());
            let users = widened(users, self.dim(), has_bias.then_some(&[1.0][..]));
            miner.draw(&users, &mut self.rng)
        })();
        self.miner = Some(miner);
        drawn.map(Some)
    }

    /// The loss of each row's positive against what was mined for it. Its gradients are added to those that are there, those of
    /// the mined items at the end.
    #[expect(
        clippy::too_many_arguments,
        reason = "both losses of a step are over the same things"
    )]
    fn meet_hard(
        &self,
        drawn: &Drawn,
        hard: &Candidates,
        batch: &ExampleBatch,
        users: &[f32],
        (drawn_items, hard_items): (&[f32], &[f32]),
        width: usize,
        gradients: &mut Gradients,
    ) -> f64 {
        // Where each row's positive stands among what was drawn.
        let place = |row: usize| match drawn {
            Drawn::All => batch.labels[row].index(),
            Drawn::Beside { .. } | Drawn::Own { .. } | Drawn::Columns(_) => row,
        };
        let n_rows = batch.len();
        let mut items = Vec::with_capacity(n_rows * width + hard_items.len());
        for row in 0..n_rows {
            items.extend_from_slice(&drawn_items[place(row) * width..][..width]);
        }
        items.extend_from_slice(hard_items);
        let taken = &self.known;
        let known = |row: usize, item: ItemIdx| knows(taken, batch.users[row], item);
        let rules = RowRules {
            rewards: Some(&batch.rewards),
            is_positive: Some(&known),
        };
        let config = SoftmaxConfig {
            temperature: self.temperature(),
            correction: self.plan.correction,
        };
        let positives = RankWindow::positives(&batch.labels);
        let (loss, of_hard) = head::own(users, &items, width, (&positives, hard), config, rules);
        let weight = self.miner.as_ref().map_or(0.0, Miner::weight);
        for (slope, of_hard) in gradients.users.iter_mut().zip(&of_hard.users) {
            *slope += weight * of_hard;
        }
        let (by_positives, by_hard) = of_hard.items.split_at(n_rows * width);
        for (row, by_positive) in by_positives.chunks_exact(width).enumerate() {
            let slopes = &mut gradients.items[place(row) * width..][..width];
            for (slope, of_hard) in slopes.iter_mut().zip(by_positive) {
                *slope += weight * of_hard;
            }
        }
        gradients.items.extend(by_hard.iter().map(|slope| weight * slope));
        f64::from(weight) * loss
    }

    /// The loss of users against items, and its gradient by both.
    fn meet(
        &mut self,
        drawn: &Drawn,
        batch: &ExampleBatch,
        users: &[f32],
        items: &[f32],
        width: usize,
    ) -> (f64, Gradients) {
        let config = SoftmaxConfig {
            temperature: self.temperature(),
            correction: self.plan.correction,
        };
        let known = |row: usize, item: ItemIdx| knows(&self.known, batch.users[row], item);
        let rules = RowRules {
            rewards: Some(&batch.rewards),
            is_positive: if self.plan.spare_known { Some(&known) } else { None },
        };
        let buffers = &mut self.buffers;
        match drawn {
            Drawn::All => head::all_items(
                users,
                items,
                width,
                &batch.labels,
                config.temperature,
                rules,
                buffers,
            ),
            Drawn::Beside { positives, negatives } => head::beside(
                users,
                items,
                width,
                (positives, negatives),
                config,
                rules,
                buffers,
            ),
            Drawn::Own { positives, negatives } => {
                head::own(users, items, width, (positives, negatives), config, rules)
            }
            Drawn::Columns(columns) => match &mut self.memory {
                None => head::columns(users, items, width, columns, config, rules, buffers),
                Some((memory, vectors)) => {
                    let all = columns.clone().followed_by(&memory.candidates());
                    let all_items = [items, vectors].concat();
                    let (loss, mut gradients) =
                        head::columns(users, &all_items, width, &all, config, rules, buffers);
                    // What is remembered does not learn.
                    gradients.items.truncate(items.len());
                    vectors.extend_from_slice(items);
                    let dropped = memory.push(columns);
                    vectors.drain(..dropped * width);
                    (loss, gradients)
                }
            },
        }
    }
}

/// The vectors of some items, and the way back.
struct ItemPass {
    /// `[items × dim]`
    vectors: Vec<f32>,
    /// `[items]`
    bias: Option<Vec<f32>>,
    lengths: Option<Vec<f32>>,
    /// What a tower was given.
    inputs: Vec<f32>,
    tape: Option<Tape>,
}

impl Training<'_> {
    fn item_pass(&mut self, ids: &[ItemIdx]) -> Result<ItemPass> {
        let mut inputs = vec![];
        let (vectors, bias, tape) = match &mut self.items {
            Items::Table(table) => {
                let rows: Vec<u32> = ids.iter().map(|item| item.0).collect();
                let lookup = Lookup::single(&rows);
                let of = &self.tables[table.table];
                let mut vectors = vec![0.0; ids.len() * of.dim()];
                of.gather(&lookup, &mut vectors)?;
                let bias = table.bias.as_ref().map(|bias| {
                    let mut numbers = vec![0.0; ids.len()];
                    bias.gather(&lookup, &mut numbers).map(|()| numbers)
                });
                (vectors, bias.transpose()?, None)
            }
            Items::Tower(tower) => {
                rows_of(
                    self.data.items,
                    ids.iter().map(|item| item.index()),
                    &mut self.item_rows,
                );
                tower.input.forward(
                    &self.item_rows.columns,
                    ids.len(),
                    &views(&self.tables),
                    &mut inputs,
                )?;
                let (tape, vectors) = tower.hidden.forward(&inputs)?;
                (vectors, None, Some(tape))
            }
        };
        Ok(ItemPass {
            vectors,
            bias,
            lengths: None,
            inputs,
            tape,
        })
    }

    /// The vectors of all items as they are now, and their width.
    fn item_vectors(&self) -> Result<(Vec<f32>, usize)> {
        let (n_items, dim) = (self.data.n_items, self.dim());
        let mut vectors;
        let mut bias = None;
        match &self.items {
            Items::Table(table) => {
                vectors = self.tables[table.table].rows()[..n_items * dim].to_vec();
                bias = table.bias.as_ref().map(|bias| bias.rows().to_vec());
            }
            Items::Tower(tower) => {
                let mut inputs = vec![];
                let columns = &self.data.items.columns;
                tower
                    .input
                    .forward(columns, n_items, &views(&self.tables), &mut inputs)?;
                let mlp = Mlp::new(tower.input.width(), tower.hidden.layers()?, false)?;
                vectors = vec![0.0; n_items * dim];
                vectors
                    .par_chunks_exact_mut(dim)
                    .zip(inputs.par_chunks_exact(tower.input.width()))
                    .for_each_init(MlpScratch::default, |scratch, (vector, input)| {
                        mlp.encode(input, scratch, vector);
                    });
            }
        }
        if self.plan.normalised {
            normalise(&mut vectors, dim);
        }
        let width = dim + usize::from(bias.is_some());
        Ok((widened(&vectors, dim, bias.as_deref()).into_owned(), width))
    }

    /// The vectors of all items, and the query tower as it is served.
    fn towers(&self, mut report: TowersReport) -> Result<Towers> {
        let n_items = self.data.n_items;
        report.temperature = self.temperature();
        let (mut vectors, width) = self.item_vectors()?;
        let has_bias = width > self.dim();
        if let Items::Table(_) = &self.items {
            // A row that no example had as its label is where chance put it: no vector at all.
            let mut is_known = vec![false; n_items];
            for (_, history) in self.data.histories.iter() {
                for event in history.events() {
                    is_known[event.item.index()] = true;
                }
            }
            for (vector, is_known) in vectors.chunks_exact_mut(width).zip(is_known) {
                if !is_known {
                    vector.fill(0.0);
                }
            }
        }
        let mlp = Mlp::new(
            self.query.input.width(),
            self.query.hidden.layers()?,
            self.plan.normalised,
        )?;
        let tables = self.tables.iter().map(|table| Table {
            dim: table.dim(),
            rows: table.rows().to_vec(),
        });
        let query = QueryTower::new(
            self.query.input.clone(),
            &tables.collect::<Vec<_>>(),
            mlp,
            self.plan.example_age,
            has_bias,
        )?;
        if !vectors.iter().all(|value| value.is_finite()) {
            return Err(Error::Diverged {
                model: self.plan.model,
            });
        }
        Ok(Towers {
            items: vectors,
            dim: width,
            query,
            report,
        })
    }
}

fn views(tables: &[EmbeddingTable]) -> Vec<TableView<'_>> {
    tables.iter().map(EmbeddingTable::view).collect()
}

/// The columns of a query, in the order of its input layer.
fn query_columns<'a>(
    batch: &'a ExampleBatch,
    age: Option<&'a FeatureColumn>,
) -> impl Iterator<Item = &'a FeatureColumn> {
    let sides = batch.user.columns.iter().chain(&batch.context.columns);
    sides.chain(age)
}

fn knows(known: &[Vec<ItemIdx>], user: UserIdx, item: ItemIdx) -> bool {
    known
        .get(user.index())
        .is_some_and(|items| items.binary_search(&item).is_ok())
}

/// Side by side, so that one sum does not wait for another.
fn sum_of_squares(numbers: &[f32]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut sums = [0.0_f64; 16];
            let (chunks, rest) = numbers.as_chunks::<16>();
            for chunk in chunks {
                for (sum, number) in sums.iter_mut().zip(chunk) {
                    *sum += f64::from(number * number);
                }
            }
            sums.iter()
                .copied()
                .chain(rest.iter().map(|number| f64::from(number * number)))
                .sum()
        },
    )
}

/// Rows with one number more, where there is one: `last`, repeated.
fn widened<'a>(rows: &'a [f32], dim: usize, last: Option<&[f32]>) -> Cow<'a, [f32]> {
    let Some(last) = last else {
        return Cow::Borrowed(rows);
    };
    let mut wide = Vec::with_capacity(rows.len() / dim * (dim + 1));
    for (row, last) in rows.chunks_exact(dim).zip(last.iter().cycle()) {
        wide.extend_from_slice(row);
        wide.push(*last);
    }
    Cow::Owned(wide)
}

/// Rows without that number, and the numbers.
fn narrowed(rows: Vec<f32>, dim: usize, width: usize) -> (Vec<f32>, Vec<f32>) {
    if width == dim {
        return (rows, vec![]);
    }
    let last = rows.chunks_exact(width).map(|row| row[dim]).collect();
    let rows = rows.chunks_exact(width).flat_map(|row| &row[..dim]).copied();
    (rows.collect(), last)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
