//! Labelled samples (LIBSVM, LIBFFM) and judgements (TREC).

use std::fs;
use std::io::Write;

use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::import::{
    Format, ImportReport, OnError, import_interactions, import_judgements, import_samples, judgements_schema,
    samples_schema,
};
use catchment_schema::{Error, Result};
use expect_test::expect;

use super::imported::{shown, source};

fn samples(content: &str, format: Format, on_error: OnError) -> Result<(Vec<RecordBatch>, ImportReport)> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("samples.txt");
    fs::write(&path, content).expect("writes");
    let mut source = source(&path, format);
    source.on_error = on_error;
    let mut batches = vec![];
    let mut sink = |batch| {
        batches.push(batch);
        Ok(())
    };
    let report = match format {
        Format::Trec => import_judgements(&source, &mut sink)?,
        _ => import_samples(&source, &mut sink)?,
    };
    Ok((batches, report))
}

fn refused(content: &str, format: Format) -> (u64, String, String) {
    match samples(content, format, OnError::Fail) {
        Err(Error::BadValue {
            row, column, value, ..
        }) => (row, column, value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn libsvm_rows_have_indices_and_values() {
    let (batches, report) = samples(
        "1 1:0.5 3:2\n\n-1 2:1e1 # a comment\n# nothing else\n0\n",
        Format::LibSvm,
        OnError::Fail,
    )
    .expect("imports");
    assert_eq!(report.rows, 3);
    assert_eq!(batches[0].schema(), samples_schema(false));
    expect![[r"
        label|indices|values
        1.0|[1, 3]|[0.5, 2.0]
        -1.0|[2]|[10.0]
        0.0|[]|[]
    "]]
    .assert_eq(&shown(&batches));
}

#[test]
fn libffm_rows_have_fields_too() {
    let content = "1 0:11:1 1:11:0.25\n0 0:12:1\n";
    let (batches, _) = samples(content, Format::LibFfm, OnError::Fail).expect("imports");
    assert_eq!(batches[0].schema(), samples_schema(true));
    expect![[r"
        label|fields|indices|values
        1.0|[0, 1]|[11, 11]|[1.0, 0.25]
        0.0|[0]|[12]|[1.0]
    "]]
    .assert_eq(&shown(&batches));
}

#[test]
fn judgements_are_query_document_and_grade() {
    let content = "q1 0 d1 2\nq1\tQ0\td2  0\nq2 0 d1 -1\n";
    let (batches, _) = samples(content, Format::Trec, OnError::Fail).expect("imports");
    assert_eq!(batches[0].schema(), judgements_schema());
    expect![[r"
        query|document|label
        q1|d1|2.0
        q1|d2|0.0
        q2|d1|-1.0
    "]]
    .assert_eq(&shown(&batches));
}

#[test]
fn a_line_that_is_none_is_named_with_its_place() {
    let place = |row, column: &str, value: &str| (row, column.to_owned(), value.to_owned());
    let svm = refused("1 1:1\n\n0 2:x\n", Format::LibSvm);
    assert_eq!(svm, place(3, "feature 1", "2:x"));
    assert_eq!(refused("yes 1:1\n", Format::LibSvm), place(1, "label", "yes"));
    let ffm = refused("0 1:1:1 2:1\n", Format::LibFfm);
    assert_eq!(ffm, place(1, "feature 2", "2:1"));
    assert_eq!(
        refused("q 0 d 1\nq 0 d high\n", Format::Trec),
        place(2, "grade", "high")
    );
    assert_eq!(refused("q d 1\n", Format::Trec), place(1, "whole line", "q d 1"));
}

#[test]
fn bad_lines_are_skipped_where_that_is_asked_for() {
    let content = "1 1:1\nx\n0 2:2\n";
    let (batches, report) = samples(content, Format::LibSvm, OnError::Skip).expect("imports");
    assert_eq!((batches[0].num_rows(), report.skipped), (2, 1));
    assert_eq!(report.findings[0].code, "bad_row");
    let all_bad = samples("x\ny\n", Format::LibSvm, OnError::Skip);
    assert!(
        matches!(all_bad, Err(Error::NothingReadable { rows: 2, .. })),
        "{all_bad:?}"
    );
    let empty = samples("\n# nothing\n", Format::LibSvm, OnError::Fail);
    assert!(matches!(empty, Err(Error::Empty { .. })), "{empty:?}");
}

#[test]
fn each_format_is_refused_where_it_does_not_belong() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.txt");
    fs::write(&path, "1 1:1\n").expect("writes");
    let key = |result: Result<ImportReport>| match result {
        Err(Error::BadSource { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    for format in [Format::LibSvm, Format::LibFfm, Format::Trec] {
        assert_eq!(
            key(import_interactions(&source(&path, format), &mut |_| Ok(()))),
            "format"
        );
    }
    for format in [Format::Csv, Format::Trec] {
        assert_eq!(
            key(import_samples(&source(&path, format), &mut |_| Ok(()))),
            "format"
        );
    }
    assert_eq!(
        key(import_judgements(&source(&path, Format::Csv), &mut |_| Ok(()))),
        "format"
    );
    let named = source(folder.path(), Format::LibSvm);
    assert_eq!(
        key(import_samples(&named, &mut |_| Ok(()))),
        "path",
        "train and test lie side by side"
    );
}

#[test]
fn many_rows_come_in_several_batches_from_a_packed_file() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("samples.gz");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for row in 0..70_000 {
        writeln!(packed, "{} {}:1", row % 2, row % 7).expect("packs");
    }
    fs::write(&path, packed.finish().expect("packs")).expect("writes");
    let mut sizes = vec![];
    let report = import_samples(&source(&path, Format::LibSvm), &mut |batch| {
        sizes.push(batch.num_rows());
        Ok(())
    });
    assert_eq!(report.expect("imports").rows, 70_000);
    assert_eq!(sizes, [65_536, 70_000 - 65_536]);
}

#[test]
fn a_semicolon_may_stand_between_cells() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("log.csv");
    fs::write(&path, "user_id;item_id;note\nu;i;\"a;b, c\"\n").expect("writes");
    let mut source = source(&path, Format::Csv);
    source.delimiter = Some(';');
    let mut batches = vec![];
    import_interactions(&source, &mut |batch| {
        batches.push(batch.project(&[0, 1, 8]).expect("columns"));
        Ok(())
    })
    .expect("imports");
    assert_eq!(shown(&batches), "user_id|item_id|note\nu|i|a;b, c\n");
}
