//! Raw rows as a log would have them, from a seed.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::Metadata;
use catchment_schema::arrow::array::{
    ArrayRef, Float32Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMillisecondArray,
};
use catchment_schema::parquet_file::{FileKind, write_parquet};

/// The file.
pub(crate) const RAW: FileKind = FileKind {
    name: "raw_rows",
    version: 1,
};

const N_USERS: f64 = 100_000.0;
const N_ITEMS: f64 = 50_000.0;
const N_CITIES: f64 = 500.0;
const N_TAGS: f64 = 2_000.0;
const DEVICES: [&str; 5] = ["phone", "tablet", "desktop", "television", "watch"];
/// From 2024-01-01, two years.
const FIRST_MILLIS: f64 = 1_704_067_200_000.0;
const SPAN_MILLIS: f64 = 730.0 * 86_400_000.0;

/// `SplitMix64`: a few lines, and the same numbers everywhere.
struct Seeded(u64);

impl Seeded {
    /// In [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `n`, small ones more often: a long tail.
    fn skewed(&mut self, n: f64) -> u64 {
        whole(n * self.next().powi(3))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers from 0, far below 2^53"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

pub(crate) fn write(path: &Path, rows: u64, seed: u64) -> catchment_schema::Result<()> {
    let mut random = Seeded(seed);
    let (mut users, mut items, mut cities, mut devices) = (vec![], vec![], vec![], vec![]);
    let (mut ages, mut prices, mut times) = (vec![], vec![], vec![]);
    let mut tags = ListBuilder::new(StringBuilder::new());
    for _ in 0..rows {
        users.push(format!("user-{:08}", random.skewed(N_USERS)));
        items.push(format!("item-{:08}", random.skewed(N_ITEMS)));
        let city = random.skewed(N_CITIES);
        cities.push((random.next() > 0.02).then(|| format!("city {city}")));
        devices.push(DEVICES[usize::try_from(random.skewed(5.0)).unwrap_or(0)]);
        let age = (random.next() > 0.1).then(|| whole(14.0 + random.next() * 70.0) as f32);
        ages.push(age);
        // Quarters below 2^14: exact in f32, so that boundaries fall the same way for everybody.
        prices.push((whole((random.next() * 9.0).exp() * 4.0) as f32) / 4.0);
        times.push(i64::try_from(whole(FIRST_MILLIS + random.next() * SPAN_MILLIS)).unwrap_or(0));
        for _ in 0..random.skewed(12.0) {
            let tag = random.skewed(N_TAGS);
            tags.values().append_value(format!("tag {tag}"));
        }
        tags.append(true);
    }
    let names = (0..rows).map(|row| format!("{row:010}"));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("row", Arc::new(StringArray::from_iter_values(names))),
        ("user", Arc::new(StringArray::from(users))),
        ("item", Arc::new(StringArray::from(items))),
        ("city", Arc::new(StringArray::from(cities))),
        ("device", Arc::new(StringArray::from(devices))),
        ("age", Arc::new(Float32Array::from(ages))),
        ("price", Arc::new(Float32Array::from(prices))),
        ("time", Arc::new(TimestampMillisecondArray::from(times))),
        ("tags", Arc::new(tags.finish())),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    write_parquet(path, RAW, &batch, &Metadata::new())
}
