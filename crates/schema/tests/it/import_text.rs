//! Logs as text: CSV, TSV, JSON lines, `LightGCN`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use catchment_schema::import::{Format, TimeUnit};
use catchment_schema::parquet::arrow::ArrowWriter;
use expect_test::expect;
use proptest::prelude::*;

use super::imported::{cell, check, import, map, shown, source};

#[test]
fn csv_maps_columns_and_keeps_the_others() {
    check(
        "log.csv",
        "\u{feff}uid,item_id,timestamp,value,note,code\r\n\
         1,\"a,\"\"b\"\"\",978300760,4.5,0.5,007\r\n\
         \r\n\
         340282366920938463463374607431768211456,c,978300761,,2,010\r\n",
        Format::Csv,
        |source| map(source, "user_id", "uid"),
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order|note|code
            1|a,"b"|978300760000|-|4.5|-|-|-|0.5|007
            340282366920938463463374607431768211456|c|978300761000|-|-|-|-|-|2.0|010
        "#]],
    );
}

#[test]
fn one_column_may_serve_twice_and_a_mapping_shadows_a_name() {
    check(
        "log.tsv",
        "SessionId\tItemId\tTime\tvalue\trating\n1\t7\t1396860669.277\tx\t2\n",
        Format::Tsv,
        |source| {
            map(source, "user_id", "SessionId");
            map(source, "session_id", "SessionId");
            map(source, "item_id", "ItemId");
            map(source, "timestamp", "Time");
            map(source, "value", "rating");
        },
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            1|7|1396860669277|-|2.0|1|-|-
        "#]],
    );
}

#[test]
fn json_lines_take_columns_as_they_come_and_keep_every_digit() {
    check(
        "log.jsonl",
        "{\"user_id\": 18446744073709551617, \"item_id\": \"\\u00e9\", \"page\": 1}\n\n\
         {\"item_id\": \"b\", \"user_id\": \"u\", \"timestamp\": \"2026-11-24T09:30:00+01:00\", \"tags\": [\"x\"], \
         \"dwell_ms\": 12, \"event\": null, \"page\": 2.5}\n",
        Format::Jsonl,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order|page|tags
            18446744073709551617|é|-|-|-|-|-|-|1.0|-
            u|b|1795509000000|-|-|-|12|-|2.5|["x"]
        "#]],
    );
}

#[test]
fn lightgcn_lines_become_pairs() {
    check(
        "train.txt",
        "0 10 11\n1\n2 10\n",
        Format::LightGcn,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            0|10|-|-|-|-|-|-
            0|11|-|-|-|-|-|-
            2|10|-|-|-|-|-|-
        "#]],
    );
}

#[test]
fn times_that_tell_no_unit_are_mentioned() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("log.csv");
    fs::write(&path, "user_id,item_id,timestamp\nu,i,5\n").expect("writes");
    let mut source = source(&path, Format::Csv);
    assert_eq!(
        import(&source).expect("imports").1.findings[0].code,
        "small_times"
    );
    source.time_unit = TimeUnit::Minutes;
    source.time_origin = Some("2012-04-03T00:00:00Z".to_owned());
    let (batches, report) = import(&source).expect("imports");
    assert!(report.findings.is_empty());
    assert_eq!(cell(&batches[0]["timestamp"], 0), "1333411500000");
}

/// A row of a log as the test knows it.
type Row = (String, u64, Option<i64>, Option<f32>, Option<String>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = || "[a-z\u{e9}\"\\\\,\t\n ]{0,5}z";
    let row = (
        text(),
        any::<u64>(),
        proptest::option::of(1_000_000_000_000i64..2_000_000_000_000),
        proptest::option::of(-1e6f32..1e6),
        proptest::option::of(text()),
    );
    proptest::collection::vec(row, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The same rows give the same batch, in whatever form they come.
    #[test]
    fn all_forms_are_read_alike(rows in rows()) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("writes");
            path
        };
        let delimited = |delimiter: u8| {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            writer.write_record(["user_id", "item_id", "timestamp", "value", "event"]).expect("writes");
            for (user, item, time, value, event) in &rows {
                let shown = |cell: Option<String>| cell.unwrap_or_default();
                writer.write_record([
                    user,
                    &item.to_string(),
                    &shown(time.map(|time| time.to_string())),
                    &shown(value.map(|value| value.to_string())),
                    &shown(event.clone()),
                ]).expect("writes");
            }
            writer.into_inner().expect("writes")
        };
        let json: Vec<String> = rows.iter().map(|(user, item, time, value, event)| {
            serde_json::json!({
                "user_id": user, "item_id": item, "timestamp": time, "value": value, "event": event,
            }).to_string()
        }).collect();
        let columns: [(&str, ArrayRef); 5] = [
            ("user_id", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0)))),
            ("item_id", Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.1)))),
            ("timestamp", Arc::new(rows.iter().map(|row| row.2)
                .collect::<catchment_schema::arrow::array::TimestampMillisecondArray>())),
            ("value", Arc::new(rows.iter().map(|row| row.3.map(f64::from)).collect::<Float64Array>())),
            ("event", Arc::new(rows.iter().map(|row| row.4.as_deref()).collect::<StringArray>())),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, column)| (name, column, true))
        ).expect("a batch");
        let parquet = folder.path().join("log.parquet");
        let mut writer = ArrowWriter::try_new(
            fs::File::create(&parquet).expect("creates"), batch.schema(), None
        ).expect("begins");
        writer.write(&batch).expect("writes");
        writer.close().expect("closes");

        let read = |path: &Path, format| {
            let mut source = source(path, format);
            source.time_unit = TimeUnit::Millis;
            shown(&import(&source).expect("imports").0)
        };
        let expected = read(&parquet, Format::Parquet);
        prop_assert_eq!(&read(&write("log.csv", &delimited(b',')), Format::Csv), &expected);
        prop_assert_eq!(&read(&write("log.tsv", &delimited(b'\t')), Format::Tsv), &expected);
        prop_assert_eq!(&read(&write("log.jsonl", json.join("\n").as_bytes()), Format::Jsonl), &expected);
    }
}
