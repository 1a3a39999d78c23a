//! Bad input, and what each kind of it answers. The table in the README is made of these.

use std::fs;

use catchment_schema::Error;
use catchment_schema::import::{Format, OnError, Source, import_interactions, import_items};
use expect_test::{Expect, expect};

/// What an import of `content` answers, with the folder of the test taken out.
pub(super) fn answer(name: &str, content: &[u8], format: Format, change: impl FnOnce(&mut Source)) -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("writes");
    let mut source = Source::new(path.to_string_lossy(), format);
    change(&mut source);
    let error = match import_interactions(&source, &mut |_| Ok(())) {
        Ok(report) => return format!("{report:?}").replace(&format!("{}/", folder.path().display()), ""),
        Err(error) => error,
    };
    assert!(!error.help().is_empty());
    error
        .to_string()
        .replace(&format!("{}/", folder.path().display()), "")
}

fn format_of(name: &str) -> Format {
    match name.split('.').nth(1) {
        Some("csv") => Format::Csv,
        Some("tsv") if name.starts_with("ratings") => Format::MovieLens1m,
        Some("tsv") => Format::Tsv,
        Some("jsonl") => Format::Jsonl,
        Some("parquet") => Format::Parquet,
        Some("dat") => Format::MovieLens1m,
        _ => Format::LightGcn,
    }
}

pub(super) fn check(name: &str, content: impl AsRef<[u8]>, expected: &Expect) {
    expected.assert_eq(&answer(name, content.as_ref(), format_of(name), |_| {}));
}

#[test]
fn missing_columns_list_what_is_there() {
    check(
        "log.csv",
        "user,item_id\nu,i\n",
        &expect!["log.csv has no column `user_id`; it has: user, item_id"],
    );
    check(
        "log.jsonl",
        "{\"user_id\": 1}\n",
        &expect!["log.jsonl has no column `item_id`; it has: user_id"],
    );
    check(
        "ratings.tsv",
        "a\nb\n",
        &expect!["ratings.tsv has no column `user`; it has: a"],
    );
    let mapped = answer(
        "log.jsonl",
        b"{\"user_id\": 1, \"item_id\": 2}\n",
        Format::Jsonl,
        |source| {
            source.columns.insert("value".to_owned(), "ratign".to_owned());
        },
    );
    expect!["log.jsonl has no column `ratign`; it has: user_id, item_id"].assert_eq(&mapped);
}

#[test]
fn null_and_empty_ids_are_refused() {
    check(
        "log.csv",
        "user_id,item_id\nu,i\n,i\n",
        &expect![[r#"log.csv: line 3, column `user_id`: an id must not be null or empty (an empty cell)"#]],
    );
    check(
        "log.jsonl",
        "{\"user_id\": null, \"item_id\": 1}\n",
        &expect![[r#"log.jsonl: line 1, column `user_id`: an id must not be null or empty (an empty cell)"#]],
    );
    check(
        "log.jsonl",
        "{\"user_id\": \"\", \"item_id\": 1}\n",
        &expect![[r#"log.jsonl: line 1, column `user_id`: an id must not be null or empty (an empty cell)"#]],
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    let head = "user_id,item_id,value,dwell_ms,order\n";
    check(
        "log.csv",
        format!("{head}u,i,NaN,,\n"),
        &expect![[r#"log.csv: line 2, column `value`: must be finite in 32 bits (value: "NaN")"#]],
    );
    check(
        "log.csv",
        format!("{head}u,i,1e39,,\n"),
        &expect![[r#"log.csv: line 2, column `value`: must be finite in 32 bits (value: "1e39")"#]],
    );
    check(
        "log.csv",
        format!("{head}u,i,four,,\n"),
        &expect![[r#"log.csv: line 2, column `value`: is not a number (value: "four")"#]],
    );
    check(
        "log.csv",
        format!("{head}u,i,,-1,\n"),
        &expect![[
            r#"log.csv: line 2, column `dwell_ms`: must be between 0 and 9223372036854775807 (value: "-1")"#
        ]],
    );
    check(
        "log.csv",
        format!("{head}u,i,,1.5,\n"),
        &expect![[
            r#"log.csv: line 2, column `dwell_ms`: must be a whole number within 2^53 (value: "1.5")"#
        ]],
    );
    check(
        "log.csv",
        format!("{head}u,i,,,4294967296\n"),
        &expect![[
            r#"log.csv: line 2, column `order`: must be between 0 and 4294967295 (value: "4294967296")"#
        ]],
    );
}

#[test]
fn times_that_are_none_are_refused() {
    let head = "user_id,item_id,timestamp\n";
    check(
        "log.csv",
        format!("{head}u,i,yesterday\n"),
        &expect![[
            r#"log.csv: line 2, column `timestamp`: is no moment in a form that is read (2026-03-01, 2026-03-01 10:00, 2026-03-01T10:00:00Z (or +01:00), and numbers since 1970 in s, ms or us); is this the column of the times? (value: "yesterday")"#
        ]],
    );
    check(
        "log.csv",
        format!("{head}u,i,978300760123\nu,j,978300760\n"),
        &expect![[
            r#"log.csv: line 3, column `timestamp`: tells another unit by its size than the times before: set time_unit (value: "978300760")"#
        ]],
    );
    check(
        "log.csv",
        format!("{head}u,i,9e17\n"),
        &expect![[
            r#"log.csv: line 2, column `timestamp`: is too large for microseconds: set time_unit (value: "9e17")"#
        ]],
    );
}

#[test]
fn lines_are_counted_over_blank_lines_quotes_and_carriage_returns() {
    check(
        "log.csv",
        "user_id,item_id\r\n\r\n\"a\r\nb\",i\r\n\r\nu\r\n",
        &expect![[r#"log.csv: line 6, column `whole line`: has 1 fields, the header has 2 (value: "u")"#]],
    );
    check(
        "log.csv",
        "user_id,item_id\nu,i\nu,i,7",
        &expect![[
            r#"log.csv: line 3, column `whole line`: has 3 fields, the header has 2 (value: "u,i,7")"#
        ]],
    );
    check(
        "log.jsonl",
        "\n\n{\"user_id\": 1,}\n",
        &expect![[
            r#"log.jsonl: line 3, column `whole line`: is no JSON object: trailing comma, at character 15 (value: "{\"user_id\": 1,}")"#
        ]],
    );
    check(
        "ratings.dat",
        "1::2::3::978300760\n\n1::2\n",
        &expect![[
            r#"ratings.dat: line 3, column `whole line`: has 2 fields between "::", expected 4 (value: "1::2")"#
        ]],
    );
}

#[test]
fn quotes_that_never_close_are_refused() {
    check(
        "log.csv",
        "user_id,item_id\nu,i\nu,\"i\nu,j\nu,k\n",
        &expect![[
            r#"log.csv: line 3, column `whole line`: a quote is opened and never closed (value: "u,i\nu,j\nu,k\n")"#
        ]],
    );
}

#[test]
fn json_that_is_no_object_is_refused() {
    check(
        "log.jsonl",
        "[1, 2]\n",
        &expect![[
            r#"log.jsonl: line 1, column `whole line`: is no JSON object: invalid type: sequence, expected an object, at character 0 (value: "[1, 2]")"#
        ]],
    );
    check(
        "log.jsonl",
        "{\"user_id\": 1, \"user_id\": 2}\n",
        &expect![[
            r#"log.jsonl: line 1, column `whole line`: names "user_id" twice (value: "{\"user_id\": 1, \"user_id\": 2}")"#
        ]],
    );
    let deep = format!(
        "{{\"user_id\": 1, \"item_id\": {}1{}}}",
        "[".repeat(100_000),
        "]".repeat(99_999)
    );
    check(
        "log.jsonl",
        deep,
        &expect![[
            r#"log.jsonl: line 1, column `whole line`: is no JSON object: expected `,` or `]`, at character 200027 (value: "{\"user_id\": 1, \"item_id\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…")"#
        ]],
    );
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    check(
        "log.csv",
        b"user_id,item_id\nu,i\nu,\xff\xfe\n",
        &expect![[r#"log.csv: line 3, column `item_id`: is not UTF-8: convert the file (value: "��")"#]],
    );
    check(
        "log.jsonl",
        b"{\"user_id\": \"\xff\"}\n",
        &expect![[
            r#"log.jsonl: line 1, column `whole line`: is not UTF-8: convert the file (value: "{\"user_id\": \"�\"}")"#
        ]],
    );
    check(
        "train.txt",
        b"1 2\n\xff 3\n",
        &expect![[
            r#"train.txt: line 2, column `whole line`: is not UTF-8: convert the file (value: "� 3")"#
        ]],
    );
}

#[test]
fn files_without_content_are_refused() {
    for name in [
        "log.csv",
        "log.tsv",
        "log.jsonl",
        "log.parquet",
        "ratings.dat",
        "train.txt",
        "log.csv.gz",
    ] {
        let answer = answer(name, b"", format_of(name), |_| {});
        assert_eq!(answer, format!("{name} is empty: at least one row expected"));
    }
    check(
        "log.csv",
        "user_id,item_id\n",
        &expect!["log.csv is empty: at least one row expected"],
    );
    check(
        "log.csv",
        "\n\n",
        &expect!["log.csv is empty: at least one row expected"],
    );
    check(
        "train.txt",
        "1\n2\n",
        &expect!["train.txt is empty: at least one row expected"],
    );
}

#[test]
fn what_is_no_parquet_and_no_archive_is_refused() {
    check(
        "log.parquet",
        "user_id,item_id\n",
        &expect![
            "log.parquet cannot be read as Parquet: Parquet error: Invalid Parquet file. Corrupt footer"
        ],
    );
    check(
        "log.csv.gz",
        "user_id,item_id\nu,i\n",
        &expect!["log.csv.gz cannot be unpacked as gzip: invalid gzip header"],
    );
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, "user_id,item_id\nu,i\n".repeat(99).as_bytes()).expect("packs");
    let packed = encoder.finish().expect("packs");
    check(
        "log.csv.gz",
        &packed[..packed.len() / 2],
        &expect!["log.csv.gz cannot be unpacked as gzip: incomplete deflate stream"],
    );
    let packed = zstd::encode_all("user_id,item_id\nu,i\n".repeat(99).as_bytes(), 1).expect("packs");
    check(
        "log.csv.zst",
        &packed[..packed.len() / 2],
        &expect!["log.csv.zst cannot be unpacked as zstd: incomplete frame"],
    );
}

#[test]
fn paths_that_lead_nowhere_name_themselves() {
    let told = |path: &str, format| {
        let error = import_interactions(&Source::new(path, format), &mut |_| Ok(()));
        let error = error.expect_err("no file");
        (error.to_string(), error.help())
    };
    assert_eq!(told("no/such.csv", Format::Csv).0, "no/such.csv: no such file");
    let (what, help) = told("no/*.csv", Format::Csv);
    assert_eq!(what, "no/*.csv has no csv file: at least one match expected");
    assert!(help.contains("name a file"), "{help}");
    let empty = tempfile::tempdir().expect("temporary folder");
    let empty = empty.path().to_string_lossy().into_owned();
    let (what, help) = told(&empty, Format::Tsv);
    assert_eq!(what, format!("{empty} has no tsv file: ….tsv or ….tab expected"));
    assert!(help.contains("name a file"), "{help}");
    let (what, _) = told(&empty, Format::MovieLens1m);
    assert!(what.ends_with("ratings.dat or ratings.tsv expected"), "{what}");
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("train.txt"), "1 2\n").expect("writes");
    let source = Source::new(folder.path().to_string_lossy(), Format::LightGcn);
    let error = import_interactions(&source, &mut |_| Ok(())).expect_err("a folder");
    assert!(matches!(error, Error::BadSource { key: "path", .. }), "{error}");
    let error = import_items(&source).expect_err("no items");
    assert!(matches!(error, Error::BadSource { .. }), "{error}");
}

#[test]
fn an_item_has_one_row() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("items.csv");
    fs::write(&path, "item_id,price\na,1\nb,2\na,3\n").expect("writes");
    let mut source = Source::new(path.to_string_lossy(), Format::Csv);
    match import_items(&source) {
        Err(Error::BadValue { row, value, .. }) => assert_eq!((row, value.as_str()), (4, "a")),
        other => panic!("{other:?}"),
    }
    source.on_error = OnError::Skip;
    let (items, report) = import_items(&source).expect("imports");
    assert_eq!((items.num_rows(), report.skipped), (2, 1));
}
