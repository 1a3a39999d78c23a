//! How often a batch is expected to hold an item: counted beforehand, or estimated from the stream itself.

use std::io::{self, Read, Write};

use catchment_schema::ItemIdx;

use crate::SamplingError;

/// How often a batch of the log is expected to hold each item: what in-batch candidates are corrected by.
pub trait BatchFrequency {
    /// The natural logarithm of the expected number of rows of a batch with this item; −∞ for what no batch holds.
    fn log_expected_count(&self, item: ItemIdx) -> f32;
}

/// The exact twin of [`StreamingFrequency`], for logs that can be counted before they are learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedFrequency {
    log_expected: Vec<f32>,
}

impl CountedFrequency {
    /// Of how often the log has each item, for batches of `batch_rows` of its rows.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`] where nothing occurs.
    pub fn new(counts: &[u64], batch_rows: usize) -> Result<Self, SamplingError> {
        let weights: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
        Self::of_weights(&weights, batch_rows)
    }

    /// Of how often the rows of the log are expected to be learned from, in any unit: where a user's rows are capped, this is
    /// less than how many there are.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`] where nothing occurs.
    pub fn of_weights(weights: &[f64], batch_rows: usize) -> Result<Self, SamplingError> {
        let total: f64 = weights.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            return Err(SamplingError::NoItems);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log = |&weight: &f64| (batch_rows as f64 * weight / total).ln() as f32;
        Ok(Self {
            log_expected: weights.iter().map(log).collect(),
        })
    }
}

impl BatchFrequency for CountedFrequency {
    fn log_expected_count(&self, item: ItemIdx) -> f32 {
        self.log_expected
            .get(item.index())
            .copied()
            .unwrap_or(f32::NEG_INFINITY)
    }
}

/// What a [`StreamingFrequency`] takes for one sighting of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sighting {
    /// A batch that holds it, however often: Algorithm 2 of Yi et al. (2019), with the rows of a batch at once. The gap
    /// cannot fall below one batch, so that an item of several rows a batch is taken for one of one row.
    Batch,
    /// Each row. What is averaged is the rows of a sighting beside its gap, and the estimate is their quotient: of a
    /// renewal process, rows over batches is the rate, whatever the rate.
    #[default]
    Row,
}

/// The settings of a [`StreamingFrequency`].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamingConfig {
    /// Buckets of each hash (`H`).
    pub buckets: usize,
    /// Hashes, each with buckets of its own (`m`).
    pub hashes: usize,
    /// The weight of the latest gap in the mean (`α`), above 0 and at most 1. Higher follows drift faster, with more noise.
    pub rate: f32,
    /// The gap, in batches, of what was never seen.
    pub initial_gap: f32,
    /// What counts as one.
    pub sighting: Sighting,
}

impl StreamingConfig {
    /// # Errors
    /// [`SamplingError::Config`] names the setting.
    pub fn validate(&self) -> Result<(), SamplingError> {
        let config_error = |key, value: String, allowed| Err(SamplingError::Config { key, value, allowed });
        if !(1..=16).contains(&self.hashes) {
            return config_error("hashes", self.hashes.to_string(), "1 to 16");
        }
        if !(1..=MOST_BUCKETS / 16).contains(&self.buckets) {
            return config_error("buckets", self.buckets.to_string(), "1 to 268435456");
        }
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return config_error("rate", self.rate.to_string(), "above 0, at most 1");
        }
        if !(self.initial_gap >= 1.0 && self.initial_gap.is_finite()) {
            return config_error("initial_gap", self.initial_gap.to_string(), "at least 1, finite");
        }
        Ok(())
    }

    /// What an estimate takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.buckets
            .saturating_mul(self.hashes)
            .saturating_mul(Bucket::BYTES)
    }
}

impl Default for StreamingConfig {
    fn default() -> Self {
        Self {
            buckets: 1 << 20,
            hashes: 1,
            rate: 0.01,
            initial_gap: 1e4,
            sighting: Sighting::Row,
        }
    }
}

/// The frequency of items in a stream that is read once, in memory that does not grow: the mean gap between the batches
/// that hold an item, by an exponential average in a hashed table (Yi et al. 2019, Algorithms 2 and 3).
///
/// With several hashes the longest of the gaps counts: two items in one bucket only ever shorten each other's.
///
/// The first gaps of a bucket are averaged evenly until there are `1 / rate` of them: an exponential average that begins at
/// [`StreamingConfig::initial_gap`] forgets that beginning only after as many. With [`Sighting::Batch`] it is as the paper
/// has it, from the initial gap on.
///
/// Memory: 16 bytes a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamingFrequency {
    config: StreamingConfig,
    /// Batches seen so far.
    step: u32,
    /// `[hashes][buckets]`
    table: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    last_step: u32,
    gap: f32,
    rows: f32,
    /// Sightings, up to `1 / rate`.
    n: u32,
}

impl Bucket {
    const BYTES: usize = 16;
}

impl StreamingFrequency {
    /// Before the first batch.
    ///
    /// # Errors
    /// [`SamplingError::Config`] names the setting.
    pub fn new(config: StreamingConfig) -> Result<Self, SamplingError> {
        config.validate()?;
        let never = Bucket {
            last_step: 0,
            gap: config.initial_gap,
            rows: 1.0,
            n: 0,
        };
        Ok(Self {
            step: 0,
            table: vec![never; config.buckets * config.hashes],
            config,
        })
    }

    /// Takes note of one batch: the items of its rows.
    pub fn observe(&mut self, items: &[ItemIdx]) {
        self.step = self.step.saturating_add(1);
        let mut items = items.to_vec();
        items.sort_unstable();
        for rows in items.chunk_by(|a, b| a == b) {
            for hash in 0..self.config.hashes {
                let bucket = self.bucket_of(rows[0], hash);
                self.see(bucket, rows.len());
            }
        }
    }

    fn see(&mut self, bucket: usize, n_rows: usize) {
        let StreamingConfig { rate, sighting, .. } = self.config;
        let bucket = &mut self.table[bucket];
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gap of more than 2^24 batches may be rounded"
        )]
        let (gap, n_rows) = ((self.step - bucket.last_step) as f32, n_rows as f32);
        match sighting {
            Sighting::Batch => bucket.gap += rate * (gap - bucket.gap),
            Sighting::Row => {
                bucket.n = bucket.n.saturating_add(1);
                #[expect(clippy::cast_precision_loss, reason = "no more than 1 / rate matter")]
                let rate = rate.max(1.0 / bucket.n as f32);
                bucket.gap += rate * (gap - bucket.gap);
                bucket.rows += rate * (n_rows - bucket.rows);
            }
        }
        bucket.last_step = self.step;
    }

    fn bucket_of(&self, item: ItemIdx, hash: usize) -> usize {
        let key = u64::from(item.0) | ((hash as u64 + 1) << 32);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a remainder of `buckets`, which is a usize"
        )]
        let bucket = (mixed(key) % self.config.buckets as u64) as usize;
        hash * self.config.buckets + bucket
    }

    /// How many rows of a batch are expected to hold this item.
    pub fn expected_count(&self, item: ItemIdx) -> f32 {
        let estimates = (0..self.config.hashes).map(|hash| {
            let bucket = self.table[self.bucket_of(item, hash)];
            // Two items of one bucket in one batch make a gap of 0.
            bucket.rows / bucket.gap.max(f32::MIN_POSITIVE)
        });
        estimates.fold(f32::INFINITY, f32::min)
    }

    /// How many batches it has seen, up to 2^32 - 1: what comes after that finds no gap.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The settings.
    pub fn config(&self) -> &StreamingConfig {
        &self.config
    }

    /// Writes all of it, so that [`StreamingFrequency::read`] goes on exactly where this one is: part of a checkpoint.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let config = self.config;
        out.write_all(MAGIC)?;
        for size in [
            config.buckets,
            config.hashes,
            usize::from(config.sighting == Sighting::Row),
        ] {
            out.write_all(&(size as u64).to_le_bytes())?;
        }
        for number in [config.rate, config.initial_gap] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(&self.step.to_le_bytes())?;
        let mut bytes = Vec::with_capacity(Bucket::BYTES * BUCKETS_AT_ONCE);
        for buckets in self.table.chunks(BUCKETS_AT_ONCE) {
            bytes.clear();
            for bucket in buckets {
                bytes.extend(bucket.last_step.to_le_bytes());
                bytes.extend(bucket.gap.to_le_bytes());
                bytes.extend(bucket.rows.to_le_bytes());
                bytes.extend(bucket.n.to_le_bytes());
            }
            out.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Reads what [`StreamingFrequency::write`] wrote.
    ///
    /// # Errors
    /// [`SamplingError::State`] for anything else, a part of it among that.
    pub fn read(from: &mut dyn Read) -> Result<Self, SamplingError> {
        let state = |reason: &str| SamplingError::State {
            reason: reason.to_owned(),
        };
        let mut take = |bytes: &mut [u8]| from.read_exact(bytes).map_err(|error| state(&error.to_string()));
        let mut magic = [0; MAGIC.len()];
        take(&mut magic)?;
        if magic != *MAGIC {
            return Err(state("it does not begin as an estimator of this version does"));
        }
        let mut sizes = [0_usize; 3];
        for size in &mut sizes {
            let mut bytes = [0; 8];
            take(&mut bytes)?;
            *size = usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| state("it is too large"))?;
        }
        let mut word = || -> Result<[u8; 4], SamplingError> {
            let mut bytes = [0; 4];
            take(&mut bytes)?;
            Ok(bytes)
        };
        let (rate, initial_gap) = (f32::from_le_bytes(word()?), f32::from_le_bytes(word()?));
        let step = u32::from_le_bytes(word()?);
        let [buckets, hashes, is_by_row] = sizes;
        let n_buckets = buckets.checked_mul(hashes).filter(|&n| n <= MOST_BUCKETS);
        let n_buckets = n_buckets.ok_or_else(|| state("it is too large"))?;
        let config = StreamingConfig {
            buckets,
            hashes,
            rate,
            initial_gap,
            sighting: if is_by_row == 0 {
                Sighting::Batch
            } else {
                Sighting::Row
            },
        };
        // Checks the settings, and holds nothing yet: a damaged size should not take all memory.
        let mut read = Self::new(StreamingConfig { buckets: 1, ..config })?;
        read.config = config;
        read.step = step;
        read.table.clear();
        for _ in 0..n_buckets {
            read.table.push(Bucket {
                last_step: u32::from_le_bytes(word()?),
                gap: f32::from_le_bytes(word()?),
                rows: f32::from_le_bytes(word()?),
                n: u32::from_le_bytes(word()?),
            });
        }
        Ok(read)
    }
}

/// What a written estimator begins with; the number is the version.
const MAGIC: &[u8; 8] = b"CTCHFRQ1";
const BUCKETS_AT_ONCE: usize = 1 << 12;
/// 64 GiB of them.
const MOST_BUCKETS: usize = 1 << 32;

impl BatchFrequency for StreamingFrequency {
    fn log_expected_count(&self, item: ItemIdx) -> f32 {
        self.expected_count(item).ln()
    }
}

/// Every bit of the key in every bit of the answer (the finaliser of `SplitMix64`, Steele et al. 2014).
fn mixed(key: u64) -> u64 {
    let key = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    key ^ (key >> 31)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::AliasTable;

    const N_ITEMS: usize = 200;
    const ROWS: usize = 128;

    /// `q(i) ∝ i²`, as in the simulation of Yi et al. (2019), section 6.1.
    fn squares() -> Vec<f64> {
        (0..N_ITEMS).map(|item| (item * item) as f64).collect()
    }

    fn streamed(config: StreamingConfig, weights: &[f64], batches: usize) -> StreamingFrequency {
        let mut frequency = StreamingFrequency::new(config).expect("settings");
        go_on(&mut frequency, weights, batches, 5);
        frequency
    }

    fn go_on(frequency: &mut StreamingFrequency, weights: &[f64], batches: usize, seed: u64) {
        let log = AliasTable::new(weights).expect("weights");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        for _ in 0..batches {
            let items: Vec<ItemIdx> = (0..ROWS).map(|_| ItemIdx(log.draw(&mut rng))).collect();
            frequency.observe(&items);
        }
    }

    /// The mean of `|estimate - truth| / truth` over the items that `chosen` takes.
    fn error(frequency: &StreamingFrequency, weights: &[f64], chosen: impl Fn(f64) -> bool) -> f64 {
        let total: f64 = weights.iter().sum();
        let errors: Vec<f64> = weights
            .iter()
            .enumerate()
            .map(|(item, weight)| (item, ROWS as f64 * weight / total))
            .filter(|&(_, expected)| chosen(expected))
            .map(|(item, expected)| {
                let found = f64::from(frequency.expected_count(ItemIdx::from_index(item)));
                (found - expected).abs() / expected
            })
            .collect();
        errors.iter().sum::<f64>() / errors.len() as f64
    }

    fn config() -> StreamingConfig {
        StreamingConfig {
            // No two of the items share one.
            buckets: 1 << 18,
            initial_gap: 100.0,
            ..StreamingConfig::default()
        }
    }

    #[test]
    fn the_estimate_comes_near_the_truth() {
        let weights = squares();
        let frequency = streamed(config(), &weights, 4_000);
        let error = error(&frequency, &weights, |expected| expected > 0.02);
        assert!(error < 0.1, "{error}");
    }

    /// The exact twin's answers, where the estimator has no reason to be wrong.
    #[test]
    fn an_item_of_every_batch_is_known_exactly() {
        let mut frequency = StreamingFrequency::new(config()).expect("settings");
        for _ in 0..10 {
            frequency.observe(&[ItemIdx(3), ItemIdx(7), ItemIdx(3)]);
        }
        let counted = CountedFrequency::new(&[0, 0, 0, 20, 0, 0, 0, 10], 3).expect("counts");
        for item in [ItemIdx(3), ItemIdx(7)] {
            let (found, wanted) = (
                frequency.log_expected_count(item),
                counted.log_expected_count(item),
            );
            assert!((found - wanted).abs() < 1e-5, "{item:?}: {found} for {wanted}");
        }
    }

    /// Two items of three have more than one row a batch: seen once a batch, they cannot be told from those of one row.
    #[test]
    fn the_papers_form_saturates_at_one_row_a_batch_and_ours_does_not() {
        let weights = [90.0, 30.0, 8.0];
        let estimates = |sighting| {
            let frequency = streamed(StreamingConfig { sighting, ..config() }, &weights, 3_000);
            [0, 1].map(|item| frequency.expected_count(ItemIdx(item)))
        };
        let saturated = estimates(Sighting::Batch);
        assert!(
            saturated.iter().all(|estimate| (estimate - 1.0).abs() < 0.01),
            "{saturated:?}"
        );
        let [first, second] = estimates(Sighting::Row);
        assert!(
            (first - 90.0).abs() < 3.0 && (second - 30.0).abs() < 2.0,
            "{first} {second}"
        );
    }

    #[test]
    fn a_higher_rate_follows_sooner_and_is_noisier() {
        let before = squares();
        let after: Vec<f64> = before.iter().rev().copied().collect();
        let of_rate = |rate| {
            let mut frequency = streamed(StreamingConfig { rate, ..config() }, &before, 4_000);
            let settled = error(&frequency, &before, |expected| expected > 0.1);
            go_on(&mut frequency, &after, 60, 6);
            (settled, error(&frequency, &after, |expected| expected > 0.5))
        };
        let (slow, fast) = (of_rate(0.01), of_rate(0.1));
        assert!(slow.0 < fast.0, "the floor: {slow:?} {fast:?}");
        assert!(fast.1 < slow.1, "after the turn: {slow:?} {fast:?}");
    }

    /// With as many buckets in all, more hashes make fewer collisions that matter.
    #[test]
    fn more_hashes_of_fewer_buckets_err_less() {
        let weights = squares();
        let of_hashes = |hashes| {
            let config = StreamingConfig {
                buckets: 800 / hashes,
                hashes,
                ..config()
            };
            error(&streamed(config, &weights, 4_000), &weights, |expected| {
                expected > 0.02
            })
        };
        let (one, two, four) = (of_hashes(1), of_hashes(2), of_hashes(4));
        assert!(one > two && two > four, "{one} {two} {four}");
    }

    #[test]
    fn what_was_written_goes_on_as_if_it_had_not_been() {
        for sighting in [Sighting::Batch, Sighting::Row] {
            let mut whole = streamed(
                StreamingConfig {
                    sighting,
                    hashes: 2,
                    ..config()
                },
                &squares(),
                50,
            );
            let mut bytes = vec![];
            whole.write(&mut bytes).expect("written");
            let mut resumed = StreamingFrequency::read(&mut bytes.as_slice()).expect("read");
            for frequency in [&mut whole, &mut resumed] {
                go_on(frequency, &squares(), 50, 9);
            }
            assert!(whole == resumed);
            let short = StreamingFrequency::read(&mut &bytes[..bytes.len() - 1]);
            assert!(matches!(short, Err(SamplingError::State { .. })));
            bytes[0] ^= 1;
            let foreign = StreamingFrequency::read(&mut bytes.as_slice());
            assert!(matches!(foreign, Err(SamplingError::State { .. })));
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let key_of = |change: fn(&mut StreamingConfig)| {
            let mut config = config();
            change(&mut config);
            match StreamingFrequency::new(config) {
                Err(SamplingError::Config { key, .. }) => key,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(key_of(|config| config.buckets = 0), "buckets");
        assert_eq!(key_of(|config| config.hashes = 0), "hashes");
        assert_eq!(key_of(|config| config.rate = f32::NAN), "rate");
        assert_eq!(key_of(|config| config.initial_gap = 0.5), "initial_gap");
    }
}
