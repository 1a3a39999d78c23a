//! Bad input gives an error that names the blame.

use catchment_schema::Time;

use super::table::{PLAIN, lines, run};
use crate::{Error, Moment, PrepareConfig, Prepared, SplitConfig, SplitKind};

fn refused(log: &str, config: &PrepareConfig, split: &SplitConfig) -> Error {
    let home = tempfile::tempdir().expect("temporary folder");
    let error = run(PLAIN, &lines(log), None, config, split, &home.path().join("out")).expect_err("refused");
    let left_behind = std::fs::read_dir(home.path()).expect("listed").count();
    assert_eq!(left_behind, 0, "nothing is left behind after {error}");
    error
}

fn last() -> SplitConfig {
    SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None })
}

#[test]
fn a_split_by_a_given_part_needs_one_and_no_other_split_reads_one() {
    let home = tempfile::tempdir().expect("temporary folder");
    let config = PrepareConfig::default();
    assert!(matches!(
        refused("a x", &config, &SplitConfig::given()),
        Error::NoTestSource
    ));
    let rows = lines("a x");
    let error = run(
        PLAIN,
        &rows,
        Some(&rows),
        &config,
        &last(),
        &home.path().join("out"),
    );
    assert!(matches!(error, Err(Error::BadSetting { key: "data.test", .. })));
}

#[test]
fn an_unknown_event_word_is_named_with_the_known_ones() {
    let config = PrepareConfig {
        events: vec!["by".into()],
        ..PrepareConfig::default()
    };
    let error = refused("a x e=buy\n a y", &config, &last());
    assert_eq!(
        error.to_string(),
        "`prepare.events` names \"by\", and the log has only: buy, interaction"
    );
}

#[test]
fn a_word_that_says_no_and_is_not_kept_is_named() {
    let log = "a x e=buy\n a y\n a z e=no";
    let of = |events: &[&str], negative: &[&str]| {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let config = PrepareConfig {
            events: words(events),
            negative: words(negative),
            ..PrepareConfig::default()
        };
        refused(log, &config, &last())
    };
    let unknown = of(&[], &["no", "nope"]);
    assert_eq!(
        unknown.to_string(),
        "`data.negative` names \"nope\", and the log has only: buy, interaction, no"
    );
    assert!(unknown.help().contains("data.negative"), "{}", unknown.help());
    let left_out = of(&["buy", "interaction"], &["no"]);
    assert_eq!(
        left_out.to_string(),
        "`data.negative` names \"no\", which `prepare.events` leaves out: it keeps only: buy, interaction"
    );
    assert!(
        left_out.help().contains("prepare.events, too"),
        "{}",
        left_out.help()
    );
    // A word that is nowhere is not one that is left out.
    assert!(matches!(of(&["buy"], &["nope"]), Error::UnknownNegative { .. }));
    assert!(matches!(of(&["by"], &["nope"]), Error::UnknownEvent { .. }));
}

#[test]
fn a_condition_that_leaves_only_noes_leaves_nothing() {
    let config = PrepareConfig {
        negative: vec!["no".into()],
        positive: Some("value > 5".into()),
        ..PrepareConfig::default()
    };
    let error = refused("a x v=1\n a y v=2\n b x v=9 e=no", &config, &last());
    assert_eq!(
        error.to_string(),
        "no row is left after prepare.positive = \"value > 5\" among those that do not say no (2 before it)"
    );
}

#[test]
fn the_step_that_removed_everything_is_named() {
    let log = "a x v=1\n a y v=2\n b x v=3";
    let positive = PrepareConfig {
        positive: Some("value > 5".into()),
        ..PrepareConfig::default()
    };
    let error = refused(log, &positive, &last()).to_string();
    assert!(
        error.contains("prepare.positive") && error.contains("(3 before it)"),
        "{error}"
    );
    let core = PrepareConfig {
        min_user_events: 3,
        ..PrepareConfig::default()
    };
    let error = refused(log, &core, &last()).to_string();
    assert!(error.contains("min_user_events = 3"), "{error}");
    assert!(
        refused("", &PrepareConfig::default(), &last())
            .to_string()
            .contains("import")
    );
    let at = Moment::Time(Time::from_millis(0));
    let early = SplitConfig::new(SplitKind::Temporal { at });
    let error = refused("a x t=1", &PrepareConfig::default(), &early).to_string();
    assert!(error.contains("split"), "{error}");
}

#[test]
fn a_temporal_split_needs_every_time() {
    let at = Moment::Fraction(0.5);
    let split = SplitConfig::new(SplitKind::Temporal { at });
    let error = refused("a x t=1\n a y\n a z", &PrepareConfig::default(), &split);
    let Error::NoTime { column, rows, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((column, rows), ("timestamp", 2));
    let since = Some(Moment::Fraction(0.5));
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since });
    let error = refused("a x t=1\n a y\n a z", &PrepareConfig::default(), &split).to_string();
    assert!(error.starts_with("the leave-last split needs a time"), "{error}");
}

#[test]
fn a_condition_on_an_unknown_column_lists_the_columns() {
    let config = PrepareConfig {
        positive: Some("stars > 3".into()),
        ..PrepareConfig::default()
    };
    let error = refused("a x", &config, &last()).to_string();
    assert!(
        error.contains("`stars`") && error.contains("value, dwell_ms, user"),
        "{error}"
    );
}

#[test]
fn an_unfinished_or_newer_folder_is_not_opened() {
    let home = tempfile::tempdir().expect("temporary folder");
    let out = home.path().join("out");
    assert!(matches!(Prepared::open(&out), Err(Error::NotPrepared { .. })));
    run(
        PLAIN,
        &lines("a x\n a y"),
        None,
        &PrepareConfig::default(),
        &SplitConfig::new(SplitKind::Random { fraction: 0.5 }),
        &out,
    )
    .expect("prepared");
    assert!(Prepared::open(&out).is_ok());
    let path = out.join("prepared.json");
    let json = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, json.replace("\"format\": 1", "\"format\": 2")).expect("written");
    let error = Prepared::open(&out).expect_err("refused").to_string();
    assert!(error.contains("format 2"), "{error}");
    std::fs::write(&path, json.replace("\"users\": 1", "\"users\": 2")).expect("written");
    assert!(Prepared::open(&out).is_err());
    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(Prepared::open(&out), Err(Error::NotPrepared { .. })));
}

#[tokio::test]
async fn blocking_inside_a_runtime_is_refused() {
    let error = crate::run::block_on(1, async { Ok(()) }).expect_err("refused");
    assert!(matches!(error, Error::InsideRuntime));
}
