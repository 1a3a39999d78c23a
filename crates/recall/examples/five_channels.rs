//! Five channels, one user, all merges: who found what, and what merging costs on this machine.
//!
//! `cargo run --package catchment-recall --example five_channels`
#![allow(clippy::print_stdout, reason = "an example shows its answer")]

use std::time::Instant;

use catchment_recall::{
    Channel, ChannelList, Executor, ExecutorConfig, ExecutorScratch, ItemToItemChannel, ItemToItemConfig,
    MergeConfig, NewestChannel, NewestQueryConfig, NoDeadline, PopularChannel, PriorityConfig, QuotaConfig,
    RecallQuery, RequestFilter, SeenEvents, SnakeConfig, Stopwatch, WeightedConfig, merge,
};
use catchment_schema::{Event, History, ItemIdx, ItemSet, NeighbourTable, Score, ScoredItem, Time};

const N_ITEMS: u32 = 20_000;

/// The library owns no clock; this is one.
struct Clock(Instant);

impl Stopwatch for Clock {
    fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Made-up numbers that are the same every time.
fn mixed(a: u32, b: u32) -> u32 {
    let x = a.wrapping_mul(0x9E37_79B9) ^ b.wrapping_mul(0x85EB_CA6B);
    (x ^ (x >> 15)).wrapping_mul(0x2C1B_3C6D) >> 7
}

/// A hundred neighbours for each item: most of them near by, as in a catalogue with categories.
fn neighbours(salt: u32) -> NeighbourTable {
    NeighbourTable::from_lists((0..N_ITEMS).map(|item| {
        let near: ItemSet = (0..100)
            .map(|n| ItemIdx((item / 500 * 500 + mixed(item ^ salt, n) % 700) % N_ITEMS))
            .collect();
        let score = |other: ItemIdx| Score::clamped((mixed(item, other.0 ^ salt) % 1000) as f32 / 1000.0);
        near.iter()
            .map(|other| ScoredItem::new(other, score(other)))
            .collect()
    }))
}

fn main() -> Result<(), catchment_recall::ConfigError> {
    let item_to_item = |name, salt, recent_items| -> Result<(Box<dyn Channel>, usize), _> {
        let config = ItemToItemConfig {
            recent_items,
            half_life: Some(5.0),
        };
        Ok((
            Box::new(ItemToItemChannel::new(name, neighbours(salt), None, config)?),
            200,
        ))
    };
    let popularity: Vec<f32> = (0..N_ITEMS)
        .map(|item| 1e6 / (1 + mixed(item, 1) % N_ITEMS) as f32)
        .collect();
    let newest = (0..N_ITEMS)
        .map(|item| Time::from_millis(i64::from(item)))
        .collect();
    let newest = NewestChannel::new("newest", newest, NewestQueryConfig::default())?;
    let executor = Executor::new(
        vec![
            item_to_item("item_cf", 0, 0)?,
            item_to_item("swing", 0, 10)?,
            item_to_item("item2vec", 77, 5)?,
            (Box::new(PopularChannel::new("popular", &popularity)?), 200),
            (Box::new(newest), 200),
        ],
        ExecutorConfig::default(),
    )?;

    let events: Vec<Event> = (0..30)
        .map(|n| Event::new(ItemIdx(mixed(n, 3) % 2000), Time::from_millis(i64::from(n))))
        .collect();
    let history = History::new(&events);
    let filter = RequestFilter::new(history, &SeenEvents::All, [], None);
    let query = RecallQuery {
        user: None,
        history,
        seeds: &[],
        user_id: None,
        user_attributes: None,
        filter: filter.item_filter(),
        now: Time::from_millis(15_000),
        deadline: &NoDeadline,
    };
    let clock = Clock(Instant::now());
    let mut scratch = ExecutorScratch::default();
    executor.run(&query, &clock, &mut scratch);
    let gathered = executor.run(&query, &clock, &mut scratch);

    println!("{:<10} {:>5} {:>8} {:>6}", "channel", "asked", "returned", "µs");
    for report in &gathered.reports {
        println!(
            "{:<10} {:>5} {:>8} {:>6}",
            report.name, report.asked, report.returned, report.micros
        );
    }

    let lists = gathered.channel_lists();
    let quotas = [("newest", 20), ("popular", 30)].map(|(name, seats)| (name.to_owned(), seats));
    let quota = QuotaConfig {
        quotas: quotas.into_iter().collect(),
        limit: 500,
    };
    for (name, config) in [
        ("rrf", MergeConfig::default()),
        ("quota", MergeConfig::Quota(quota)),
        ("snake", MergeConfig::Snake(SnakeConfig::default())),
        ("weighted", MergeConfig::Weighted(WeightedConfig::default())),
        ("priority", MergeConfig::Priority(PriorityConfig::default())),
    ] {
        config.validate(&executor.names())?;
        let merged = merge(&lists, &config);
        println!(
            "\n{name}: {} of {} items",
            merged.candidates.len(),
            merged.report.distinct
        );
        for candidate in merged.candidates.iter().take(3) {
            let source = |source: &catchment_recall::Source| {
                format!(
                    "{} #{}",
                    executor.names()[usize::from(source.channel)],
                    source.rank
                )
            };
            let found_by: Vec<String> = candidate.sources.iter().map(source).collect();
            println!(
                "  item {:>5}  {:.4}  {}",
                candidate.item.0,
                candidate.score.get(),
                found_by.join(", ")
            );
        }
        println!(
            "  {:.0} µs a merge (median of 1001)",
            median_micros(&lists, &config)
        );
    }
    Ok(())
}

fn median_micros(lists: &[ChannelList<'_>], config: &MergeConfig) -> f64 {
    let mut times: Vec<_> = (0..1001)
        .map(|_| {
            let begin = Instant::now();
            std::hint::black_box(merge(std::hint::black_box(lists), config));
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[500].as_secs_f64() * 1e6
}
