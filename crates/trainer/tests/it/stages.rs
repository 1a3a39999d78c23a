//! Stages by themselves, out of order, and after a failure.

use catchment_pipeline::Layout;
use catchment_schema::{Interactions, Vocabulary};
use expect_test::expect;

use crate::place::Place;

#[test]
fn a_stage_out_of_order_says_which_one_comes_before() {
    let place = Place::with_world();
    expect![[r#"
        1: error: work/world/data holds no prepared log: it has no prepared.json
        help: catchment-train prepare catchment.toml"#]]
    .assert_eq(&place.refuse("train catchment.toml"));
    expect![[r#"
        1: error: work/world/data holds no prepared log: it has no prepared.json
        help: catchment-train prepare catchment.toml"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml"));
    expect![[r#"
        1: error: work/world/data holds no prepared log: it has no prepared.json
        help: catchment-train prepare catchment.toml"#]]
    .assert_eq(&place.refuse("publish catchment.toml"));
    place.run("prepare catchment.toml").well();
    expect![[r#"
        1: error: work/world/model/pipeline.json: No such file or directory (os error 2)
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml"));
    expect![[r#"
        1: error: work/world/model/pipeline.json: No such file or directory (os error 2)
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("publish catchment.toml"));
    assert!(!place.path("bundles/CURRENT").exists());
}

#[test]
fn one_channel_can_be_trained_again_and_the_others_stay() {
    let place = Place::with_bundle();
    let before = place.files("work/world/model/channels");
    place.replace("catchment.toml", "dim = ", "stddev = 0.2, dim = ");
    place.run("train --only ials catchment.toml").well();
    let after = place.files("work/world/model/channels");
    for ((name, bytes), (_, now)) in before.iter().zip(&after) {
        assert_eq!(bytes == now, !name.starts_with("ials/"), "{name}");
    }
    place.run("publish catchment.toml").well();
    expect![[r#"
        2: error: the recipe has no channel `isal`
        help: its channels: popular, item_cf, ials, item2vec, airbnb, youtube_dnn, dssm, two_tower"#]]
    .assert_eq(&place.refuse("train catchment.toml --only isal"));
}

#[test]
fn a_channel_that_was_never_trained_is_missed_at_once() {
    let place = Place::with_world();
    place.run("prepare catchment.toml").well();
    expect![[r#"
        2: error: --only keeps the other channels, but `popular` was never trained
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("train catchment.toml --only ials"));
}

#[test]
fn a_published_ranker_sees_counts_of_the_log_that_the_channels_are_fitted_on() {
    let place = Place::with_world();
    place.replace(
        "catchment.toml",
        "item = [",
        "item = [\n  { name = \"popularity\", kind = \"item_count\" },",
    );
    place.run("run catchment.toml --quiet").well();
    let prepared: serde_json::Value =
        serde_json::from_str(&place.read("work/world/data/prepared.json")).expect("JSON");
    let features = |layout: &str| -> serde_json::Value {
        serde_json::from_str(&place.read(&format!("{layout}/features/features.json"))).expect("JSON")
    };
    let counted = |features: &serde_json::Value| -> u64 {
        let counts = &features["features"]["item"][0]["rule"]["count"]["counts"];
        let counts = counts.as_array().expect("counts").iter();
        counts.map(|count| count.as_u64().expect("a count")).sum()
    };
    let (trained, published) = (features("work/world/selection"), features(&place.bundle()));
    let rows = |part: &str| prepared[part].as_u64().expect("rows");
    assert_eq!(counted(&trained), rows("train"));
    assert_eq!(counted(&published), rows("train") + rows("validation"));
    let scale =
        |features: &serde_json::Value| features["features"]["item"][0]["rule"]["count"]["rule"].clone();
    assert_eq!(scale(&trained), scale(&published), "the ranker's scale stays");
    place.run("recommend --bundle bundles --user u0").well();
}

#[test]
fn models_of_other_data_are_neither_judged_nor_published() {
    let place = Place::with_bundle();
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nmin_item_events = 20\n[split]",
    );
    place.run("prepare catchment.toml").well();
    expect![[r#"
        1: error: the models were trained on other data than what was prepared last
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml"));
    place.refuse("publish catchment.toml");
    place.refuse("train catchment.toml --only ials");
    place.run("train catchment.toml").well();
    place.run("publish catchment.toml").well();
}

#[test]
fn nothing_good_is_lost_when_a_later_run_fails() {
    let place = Place::with_bundle();
    let bundle = place.bundle();
    let files = place.files("bundles");
    let work = place.files("work");

    // The data are bad: nothing that was made before is touched.
    let log = place.read("interactions.csv");
    place.write(
        "interactions.csv",
        "user_id,item_id,timestamp,event\nu1,,2026-01-05T00:00:00Z,click\n",
    );
    place.refuse("run catchment.toml");
    assert!(place.files("work") == work, "the older work is as it was");
    place.write("interactions.csv", log);

    // The recipe is bad: as before.
    let recipe = place.read("catchment.toml");
    place.replace("catchment.toml", "dim = 24", "dim = 0");
    place.refuse("run catchment.toml");
    assert!(place.files("work") == work, "the older work is as it was");
    place.write("catchment.toml", &recipe);

    // Training fails after the channels: the older models are as they were.
    place.replace("catchment.toml", "column = \"category\"", "column = \"categry\"");
    place.refuse("train catchment.toml");
    place.refuse("train catchment.toml --only ials");
    assert!(place.files("work") == work, "the older work is as it was");
    place.write("catchment.toml", recipe);

    // A folder that cannot be written to: the bundle is not half there.
    place.write("a-file", "");
    place.refuse("publish catchment.toml --to a-file");

    assert!(place.files("bundles") == files);
    assert_eq!(place.bundle(), bundle);
    place.run("recommend --bundle bundles --user u0").well();
    place.run("run catchment.toml --seed 8 --quiet").well();
    assert_ne!(place.bundle(), bundle, "and a good run makes the next one");
}

#[test]
fn models_by_other_settings_are_neither_judged_nor_published_nor_kept() {
    let place = Place::with_bundle();
    place.replace("catchment.toml", "dim = 24", "dim = 8");
    expect![[r#"
        1: error: the models were trained by other settings than the recipe has now
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml"));
    place.refuse("publish catchment.toml");
    expect![[r#"
        2: error: --only keeps channel `ials`, but its settings have changed since it was trained
        help: name it in --only, too, or train all: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("train catchment.toml --only popular"));
    place.run("train catchment.toml --only ials").well();
    place.run("evaluate catchment.toml").well();
}

#[test]
fn a_ranker_that_saw_other_features_is_neither_judged_nor_published() {
    let place = Place::with_bundle();
    place.replace(
        "catchment.toml",
        "item = [",
        "item = [\n  { name = \"popularity\", kind = \"item_count\" },",
    );
    expect![[r#"
        1: error: the models were trained by other settings than the recipe has now
        help: catchment-train train catchment.toml"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml"));
    place.refuse("publish catchment.toml");
    // The ranker is trained again with any channel.
    place.run("train catchment.toml --only ials").well();
    place.run("evaluate catchment.toml").well();
    place.run("publish catchment.toml").well();
}

#[test]
fn models_by_another_seed_are_neither_judged_nor_published_nor_kept() {
    let place = Place::with_bundle();
    expect![[r#"
        1: error: the models were trained with seed 7, not with 8
        help: catchment-train train catchment.toml --seed 8; or keep them by --seed 7"#]]
    .assert_eq(&place.refuse("evaluate catchment.toml --seed 8"));
    place.refuse("publish catchment.toml --seed 8");
    place.refuse("train catchment.toml --only ials --seed 8");
    place.run("train catchment.toml --seed 8").well();
    expect![[r#"
        1: error: the models were trained with seed 8, not with 7
        help: catchment-train train catchment.toml; or keep them by --seed 8"#]]
    .assert_eq(&place.refuse("publish catchment.toml"));
    place.run("publish catchment.toml --seed 8").well();
    let manifest = place.read(&format!("{}/manifest.json", place.bundle()));
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["seed"], 8);
}

#[test]
fn models_of_which_only_the_data_are_known_are_trained_again() {
    let place = Place::with_bundle();
    let prepared: serde_json::Value =
        serde_json::from_str(&place.read("work/world/data/prepared.json")).expect("JSON");
    let stamp = "work/world/model/trained_on.hash";
    let good = place.read(stamp);
    for older in [prepared["hash"].as_str().expect("a hash"), ""] {
        place.write(stamp, older);
        for command in [
            "evaluate catchment.toml",
            "publish catchment.toml",
            "train catchment.toml --only ials",
        ] {
            let said = place.refuse(command);
            assert!(said.contains("by other settings"), "{said}");
        }
    }
    place.write(stamp, good);
    place.run("publish catchment.toml").well();
}

#[test]
fn a_bundle_says_what_an_event_has_to_be_like_to_be_a_yes() {
    let place = Place::with_bundle();
    let spec = |place: &Place| -> serde_json::Value {
        serde_json::from_str(&place.read(&format!("{}/pipeline.json", place.bundle()))).expect("JSON")
    };
    let plain = spec(&place);
    assert!(plain["format"] == 1 && plain.get("positive").is_none(), "{plain}");
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\npositive = \"value >= 0.5\"\n[split]",
    );
    place.run("run catchment.toml --quiet").well();
    let demanding = spec(&place);
    assert_eq!(
        (&demanding["format"], &demanding["positive"]),
        (&serde_json::json!(3), &serde_json::json!("value >= 0.5"))
    );
}

#[test]
fn a_bundle_carries_no_numbers_of_older_models() {
    let place = Place::with_bundle();
    place.run("train catchment.toml").well();
    assert!(!place.path("work/world/metrics.json").exists());
    place.run("publish catchment.toml").well();
    let current = place.read("bundles/CURRENT");
    let manifest = place.read(&format!("bundles/{}/manifest.json", current.trim()));
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["metrics"], serde_json::json!({}));
}

#[test]
fn a_ranker_without_validation_rows_leaves_the_older_models() {
    let place = Place::with_bundle();
    let models = place.files("work/world/model");
    place.replace(
        "catchment.toml",
        "validation = { kind = \"leave-last\" }",
        "validation = { kind = \"temporal\", at = \"2100-01-01T00:00:00Z\" }",
    );
    place.run("prepare catchment.toml").well();
    let said = place.refuse("train catchment.toml");
    assert!(said.contains("the ranker has nothing to learn from"), "{said}");
    assert!(
        place.files("work/world/model") == models,
        "the older models are as they were"
    );
}

#[test]
fn two_runs_in_one_folder_do_not_meet() {
    let place = Place::with_bundle();
    let lock = std::fs::File::options()
        .append(true)
        .open(place.path("work/world/.lock"))
        .expect("the lock of an earlier run");
    lock.lock().expect("locked");
    expect![[r#"
        1: error: another run is at work in work/world
        help: wait for it to end, or choose another folder with --work"#]]
    .assert_eq(&place.refuse("train catchment.toml"));
    drop(lock);
    place.run("evaluate catchment.toml").well();
}

#[test]
fn models_that_a_killed_run_moved_aside_come_back() {
    let place = Place::with_bundle();
    let models = place.files("work/world/model");
    std::fs::create_dir_all(place.path("work/world/draft/replaced")).expect("made");
    std::fs::rename(
        place.path("work/world/model"),
        place.path("work/world/draft/replaced/model"),
    )
    .expect("moved");
    place.run("evaluate catchment.toml").well();
    assert!(
        place.files("work/world/model") == models,
        "the models are as they were"
    );
}

#[test]
fn seeds_go_round_at_the_end_of_their_range() {
    let place = Place::with_world();
    let last = u64::MAX;
    place
        .run(&format!(
            "reproduce catchment.toml --seed {last} --seeds 2 -o r.json --quiet"
        ))
        .well();
    let result: serde_json::Value = serde_json::from_str(&place.read("r.json")).expect("JSON");
    assert_eq!(result["seeds"], serde_json::json!([last, 0]));
}

#[test]
fn the_same_model_published_again_at_once_is_another_version() {
    let place = Place::with_bundle();
    let mut versions = vec![place.read("bundles/CURRENT")];
    for _ in 0..3 {
        place.run("publish catchment.toml").well();
        versions.push(place.read("bundles/CURRENT"));
    }
    assert!(versions.is_sorted_by(|a, b| a < b), "each is newer: {versions:?}");
    place.run("recommend --bundle bundles --user u0").well();
}

/// MovieLens-1M as it is at hand: an order for every rating, a time only for some.
#[test]
fn a_sequence_of_partly_known_times_is_kept_in_its_order_when_validation_rows_come_back() {
    let place = Place::empty();
    let header = "user\tmovie\trating\tchrono_rank\tts_lo\tts_hi\n";
    let row = |user: u32, movie: u32, rank: u32, low: u32, high: u32| {
        format!("{user}\t{movie}\t5\t{rank}\t{low}\t{high}\n")
    };
    let mut log = header.to_owned();
    for user in 1..=3 {
        // The times of the second and of the last two are only bounds.
        for (movie, rank, low, high) in [
            (10, 1, 100, 100),
            (20, 2, 90, 300),
            (30, 3, 200, 200),
            (40, 4, 150, 400),
            (50, 5, 0, 500),
        ] {
            log.push_str(&row(user, movie + user % 2, rank, low, high));
        }
    }
    place.write("ratings.tsv", log);
    place.write(
        "order.toml",
        "name = \"order\"\n[data]\ninteractions = { path = \"ratings.tsv\", format = \"movielens-1m\" }\n\
         [split]\nkind = \"leave-last\"\nvalidation = { kind = \"leave-last\" }\n\
         [[channel]]\nname = \"popular\"\nkind = \"popular\"\n",
    );
    place.run("run order.toml").well();
    let layout = Layout::new(place.path("work/order/model"));
    let log = Interactions::read(layout.histories()).expect("histories");
    let items = Vocabulary::read(layout.item_vocabulary()).expect("a vocabulary");
    let sequence: Vec<&str> = log.events[..4]
        .iter()
        .map(|event| items.id(event.item.index()).expect("known"))
        .collect();
    let movie = |sequence: &[&str]| -> Vec<u32> {
        let tens = |id: &&str| id.parse::<u32>().expect("a number") / 10;
        sequence.iter().map(tens).collect()
    };
    assert_eq!(
        movie(&sequence),
        [1, 2, 3, 4],
        "the fifth is the test: {sequence:?}"
    );
}
