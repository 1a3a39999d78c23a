//! Skip-gram with negative sampling on somebody else's sentences, timed: one half of a comparison whose other half runs
//! in the same minutes.
//!
//! `cargo run -p catchment-models --example versus_gensim -- FOLDER ['{"dim": 64, …}']`
//!
//! `FOLDER` holds what the example `versus_implicit` reads and, as `sentences_indices.npy` (int32), the items of each
//! user once more in the order in which they are walked. For each line on stdin it trains once and answers with one line
//! of JSON: the seconds of the training (from sessions in memory, counting included, to vectors), pairs per second, and
//! its quality: a user is the mean of the directions of the train items, all items are ranked by cosine but those of the
//! train part. A line that is a JSON object overrides settings for that training.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::fs;
use std::io::{self, BufRead};
use std::path::Path;
use std::time::Instant;

use catchment_models::progress::Silent;
use catchment_models::sgns::{self, ItemVectors, NegativesForm, Parallel, SgnsConfig};
use catchment_sampling::{Context, MemorySessions, SessionRules};
use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx};
use serde::Deserialize;

#[path = "../tests/it/gowalla.rs"]
#[allow(dead_code, reason = "only the protocol is used here, not the files")]
mod gowalla;
#[path = "versus/matrices.rs"]
mod matrices;

type Failure = Box<dyn std::error::Error>;

/// What both sides of the comparison are told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    dim: usize,
    window: u32,
    negatives: usize,
    epochs: u32,
    learning_rate: f32,
    seed: u64,
    threads: usize,
    /// How this side trains.
    parallel: Parallel,
    /// Whose its negatives are.
    #[serde(default)]
    negatives_form: NegativesForm,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let folder = Path::new(&folder);
    let settings: serde_json::Value = match arguments.next() {
        Some(text) => serde_json::from_str(&text)?,
        None => serde_json::from_str(&fs::read_to_string(folder.join("settings.json"))?)?,
    };
    let (split, _) = matrices::read(folder)?;
    let sessions = MemorySessions::new(&sentences(folder, split.train.len())?, &SessionRules::default());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let mut settings = settings.clone();
        if line.trim_start().starts_with('{') {
            let by: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line)?;
            settings
                .as_object_mut()
                .ok_or("settings are not an object")?
                .extend(by);
        }
        let settings: Settings = serde_json::from_value(settings)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(settings.threads)
            .build()?;
        let config = SgnsConfig {
            dim: settings.dim,
            context: Context::Window(settings.window),
            negatives: settings.negatives,
            epochs: settings.epochs,
            learning_rate: settings.learning_rate,
            subsample: 0.0,
            parallel: settings.parallel,
            negatives_form: settings.negatives_form,
            ..SgnsConfig::default()
        };
        let begun = Instant::now();
        let model =
            pool.install(|| sgns::fit(&sessions, split.n_items, &config, settings.seed, &mut Silent))?;
        let seconds = begun.elapsed().as_secs_f64();
        let quality = judge(&split, &ItemVectors::new(model.input, model.dim)?);
        let answer = serde_json::json!({
            "seconds": seconds,
            "quality": {
                "recall@20": quality.recall,
                "ndcg@20": quality.ndcg,
                "pairs/s": model.report.pairs as f64 / seconds,
            },
        });
        println!("{answer}");
    }
    Ok(())
}

/// Each user's items in the order of `sentences_indices.npy`.
fn sentences(folder: &Path, n_users: usize) -> Result<Histories, Failure> {
    let starts = matrices::npy(&folder.join("train_indptr.npy"), "<i8", i64::from_le_bytes)?;
    let items = matrices::npy(&folder.join("sentences_indices.npy"), "<i4", i32::from_le_bytes)?;
    let (mut users, mut events) = (Vec::new(), Vec::new());
    for (user, bounds) in starts.windows(2).enumerate() {
        for &item in &items[usize::try_from(bounds[0])?..usize::try_from(bounds[1])?] {
            users.push(UserIdx::from_index(user));
            events.push(Event::new(ItemIdx(u32::try_from(item)?), Time::UNKNOWN));
        }
    }
    Ok(Histories::group(n_users, &users, &events))
}

fn judge(split: &gowalla::Split, items: &ItemVectors) -> gowalla::Quality {
    let dim = items.dim();
    split.judge(|users, scores| {
        let mut queries = vec![0.0; users.len() * dim];
        for (query, &user) in queries.chunks_mut(dim).zip(users) {
            let train = split.train[user].iter().map(|&item| (ItemIdx(item), 1.0));
            // Nobody's history leaves the query at zero: all scores are equal.
            if items.pool(train, query).is_err() {
                query.fill(0.0);
            }
        }
        gowalla::inner_products(&queries, items.vectors(), dim, scores);
    })
}
