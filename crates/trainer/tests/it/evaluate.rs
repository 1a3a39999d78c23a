//! What `evaluate` measures, and the report.

use expect_test::expect;
use serde_json::Value;

use crate::place::Place;

fn list<'a>(judged: &'a Value, name: &str) -> &'a Value {
    let lists = judged.as_array().expect("lists");
    lists.iter().find(|list| list["list"] == name).expect(name)
}

#[test]
fn json_holds_intervals_segments_attribution_and_comparisons() {
    let place = Place::with_bundle();
    let judged = place
        .run("evaluate catchment.toml --segments item.popularity_decile,user.cold,item.category --compare bundles --json")
        .json();
    for name in ["popular", "item_cf", "ials", "merge", "ranked", "oracle"] {
        let list = list(&judged, name);
        let mean = list["metrics"]["recall@10"].as_f64().expect("a mean");
        let interval = &list["intervals"][0];
        assert_eq!(interval["metric"], "recall@10");
        let (low, high) = (
            interval["low"].as_f64().expect("low"),
            interval["high"].as_f64().expect("high"),
        );
        assert!(
            low <= mean && mean <= high && low < high,
            "{name}: {low} {mean} {high}"
        );
        let by: Vec<&Value> = list["segments"]
            .as_array()
            .expect("segments")
            .iter()
            .map(|by| &by["by"])
            .collect();
        assert_eq!(by, ["item.popularity_decile", "user.cold", "item.category"]);
        // Users who are all known are one segment, that of all.
        assert_eq!(list["segments"][1]["segments"][0]["metrics"], list["metrics"]);
        assert!(list["catalogue"]["coverage@10"].is_number());
    }
    for name in ["popular", "item_cf", "ials"] {
        let channel = &list(&judged, name)["attribution"];
        assert_eq!(channel["overlap"][name], 1.0);
        assert!(channel["unique_hits"].as_u64() <= channel["hits"].as_u64());
        assert!(channel["recall_without"].as_f64() <= channel["recall_union"].as_f64());
    }
    assert!(list(&judged, "ranked")["calibration"]["ece"].is_number());
    // The bundle is of these very models: nobody gets another list.
    for name in ["popular", "item_cf", "ials", "merge", "ranked"] {
        let compared = list(&judged, name)["compared"]
            .as_array()
            .expect("compared")
            .last()
            .expect("one")
            .clone();
        assert!(
            compared["against"]
                .as_str()
                .is_some_and(|against| against.starts_with("bundle "))
        );
        for metric in compared["metrics"].as_array().expect("metrics") {
            assert_eq!(
                (&metric["better"], &metric["worse"]),
                (&0.into(), &0.into()),
                "{name}"
            );
            assert_eq!(metric["p_value"], 1.0);
        }
    }
}

#[test]
fn a_comparison_ends_in_a_verdict_for_each_metric() {
    let place = Place::with_bundle();
    let said = place.run("evaluate catchment.toml --compare bundles").well();
    assert!(said.contains("popular minus bundle "), "{said}");
    assert!(
        said.contains("\npopular in recall@10: no difference seen, p = 1.000\n"),
        "{said}"
    );
    // The ranked list against the best channel of the run, as always.
    assert!(said.contains("\nranked in recall@10: "), "{said}");
}

#[test]
fn a_bundle_of_other_data_is_compared_by_ids_over_those_of_whom_it_has_not_seen_what_is_held_out() {
    let place = Place::with_bundle();
    let before = place.run("evaluate catchment.toml --json").json();
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nmin_item_events = 12\n[split]",
    );
    place.run("prepare catchment.toml").well();
    place.run("train catchment.toml").well();
    let said = place.run("evaluate catchment.toml --compare bundles").well();
    let judged = place
        .run("evaluate catchment.toml --compare bundles --json --quiet")
        .json();
    assert_ne!(judged[0]["items"], before[0]["items"], "the vocabularies differ");
    let popular = list(&judged, "popular");
    let compared = &popular["compared"][0];
    let number = |key: &str| compared["common"][key].as_u64().expect(key);
    // Without the rare items some users' last event is an earlier one, which the bundle was trained on.
    assert!(number("users") > 0 && number("seen") > 0, "{compared}");
    assert_eq!(number("users") + number("seen") + number("unknown"), number("of"));
    assert_eq!(popular["users"], number("of"));
    let over = format!("over {} of {} users", number("users"), number("of"));
    let note = popular["notes"][0].as_str().expect("a note");
    assert!(
        note.contains("was trained on other data") && note.contains(&over),
        "{note}"
    );
    for text in [note, &format!(", {over}\n")] {
        assert!(said.contains(text), "{text}: {said}");
    }
    // Popularity over nearly the same log: most users get much the same list, under other indices.
    let recall = popular["metrics"]["recall@20"].as_f64().expect("a mean");
    let metrics = compared["metrics"].as_array().expect("metrics");
    let difference = metrics
        .iter()
        .find(|metric| metric["metric"] == "recall@20")
        .expect("recall@20");
    let (better, worse) = (&difference["better"], &difference["worse"]);
    assert!(better.as_u64().expect("users") + worse.as_u64().expect("users") <= number("users"));
    let difference = difference["difference"].as_f64().expect("a mean");
    assert!(
        recall > 0.0 && difference.abs() < recall / 2.0,
        "{recall} {difference}"
    );
}

#[test]
fn a_bundle_with_nobody_in_common_is_refused() {
    let place = Place::with_bundle();
    let log = place.read("interactions.csv").replace("\nu", "\nstranger");
    place.write("interactions.csv", log);
    place.replace("catchment.toml", "[lists]\noracle = \"truth.parquet\"", "");
    place.run("prepare catchment.toml").well();
    place.run("train catchment.toml").well();
    let refused = place.refuse("evaluate catchment.toml --compare bundles --quiet");
    for text in [
        "2: error: the runs cannot be paired: bundle ",
        " was trained on other data, and of ",
        "help: compare with a bundle that was published from this very log",
    ] {
        assert!(refused.contains(text), "{refused}");
    }
}

#[test]
fn segments_that_are_not_there_are_refused_with_those_that_are() {
    let place = Place::with_bundle();
    let refused = place.refuse("evaluate catchment.toml --segments item.genre");
    for text in [
        "2: error: evaluate.segments: there is no column `item.genre`; there are: item.category, ",
        "item.popularity_decile, ",
        ", user.history\nhelp: choose among those in [evaluate] or --segments",
    ] {
        assert!(refused.contains(text), "{refused}");
    }
    let said = place.run("evaluate catchment.toml --segments genre");
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("item.popularity_decile"), "{}", said.stderr);
    place.replace(
        "catchment.toml",
        "[evaluate]",
        "[evaluate]\nsegments = [\"user.history\", \"shop.size\"]",
    );
    let refused = place.refuse("evaluate catchment.toml");
    assert!(refused.contains("not by \"shop.size\""), "{refused}");
}

#[test]
fn the_report_is_one_page_of_the_last_evaluation_and_lies_in_the_bundle() {
    let place = Place::with_world();
    place.replace(
        "catchment.toml",
        "name = ",
        "# <script>alert(1)</script>\nname = ",
    );
    place.run("prepare catchment.toml").well();
    place.run("train catchment.toml").well();
    expect![[r#"
        1: error: nothing was evaluated yet, or the models are newer than what was
        help: catchment-train evaluate catchment.toml"#]]
    .assert_eq(&place.refuse("report catchment.toml"));
    place.run("publish catchment.toml").well();
    let refused = place.refuse("report bundles");
    assert!(refused.contains("published without an evaluation"), "{refused}");

    let finding = r#"[{"severity":"warning","code":"one_item_users","message":"7 <b>users</b>","examples":["u1"],"remedy":"none"}]"#;
    place.write("work/world/findings.json", finding);
    place.run("evaluate catchment.toml").well();
    place.run("publish catchment.toml").well();
    let said = place.run("report catchment.toml -o ours.html").well();
    let page = place.read("ours.html");
    assert!(said.contains("“ranked” reaches recall@10"), "{said}");
    for text in [
        "“ranked” reaches recall@10",
        "&lt;script&gt;alert(1)",
        "7 &lt;b&gt;users",
        "rows in the test part",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script"));
    place.run("report bundles -o theirs.html").well();
    assert_eq!(place.read("theirs.html"), page);
    place.run("run catchment.toml --quiet").well();
    assert_eq!(place.read("work/world/report.html"), page);
    // Other models: what was measured of the older ones is no longer shown.
    place.run("train catchment.toml").well();
    place.refuse("report catchment.toml");
}

#[test]
fn the_test_table_comes_once_at_the_end_and_says_how_often_it_was_read() {
    let place = Place::with_world();
    let said = place.run("run catchment.toml").well();
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("no {text:?}: {said}"));
    assert!(at("on the validation part") < at("published "));
    assert!(
        at("published ")
            < at("on the test part, which nothing above has seen; it is read for the first time")
    );
    assert_eq!(said.matches("on the test part").count(), 1);
    assert!(said.contains("docs/guide.md"), "{said}");
    let said = place.run("evaluate catchment.toml").well();
    assert!(said.contains("on the test part, now read 2 times"), "{said}");
    // Other data have another test part.
    place.replace(
        "catchment.toml",
        "[split]",
        "[prepare]\nmin_user_events = 3\n\n[split]",
    );
    let said = place.run("run catchment.toml").well();
    assert!(said.contains("it is read for the first time"), "{said}");
}
