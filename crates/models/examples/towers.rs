//! Towers on Gowalla: their figures, the time that they take, and what the correction of in-batch negatives is worth.
//!
//! ```text
//! CATCHMENT_DATA=… cargo run --release -p catchment-models --features towers-train --example towers -- …
//!   test '{"youtube_dnn": {"epochs": 40}}' [LAST] [SEED]      judges the test part
//!   validation '{"two_tower": {…}}' [LAST] [SEED]             a fifth of the training pairs in its place
//!   bias '{"two_tower": {…}}' [LAST] [SEED…]                  Recall@50 with and without the correction, at three temperatures
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::time::Instant;

use catchment_features::{FeatureBatch, FeatureSpec, FitTables, UserInput};
use catchment_models::losses::Correction;
use catchment_models::progress::Flow;
use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::training::{self, TowersData};
use catchment_models::towers::{HistoryExamples, Plan, QueryScratch, TwoTowerConfig, YoutubeDnnConfig};
use catchment_schema::{AttributeTable, Event, History, ItemIdx, Time, Vocabulary};
use serde::Deserialize;

#[path = "../tests/it/gowalla.rs"]
#[allow(dead_code, reason = "tests judge more kinds of models")]
mod gowalla;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    YoutubeDnn(YoutubeDnnConfig),
    TwoTower(TwoTowerConfig),
}

impl Model {
    fn plan(&self) -> Plan {
        match self {
            Self::YoutubeDnn(config) => config.plan(),
            Self::TwoTower(config) => config.plan(),
        }
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |position: usize| arguments.get(position).map(String::as_str);
    let Some(split) = gowalla::open() else {
        println!("skipped: CATCHMENT_DATA is not set");
        return Ok(());
    };
    let mode = argument(0).unwrap_or("test");
    let model: Model = serde_json::from_str(argument(1).unwrap_or(r#"{"youtube_dnn": {}}"#))?;
    let last: usize = argument(2).unwrap_or("500").parse()?;
    let seeds = arguments.iter().skip(3).map(|seed| seed.parse());
    let mut seeds: Vec<u64> = seeds.collect::<Result<_, _>>()?;
    if seeds.is_empty() {
        seeds.push(7);
    }
    match mode {
        "bias" => bias(&split, &model.plan(), last, &seeds),
        "validation" => print_quality(&split.held_out(5), &model.plan(), last, seeds[0]),
        _ => print_quality(&split, &model.plan(), last, seeds[0]),
    }
}

fn print_quality(split: &gowalla::Split, plan: &Plan, last: usize, seed: u64) -> Result<(), Failure> {
    let of_users = fit_and_judge(split, plan, last, seed, 20)?;
    let n = of_users.len() as f64;
    let mean = |of: fn(&gowalla::Quality) -> f64| of_users.iter().map(of).sum::<f64>() / n;
    println!(
        "recall@20 {:.4}, NDCG@20 {:.4}",
        mean(|of| of.recall),
        mean(|of| of.ndcg)
    );
    Ok(())
}

/// The correction against none: the difference is of the same users, so that its error is that of a mean of differences.
fn bias(split: &gowalla::Split, plan: &Plan, last: usize, seeds: &[u64]) -> Result<(), Failure> {
    println!("temperature,seed,plain,corrected,relative,difference,standard_error,errors");
    for temperature in [0.05, 0.07, 0.14] {
        for &seed in seeds {
            let of = |correction| {
                let mut plan = Plan {
                    correction,
                    ..plan.clone()
                };
                plan.temperature.value = temperature;
                fit_and_judge(split, &plan, last, seed, 50)
            };
            let (without, corrected) = (of(Correction::None)?, of(plan.correction)?);
            let n = without.len() as f64;
            let mean = |of: &[gowalla::Quality]| of.iter().map(|of| of.recall).sum::<f64>() / n;
            let differences = without.iter().zip(&corrected).map(|(a, b)| b.recall - a.recall);
            let difference = mean(&corrected) - mean(&without);
            let squares: f64 = differences.map(|of| (of - difference).powi(2)).sum();
            let error = (squares / (n - 1.0) / n).sqrt();
            println!(
                "{temperature},{seed},{:.4},{:.4},{:.3},{difference:.4},{error:.5},{:.1}",
                mean(&without),
                mean(&corrected),
                difference / mean(&without),
                difference / error,
            );
        }
    }
    Ok(())
}

/// What each user with test items gets, in the order of users.
fn fit_and_judge(
    split: &gowalla::Split,
    plan: &Plan,
    last: usize,
    seed: u64,
    k: usize,
) -> Result<Vec<gowalla::Quality>, Failure> {
    let histories = split.histories();
    // Gowalla's lists have no order and no times.
    let names = |n: usize| -> Vec<String> { (0..n).map(|place| format!("{place:06}")).collect() };
    let (users, items) = (names(histories.n_users()), names(split.n_items));
    let users = Vocabulary::from_counts(users.iter().map(|id| (id, 1_u64)));
    let items = Vocabulary::from_counts(items.iter().map(|id| (id, 1_u64)));
    let spec: FeatureSpec = toml::from_str(&format!(
        r#"
        user = [{{ name = "taken", kind = "history", last = {last}, pooling = "mean" }}]
        item = [{{ name = "item", kind = "id" }}]
        "#
    ))?;
    let (no_users, no_items) = (
        AttributeTable::empty(users.len()),
        AttributeTable::empty(items.len()),
    );
    let features = spec.fit(&FitTables {
        users: &users,
        items: &items,
        user_attributes: &no_users,
        item_attributes: &no_items,
        histories: &histories,
        channels: &[],
    })?;
    let mut catalogue = FeatureBatch::default();
    features.transform_items(&items, &no_items, &mut catalogue)?;
    let examples = HistoryExamples::new(&histories, &features, &users, &no_users, &plan.examples)?;
    let data = TowersData {
        features: &features,
        items: &catalogue,
        n_items: split.n_items,
        histories: &histories,
        histories_of: &["taken".to_owned()],
        item_id: Some("item"),
        examples: &examples,
    };
    let begun = Instant::now();
    let mut last_note = String::new();
    let mut watch = |done: u64, total: u64, note: &str| {
        let epoch = note.split(':').next().unwrap_or("").to_owned();
        if epoch != last_note || done == total {
            eprintln!("{done}/{total} {note} {:.0?}", begun.elapsed());
            last_note = epoch;
        }
        Flow::Continue
    };
    let towers = training::fit(plan, &data, TrainingDevice::Cpu, seed, &mut watch)?;
    let seconds = begun.elapsed().as_secs_f64();
    let report = &towers.report;
    eprintln!(
        "fitted in {seconds:.1} s, {:.0} examples/s, waited {:.3}; losses {:.4?}",
        report.examples as f64 / seconds,
        report.waited,
        report.losses
    );
    Ok(split.judge_users(k, |users, scores| {
        let (mut row, mut scratch) = (FeatureBatch::default(), QueryScratch::default());
        let mut queries = vec![0.0; users.len() * towers.dim];
        for (&user, query) in users.iter().zip(queries.chunks_exact_mut(towers.dim)) {
            let event = |&item: &u32| Event::new(ItemIdx(item), Time::UNKNOWN);
            let events: Vec<Event> = split.train[user].iter().map(event).collect();
            let input = UserInput {
                history: History::new(&events),
                ..UserInput::anonymous(Time::UNKNOWN)
            };
            row.clear();
            features.transform_user(&input, &mut row).expect("a row");
            towers
                .query
                .encode(&row, &FeatureBatch::default(), &mut scratch, query)
                .expect("a vector");
        }
        gowalla::inner_products(&queries, &towers.items, towers.dim, scores);
    }))
}
