//! A memory limit moves work to disk, and nothing of it shows in the files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use catchment_prepare::{
    Deduplicate, Error, Inputs, Moment, PrepareConfig, SplitConfig, SplitKind, already_prepared, prepare,
};
use catchment_schema::import::{Format, Source};

/// Rows of a log with ids, times and sessions that repeat, from a small generator.
fn log(n_rows: u32) -> String {
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut text = "user_id,item_id,timestamp,event,value,note\n".to_owned();
    for row in 0..n_rows {
        let (user, item, time) = (next(10_000), next(3_000), 1_600_000_000 + next(10_000_000));
        let _ = writeln!(
            text,
            "user-{user},item-{item},{time},view,{},a note of row {row}{:250}",
            next(5),
            "."
        );
    }
    text
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            let below = self::files(&path);
            files.extend(
                below
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else {
            files.push((name, fs::read(&path).expect("read")));
        }
    }
    files.sort();
    files
}

#[test]
fn a_limited_run_spills_and_writes_the_same_bytes() {
    let home = tempfile::tempdir().expect("temporary folder");
    let path = home.path().join("log.csv");
    fs::write(&path, log(120_000)).expect("written");
    let inputs = Inputs::new(Source::new(path.to_string_lossy(), Format::Csv));
    let split = SplitConfig::new(SplitKind::Temporal {
        at: Moment::Fraction(0.8),
    })
    .with_validation(SplitKind::Random { fraction: 0.1 });
    let mut spills = [0; 2];
    for (number, limit) in [None, Some("64MiB".to_owned())].into_iter().enumerate() {
        let config = PrepareConfig {
            min_user_events: 5,
            deduplicate: Deduplicate::Last,
            memory_limit: limit,
            ..PrepareConfig::default()
        };
        let out = home.path().join(number.to_string());
        prepare(&inputs, &config, &split, 7, 2, &out, &mut |progress| {
            spills[number] = progress.spills;
        })
        .expect("prepared");
        let found = already_prepared(&inputs, &config, &split, 7, &out).expect("readable");
        assert!(found.is_some(), "the limit is no reason to do it again");
    }
    assert_eq!(spills[0], 0, "there is room for all of it");
    assert!(spills[1] > 0, "this much does not fit");
    let (unlimited, limited) = (files(&home.path().join("0")), files(&home.path().join("1")));
    assert!(unlimited.len() > 8);
    for ((name, one), (other_name, other)) in unlimited.iter().zip(&limited) {
        assert_eq!(name, other_name);
        assert!(one == other, "{name} differs");
    }
    let left = fs::read_dir(home.path()).expect("listed").count();
    assert_eq!(
        left, 3,
        "the log and two folders: nothing that was moved to disk is left"
    );
}

#[test]
fn ids_that_do_not_fit_are_a_clear_error() {
    let home = tempfile::tempdir().expect("temporary folder");
    let path = home.path().join("log.csv");
    let mut text = "user_id,item_id\n".to_owned();
    for row in 0..300_000 {
        let _ = writeln!(
            text,
            "a-very-long-id-of-a-user-who-comes-only-once-in-this-log-{row},i{}",
            row % 10
        );
    }
    fs::write(&path, text).expect("written");
    let inputs = Inputs::new(Source::new(path.to_string_lossy(), Format::Csv));
    let config = PrepareConfig {
        memory_limit: Some("64MiB".to_owned()),
        ..PrepareConfig::default()
    };
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let error = prepare(
        &inputs,
        &config,
        &split,
        7,
        2,
        &home.path().join("out"),
        &mut |_| {},
    );
    let error = error.expect_err("too little memory");
    assert!(matches!(error, Error::OverMemory { .. }), "{error}");
    assert!(error.help().contains("memory_limit"), "{}", error.help());
}
