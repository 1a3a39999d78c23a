//! How long the query tower takes for one user: from what the user took to a vector.
//!
//! `cargo run --release -p catchment-models --example encode`
//!
//! A table of a million rows of 64, the last fifty items of a user, which lie anywhere in it, and towers of several sizes.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use catchment_features::{FeatureBatch, FeatureSpec, FitTables, UserInput};
use catchment_models::towers::{Activation, InputLayer, Layer, Mlp, QueryScratch, QueryTower};
use catchment_schema::{AttributeTable, Event, Histories, History, ItemIdx, Matrix, Time, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const N_ITEMS: u32 = 1_000_000;
const DIM: usize = 64;
const LAST: usize = 50;
const ROUNDS: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let ids: Vec<String> = (0..N_ITEMS).map(|item| format!("{item:07}")).collect();
    let items = Vocabulary::from_counts(ids.iter().map(|id| (id.as_str(), 1_u64)));
    let users = Vocabulary::from_counts([("somebody", 1_u64)]);
    let spec: FeatureSpec = toml::from_str(&format!(
        r#"user = [{{ name = "taken", kind = "history", last = {LAST}, pooling = "mean" }}]"#
    ))?;
    let features = spec.fit(&FitTables {
        users: &users,
        items: &items,
        user_attributes: &AttributeTable::empty(1),
        item_attributes: &AttributeTable::empty(items.len()),
        histories: &Histories::empty(1),
        channels: &[],
    })?;
    let mut input = InputLayer::default();
    let mut n_rows = 0;
    input.append(
        &features.shape(catchment_features::Side::User),
        |_, cardinality| {
            n_rows = cardinality as usize;
            (0, DIM)
        },
    );
    let numbers = (0..n_rows * DIM).map(|_| rng.random_range(-0.1..0.1));
    let table = Matrix::new(DIM, numbers.collect())?;
    println!("layers,p50_us,p99_us,p99.9_us");
    for widths in [&[][..], &[64], &[256, 128, 64], &[1024, 512, 256]] {
        let mut layers = vec![];
        let mut width = input.width();
        for &next in widths {
            let weights = (0..width * next).map(|_| rng.random_range(-0.1..0.1)).collect();
            layers.push(Layer::Dense {
                weights,
                bias: vec![0.01; next],
                activation: Activation::Relu,
            });
            width = next;
        }
        let mlp = Mlp::new(input.width(), layers, true)?;
        let tower = QueryTower::new(input.clone(), std::slice::from_ref(&table), mlp, false, false)?;
        let mut times = measure(&features, &tower, &mut rng)?;
        times.sort_unstable();
        let at = |thousandths: usize| times[(times.len() - 1) * thousandths / 1000].as_secs_f64() * 1e6;
        println!("{widths:?},{:.1},{:.1},{:.1}", at(500), at(990), at(999));
    }
    Ok(())
}

/// The time from a history to a vector, transforming included, of histories drawn anew.
fn measure(
    features: &catchment_features::FittedFeatures,
    tower: &QueryTower,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let (mut row, context) = (FeatureBatch::default(), FeatureBatch::default());
    let (mut scratch, mut out) = (QueryScratch::default(), vec![0.0; tower.dim()]);
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let event = |item: u32| Event::new(ItemIdx(item), Time::UNKNOWN);
        let events: Vec<Event> = (0..LAST).map(|_| event(rng.random_range(0..N_ITEMS))).collect();
        let begun = Instant::now();
        let user = UserInput {
            history: History::new(&events),
            ..UserInput::anonymous(Time::UNKNOWN)
        };
        row.clear();
        features.transform_user(&user, &mut row)?;
        tower.encode(&row, &context, &mut scratch, &mut out)?;
        black_box(&out);
        times.push(begun.elapsed());
    }
    Ok(times)
}
