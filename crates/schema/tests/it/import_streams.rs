//! Many files, many chunks, and where the batches go.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use catchment_schema::Error;
use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::arrow::datatypes::DataType;
use catchment_schema::import::{Format, OnError, Source, import_interactions};
use expect_test::expect;

use super::imported::{import, shown, source};

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
