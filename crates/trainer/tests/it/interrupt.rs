//! Ctrl-C, and what is done already.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::expect;

use crate::place::Place;

#[test]
fn what_was_fitted_on_the_same_data_by_the_same_settings_is_not_fitted_again() {
    let place = Place::with_bundle();
    let models = |place: &Place| {
        let mut files = place.files("work/world/model/channels");
        files.retain(|(name, _)| !name.ends_with("fitted.json"));
        files
    };
    let before = models(&place);
    let said = |arguments: &str| {
        let said = place.run(arguments);
        assert_eq!(said.code, 0, "{}", said.stderr);
        said.stderr.matches("is fitted already").count()
    };
    assert_eq!(
        said("train catchment.toml"),
        16,
        "eight channels, for selection and for good"
    );
    assert!(models(&place) == before, "and they are what they were");
    assert_eq!(said("train catchment.toml --fresh"), 0);
    assert!(models(&place) == before);
    assert_eq!(
        said("train catchment.toml --seed 8"),
        0,
        "another seed is another model"
    );
    place.replace("catchment.toml", "dim = 24", "dim = 23");
    place.run("train catchment.toml --quiet").well();
    place.replace("catchment.toml", "dim = 23", "dim = 22");
    assert_eq!(said("train catchment.toml"), 14, "all but ials");
    let bundled = place.files(&place.bundle());
    assert!(!bundled.iter().any(|(name, _)| name.ends_with("fitted.json")));
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_keeps_what_was_fitted_and_the_next_takes_it_up() {
    let place = Place::with_bundle();
    let older = place.files("work/world/model");
    expect![[r#"
        1: error: no training of catchment.toml was left unfinished
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("train catchment.toml --resume"));

    // So many sweeps that it cannot end by itself in time.
    place.replace("catchment.toml", "sweeps = 10", "sweeps = 1000");
    let mut child = Command::new(env!("CARGO_BIN_EXE_catchment-train"))
        .args(["train", "catchment.toml", "--fresh", "--quiet"])
        .current_dir(place.path("."))
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let begun = Instant::now();
    let fitted = place.path("work/world/draft/selection/channels/item_cf/fitted.json");
    while !fitted.exists() {
        assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "item_cf was never fitted"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    assert!(
        sent.success() && child.try_wait().expect("asked").is_none(),
        "still at work"
    );
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    expect![[r#"
        stopping after this step; once more to stop at once
        error: interrupted; the channels that were fitted are kept
        help: go on by: catchment-train train catchment.toml --resume, then catchment-train evaluate catchment.toml and catchment-train publish catchment.toml; or all of it by: catchment-train run catchment.toml
    "#]]
    .assert_eq(&said);
    assert!(
        place.files("work/world/model") == older,
        "the older models are as they were"
    );

    place.replace("catchment.toml", "sweeps = 1000", "sweeps = 9");
    let said = place.run("train catchment.toml --resume");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        said.stderr.matches("is fitted already").count(),
        14,
        "all but ials, for selection and for good; what was not reached, from the older models: {}",
        said.stderr
    );
    assert!(!place.path("work/world/draft").exists() && !place.path("work/world/interrupted").exists());
}

#[test]
fn a_training_that_fails_keeps_the_channels_that_were_fitted_through_further_failures() {
    let place = Place::empty();
    // One item a user: there is no session of two.
    let rows = (0..40).map(|row| format!("u{row},i{},{row}\n", row % 7));
    let rows = rows.collect::<Vec<_>>().concat();
    place.write("log.csv", format!("user_id,item_id,timestamp\n{rows}"));
    place.write(
        "r.toml",
        "name = \"r\"\n[data]\ninteractions = { path = \"log.csv\", format = \"csv\", time_unit = \"s\" }\n\
         [split]\nkind = \"random\"\nfraction = 0.01\n\
         [[channel]]\nname = \"first\"\nkind = \"popular\"\n\
         [[channel]]\nname = \"vectors\"\nkind = \"item2vec\"\n",
    );
    let refused = place.refuse("run r.toml");
    assert!(refused.contains("no session of two items"), "{refused}");
    let fitted = place.path("work/r/draft/model/channels/first/fitted.json");
    assert!(fitted.exists());
    // Another run that comes less far: what the first had done waits all the same.
    place.replace("r.toml", "name = \"first\"", "name = \"second\"");
    place.refuse("train r.toml");
    place.replace("r.toml", "name = \"second\"", "name = \"first\"");
    place.replace("r.toml", "kind = \"item2vec\"", "kind = \"newest\"");
    let said = place.run("train r.toml --resume");
    let notes = said.stderr.clone();
    said.well();
    assert!(notes.contains("channel `first` is fitted already"), "{notes}");
    for folder in ["draft", "interrupted"] {
        assert!(!place.path(&format!("work/r/{folder}")).exists());
    }
}

#[test]
fn a_channel_whose_files_were_harmed_is_fitted_again() {
    let place = Place::with_bundle();
    let table = "work/world/model/channels/item_cf/neighbours.parquet";
    let whole = std::fs::read(place.path(table)).expect("read");
    place.write(table, &whole[..whole.len() / 2]);
    let said = place.run("train catchment.toml");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        said.stderr.matches("is fitted already").count(),
        15,
        "{}",
        said.stderr
    );
    assert!(std::fs::read(place.path(table)).expect("read") == whole);
}

#[test]
fn data_that_were_prepared_by_other_settings_are_not_trained_on() {
    let place = Place::with_bundle();
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nmin_item_events = 3\n[split]",
    );
    for command in ["train", "evaluate", "publish"] {
        let said = place.refuse(&format!("{command} catchment.toml"));
        assert!(said.contains("has changed since it was prepared"), "{said}");
        assert!(said.contains("catchment-train prepare catchment.toml"), "{said}");
    }
}

#[test]
fn leave_last_without_times_is_refused_since_ids_would_decide() {
    let place = Place::empty();
    let rows: Vec<String> = (0..40)
        .map(|row| format!("u{},i{}\n", row % 8, row % 5))
        .collect();
    let rows = rows.concat();
    place.write("log.csv", format!("user_id,item_id\n{rows}"));
    place.write(
        "r.toml",
        "name = \"r\"\n[data]\ninteractions = { path = \"log.csv\", format = \"csv\" }\n[split]\nkind = \"leave-last\"\n\
         [[channel]]\nname = \"popular\"\nkind = \"popular\"\n",
    );
    assert!(place.refuse("run r.toml").contains("needs a time or an order"));
}

#[cfg(unix)]
#[test]
fn a_ranker_that_was_interrupted_is_not_taken_for_whole() {
    let place = Place::with_bundle();
    let older = place.files("work/world/model");
    // So many passes that it cannot end by itself in time; the channels are all taken over.
    place.replace(
        "catchment.toml",
        "kind = \"lr\"",
        "kind = \"lr\"\nmodel = { ftrl = { epochs = 100000, patience = 100000 } }",
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_catchment-train"))
        .args(["train", "catchment.toml", "--quiet"])
        .current_dir(place.path("."))
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let begun = Instant::now();
    let features = place.path("work/world/draft/selection/features");
    while !features.exists() {
        assert!(child.try_wait().expect("asked").is_none(), "it ended by itself");
        assert!(begun.elapsed() < Duration::from_mins(2), "the ranker never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: interrupted"), "{said}");
    assert!(
        place.files("work/world/model") == older,
        "the older ranker is as it was"
    );
}
