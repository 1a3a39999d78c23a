//! iALS on somebody else's matrix, timed: one half of a comparison whose other half runs in the same minutes.
//!
//! `cargo run -p catchment-models --example versus_implicit -- FOLDER ['{"dim": 64, …}']`
//!
//! `FOLDER` holds a sparse matrix of users by items in compressed rows, as `NumPy` arrays of one dimension:
//! `train_indptr.npy` (int64), `train_indices.npy` (int32), `train_data.npy` (float32, all values the same), and the
//! items to be found, `test_indptr.npy` and `test_indices.npy`. The settings are `FOLDER/settings.json`, overridden by
//! the second argument. For each line on stdin it fits once and answers with one line of JSON: the seconds of the fit
//! (from histories in memory to vectors of users and items) and its quality, all items ranked but those of the train
//! part. A line that is a JSON object overrides settings for that fit.
//!
//! The peer minimises `Σ c (⟨w, h⟩ − p)² + λ (Σ ‖w‖² + Σ ‖h‖²)` with `c = 1 + alpha · r` where `p = 1`, and `c = 1`
//! where `p = 0`. `{"alpha": …, "regularization": λ}` says the same here (it becomes `alpha0 = 1 / (alpha · r)`,
//! `regularization = λ / (1 + alpha · r)` and `nu = 0`), and `{"solver": "cg", "cg_steps": 3}` solves as it does.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::fs;
use std::io::{self, BufRead};
use std::path::Path;
use std::time::Instant;

use catchment_models::factorization::ials::{self, IalsConfig, Solver};
use catchment_models::progress::Silent;
use serde::Deserialize;

#[path = "../tests/it/gowalla.rs"]
#[allow(dead_code, reason = "only the protocol is used here, not the files")]
mod gowalla;
#[path = "versus/matrices.rs"]
#[allow(dead_code, reason = "shared with the other comparison")]
mod matrices;

type Failure = Box<dyn std::error::Error>;

/// What both sides of the comparison are told.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    dim: usize,
    sweeps: u32,
    alpha0: f64,
    /// The peer's; in the place of `alpha0` and `nu`.
    alpha: Option<f64>,
    regularization: f64,
    nu: f64,
    solver: Solver,
    cg_steps: u32,
    block_size: usize,
    seed: u64,
    /// 0: all.
    threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let config = IalsConfig::default();
        Self {
            dim: config.dim,
            sweeps: config.sweeps,
            alpha0: config.alpha0,
            alpha: None,
            regularization: config.regularization,
            nu: config.nu,
            solver: config.solver,
            cg_steps: config.cg_steps,
            block_size: config.block_size,
            seed: 1,
            threads: 0,
        }
    }
}

impl Settings {
    /// `value`: what stands in the matrix.
    fn config(&self, value: f64) -> IalsConfig {
        let (alpha0, regularization, nu) = match self.alpha.map(|alpha| alpha * value) {
            Some(alpha) => (1.0 / alpha, self.regularization / (1.0 + alpha), 0.0),
            None => (self.alpha0, self.regularization, self.nu),
        };
        IalsConfig {
            dim: self.dim,
            sweeps: self.sweeps,
            alpha0,
            regularization,
            nu,
            solver: self.solver,
            cg_steps: self.cg_steps,
            block_size: self.block_size,
            ..IalsConfig::default()
        }
    }
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let folder = Path::new(&folder);
    let mut given = match fs::read_to_string(folder.join("settings.json")) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => serde_json::json!({}),
    };
    if let Some(text) = arguments.next() {
        overrule(&mut given, &text)?;
    }
    let settings: Settings = serde_json::from_value(given.clone())?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .build_global()?;
    let (split, value) = matrices::read(folder)?;
    let histories = split.histories();
    for line in io::stdin().lock().lines() {
        let mut given = given.clone();
        let line = line?;
        if line.trim_start().starts_with('{') {
            overrule(&mut given, &line)?;
        }
        let settings: Settings = serde_json::from_value(given)?;
        let config = settings.config(value);
        let begun = Instant::now();
        let model = ials::fit(&histories, split.n_items, &config, settings.seed, &mut Silent)?;
        let seconds = begun.elapsed().as_secs_f64();
        let quality = split.judge_ials(&model);
        let answer = serde_json::json!({
            "seconds": seconds,
            "quality": { "recall@20": quality.recall, "ndcg@20": quality.ndcg },
        });
        println!("{answer}");
    }
    Ok(())
}

fn overrule(given: &mut serde_json::Value, by: &str) -> Result<(), Failure> {
    let by: serde_json::Map<String, serde_json::Value> = serde_json::from_str(by)?;
    given
        .as_object_mut()
        .ok_or("settings.json is not an object")?
        .extend(by);
    Ok(())
}
