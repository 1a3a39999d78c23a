//! A log that is learned as it happens, day by day, and judged on the next day before that is learned: what drift costs, and
//! what an estimate of item frequencies that follows it is worth beside one that was counted once.
//!
//! ```text
//! cargo run --release -p catchment-models --features towers-train --example stream -- EVENTS [streaming|counted|none] [SWITCH_DAY]
//! ```
//! prints, for each day, Recall@50 over all items of the first thing that 2,000 users do on the next one.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::time::Instant;

use catchment_features::{FeatureBatch, FeatureSpec, FitTables, FittedFeatures, UserInput};
use catchment_models::losses::Correction;
use catchment_models::progress::Flow;
use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::plan::FrequencyKind;
use catchment_models::towers::training::{self, Towers, TowersData};
use catchment_models::towers::{
    ByTime, ExamplesConfig, HistoryExamples, Order, QueryScratch, TwoTowerConfig,
};
use catchment_schema::{AttributeTable, Event, Histories, History, ItemIdx, Time, UserIdx, Vocabulary};
use catchment_synthetic::marketplace::{HappeningKind, Marketplace, MarketplaceConfig, Part};
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const K: usize = 50;
const JUDGED: usize = 2_000;
const LAST: usize = 20;
const DAY: i64 = 86_400_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |place: usize| arguments.get(place).map(String::as_str);
    let n_views: u64 = argument(0).unwrap_or("100000").parse()?;
    let (correction, frequency) = match argument(1).unwrap_or("streaming") {
        "streaming" => (Correction::LogQ, TwoTowerConfig::default().frequency),
        // With the order of time, counted before the training begins: on the first day.
        "counted" => (Correction::LogQ, FrequencyKind::Counted),
        "none" => (Correction::None, FrequencyKind::Counted),
        other => return Err(format!("`{other}` is none of streaming, counted, none").into()),
    };
    let switch_day = argument(2).map(str::parse).transpose()?;
    let begun = Instant::now();
    let market = MarketplaceConfig {
        switch_day,
        with: [Part::Sessions, Part::Drift].into(),
        ..MarketplaceConfig::of_size(n_views)
    };
    let (histories, users, items) = log(&market)?;
    eprintln!(
        "{} views of {} items by {} users made in {:.0?}",
        histories.n_events(),
        items.len(),
        users.len(),
        begun.elapsed()
    );
    let spec: FeatureSpec = toml::from_str(&format!(
        r#"
        user = [{{ name = "taken", kind = "history", last = {LAST}, pooling = "mean" }}]
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
    let plan = TwoTowerConfig {
        correction,
        frequency,
        examples: ExamplesConfig {
            order: Order::ByTime(ByTime::default()),
            ..ExamplesConfig::default()
        },
        dim: 32,
        batch: 512,
        epochs: 1,
        decay: catchment_models::towers::plan::Decay::None,
        ..TwoTowerConfig::default()
    }
    .plan();
    let mut catalogue = FeatureBatch::default();
    features.transform_items(&items, &no_items, &mut catalogue)?;
    let examples = HistoryExamples::new(&histories, &features, &users, &no_users, &plan.examples)?;
    let ends: Vec<Time> = examples.shard_ends().collect();
    let data = TowersData {
        features: &features,
        items: &catalogue,
        n_items: items.len(),
        histories: &histories,
        histories_of: &["taken".to_owned()],
        item_id: Some("item"),
        examples: &examples,
    };
    println!("day,recall_at_{K},users,seconds");
    let begun = Instant::now();
    let mut after = |shard: usize, current: &training::Current<'_>| {
        let towers = current.towers()?;
        if let Some((recall, n)) = recall(&histories, &features, &towers, ends[shard]) {
            println!("{shard},{recall:.4},{n},{:.0}", begun.elapsed().as_secs_f64());
        }
        Ok(())
    };
    let mut watch = |_: u64, _: u64, _: &str| Flow::Continue;
    let towers = training::fit_shards(&plan, &data, TrainingDevice::Cpu, 7, None, &mut after, &mut watch)?;
    eprintln!(
        "{} examples in {:.0?} with judging; waited {:.3} of the time of the steps",
        towers.report.examples,
        begun.elapsed(),
        towers.report.waited
    );
    Ok(())
}

/// Views as histories; users and items are called by their numbers, so that the order of both is kept.
fn log(
    config: &MarketplaceConfig,
) -> Result<(Histories, Vocabulary, Vocabulary), Box<dyn std::error::Error>> {
    let market = Marketplace::new(config)?;
    let (mut users, mut events) = (vec![], vec![]);
    for shard in market.shards() {
        for happening in market.events_of_shard(shard) {
            if happening.kind == HappeningKind::View {
                users.push(UserIdx(happening.user));
                events.push(Event::new(ItemIdx(happening.item), happening.time));
            }
        }
    }
    let names = |n: u32| (0..n).map(|place| format!("{place:08}")).collect::<Vec<_>>();
    let vocabulary = |ids: &[String]| Vocabulary::from_counts(ids.iter().map(|id| (id, 1_u64)));
    let histories = Histories::group(config.n_users as usize, &users, &events);
    Ok((
        histories,
        vocabulary(&names(config.n_users)),
        vocabulary(&names(config.n_items)),
    ))
}

/// Of the users who do something in the day from `begin` on and did something before it.
fn recall(
    histories: &Histories,
    features: &FittedFeatures,
    towers: &Towers,
    begin: Time,
) -> Option<(f64, usize)> {
    let end = Time::from_millis(begin.millis()? + DAY);
    let judged: Vec<(&[Event], ItemIdx)> = histories
        .iter()
        .filter_map(|(_, history)| {
            let past = history.before(begin).events();
            let next = history.events().get(past.len())?;
            (!past.is_empty() && next.time < end).then_some((past, next.item))
        })
        .take(JUDGED)
        .collect();
    if judged.is_empty() {
        return None;
    }
    let hits: usize = judged
        .par_iter()
        .map_init(
            || {
                (
                    FeatureBatch::default(),
                    QueryScratch::default(),
                    vec![0.0; towers.dim],
                )
            },
            |(row, scratch, query), (past, label)| {
                let input = UserInput {
                    history: History::new(past),
                    ..UserInput::anonymous(begin)
                };
                row.clear();
                features.transform_user(&input, row).expect("a row");
                let moment = FeatureBatch::default();
                towers
                    .query
                    .encode(row, &moment, scratch, query)
                    .expect("a vector");
                let score = |item: &[f32]| -> f32 { query.iter().zip(item).map(|(a, b)| a * b).sum() };
                let vectors = towers.items.chunks_exact(towers.dim);
                let own = score(&towers.items[label.index() * towers.dim..][..towers.dim]);
                let above = vectors.filter(|item| score(item) > own).count();
                usize::from(above < K)
            },
        )
        .sum();
    Some((hits as f64 / judged.len() as f64, judged.len()))
}
