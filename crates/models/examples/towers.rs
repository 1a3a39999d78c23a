//! YouTube DNN on Gowalla: its figure, and the time that it takes.
//!
//! `CATCHMENT_DATA=… cargo run --release -p catchment-models --features towers-train --example towers -- test '{"epochs": 40}'`
//!
//! With `validation` in the place of `test`, a fifth of the training pairs is held out and judged instead.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::time::Instant;

use catchment_features::{FeatureBatch, FeatureSpec, FitTables, UserInput};
use catchment_models::progress::Flow;
use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::training::{self, TowersData};
use catchment_models::towers::{HistoryExamples, QueryScratch, YoutubeDnnConfig};
use catchment_schema::{AttributeTable, Event, History, ItemIdx, Time, Vocabulary};

#[path = "../tests/it/gowalla.rs"]
#[allow(dead_code, reason = "tests judge more kinds of models")]
mod gowalla;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |position: usize| arguments.get(position).map(String::as_str);
    let Some(split) = gowalla::open() else {
        println!("skipped: CATCHMENT_DATA is not set");
        return Ok(());
    };
    let split = match argument(0) {
        Some("validation") => split.held_out(5),
        _ => split,
    };
    let config: YoutubeDnnConfig = serde_json::from_str(argument(1).unwrap_or("{}"))?;
    let last: usize = argument(2).unwrap_or("500").parse()?;
    let seed: u64 = argument(3).unwrap_or("7").parse()?;
    let histories = split.histories();
    // Gowalla's lists have no order and no times.
    let names = |n: usize| -> Vec<String> { (0..n).map(|place| format!("{place:06}")).collect() };
    let (users, items) = (names(histories.n_users()), names(split.n_items));
    let users = Vocabulary::from_counts(users.iter().map(|id| (id, 1_u64)));
    let items = Vocabulary::from_counts(items.iter().map(|id| (id, 1_u64)));
    let spec: FeatureSpec = toml::from_str(&format!(
        r#"user = [{{ name = "watched", kind = "history", last = {last}, pooling = "mean" }}]"#
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
    let plan = config.plan();
    let examples = HistoryExamples::new(&histories, &features, &users, &no_users, &plan.examples)?;
    let data = TowersData {
        features: &features,
        items: &FeatureBatch::default(),
        n_items: split.n_items,
        histories: &histories,
        histories_of: &["watched".to_owned()],
        item_id: None,
        examples: &examples,
    };
    let begun = Instant::now();
    let mut last_note = String::new();
    let mut watch = |done: u64, total: u64, note: &str| {
        let epoch = note.split(':').next().unwrap_or("").to_owned();
        if epoch != last_note || done == total {
            println!("{done}/{total} {note} {:.0?}", begun.elapsed());
            last_note = epoch;
        }
        Flow::Continue
    };
    let towers = training::fit(&plan, &data, TrainingDevice::Cpu, seed, &mut watch)?;
    let seconds = begun.elapsed().as_secs_f64();
    let report = &towers.report;
    println!(
        "fitted in {seconds:.1} s, {:.0} examples/s, waited {:.3}; losses {:.4?}",
        report.examples as f64 / seconds,
        report.waited,
        report.losses
    );
    let quality = split.judge(|users, scores| {
        let (mut row, mut scratch) = (FeatureBatch::default(), QueryScratch::default());
        let mut query = vec![0.0; towers.dim];
        for (&user, scores) in users.iter().zip(scores.chunks_mut(split.n_items)) {
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
                .encode(&row, &FeatureBatch::default(), &mut scratch, &mut query)
                .expect("a vector");
            for (score, item) in scores.iter_mut().zip(towers.items.chunks_exact(towers.dim)) {
                *score = query.iter().zip(item).map(|(a, b)| a * b).sum();
            }
        }
    });
    println!("{quality:.4?}");
    Ok(())
}
