//! Parquet that somebody else wrote.

use std::fs;
use std::io::Write;
use std::sync::Arc;

use catchment_schema::arrow::array::{
    ArrayRef, BinaryArray, Date32Array, DictionaryArray, Float64Array, Int8Array, RecordBatch,
    TimestampNanosecondArray, UInt64Array,
};
use catchment_schema::arrow::datatypes::{DataType, Int32Type};
use catchment_schema::import::Format;
use catchment_schema::parquet::arrow::ArrowWriter;
use catchment_schema::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use catchment_schema::parquet::file::properties::WriterProperties;
use expect_test::expect;

use super::imported::{import, shown, source};

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
