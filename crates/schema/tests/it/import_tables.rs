//! Tables of items.

use std::fs;

use catchment_schema::arrow::array::ListArray;
use catchment_schema::import::{Format, Source, import_items};
use expect_test::expect;

use super::imported::{map, shown, source};

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
