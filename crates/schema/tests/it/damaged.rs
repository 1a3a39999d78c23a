//! Damaged and foreign files are typed errors, whatever the damage.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use catchment_schema::arrow::datatypes::Schema;
use catchment_schema::import::{Format, Source, import_interactions};
use catchment_schema::parquet_file::{FileKind, read_any_parquet, write_parquet};
use catchment_schema::{
    AtomicFile, CandidateRows, Embeddings, Error, Interactions, Metadata, NeighbourTable, RecommendationRows,
};

use crate::samples::{SAMPLES, embeddings, interactions, vocabulary};

#[test]
fn a_file_cut_at_any_place_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("cut.parquet");
    for sample in &SAMPLES {
        (sample.write)(&path).expect("writes");
        let bytes = fs::read(&path).expect("reads");
        for length in (0..bytes.len()).step_by(8) {
            fs::write(&path, &bytes[..length]).expect("writes");
            let error = (sample.read)(&path).expect_err("a file that is cut");
            let expected = match error {
                Error::Empty { .. } => length == 0,
                Error::Parquet { .. } => length > 0,
                _ => false,
            };
            assert!(expected, "{} cut at {length}: {error}", sample.kind.name);
        }
    }
}

/// A changed byte may go unnoticed here (a bundle's checksums notice it), but it must never end the process.
#[test]
fn a_file_with_a_changed_byte_is_read_or_refused_and_no_panic() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("changed.parquet");
    for sample in &SAMPLES {
        (sample.write)(&path).expect("writes");
        let bytes = fs::read(&path).expect("reads");
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= [0x01, 0x80, 0xff][position % 3];
            fs::write(&path, &changed).expect("writes");
            let _ = (sample.read)(&path);
        }
    }
}

#[test]
fn a_file_of_another_kind_or_a_newer_version_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("other.parquet");
    for (position, sample) in SAMPLES.iter().enumerate() {
        let other = &SAMPLES[(position + 1) % SAMPLES.len()];
        (other.write)(&path).expect("writes");
        match (sample.read)(&path) {
            Err(Error::WrongVersion { kind, found, .. }) => {
                assert_eq!(kind, sample.kind.name);
                assert_eq!(found, format!("{} 1", other.kind.name));
            }
            read => panic!("{read:?}"),
        }
        (sample.write)(&path).expect("writes");
        let (batch, metadata) = read_any_parquet(&path).expect("reads");
        let newer = FileKind {
            name: sample.kind.name,
            version: sample.kind.version + 1,
        };
        let further = metadata
            .into_iter()
            .filter(|(key, _)| key == "catchment.metric")
            .collect();
        write_parquet(&path, newer, &batch, &further).expect("writes");
        match (sample.read)(&path) {
            Err(Error::WrongVersion { found, supported, .. }) => {
                assert_eq!((found.as_str(), supported), ("2", 1));
            }
            read => panic!("{read:?}"),
        }
    }
}

#[test]
fn a_missing_file_names_itself() {
    for sample in &SAMPLES {
        let error = (sample.read)(Path::new("no/such.parquet")).expect_err("no file");
        assert!(matches!(&error, Error::Io { .. }), "{error}");
        assert!(error.to_string().contains("no/such.parquet"));
    }
}

/// Writes the sample of a kind with one column replaced.
fn with_column(path: &Path, kind: FileKind, column: &str, change: impl Fn(usize) -> ArrayRef) {
    let sample = SAMPLES
        .iter()
        .find(|sample| sample.kind == kind)
        .expect("a sample");
    (sample.write)(path).expect("writes");
    let (batch, mut metadata) = read_any_parquet(path).expect("reads");
    let n_rows = batch.num_rows();
    let schema = batch.schema();
    let mut columns = batch.columns().to_vec();
    let position = schema.index_of(column).expect("the column");
    columns[position] = change(n_rows);
    let mut fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields[position] = fields[position]
        .clone()
        .with_data_type(columns[position].data_type().clone())
        .with_nullable(true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("a batch");
    metadata.retain(|key, _| !["catchment.format", "catchment.file", "ARROW:schema"].contains(&key.as_str()));
    write_parquet(path, kind, &batch, &metadata).expect("writes");
}

#[test]
fn nulls_nan_and_zero_ranks_name_column_and_row() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("bad.parquet");
    let where_in = |error: Error| match error {
        Error::BadValue { column, row, .. } => (column, row),
        other => panic!("{other}"),
    };
    let nan = |n: usize| -> ArrayRef {
        let mut values = vec![1.0; n];
        values[n - 1] = f32::NAN;
        Arc::new(Float32Array::from(values))
    };
    let null = |n: usize| -> ArrayRef {
        let mut values = vec![Some("tea"); n];
        values[1] = None;
        Arc::new(StringArray::from(values))
    };
    for sample in &SAMPLES {
        let columns: &[&str] = match sample.kind.name {
            "vocabulary" | "embeddings" => &["id"],
            "neighbours" => &["item_id", "neighbour_id"],
            "candidates" => &["user_id", "item_id", "channel"],
            "recommendations" => &["user_id", "item_id"],
            _ => &[],
        };
        for &column in columns {
            with_column(&path, sample.kind, column, null);
            let error = (sample.read)(&path).expect_err("a null");
            assert_eq!(where_in(error), (column.to_owned(), 2), "{}", sample.kind.name);
        }
        let column = match sample.kind.name {
            "interactions" => "value",
            "embeddings" => "bias",
            "neighbours" | "candidates" | "recommendations" => "score",
            _ => continue,
        };
        with_column(&path, sample.kind, column, nan);
        let (found, row) = where_in((sample.read)(&path).expect_err("NaN"));
        assert_eq!(found, column);
        assert!(row >= 2);
    }
    for kind in [SAMPLES[5].kind, SAMPLES[6].kind] {
        with_column(&path, kind, "rank", |n| Arc::new(UInt32Array::from(vec![0; n])));
        let read = match kind.name {
            "candidates" => CandidateRows::read(&path).map(drop),
            _ => RecommendationRows::read(&path).map(drop),
        };
        assert_eq!(where_in(read.expect_err("rank 0")), ("rank".to_owned(), 1));
    }
}

#[test]
fn files_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("bad.parquet");
    let inconsistent = |read: Result<(), Error>| {
        assert!(matches!(&read, Err(Error::Inconsistent { .. })), "{read:?}");
    };
    with_column(&path, SAMPLES[0].kind, "id", |n| {
        Arc::new(StringArray::from(vec!["tea"; n]))
    });
    inconsistent((SAMPLES[0].read)(&path).map(drop));
    with_column(&path, SAMPLES[0].kind, "index", |n| {
        Arc::new(UInt32Array::from(vec![0; n]))
    });
    inconsistent((SAMPLES[0].read)(&path).map(drop));
    with_column(&path, SAMPLES[2].kind, "id", |n| {
        Arc::new(StringArray::from(vec!["tea"; n]))
    });
    inconsistent(Embeddings::read(&path).map(drop));

    let before = fs::read(&path).expect("reads");
    let mut short = embeddings();
    short.vectors.pop();
    inconsistent(short.write(&path));
    let mut short = interactions();
    short.sessions.pop();
    inconsistent(short.write(&path, &Metadata::new()));
    let mut nan = interactions();
    nan.events[1].value = f32::NAN;
    assert!(matches!(
        nan.write(&path, &Metadata::new()),
        Err(Error::BadValue { row: 2, .. })
    ));
    assert_eq!(
        fs::read(&path).expect("reads"),
        before,
        "a failed write leaves the older file alone"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);

    (SAMPLES[3].write)(&path).expect("writes");
    let smaller = catchment_schema::Vocabulary::from_counts([("tea", 1)]);
    assert!(matches!(
        NeighbourTable::read(&path, &smaller),
        Err(Error::BadValue { .. })
    ));
    assert!(NeighbourTable::read(&path, &vocabulary()).is_ok());
    assert!(matches!(
        Interactions::read(&path),
        Err(Error::WrongVersion { .. })
    ));
}

#[test]
fn equal_content_is_equal_bytes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (one, two) = (folder.path().join("a"), folder.path().join("b"));
    for sample in &SAMPLES {
        (sample.write)(&one).expect("writes");
        (sample.write)(&two).expect("writes");
        assert!(fs::read(&one).expect("reads") == fs::read(&two).expect("reads"));
    }
}

#[test]
fn a_peers_file_without_our_metadata_and_with_wider_types_is_read() {
    use catchment_schema::arrow::array::{Float64Array, Int64Array, LargeStringArray};
    use catchment_schema::parquet::arrow::ArrowWriter;
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("candidates.parquet");
    let columns: [(&str, ArrayRef); 5] = [
        ("user_id", Arc::new(Int64Array::from(vec![7, 8]))),
        ("item_id", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
        ("channel", Arc::new(StringArray::from(vec!["peer", "peer"]))),
        ("rank", Arc::new(Int64Array::from(vec![1, 2]))),
        ("score", Arc::new(Float64Array::from(vec![0.5, 0.25]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let file = fs::File::create(&path).expect("creates");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("begins");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    let read = CandidateRows::read(&path).expect("reads");
    assert_eq!(read.bundle, "");
    assert_eq!(
        (&*read.rows[1].user_id, &*read.rows[1].item_id, read.rows[1].rank),
        ("8", "b", 2)
    );
    assert!(matches!(
        RecommendationRows::read(&path),
        Err(Error::MissingColumn { .. })
    ));
}

#[test]
fn imports_of_cut_and_changed_parquet_are_typed_errors() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("log.parquet");
    let columns: [(&str, ArrayRef); 2] = [
        ("user_id", Arc::new(StringArray::from(vec!["u1", "u2"]))),
        ("item_id", Arc::new(StringArray::from(vec!["a", "b"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let kind = FileKind {
        name: "log",
        version: 1,
    };
    write_parquet(&path, kind, &batch, &Metadata::new()).expect("writes");
    let bytes = fs::read(&path).expect("reads");
    let source = Source::new(path.to_string_lossy(), Format::Parquet);
    let import = || import_interactions(&source, &mut |_| Ok(()));
    assert_eq!(import().expect("whole").rows, 2);
    for length in (0..bytes.len()).step_by(8) {
        AtomicFile::write(&path, &bytes[..length]).expect("writes");
        let error = import().expect_err("cut");
        assert!(
            matches!(error, Error::Empty { .. } | Error::Parquet { .. }),
            "{error}"
        );
    }
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0xff;
        fs::write(&path, &changed).expect("writes");
        let _ = import();
    }
}
