//! Bad rows that are left out instead of ending the import.

use std::fs;

use catchment_schema::Error;
use catchment_schema::import::{Format, OnError, Source, import_interactions};
use expect_test::expect;

use super::import_errors::answer;

#[test]
fn skipped_rows_are_counted_and_the_first_ten_listed() {
    let mut content = String::from("user_id,item_id,value\n");
    for row in 0..100 {
        content += match row % 4 {
            0 => "u,i,1\n",
            1 => ",i,1\n",
            2 => "u,i\n",
            _ => "u,i,NaN\n",
        };
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("log.csv");
    fs::write(&path, content).expect("writes");
    let mut source = Source::new(path.to_string_lossy(), Format::Csv);
    source.on_error = OnError::Skip;
    let report = import_interactions(&source, &mut |_| Ok(())).expect("imports");
    assert_eq!((report.rows, report.skipped), (25, 75));
    let finding = &report.findings[0];
    assert_eq!(finding.code, "bad_row");
    assert_eq!(
        finding.message,
        "75 of 100 rows could not be read and were left out"
    );
    assert_eq!(finding.examples.len(), 10);
    for (example, line) in finding.examples.iter().zip([3, 4, 5, 7, 8, 9, 11, 12, 13, 15]) {
        assert!(example.contains(&format!("line {line},")), "{example}");
    }
}

#[test]
fn skipping_every_row_is_an_error_with_another_remedy() {
    let skip = |source: &mut Source| source.on_error = OnError::Skip;
    let answer = answer("log.csv", b"user_id,item_id\n,i\n,j\n", Format::Csv, skip);
    expect![[r#"log.csv: none of 2 rows can be read; the first: log.csv: line 2, column `user_id`: an id must not be null or empty (an empty cell)"#]]
        .assert_eq(&answer);
    let first = Box::new(Error::Empty {
        path: "a".into(),
        expected: "b".to_owned(),
    });
    let error = Error::NothingReadable {
        path: "a".into(),
        rows: 2,
        first,
    };
    assert!(
        !error.help().contains("skip"),
        "skipping is what was done: {}",
        error.help()
    );
}

/// With `on_error = "skip"` only rows are left out: a column that is not there is still an error.
#[test]
fn skipping_does_not_hide_what_is_wrong_with_the_file() {
    let skip = |source: &mut Source| source.on_error = OnError::Skip;
    let answer = answer("log.csv", b"user,item_id\nu,i\n", Format::Csv, skip);
    assert!(answer.contains("has no column `user_id`"), "{answer}");
}
