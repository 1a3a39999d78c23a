//! The streaming frequency estimator against the truth: how soon it follows, how low its error falls, what hashes and
//! rows a batch do to it. The first two as in section 6.1 of Yi et al. (2019).
//!
//! `cargo run --release -p catchment-sampling --example frequency [FOLDER]` (the folder of the pictures; `docs/sampling`
//! otherwise)
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "../../synthetic/examples/picture/chart.rs"]
#[allow(dead_code, reason = "shared: not every picture needs all of it")]
mod chart;

use std::error::Error;
use std::path::PathBuf;

use catchment_sampling::{AliasTable, Sighting, StreamingConfig, StreamingFrequency};
use catchment_schema::ItemIdx;
use chart::{Axis, Chart};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

const N_ITEMS: usize = 1_000;
const ROWS: usize = 128;
const STEPS: usize = 20_000;
/// When what was frequent becomes rare.
const TURN: usize = 10_000;
/// Errors are averaged over so many steps.
const BIN: usize = 250;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| "docs/sampling".into(), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let rates = [(0.003, "a"), (0.01, "b"), (0.1, "c")];
    let rates = rates.map(|(rate, class)| {
        let config = StreamingConfig {
            buckets: 1 << 16,
            rate,
            ..base()
        };
        (class, format!("rate {rate}"), config)
    });
    let hashes = [(1, "a"), (2, "b"), (4, "c")];
    let hashes = hashes.map(|(hashes, class)| {
        let config = StreamingConfig {
            buckets: 4_000 / hashes,
            hashes,
            ..base()
        };
        (class, format!("{hashes} × {} buckets", 4_000 / hashes), config)
    });
    let pictures = [
        (
            "rate",
            errors("A higher rate follows sooner, with more noise", rates)?,
        ),
        ("hashes", errors("More hashes of fewer buckets err less", hashes)?),
        ("rows", saturation()?),
    ];
    for (name, svg) in pictures {
        let path = folder.join(format!("{name}.svg"));
        std::fs::write(&path, svg)?;
        println!("{}", path.display());
    }
    Ok(())
}

fn base() -> StreamingConfig {
    StreamingConfig {
        initial_gap: 100.0,
        ..StreamingConfig::default()
    }
}

/// Draws batches from weights, and lets each estimator see them.
struct Stream {
    table: AliasTable,
    expected: Vec<f64>,
}

impl Stream {
    fn new(weights: &[f64]) -> Result<Self, Box<dyn Error>> {
        let total: f64 = weights.iter().sum();
        Ok(Self {
            table: AliasTable::new(weights)?,
            expected: weights
                .iter()
                .map(|weight| ROWS as f64 * weight / total)
                .collect(),
        })
    }

    fn batch(&self, rng: &mut Xoshiro256PlusPlus) -> Vec<ItemIdx> {
        (0..ROWS).map(|_| ItemIdx(self.table.draw(rng))).collect()
    }

    /// The mean over the rows of a batch of `|estimate - truth| / truth`.
    fn error(&self, frequency: &StreamingFrequency, batch: &[ItemIdx]) -> f64 {
        let errors = batch.iter().map(|&item| {
            let expected = self.expected[item.index()];
            (f64::from(frequency.expected_count(item)) - expected).abs() / expected
        });
        errors.sum::<f64>() / batch.len() as f64
    }
}

/// `q(i) ∝ i²`, and the other way round from the turn on.
fn errors(title: &str, configs: [(&str, String, StreamingConfig); 3]) -> Result<String, Box<dyn Error>> {
    let squares: Vec<f64> = (0..N_ITEMS).map(|item| (item * item) as f64).collect();
    let turned: Vec<f64> = squares.iter().rev().copied().collect();
    let streams = [Stream::new(&squares)?, Stream::new(&turned)?];
    let x = Axis::linear(
        0.0,
        STEPS as f64,
        "batches of 128 rows; at 10,000 frequent becomes rare",
    );
    let mut chart = Chart::new(
        title,
        x,
        Axis::log(0.01, 100.0, "error relative to the truth"),
        None,
    );
    println!("{title}\n| | before the turn | 1,000 batches after it | at the end |\n|---|---|---|---|");
    for (place, (class, name, config)) in configs.into_iter().enumerate() {
        let mut frequency = StreamingFrequency::new(config)?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut points: Vec<(f64, f64)> = vec![];
        let mut sum = 0.0;
        for step in 0..STEPS {
            let stream = &streams[usize::from(step >= TURN)];
            let batch = stream.batch(&mut rng);
            sum += stream.error(&frequency, &batch) / BIN as f64;
            frequency.observe(&batch);
            if (step + 1) % BIN == 0 {
                points.push((step as f64 + 1.0, sum.clamp(0.0101, 99.0)));
                sum = 0.0;
            }
        }
        let at = |step: usize| points[step / BIN - 1].1;
        println!(
            "| {name} | {:.3} | {:.3} | {:.3} |",
            at(TURN),
            at(TURN + 1_000),
            at(STEPS)
        );
        chart.line(class, &points);
        let y = 60.0 / 1.6_f64.powi(i32::try_from(place)?);
        chart.words(class, "start", (STEPS as f64 * 0.03, y), &name);
    }
    Ok(chart.finish())
}

/// `q(i) ∝ 1 / (i + 1)`: the most frequent items have several rows a batch.
fn saturation() -> Result<String, Box<dyn Error>> {
    let weights: Vec<f64> = (0..N_ITEMS).map(|item| 1.0 / (item as f64 + 1.0)).collect();
    let stream = Stream::new(&weights)?;
    let mut chart = Chart::new(
        "Seen by batch, an item of several rows is taken for one of one row",
        Axis::log(0.01, 100.0, "rows of a batch, expected"),
        Axis::log(0.01, 100.0, "estimated"),
        None,
    );
    let sightings = [
        (Sighting::Batch, "b", "by batch (the paper's)"),
        (Sighting::Row, "a", "by row"),
    ];
    println!("seen by …: the estimate for items of about 17, 4 and 1 rows a batch");
    for (place, (sighting, class, name)) in sightings.into_iter().enumerate() {
        let mut frequency = StreamingFrequency::new(StreamingConfig {
            buckets: 1 << 16,
            sighting,
            ..base()
        })?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        for _ in 0..TURN {
            frequency.observe(&stream.batch(&mut rng));
        }
        let points: Vec<(f64, f64)> = (0..N_ITEMS)
            .filter(|item| *item < 30 || item % 13 == 0)
            .map(|item| {
                let estimate = f64::from(frequency.expected_count(ItemIdx::from_index(item)));
                (stream.expected[item], estimate)
            })
            .collect();
        let of = |item: usize| {
            (
                stream.expected[item],
                frequency.expected_count(ItemIdx::from_index(item)),
            )
        };
        println!("{name}: {:.2?} {:.2?} {:.2?}", of(0), of(3), of(16));
        chart.dots(class, &points);
        let y = 40.0 / 1.8_f64.powi(i32::try_from(place)?);
        chart.words(class, "start", (0.02, y), name);
    }
    Ok(chart.finish())
}
