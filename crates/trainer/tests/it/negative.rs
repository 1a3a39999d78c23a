//! Events that say no, from a log to a bundle.

use std::fmt::Write as _;

use expect_test::expect;

use crate::place::Place;

/// Sixty users of two tastes, who view five items of their own and then say no to `z`, which nobody ever viewed.
fn place(negative: &str, channels: &str) -> Place {
    let place = Place::empty();
    let mut log = "user_id,item_id,timestamp,event\n".to_owned();
    for user in 0..60 {
        for step in 0..5 {
            let item = (user % 2) * 10 + (user / 2 + step) % 7;
            let _ = writeln!(log, "u{user},i{item},{},view", 100 * user + step);
        }
        let _ = writeln!(log, "u{user},z,{},reject", 100 * user + 9);
    }
    place.write("log.csv", log);
    place.write(
        "r.toml",
        format!(
            "name = \"r\"\n[data]\n{negative}\n\
             interactions = {{ path = \"log.csv\", format = \"csv\", time_unit = \"s\" }}\n\
             [split]\nkind = \"temporal\"\nat = 0.9\n[evaluate]\nks = [5]\nmetrics = [\"recall\"]\nexclude_seen = false\n{channels}"
        ),
    );
    place
}

const CHANNELS: &str = "\
[[channel]]\nname = \"popular\"\nkind = \"popular\"\n\
[[channel]]\nname = \"item_cf\"\nkind = \"item_cf\"\n\
[[channel]]\nname = \"vectors\"\nkind = \"item2vec\"\nmodel = { dim = 8, subsample = 0 }\n";

const NEGATIVE: &str = "negative = [\"reject\"]";

fn names(answer: &serde_json::Value) -> Vec<String> {
    let items = answer["items"].as_array().expect("items").iter();
    items
        .map(|item| item["item_id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn what_everybody_says_no_to_is_popular_and_similar_nowhere_and_no_row_to_find() {
    let (with, without) = (place(NEGATIVE, CHANNELS), place("", CHANNELS));
    let mut pairs = Vec::new();
    for (place, says_no) in [(&with, true), (&without, false)] {
        let said = place.run("run r.toml");
        assert_eq!(
            said.stderr.contains("of the test part say no"),
            says_no,
            "{}",
            said.stderr
        );
        said.well();
        let popular = place
            .run("recommend --bundle bundles --user nobody -n 3 --json")
            .json();
        assert_eq!(!names(&popular).contains(&"z".to_owned()), says_no, "{popular}");
        for channel in ["item_cf", "vectors"] {
            let similar = place
                .run(&format!(
                    "similar --bundle bundles --item i0 -n 20 --channel {channel} --json"
                ))
                .json();
            assert_eq!(!names(&similar).contains(&"z".to_owned()), says_no, "{similar}");
        }
        let metrics: serde_json::Value =
            serde_json::from_str(&place.read("work/r/metrics.json")).expect("JSON");
        pairs.push(metrics[0]["pairs"].as_u64().expect("a number"));
    }
    assert_eq!(
        pairs[0] + 6,
        pairs[1],
        "six of the held-out rows are rejections of an item each"
    );
}

/// Fifty-four of the sixty users are in the train part with all their events, and every one of them says no once.
#[test]
fn nobody_is_more_active_and_nothing_more_popular_for_what_they_said_no_to() {
    // The pairs that users had, and the items that one user had or none: `z`, or nothing.
    for (negative, pairs, rare) in [(NEGATIVE, "270", "1"), ("", "324", "0")] {
        let place = place(negative, CHANNELS);
        place.run("run r.toml --quiet").well();
        let report: serde_json::Value =
            serde_json::from_str(&place.read("work/r/report.json")).expect("JSON");
        let facts = report["facts"]["numbers"].as_array().expect("facts");
        for (name, expected) in [
            ("different pairs of user and item before the held-out part", pairs),
            ("items that one user had or none", rare),
        ] {
            let fact = facts.iter().find(|fact| fact[0] == name).expect("told");
            assert_eq!(fact[1], expected, "{name}");
        }
    }
}

#[test]
fn sessions_that_name_the_word_have_it() {
    let channels = CHANNELS.replace(
        "kind = \"item2vec\"",
        "kind = \"item2vec\"\nsessions = { events = [\"view\", \"reject\"] }",
    );
    let place = place(NEGATIVE, &channels);
    place.run("run r.toml --quiet").well();
    let similar = place
        .run("similar --bundle bundles --item i0 -n 20 --channel vectors --json")
        .json();
    assert!(names(&similar).contains(&"z".to_owned()), "{similar}");
}

#[test]
fn a_word_that_is_not_there_or_is_also_a_goal_is_named_with_its_line() {
    let place = place("negative = [\"rejct\"]", CHANNELS);
    expect![[r#"
        1: error: r.toml:3: [data]: `negative` = "rejct", but the log has only: reject, view
        help: did you mean `reject`?"#]]
    .assert_eq(&place.refuse("prepare r.toml"));
    assert!(place.refuse("run r.toml").contains("r.toml:3:"));
    place.write("r.toml", place.read("r.toml").replace("rejct", "reject"));
    place.replace("r.toml", "[split]", "[prepare]\nevents = [\"view\"]\n[split]");
    expect![[r#"
        1: error: r.toml:3: [data]: `negative` = "reject", but `prepare.events` keeps only: view
        help: name it in prepare.events, too; where its rows are not wanted at all, take it out of data.negative"#]]
    .assert_eq(&place.refuse("prepare r.toml"));
    let goal = "[[channel]]\nname = \"stays\"\nkind = \"airbnb\"\nobjective = { goal = \"reject\" }\n";
    let place = self::place(NEGATIVE, goal);
    expect![[r#"
        1: error: r.toml:15: channel `stays`: `objective.goal` = "reject", which `data.negative` says is a no
        help: take it out of one of them"#]]
    .assert_eq(&place.refuse("prepare r.toml"));
}
