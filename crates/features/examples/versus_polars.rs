//! The whole feature transform at the work of a peer: `versus_polars FILE` fits once, then transforms all rows once for
//! each line on standard input and answers `{"seconds": …, "rows": …, "quality": {"checksum": …}}`.
//!
//! `--make FILE --rows N [--seed S]` writes the input; `--compare FOLDER` transforms once and compares with what the
//! peer (`xtask/versus/polars_peer.py FILE --write FOLDER`) has written, value by value.
#![allow(clippy::print_stdout, reason = "the protocol is on standard output")]

#[path = "versus_polars/compare.rs"]
mod compare;
#[path = "versus_polars/make.rs"]
mod make;

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use catchment_features::{FeatureBatch, FeatureColumn, FeatureSpec, FitTables, FittedFeatures};
use catchment_schema::arrow::array::{RecordBatch, StringArray};
use catchment_schema::columns::required_column;
use catchment_schema::parquet_file::read_parquet;
use catchment_schema::{AttributeTable, Histories, Vocabulary};

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

/// What is done to the raw columns; the peer does the same with expressions.
const RECIPE: &str = r#"
item = [
    { name = "user", kind = "category", column = "user", min_count = 2, oov_buckets = 64 },
    { name = "item", kind = "category", column = "item", min_count = 2, oov_buckets = 64 },
    { name = "city", kind = "category", column = "city" },
    { name = "device", kind = "category", column = "device" },
    { name = "user_hash", kind = "hash", column = "user", buckets = 100000, hashes = 2 },
    { name = "age", kind = "number", column = "age", transform = "z_score", missing_flag = true },
    { name = "price", kind = "number", column = "price", transform = "log" },
    { name = "price_z", kind = "number", column = "price", transform = "log_z_score" },
    { name = "price_span", kind = "number", column = "price", transform = "min_max" },
    { name = "age_group", kind = "number", column = "age", transform = { boundaries = [18, 25, 35, 45, 55, 65] } },
    { name = "price_band", kind = "number", column = "price", transform = { quantiles = 20 } },
    { name = "tags", kind = "bag", column = "tags", max = 5, pooling = "mean" },
    { name = "hour", kind = "hour", column = "time", utc_offset = "+02:00" },
    { name = "weekday", kind = "weekday", column = "time", utc_offset = "+02:00" },
    { name = "month", kind = "month", column = "time", cyclic = true },
    { name = "city_device", kind = "cross", features = ["city", "device"] },
    { name = "age_hour", kind = "cross", features = ["age_group", "hour"] },
]
"#;

fn main() -> Anything<()> {
    let mut words = std::env::args().skip(1);
    let (mut file, mut make, mut compare, mut rows, mut seed) = (None, false, None, 1_000_000, 7);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or("a value is missing");
        match word.as_str() {
            "--make" => (make, file) = (true, Some(PathBuf::from(value()?))),
            "--rows" => rows = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--compare" => compare = Some(PathBuf::from(value()?)),
            // The settings of a race.
            _ if word.starts_with('{') => {
                let settings: serde_json::Value = serde_json::from_str(&word)?;
                rows = settings["rows"].as_u64().unwrap_or(rows);
            }
            _ => file = Some(PathBuf::from(word)),
        }
    }
    let Some(file) = file else {
        // Without a file: a small world of its own, so that the example shows something.
        let folder = std::env::temp_dir().join(format!("versus-polars-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        make::write(&folder.join("raw.parquet"), 20_000, seed)?;
        let answer = Work::open(&folder.join("raw.parquet")).and_then(|mut work| work.answer());
        std::fs::remove_dir_all(&folder)?;
        println!("{}", answer?);
        return Ok(());
    };
    // A folder is one that holds the file.
    let file = if file.is_dir() {
        file.join("raw.parquet")
    } else {
        file
    };
    if make {
        return Ok(make::write(&file, rows, seed)?);
    }
    let mut work = Work::open(&file)?;
    if let Some(folder) = compare {
        work.transform()?;
        return compare::with(&folder, &work.fitted, &work.out);
    }
    for line in std::io::stdin().lock().lines() {
        line?;
        println!("{}", work.answer()?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// The raw rows, the fit, and buffers that are filled again and again.
struct Work {
    rows: Vocabulary,
    raw: AttributeTable,
    fitted: FittedFeatures,
    out: FeatureBatch,
}

impl Work {
    fn open(file: &Path) -> Anything<Self> {
        let (batch, _) = read_parquet(file, make::RAW)?;
        let batch: RecordBatch = batch;
        let ids = required_column::<StringArray>(file, &batch, "row")?;
        let rows = Vocabulary::from_counts(ids.iter().flatten().map(|id| (id, 1)));
        let raw = AttributeTable::align(file, &batch, "row", &rows)?;
        let spec: FeatureSpec = toml::from_str(RECIPE)?;
        let fitted = spec.fit(&FitTables {
            users: &Vocabulary::default(),
            items: &rows,
            user_attributes: &AttributeTable::empty(0),
            item_attributes: &raw,
            histories: &Histories::empty(0),
            channels: &[],
        })?;
        Ok(Self {
            rows,
            raw,
            fitted,
            out: FeatureBatch::default(),
        })
    }

    fn transform(&mut self) -> Anything<()> {
        Ok(self
            .fitted
            .transform_items(&self.rows, &self.raw, &mut self.out)?)
    }

    fn answer(&mut self) -> Anything<String> {
        let start = Instant::now();
        self.transform()?;
        let seconds = start.elapsed().as_secs_f64();
        let rows = self.out.rows;
        let checksum = checksum(&self.out);
        Ok(format!(
            r#"{{"seconds": {seconds}, "rows": {rows}, "quality": {{"checksum": {checksum}}}}}"#
        ))
    }
}

/// The sum of all ids and of all lists' lengths, which the peer computes as well: exact, in any order.
fn checksum(batch: &FeatureBatch) -> u64 {
    let of = |column: &FeatureColumn| match column {
        FeatureColumn::Bag { ids, .. } => ids.iter().map(|&id| u64::from(id) + 1).sum(),
        FeatureColumn::Dense { .. } => 0,
    };
    batch.columns.iter().map(of).sum()
}
