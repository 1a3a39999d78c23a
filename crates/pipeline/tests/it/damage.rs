//! Whatever is wrong with a bundle is a typed error, also where its checksums fit.

use std::fs;
use std::path::Path;

use catchment_bundle::Bundle;
use catchment_features::{ChannelHit, FittedFeatures};
use catchment_models::popularity::Popularity;
use catchment_pipeline::testing::TinyBundle;
use catchment_pipeline::{Error, Layout, POPULARITY_FILE, Pipeline, golden};
use catchment_schema::{Interactions, ItemIdx, Metadata, Time};
use serde_json::{Value, json};

use crate::tiny::{copy, files_under};

/// What [`Pipeline::open`] does after the checksums.
fn open(layout: &Layout) -> Result<Pipeline, Error> {
    let pipeline = Pipeline::open_folder(layout)?;
    golden::replay(&pipeline, &layout.golden())?;
    Ok(pipeline)
}

fn is_manifest(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("manifest"))
}

#[test]
fn every_file_that_is_missing_or_cut_off_anywhere_is_an_error() {
    let (folder, layout) = copy();
    open(&layout).expect("whole");
    let files: Vec<_> = files_under(folder.path())
        .into_iter()
        .filter(|path| !is_manifest(path))
        .collect();
    assert!(files.len() > 12);
    for path in files {
        let whole = fs::read(&path).expect("read");
        let lengths = (0..whole.len())
            .step_by(whole.len() / 40 + 1)
            .chain([whole.len() - 1]);
        for length in lengths {
            // Without the line end behind it, a text is still the same text.
            if whole[length..].trim_ascii().is_empty() {
                continue;
            }
            fs::write(&path, &whole[..length]).expect("written");
            let error = open(&layout).expect_err("cut off");
            assert!(
                !error.to_string().is_empty(),
                "{} cut to {length}",
                path.display()
            );
        }
        fs::remove_file(&path).expect("removed");
        open(&layout).map(|_| ()).expect_err("missing");
        fs::write(&path, &whole).expect("written");
    }
    open(&layout).expect("whole again");
}

#[test]
fn a_file_of_another_bundle_or_of_another_kind_is_an_error() {
    let other = tempfile::tempdir().expect("temporary folder");
    let bundle = TinyBundle {
        seed: 8,
        n_items: 60,
        n_users: 70,
        ..TinyBundle::default()
    };
    bundle.write(&Layout::new(other.path())).expect("written");
    let (folder, layout) = copy();
    for path in files_under(folder.path())
        .into_iter()
        .filter(|path| !is_manifest(path))
    {
        let inside = path.strip_prefix(folder.path()).expect("below");
        let whole = fs::read(&path).expect("read");
        fs::copy(other.path().join(inside), &path).expect("copied");
        // These say the same in every tiny bundle.
        let may_be_equal = ["pipeline.json", "ials.json", "events.parquet"];
        if !may_be_equal.iter().any(|name| inside.ends_with(name)) {
            open(&layout)
                .map(|_| ())
                .expect_err(&inside.display().to_string());
        }
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let stranger = if inside.ends_with("golden.parquet") {
                "ranker/weights.parquet"
            } else {
                "golden.parquet"
            };
            fs::copy(other.path().join(stranger), &path).expect("copied");
            open(&layout)
                .map(|_| ())
                .expect_err(&inside.display().to_string());
        }
        fs::write(&path, &whole).expect("written");
    }
    open(&layout).expect("whole again");
}

/// Publishes a changed bundle, with checksums that fit, and opens it.
fn open_changed(change: impl FnOnce(&Layout) -> Result<(), Error>) -> Result<Pipeline, Error> {
    let root = tempfile::tempdir().expect("temporary folder");
    TinyBundle::default()
        .publish_changed(root.path(), change)
        .expect("published");
    Pipeline::open(&Bundle::open_current(root.path()).expect("checksums fit"))
}

#[test]
fn a_channel_that_computes_something_else_is_caught_by_the_golden_queries() {
    let error = open_changed(|layout| {
        let items = catchment_schema::Vocabulary::read(layout.item_vocabulary())?;
        let path = layout.channel("popular").join(POPULARITY_FILE);
        let mut model = Popularity::open(&path, &items).expect("opened");
        model.scores.reverse();
        model.save(&path, &items).expect("saved");
        Ok(())
    });
    match error.expect_err("other answers") {
        Error::GoldenMismatch { user, .. } => assert!(user.starts_with('u')),
        error => panic!("{error}"),
    }
}

#[test]
fn features_that_the_ranker_was_not_trained_on_are_refused() {
    let error = open_changed(|layout| {
        let mut features = FittedFeatures::open(&layout.features()).expect("opened");
        let hits = [1.0, 2.0].map(|score| ChannelHit {
            channel: 0,
            rank: 1,
            score,
        });
        features.fit_channel_scores(hits).expect("fitted");
        features.save(&layout.features()).expect("saved");
        Ok(())
    });
    match error.expect_err("other features") {
        Error::FingerprintMismatch { expected, found } => assert_ne!(expected, found),
        error => panic!("{error}"),
    }
}

#[test]
fn a_manifest_that_names_other_features_is_refused() {
    let error = open_changed(|layout| {
        fs::remove_dir_all(layout.features()).expect("removed");
        change_spec(layout, |spec| spec["ranker"] = Value::Null);
        Ok(())
    });
    match error.expect_err("other features") {
        Error::FingerprintMismatch { found, .. } => assert_eq!(found, "none"),
        error => panic!("{error}"),
    }
}

#[test]
fn a_ranker_without_features_is_refused() {
    let (_folder, layout) = copy();
    fs::remove_dir_all(layout.features()).expect("removed");
    assert!(matches!(open(&layout), Err(Error::Part { part: "features", .. })));
}

fn change_spec(layout: &Layout, change: impl FnOnce(&mut Value)) {
    let mut spec = serde_json::from_slice(&fs::read(layout.spec()).expect("read")).expect("JSON");
    change(&mut spec);
    fs::write(layout.spec(), spec.to_string()).expect("written");
}

fn refused(change: impl FnOnce(&mut Value)) -> String {
    let (_folder, layout) = copy();
    change_spec(&layout, change);
    match open(&layout).expect_err("refused") {
        Error::Spec { reason, .. } => reason,
        error => panic!("{error}"),
    }
}

#[test]
fn a_spec_of_a_newer_format_is_refused_before_anything_else_in_it_is_read() {
    let newer = |spec: &mut Value| *spec = json!({ "format": 4, "channels": "told in another way" });
    assert_eq!(refused(newer), "format 4, this program reads up to 3");
    assert_eq!(
        refused(|spec| *spec = json!([])),
        "format none, this program reads up to 3"
    );
}

#[test]
fn a_spec_that_cannot_be_is_refused_with_its_fault() {
    assert!(refused(|spec| spec["channels"][0]["kind"] = json!("psychic")).contains("psychic"));
    assert!(refused(|spec| spec["channels"][0]["k"] = json!(0)).contains("k of channel `popular` = 0"));
    assert!(refused(|spec| spec["channels"][1] = spec["channels"][0].clone()).contains("popular"));
    assert!(refused(|spec| spec["merge"]["limit"] = json!(0)).contains("limit of [merge] = 0"));
    for name in ["../popular", "/etc", "", ".hidden", "a/b", "a\\b"] {
        let said = refused(|spec| spec["channels"][0]["name"] = json!(name));
        assert!(said.contains("cannot name a channel"), "{said}");
    }
    let said = refused(|spec| spec["positive"] = json!("value is 4"));
    assert!(
        said.starts_with("`positive`: \"value is 4\" is not `column sign number`"),
        "{said}"
    );
}

#[test]
fn histories_that_contradict_the_bundle_are_refused() {
    let check = |change: fn(&mut Interactions), said: &str| {
        let (_folder, layout) = copy();
        let mut log = Interactions::read(layout.histories()).expect("read");
        change(&mut log);
        log.write(layout.histories(), &Metadata::new()).expect("written");
        let error = open(&layout).expect_err("refused").to_string();
        assert!(error.contains(said), "{error}");
    };
    check(
        |log| log.events[0].item = ItemIdx(40),
        "beyond the item vocabulary of 40",
    );
    check(
        |log| log.events[0].time = Time::from_millis(i64::MAX),
        "not in the order of their times",
    );
}

#[test]
fn a_history_whose_times_are_known_in_part_is_taken_in_its_order() {
    let (_folder, layout) = copy();
    let mut log = Interactions::read(layout.histories()).expect("read");
    assert_eq!(log.users[1], log.users[0], "somebody with two events");
    log.events[1].time = Time::UNKNOWN;
    log.write(layout.histories(), &Metadata::new()).expect("written");
    let pipeline = open(&layout).expect("opened");
    let user = log.users[0];
    assert_eq!(pipeline.catalogue().history(user).events()[1], log.events[1]);
}
