//! What each form is read as.

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Date32Array, DictionaryArray, Float64Array, Int8Array, ListArray,
    RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array,
};
use catchment_schema::arrow::datatypes::{DataType, Int32Type, TimestampMillisecondType};
use catchment_schema::arrow::util::display::array_value_to_string;
use catchment_schema::import::{
    Format, ImportReport, OnError, Source, TimeUnit, import_interactions, import_items, import_users,
    interactions_schema,
};
use catchment_schema::parquet::arrow::ArrowWriter;
use catchment_schema::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use catchment_schema::parquet::file::properties::WriterProperties;
use catchment_schema::{Error, Result};
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// Everything that an import hands on, as one text: a header, then a line for each row.
fn shown(batches: &[RecordBatch]) -> String {
    let mut text = String::new();
    if let Some(first) = batches.first() {
        let fields = first.schema_ref().fields().iter();
        text += &fields
            .map(|field| field.name().clone())
            .collect::<Vec<_>>()
            .join("|");
        text += "\n";
    }
    for batch in batches {
        assert_eq!(batch.schema(), batches[0].schema());
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| cell(column, row));
            text += &cells.collect::<Vec<_>>().join("|");
            text += "\n";
        }
    }
    text
}

/// A cell as text. Moments are milliseconds here: without time zone data arrow does not even print UTC.
fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    match column.as_primitive_opt::<TimestampMillisecondType>() {
        Some(times) => times.value(row).to_string(),
        None => array_value_to_string(column, row).expect("prints"),
    }
}

fn import(source: &Source) -> Result<(Vec<RecordBatch>, ImportReport)> {
    let mut batches = Vec::new();
    let report = import_interactions(source, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    for batch in &batches {
        let schema = interactions_schema();
        let start = &batch.schema_ref().fields()[..schema.fields().len()];
        assert_eq!(start, &schema.fields()[..]);
    }
    Ok((batches, report))
}

fn source(path: &Path, format: Format) -> Source {
    Source::new(path.to_string_lossy(), format)
}

fn check(name: &str, content: &str, format: Format, change: impl FnOnce(&mut Source), expected: &Expect) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("writes");
    let mut source = source(&path, format);
    change(&mut source);
    let (batches, _) = import(&source).expect("imports");
    expected.assert_eq(&shown(&batches));
}

fn map(source: &mut Source, ours: &str, theirs: &str) {
    source.columns.insert(ours.to_owned(), theirs.to_owned());
}

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
fn movielens_ratings_are_read_in_both_forms() {
    let official = "1::1193::5::978300760\n1::661::3::978302109\n";
    check(
        "ratings.dat",
        official,
        Format::MovieLens1m,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            1|1193|978300760000|-|5.0|-|-|-
            1|661|978302109000|-|3.0|-|-|-
        "#]],
    );
    let development = "user\tmovie\trating\tchrono_rank\tts_lo\tts_hi\n\
                       1\t1193\t5\t2\t978300760\t978300760\n\
                       1\t661\t3\t1\t0\t978302109\n\
                       2\t9\t4\t0\t978300000\t978300000\n";
    check(
        "ratings.tsv",
        development,
        Format::MovieLens1m,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            1|1193|978300760000|-|5.0|-|-|2
            1|661|-|-|3.0|-|-|1
            2|9|978300000000|-|4.0|-|-|0
        "#]],
    );
    check(
        "u.data",
        "196\t242\t3\t881250949\n",
        Format::MovieLens100k,
        |_| {},
        &expect![[r#"
            user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
            196|242|881250949000|-|3.0|-|-|-
        "#]],
    );
}

#[test]
fn a_movielens_folder_stands_for_its_three_tables() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let flags = |genre: usize| {
        (0..19)
            .map(|at| if at == genre { "|1" } else { "|0" })
            .collect::<String>()
    };
    let mut movies = b"1|Am\xe9lie (2001)|25-Apr-2001||http://example.org/1".to_vec();
    movies.extend(flags(5).as_bytes());
    movies.extend(b"\n2|unknown|||");
    movies.extend(flags(0).as_bytes());
    movies.push(b'\n');
    fs::write(folder.path().join("u.item"), movies).expect("writes");
    fs::write(folder.path().join("u.user"), "1|24|M|technician|05711\n").expect("writes");
    fs::write(folder.path().join("u.data"), "1\t2\t3\t881250949\n").expect("writes");
    fs::write(folder.path().join("u1.base"), "1\t2\t3\t881250949\n").expect("writes");
    let source = source(folder.path(), Format::MovieLens100k);
    let (items, _) = import_items(&source).expect("items");
    expect![[r#"
        item_id|title|category|published_at|imdb_url
        1|Amélie (2001)|[Comedy]|988156800000|http://example.org/1
        2|unknown|[unknown]|-|-
    "#]]
    .assert_eq(&shown(&[items]));
    let (users, _) = import_users(&source).expect("users");
    expect![[r#"
        user_id|age|gender|occupation|zip_code
        1|24.0|M|technician|05711
    "#]]
    .assert_eq(&shown(&[users]));
    assert_eq!(import(&source).expect("log").1.rows, 1);

    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(
        folder.path().join("movies.dat"),
        b"1::Am\xe9lie::Comedy|Children's\n2::X::\n",
    )
    .expect("writes");
    fs::write(folder.path().join("users.dat"), "1::F::1::10::48067\n").expect("writes");
    let source = Source::new(folder.path().to_string_lossy(), Format::MovieLens1m);
    let (items, _) = import_items(&source).expect("items");
    expect![[r#"
        item_id|title|category
        1|Amélie|[Comedy, Children's]
        2|X|[]
    "#]]
    .assert_eq(&shown(&[items]));
    let (users, _) = import_users(&source).expect("users");
    expect![[r#"
        user_id|age|gender|occupation|zip_code
        1|1.0|F|10|48067
    "#]]
    .assert_eq(&shown(&[users]));
}

#[test]
fn known_columns_of_items_are_typed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("items.csv");
    let content = "movie,title,category,price,latitude,longitude,market,published_at,available,year,zip\n\
                   7,Seven,,1.5,52.5,13.4,Berlin,1995-09-22,true,1995,01234\n\
                   8,,Drama,,,,,,0,1996,\n";
    fs::write(&path, content).expect("writes");
    let mut source = source(&path, Format::Csv);
    map(&mut source, "item_id", "movie");
    let (items, report) = import_items(&source).expect("imports");
    assert_eq!((report.rows, report.skipped), (2, 0));
    let types = items
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.data_type().to_string());
    expect![[r#"Utf8 Utf8 Utf8 Float32 Float64 Float64 Utf8 Timestamp(ms, "UTC") Boolean Float64 Utf8"#]]
        .assert_eq(&types.collect::<Vec<_>>().join(" "));
    expect![[r#"
        item_id|title|category|price|latitude|longitude|market|published_at|available|year|zip
        7|Seven|-|1.5|52.5|13.4|Berlin|811728000000|true|1995.0|01234
        8|-|Drama|-|-|-|-|-|false|1996.0|-
    "#]]
    .assert_eq(&shown(&[items]));

    let path = folder.path().join("items.jsonl");
    let content = "{\"item_id\": 1, \"category\": [\"a\", \"b\"]}\n{\"item_id\": 2, \"category\": \"c\", \"size\": 3}\n";
    fs::write(&path, content).expect("writes");
    let source = Source::new(path.to_string_lossy(), Format::Jsonl);
    let (items, _) = import_items(&source).expect("imports");
    assert!(items["category"].as_any().is::<ListArray>());
    expect![[r#"
        item_id|category|size
        1|[a, b]|-
        2|[c]|3.0
    "#]]
    .assert_eq(&shown(&[items]));
}

#[test]
fn parquet_types_become_the_types_of_the_contract() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let categories: DictionaryArray<Int32Type> = vec!["view", "click"].into_iter().collect();
    let columns: [(&str, ArrayRef); 8] = [
        ("user_id", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        ("item_id", Arc::new(Int8Array::from(vec![-1, 1]))),
        (
            "timestamp",
            Arc::new(TimestampNanosecondArray::from(vec![Some(-1), None])),
        ),
        ("event", Arc::new(categories)),
        ("value", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
        (
            "session_id",
            Arc::new(BinaryArray::from(vec![b"s1".as_slice(), b"s2"])),
        ),
        ("dwell_ms", Arc::new(Float64Array::from(vec![12.0, 0.0]))),
        ("day", Arc::new(Date32Array::from(vec![0, 1]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let path = folder.path().join("log.parquet");
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let mut texts = Vec::new();
    for compression in compressions {
        let file = fs::File::create(&path).expect("creates");
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("begins");
        writer.write(&batch).expect("writes");
        writer.close().expect("closes");
        let (batches, _) = import(&source(&path, Format::Parquet)).expect("imports");
        texts.push(shown(&batches));
        assert_eq!(batches[0]["day"].data_type(), &DataType::Date32);
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    expect![[r#"
        user_id|item_id|timestamp|event|value|session_id|dwell_ms|order|day
        18446744073709551615|-1|-1|view|0.5|s1|12|-|1970-01-01
        0|1|-|click|-|s2|0|-|1970-01-02
    "#]]
    .assert_eq(&texts[0]);
    let packed = folder.path().join("log.parquet.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(&fs::read(&path).expect("reads"))
        .expect("packs");
    fs::write(&packed, encoder.finish().expect("packs")).expect("writes");
    assert_eq!(
        import(&source(&packed, Format::Parquet)).expect("imports").1.rows,
        2
    );
}

#[test]
fn folders_and_globs_are_read_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let header = "user_id,item_id\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(format!("{header}u2,b\n").as_bytes())
        .expect("packs");
    fs::write(folder.path().join("2.csv.gz"), gzip.finish().expect("packs")).expect("writes");
    let zstd = zstd::encode_all(format!("{header}u3,c\n").as_bytes(), 1).expect("packs");
    fs::write(folder.path().join("3.csv.zst"), &zstd).expect("writes");
    fs::write(folder.path().join("1.csv"), format!("{header}u1,a\n")).expect("writes");
    fs::write(folder.path().join("_SUCCESS.csv"), "x").expect("writes");
    fs::write(folder.path().join("README.md"), "# hello").expect("writes");
    let expected = expect![[r#"
        user_id|item_id|timestamp|event|value|session_id|dwell_ms|order
        u1|a|-|-|-|-|-|-
        u2|b|-|-|-|-|-|-
        u3|c|-|-|-|-|-|-
    "#]];
    let all = import(&source(folder.path(), Format::Csv)).expect("imports").0;
    expected.assert_eq(&shown(&all));
    let glob = source(&folder.path().join("[1-3].csv*"), Format::Csv);
    assert_eq!(shown(&import(&glob).expect("imports").0), shown(&all));
    // Packed bytes are known without their ending, and a file whose name looks like a glob is that file.
    let plain_name = folder.path().join("log[1].txt");
    fs::write(&plain_name, zstd).expect("writes");
    assert_eq!(
        import(&source(&plain_name, Format::Csv)).expect("imports").1.rows,
        1
    );
}

#[test]
fn the_first_chunk_settles_the_schema_and_later_ones_fit_it() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("log.csv");
    let mut content = String::from("user_id,item_id,n\n");
    for row in 0..70_000 {
        let number = if row == 65_540 {
            "many".to_owned()
        } else {
            row.to_string()
        };
        writeln!(content, "u,i{row},{number}").expect("a string takes it");
    }
    fs::write(&path, &content).expect("writes");
    let mut source = source(&path, Format::Csv);
    match import(&source) {
        Err(Error::BadValue {
            row, column, value, ..
        }) => {
            assert_eq!((row, column.as_str(), value.as_str()), (65_542, "n", "many"));
        }
        other => panic!("{other:?}"),
    }
    source.on_error = OnError::Skip;
    let (batches, report) = import(&source).expect("imports");
    assert_eq!((report.rows, report.skipped), (69_999, 1));
    let sizes: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [65_536, 4_463]);
    assert_eq!(batches[1]["n"].data_type(), &DataType::Float64);

    let parts = folder.path().join("parts");
    fs::create_dir(&parts).expect("creates");
    fs::write(parts.join("1.csv"), "user_id,item_id,a\nu,i,1\n").expect("writes");
    fs::write(parts.join("2.csv"), "item_id,user_id,b\nj,v,x\n").expect("writes");
    let (batches, report) = import(&Source::new(parts.to_string_lossy(), Format::Csv)).expect("imports");
    expect![[r#"
        user_id|item_id|timestamp|event|value|session_id|dwell_ms|order|a
        u|i|-|-|-|-|-|-|1.0
        v|j|-|-|-|-|-|-|-
    "#]]
    .assert_eq(&shown(&batches));
    assert_eq!(report.findings[0].code, "late_columns");
    assert_eq!(report.findings[0].examples, ["b"]);
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

#[test]
fn an_error_of_the_sink_ends_the_import() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("log.csv");
    fs::write(&path, "user_id,item_id\nu,i\n").expect("writes");
    let refused = import_interactions(&source(&path, Format::Csv), &mut |_| {
        Err(Error::Inconsistent {
            path: "sink".into(),
            reason: "full".to_owned(),
        })
    });
    assert!(matches!(refused, Err(Error::Inconsistent { .. })));
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

#[test]
fn a_column_of_several_words_is_cut_where_the_source_says_so() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("items.csv");
    fs::write(&path, "item_id,category,title\na,tea|coffee,T|1\nb,tea,\nc,,x\n").expect("writes");
    let mut source = source(&path, Format::Csv);
    source.lists.insert("category".to_owned(), "|".to_owned());
    let (items, _) = import_items(&source).expect("imports");
    expect![[r"
        item_id|title|category
        a|T|1|[tea, coffee]
        b|-|[tea]
        c|x|-
    "]]
    .assert_eq(&shown(&[items]));
    source.lists.insert("colour".to_owned(), "|".to_owned());
    let error = import_items(&source).expect_err("no such column").to_string();
    assert!(error.contains("colour"), "{error}");
}
