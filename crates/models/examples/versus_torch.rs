//! Training steps of towers, timed: one half of a comparison whose other half, `xtask/versus/torch_peer.py`, runs in the
//! same minutes.
//!
//! `cargo run -p catchment-models --features towers-train --example versus_torch -- FOLDER '{"model": "youtube_dnn", …}'`
//!
//! `--make FOLDER SETTINGS` writes what both begin from and learn from, as raw little-endian numbers: the batches, the
//! negatives, tables and weights before the first step. For each line on stdin it goes `steps` steps further, through the
//! batches again and again, and answers with one line of JSON: the seconds of the steps, the examples in them, and the mean
//! loss of all of them and of the last.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::io::{self, BufRead};
use std::path::Path;
use std::time::Instant;

use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::plan::{Decay, FrequencyKind, ProposalKind};
use catchment_models::towers::training::Steps;
use catchment_models::towers::{Activation, Layer, Plan, TwoTowerConfig, YoutubeDnnConfig};
use catchment_sampling::{Candidates, LogUniform, Proposal};
use catchment_schema::ItemIdx;
use rand::Rng;
use serde::Deserialize;

#[path = "versus_torch/batches.rs"]
mod batches;
#[path = "versus_torch/numbers.rs"]
mod numbers;
#[path = "versus_torch/world.rs"]
mod world;

use batches::Batches;
use world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

/// Of the weights and tables.
const SEED: u64 = 7;

/// What both sides of the comparison are told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    model: Model,
    /// Rows of the table of users; 0: they are known by their histories alone.
    users: u32,
    items: u32,
    dim: usize,
    /// Hidden layers of every tower.
    layers: Vec<usize>,
    /// The longest history; the shortest has one item, and every length between is as likely.
    history: usize,
    batch: usize,
    /// Drawn for a batch, where the model draws them.
    negatives: usize,
    /// Divides scores of vectors that are brought to length one, where it is not 1.
    temperature: f32,
    learning_rate: f64,
    /// Different ones.
    batches: usize,
    /// Of a run.
    steps: usize,
    threads: usize,
    /// Hidden layers without burn: how fast a step could be.
    #[serde(default)]
    by_hand: bool,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    YoutubeDnn,
    TwoTower,
}

impl Settings {
    fn plan(&self) -> Plan {
        let normalised = self.temperature < 1.0;
        match self.model {
            Model::YoutubeDnn => YoutubeDnnConfig {
                dim: self.dim,
                layers: self.layers.clone(),
                last: Some(Activation::Identity),
                shared: false,
                normalised,
                temperature: self.temperature,
                negatives: self.negatives,
                proposal: ProposalKind::LogUniform,
                decay: Decay::None,
                batch: self.batch,
                ..YoutubeDnnConfig::default()
            }
            .plan(),
            Model::TwoTower => TwoTowerConfig {
                dim: self.dim,
                user_layers: self.layers.clone(),
                item_layers: self.layers.clone(),
                normalised,
                temperature: self.temperature,
                frequency: FrequencyKind::Counted,
                decay: Decay::None,
                batch: self.batch,
                ..TwoTowerConfig::default()
            }
            .plan(),
        }
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--make", folder, settings] => {
            let settings: Settings = serde_json::from_str(settings)?;
            make(Path::new(folder), &settings)
        }
        [folder, settings] => work(Path::new(folder), &serde_json::from_str(settings)?),
        _ => Err("[--make] FOLDER SETTINGS".into()),
    }
}

/// Batches, and where a training begins.
fn make(folder: &Path, settings: &Settings) -> Result<(), Failure> {
    let batches = Batches::draw(settings)?;
    let world = World::new(settings, &batches)?;
    let (plan, data) = (settings.plan(), world.data());
    let training = Steps::new(&plan, &data, TrainingDevice::Cpu, SEED)?;
    batches.write(folder)?;
    let labels: Vec<ItemIdx> = batches.labels.iter().copied().map(ItemIdx).collect();
    let logs = world.log_expected_counts(settings, &labels)?;
    numbers::write(&folder.join("label_logs.f32"), &logs, f32::to_le_bytes)?;
    let negatives: Vec<ItemIdx> = batches.negatives.iter().copied().map(ItemIdx).collect();
    let logs = world.log_expected_counts(settings, &negatives)?;
    numbers::write(&folder.join("negative_logs.f32"), &logs, f32::to_le_bytes)?;
    for (place, table) in training.tables()?.iter().enumerate() {
        let file = folder.join(format!("table_{place}.f32"));
        numbers::write(&file, table, f32::to_le_bytes)?;
    }
    for (side, layers) in ["query", "item"].into_iter().zip(training.layers()?) {
        for (place, layer) in layers.iter().enumerate() {
            let Layer::Dense { weights, .. } = layer else {
                return Err("a layer that the peer has not".into());
            };
            let file = folder.join(format!("{side}_{place}.f32"));
            numbers::write(&file, weights, f32::to_le_bytes)?;
        }
    }
    Ok(())
}

/// As often as it is asked to.
fn work(folder: &Path, settings: &Settings) -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .build_global()?;
    let batches = Batches::read(folder)?;
    let world = World::new(settings, &batches)?;
    let (plan, data) = (settings.plan(), world.data());
    let examples = world.examples(settings, &batches);
    let steps = if settings.by_hand {
        Steps::by_hand(&plan, &data, SEED)?
    } else {
        Steps::new(&plan, &data, TrainingDevice::Cpu, SEED)?
    };
    let mut training = steps.with_proposal(Box::new(Recorded {
        law: LogUniform::new(settings.items)?,
        ids: batches.negatives.iter().copied().map(ItemIdx).collect(),
        next: 0,
    }));
    let mut order = (0..examples.len()).cycle();
    for line in io::stdin().lock().lines() {
        line?;
        let (mut sum, mut last) = (0.0, 0.0);
        let begun = Instant::now();
        for batch in order.by_ref().take(settings.steps) {
            last = training.step(&examples[batch], settings.learning_rate)?.loss;
            sum += last;
        }
        let answer = serde_json::json!({
            "seconds": begun.elapsed().as_secs_f64(),
            "examples": settings.steps * settings.batch,
            "quality": { "loss": sum / settings.steps as f64, "last_loss": last },
        });
        println!("{answer}");
    }
    Ok(())
}

/// What was drawn once, over and over.
struct Recorded {
    law: LogUniform,
    ids: Vec<ItemIdx>,
    next: usize,
}

impl Proposal for Recorded {
    fn n_items(&self) -> usize {
        self.law.n_items()
    }

    fn draw(&mut self, n: usize, _: &mut dyn Rng) -> Candidates {
        let drawn = &self.ids[self.next..self.next + n];
        self.next = (self.next + n) % self.ids.len();
        self.law.expected(drawn, n)
    }

    fn log_expected_count(&self, item: ItemIdx, n: usize) -> f32 {
        self.law.log_expected_count(item, n)
    }
}
