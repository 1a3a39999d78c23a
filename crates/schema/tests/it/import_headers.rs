//! Files whose first bytes or whose header cannot be used.

use std::fs;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, RecordBatch, StringArray};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
use catchment_schema::import::{Format, Source, import_interactions, import_items};
use catchment_schema::parquet::arrow::ArrowWriter;
use expect_test::expect;

use crate::import_errors::check;

#[test]
fn header_that_names_a_column_twice_is_refused() {
    check(
        "log.csv",
        "user_id,item_id,user_id\n1,2,3\n",
        &expect![[r#"log.csv has two columns called "user_id": number 1 and number 3 of its header"#]],
    );
    let names = ["user_id", "item_id", "item_id"].map(|name| Field::new(name, DataType::Utf8, true));
    let columns = [0; 3].map(|_| Arc::new(StringArray::from(vec!["a"])) as ArrayRef);
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(names.to_vec())), columns.to_vec()).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    check(
        "log.parquet",
        bytes,
        &expect![[r#"log.parquet has two columns called "item_id": number 2 and number 3 of its header"#]],
    );
}

#[test]
fn text_of_wider_letters_than_a_byte_is_refused_by_name_packed_or_not() {
    let log = "user_id,item_id\nu1,a\nu2,b\n";
    let little: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = log.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = |mark: &[u8], text: &[u8]| [mark, text].concat();
    let wide: Vec<u8> = log
        .chars()
        .flat_map(|letter| u32::from(letter).to_le_bytes())
        .collect();
    let utf_16 = expect!["log.csv is UTF-16 text, and only UTF-8 is read"];
    for bytes in [
        marked(&[0xff, 0xfe], &little),
        marked(&[0xfe, 0xff], &big),
        little.clone(),
        big.clone(),
    ] {
        check("log.csv", &bytes, &utf_16);
    }
    check(
        "log.csv",
        marked(&[0xff, 0xfe, 0, 0], &wide),
        &expect!["log.csv is UTF-32 text, and only UTF-8 is read"],
    );
    check(
        "log.csv.zst",
        zstd::encode_all(&marked(&[0xff, 0xfe], &little)[..], 1).expect("packed"),
        &expect!["log.csv.zst is UTF-16 text, and only UTF-8 is read"],
    );
    check(
        "log.jsonl",
        marked(&[0xff, 0xfe], &little),
        &expect!["log.jsonl is UTF-16 text, and only UTF-8 is read"],
    );
    check(
        "log.csv",
        b"user_id,item_id,pr\xe9x\nu1,a,3\n",
        &expect![[r#"log.csv: row 1, column `header`: is not UTF-8: convert the file (value: "pr�x")"#]],
    );
}

#[test]
fn a_table_of_very_many_columns_is_read_and_its_error_is_short() {
    let n = 50_000;
    let names: Vec<String> = (0..n).map(|column| format!("c{column}")).collect();
    let cells: Vec<String> = (0..n).map(|column| column.to_string()).collect();
    let row = cells.join(",");
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("items.csv");
    fs::write(&path, format!("item_id,{}\na,{row}\nb,{row}\n", names.join(","))).expect("writes");
    let source = Source::new(path.to_string_lossy(), Format::Csv);
    let (items, _) = import_items(&source).expect("read");
    assert_eq!((items.num_rows(), items.num_columns()), (2, n + 1));
    let error = import_interactions(&source, &mut |_| Ok(()))
        .expect_err("no users")
        .to_string();
    assert!(error.ends_with("c48, and 49951 more"), "{error}");
    let twice = format!("{},c7\n", names.join(","));
    check(
        "log.csv",
        twice,
        &expect![[r#"log.csv has two columns called "c7": number 8 and number 50001 of its header"#]],
    );
}
