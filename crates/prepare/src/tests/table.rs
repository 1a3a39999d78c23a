//! Logs as text, and prepared folders as text.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{
    Array, ArrayRef, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt32Array,
};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use catchment_schema::{Interactions, Vocabulary};
use datafusion::prelude::{SessionConfig, SessionContext};
use expect_test::Expect;

use crate::layout::Unfinished;
use crate::log::{Log, Part};
use crate::run::{Imported, Settings, block_on, prepare_imported};
use crate::{PrepareConfig, Prepared, Result, SplitConfig, Summary};

pub(super) const MINUTE: i64 = 60_000;

/// A batch as an importer gives it. A row is a line: user, item, and any of `t=` (minutes), `o=` (order),
/// `e=` (event), `v=` (value), `s=` (session), `d=` (dwell in ms), `x=` (an extra column `user`).
pub(super) fn batch(lines: &[String]) -> RecordBatch {
    let word = |line: &str, at: usize| line.split_whitespace().nth(at).expect("user and item").to_owned();
    let field = |line: &str, key: &str| {
        let words = line.split_whitespace();
        words
            .filter_map(|word| word.split_once('='))
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.to_owned())
    };
    let texts = |key: &str| lines.iter().map(|line| field(line, key)).collect::<StringArray>();
    let number = |line: &String, key: &str| field(line, key).map(|text| text.parse::<f64>().expect("number"));
    let whole = |line: &String, key: &str| field(line, key).map(|text| text.parse::<i64>().expect("number"));
    let times: TimestampMillisecondArray = lines
        .iter()
        .map(|line| whole(line, "t").map(|minutes| minutes * MINUTE))
        .collect();
    let orders = lines
        .iter()
        .map(|line| whole(line, "o").map(|order| u32::try_from(order).expect("order")));
    #[allow(clippy::cast_possible_truncation, reason = "test values are small")]
    let values = lines
        .iter()
        .map(|line| number(line, "v").map(|value| value as f32));
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "user_id",
            Arc::new(
                lines
                    .iter()
                    .map(|line| Some(word(line, 0)))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "item_id",
            Arc::new(
                lines
                    .iter()
                    .map(|line| Some(word(line, 1)))
                    .collect::<StringArray>(),
            ),
        ),
        ("timestamp", Arc::new(times.with_timezone("UTC"))),
        ("event", Arc::new(texts("e"))),
        ("value", Arc::new(values.collect::<Float32Array>())),
        ("session_id", Arc::new(texts("s"))),
        (
            "dwell_ms",
            Arc::new(lines.iter().map(|line| whole(line, "d")).collect::<Int64Array>()),
        ),
        ("order", Arc::new(orders.collect::<UInt32Array>())),
        (
            "user",
            Arc::new(
                lines
                    .iter()
                    .map(|line| number(line, "x"))
                    .collect::<Float64Array>(),
            ),
        ),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("a batch");
    assert_eq!(
        *batch.schema().field(2).data_type(),
        DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
    );
    batch
}

pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// How the log is cut up on its way in; nothing of it may show in the files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Engine {
    pub(super) threads: usize,
    pub(super) partitions: usize,
    pub(super) rows_per_batch: usize,
}

pub(super) const PLAIN: Engine = Engine {
    threads: 1,
    partitions: 1,
    rows_per_batch: 1000,
};

pub(super) fn run(
    engine: Engine,
    train: &[String],
    test: Option<&[String]>,
    config: &PrepareConfig,
    split: &SplitConfig,
    out: &Path,
) -> Result<Summary> {
    let settings = Settings::check(config, split, 7, test.is_some())?;
    let mut log = Log::default();
    for (part, rows) in [(Part::Train, Some(train)), (Part::Test, test)] {
        for rows in rows.unwrap_or_default().chunks(engine.rows_per_batch) {
            log.push(Path::new("log"), part, &batch(rows))?;
        }
    }
    let imported = Imported {
        log,
        dataset: "hand-made".to_owned(),
        ..Imported::default()
    };
    let config = SessionConfig::new()
        .with_target_partitions(engine.partitions)
        .with_batch_size(64);
    let context = SessionContext::new_with_config(config);
    block_on(
        engine.threads,
        prepare_imported(&context, imported, &settings, Unfinished::begin(out)?),
    )
}

/// Prepares a log (and, after a line `test`, a test log) and compares what can be read back.
pub(super) fn check(log: &str, config: &PrepareConfig, split: &SplitConfig, expected: &Expect) {
    let home = tempfile::tempdir().expect("temporary folder");
    let out = home.path().join("out");
    let rows = lines(log);
    let (train, test) = match rows.iter().position(|line| line == "test") {
        Some(at) => (&rows[..at], Some(&rows[at + 1..])),
        None => (&rows[..], None),
    };
    run(PLAIN, train, test, config, split, &out).expect("prepared");
    expected.assert_eq(&told(&Prepared::open(&out).expect("opened")));
}

/// What a prepared folder says, as text.
pub(super) fn told(prepared: &Prepared) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "users: {}", vocabulary(prepared.users()));
    let _ = writeln!(text, "items: {}", vocabulary(prepared.items()));
    for (name, part) in [
        ("train", prepared.train()),
        ("validation", prepared.validation()),
        ("test", prepared.test()),
    ] {
        let part = part.expect("read");
        if !part.is_empty() {
            let _ = writeln!(text, "{name}:");
            rows(&mut text, prepared, &part);
        }
    }
    text
}

fn vocabulary(vocabulary: &Vocabulary) -> String {
    let pairs = vocabulary.ids().iter().zip(vocabulary.counts());
    pairs
        .map(|(id, count)| format!("{id}({count})"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// `user item minutes session`, then what is not as usual. A cold id is `#index`.
fn rows(text: &mut String, prepared: &Prepared, part: &Interactions) {
    let name = |vocabulary: &Vocabulary, index: usize| {
        vocabulary
            .id(index)
            .map_or_else(|| format!("#{index}"), str::to_owned)
    };
    for ((user, event), session) in part.users.iter().zip(&part.events).zip(&part.sessions) {
        let minutes = event
            .time
            .millis()
            .map_or("?".to_owned(), |millis| (millis / MINUTE).to_string());
        let user = name(prepared.users(), user.index());
        let item = name(prepared.items(), event.item.index());
        let _ = write!(text, "  {user} {item} {minutes} s{session}");
        let word = &prepared.event_words()[usize::from(event.kind.0)];
        if word != "interaction" {
            let _ = write!(text, " {word}");
        }
        #[allow(clippy::float_cmp, reason = "1 is what a row without a value has, exactly")]
        if event.value != 1.0 {
            let _ = write!(text, " value {}", event.value);
        }
        if let Some(dwell) = event.dwell_ms {
            let _ = write!(text, " dwell {dwell}");
        }
        text.push('\n');
    }
}
