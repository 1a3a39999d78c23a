//! Files of every format version that there ever was are opened forever.

use std::path::PathBuf;

use catchment_schema::arrow::array::AsArray;
use catchment_schema::parquet_file::read_any_parquet;

use crate::samples::SAMPLES;

fn folder(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}"))
}

#[test]
fn files_of_version_1_open() {
    for sample in &SAMPLES {
        let path = folder(1).join(sample.file_name());
        let same = (sample.read)(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(same, "{} holds something else", path.display());
    }
}

#[test]
fn files_of_version_1_are_plain_parquet_with_the_columns_of_the_contract() {
    let columns = |name: &str| {
        let (batch, _) = read_any_parquet(folder(1).join(name)).expect("reads");
        let fields = batch.schema_ref().fields().iter();
        let fields = fields.map(|field| format!("{} {}", field.name(), field.data_type()));
        fields.collect::<Vec<_>>().join(", ")
    };
    expect_test::expect!["id Utf8, vector FixedSizeList(2 x non-null Float32), bias Float32"]
        .assert_eq(&columns("embeddings.parquet"));
    expect_test::expect!["user_id Utf8, item_id Utf8, channel Utf8, rank UInt32, score Float32"]
        .assert_eq(&columns("candidates.parquet"));
    expect_test::expect!["user_id Utf8, item_id Utf8, rank UInt32, score Float32, channels List(Utf8)"]
        .assert_eq(&columns("recommendations.parquet"));
    expect_test::expect!["item_id Utf8, neighbour_id Utf8, rank UInt32, score Float32"]
        .assert_eq(&columns("neighbours.parquet"));
    expect_test::expect!["id Utf8, index UInt32, count UInt64"].assert_eq(&columns("vocabulary.parquet"));
    expect_test::expect![
        "user UInt32, item UInt32, time Int64, event UInt16, value Float32, session UInt32, dwell Int64"
    ]
    .assert_eq(&columns("interactions.parquet"));
    let (batch, metadata) = read_any_parquet(folder(1).join("candidates.parquet")).expect("reads");
    assert_eq!(metadata["catchment.bundle"], "2026-11-24-1");
    assert_eq!(metadata["catchment.format"], "1");
    assert_eq!(batch["channel"].as_string::<i32>().value(1), "item_cf");
}

/// Run this after adding a kind of file, or with a new folder after raising a version; never over an old folder.
#[test]
#[ignore = "writes the golden files"]
fn write_the_golden_files() {
    for sample in &SAMPLES {
        (sample.write)(&folder(sample.kind.version).join(sample.file_name())).expect("writes");
    }
}
