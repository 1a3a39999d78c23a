//! Events: taken once, durable, and known to the very next answer.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use catchment_pipeline::testing::TinyBundle;
use catchment_pipeline::{Pipeline, PipelineSpec, golden};
use serde_json::{Value, json};

use crate::served::{Served, bundles};

/// A server whose bundle was trained by a recipe that keeps these events.
fn served_keeping(events: &[&str]) -> Served {
    let folder = tempfile::tempdir().expect("temporary folder");
    let publish = TinyBundle::default().publish_changed(bundles(folder.path()), |layout| {
        let mut spec = PipelineSpec::read(&layout.spec())?;
        spec.events = events.iter().map(|&event| event.to_owned()).collect();
        spec.write(&layout.spec())
    });
    publish.expect("published");
    Served::over(folder, |_| ())
}

/// A server whose bundle says that a purchase is a no.
fn served_with_negative() -> Served {
    let folder = tempfile::tempdir().expect("temporary folder");
    let publish = TinyBundle::default().publish_changed(bundles(folder.path()), |layout| {
        let mut spec = PipelineSpec::read(&layout.spec())?;
        spec.negative = vec!["purchase".to_owned()];
        spec.format = PipelineSpec::version(&spec.negative, None);
        spec.write(&layout.spec())?;
        golden::record(
            &Pipeline::open_folder(layout)?,
            TinyBundle::GOLDEN_USERS,
            &layout.golden(),
        )
    });
    publish.expect("published");
    Served::over(folder, |_| ())
}

/// A server whose bundle was trained on what is like this alone, and of whose events these say no.
pub(crate) fn served_with_positive(positive: &str, negative: &[&str]) -> Served {
    let folder = tempfile::tempdir().expect("temporary folder");
    let publish = TinyBundle::default().publish_changed(bundles(folder.path()), |layout| {
        let mut spec = PipelineSpec::read(&layout.spec())?;
        spec.positive = Some(positive.to_owned());
        spec.negative = negative.iter().map(|&word| word.to_owned()).collect();
        spec.format = PipelineSpec::version(&spec.negative, spec.positive.as_deref());
        spec.write(&layout.spec())?;
        golden::record(
            &Pipeline::open_folder(layout)?,
            TinyBundle::GOLDEN_USERS,
            &layout.golden(),
        )
    });
    publish.expect("published");
    Served::over(folder, |_| ())
}

fn first_item(answer: &Value) -> String {
    answer["items"][0]["item_id"].as_str().expect("an id").to_owned()
}

fn has(answer: &Value, item: &str) -> bool {
    let items = answer["items"].as_array().expect("items");
    items.iter().any(|found| found["item_id"] == item)
}

#[test]
fn an_event_changes_the_very_next_answer() {
    let served = Served::tiny();
    let mut client = served.client();
    for user in ["u0", "somebody new", "42"] {
        for _ in 0..5 {
            let body = json!({ "user_id": user, "n": 30 });
            let before = client.post("/v1/recommend", &body).ok();
            let item = first_item(&before);
            let event = json!({ "events": [{ "user_id": user, "item_id": item, "type": "purchase" }] });
            assert_eq!(client.post("/v1/events", &event).ok()["accepted"], 1);
            let after = client.post("/v1/recommend", &body).ok();
            assert!(!has(&after, &item), "{user} was shown {item} again");
            assert_eq!(after["personalised"], true);
            assert_ne!(after["items"], before["items"]);
        }
    }
}

#[test]
fn a_new_user_gets_what_goes_with_the_first_item() {
    let served = Served::tiny();
    let mut client = served.client();
    let event = json!({ "events": [{ "user_id": "new", "item_id": "100" }] });
    client.post("/v1/events", &event).ok();
    let answer = client.get("/v1/recommend/new").ok();
    let names = answer["items"].as_array().expect("items").iter();
    let names = names.flat_map(|item| item["channels"].as_array().expect("channels"));
    let names: std::collections::BTreeSet<_> = names.filter_map(|source| source["name"].as_str()).collect();
    assert!(names.contains("item_cf") && names.contains("ials"), "{names:?}");
}

#[test]
fn an_event_from_a_clock_that_runs_ahead_counts_at_once() {
    let served = Served::tiny();
    let mut client = served.client();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    let ahead = u64::try_from(now.as_millis()).expect("in this age") + 3_600_000;
    let event = json!({ "events": [{ "user_id": "u5", "item_id": "139", "timestamp": ahead }] });
    assert_eq!(client.post("/v1/events", &event).ok()["accepted"], 1);
    let answer = client
        .post("/v1/recommend", &json!({ "user_id": "u5", "n": 100 }))
        .ok();
    assert!(!has(&answer, "139"));
}

#[test]
fn the_same_event_id_is_taken_once_in_one_request_and_in_two_and_after_a_restart() {
    let served = Served::tiny();
    let mut client = served.client();
    let event = |id: Value| json!({ "event_id": id, "user_id": 7, "item_id": 103 });
    let body =
        json!({ "events": [event(json!("a")), event(json!("a")), event(json!(5)), event(json!("5"))] });
    let answer = client.post("/v1/events", &body).ok();
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(2), &json!(2))
    );
    let answer = client.post("/v1/events", &body).ok();
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(0), &json!(4))
    );
    drop(client);
    let served = served.again();
    let answer = served.client().post("/v1/events", &body).ok();
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(0), &json!(4))
    );
    assert_eq!(served.client().get("/v1/users/7/history").ok()["total"], 2);
}

#[test]
fn good_events_are_taken_beside_bad_ones_and_each_bad_one_is_named() {
    let served = Served::tiny();
    let good =
        json!({ "user_id": "u1", "item_id": "110", "session_id": "s", "recomm_id": "r", "dwell_ms": 5 });
    let body = json!({ "events": [good, { "user_id": "u1", "item_id": "nothing" }, good, 7] });
    let answer = served.client().post("/v1/events", &body).ok();
    assert_eq!(answer["accepted"], 2);
    let rejected: Vec<_> = answer["rejected"].as_array().expect("a list").iter().collect();
    assert_eq!(
        (&rejected[0]["index"], &rejected[0]["code"]),
        (&json!(1), &json!("unknown_item"))
    );
    assert_eq!(
        (&rejected[1]["index"], &rejected[1]["code"]),
        (&json!(3), &json!("wrong_field"))
    );
    assert_eq!(rejected.len(), 2);
}

#[test]
fn a_thousand_events_are_taken_at_once() {
    let served = Served::tiny();
    let events: Vec<_> = (0..1000)
        .map(|at| json!({ "user_id": "u1", "item_id": "110", "timestamp": at }))
        .collect();
    let answer = served
        .client()
        .post("/v1/events", &json!({ "events": events }))
        .ok();
    assert_eq!(answer["accepted"], 1000);
}

#[test]
fn many_clients_at_once_lose_nothing() {
    const CLIENTS: usize = 8;
    const EVENTS: usize = 50;
    let served = Served::tiny();
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let mut client = served.client();
            scope.spawn(move || {
                for at in 0..EVENTS {
                    let user = format!("c{number}");
                    let event = json!({ "user_id": user, "item_id": "105", "timestamp": at });
                    let answer = client.post("/v1/events", &json!({ "events": [event] })).ok();
                    assert_eq!(answer["accepted"], 1);
                    let history = client.get(&format!("/v1/users/{user}/history")).ok();
                    assert_eq!(history["total"], at + 1);
                }
            });
        }
    });
    assert!(served.state.log.syncs() <= (CLIENTS * EVENTS) as u64);
    let served = served.again();
    for number in 0..CLIENTS {
        let history = served.client().get(&format!("/v1/users/c{number}/history")).ok();
        assert_eq!(history["total"], EVENTS);
    }
}

#[test]
fn an_event_that_the_recipe_leaves_out_is_kept_and_changes_no_answer() {
    let served = served_keeping(&["purchase"]);
    let mut client = served.client();
    for user in ["u0", "somebody new"] {
        let body = json!({ "user_id": user, "n": 30 });
        let before = client.post("/v1/recommend", &body).ok();
        let item = first_item(&before);
        let event = |kind: &str| json!({ "user_id": user, "item_id": item, "type": kind });
        let total = client.get(&format!("/v1/users/{}/history", user.replace(' ', "%20")));
        let total = total.json()["total"].as_u64().unwrap_or(0);
        let events =
            json!({ "events": [event("view"), { "user_id": user, "item_id": "?" }, event("impression")] });
        let answer = client.post("/v1/events", &events).ok();
        assert_eq!(
            (&answer["accepted"], &answer["not_counted"]),
            (&json!(2), &json!([0, 2]))
        );
        let after = client.post("/v1/recommend", &body).ok();
        assert_eq!(
            (&after["items"], &after["personalised"]),
            (&before["items"], &before["personalised"]),
            "{user}"
        );
        let history = client
            .get(&format!("/v1/users/{}/history", user.replace(' ', "%20")))
            .ok();
        assert_eq!(history["total"], total + 2, "{user}: both are kept");
        assert_eq!(history["events"][0]["counts"], false);
        let answer = client
            .post("/v1/events", &json!({ "events": [event("purchase")] }))
            .ok();
        assert_eq!(
            (&answer["accepted"], &answer["not_counted"]),
            (&json!(1), &json!([]))
        );
        assert!(
            !has(&client.post("/v1/recommend", &body).ok(), &item),
            "a purchase counts"
        );
    }
    drop(client);
    let served = served.again();
    let history = served.client().get("/v1/users/somebody%20new/history").ok();
    assert_eq!(history["total"], 3, "they are on the disk");
    let counts = history["events"].as_array().expect("events").iter();
    assert_eq!(counts.filter(|event| event["counts"] == true).count(), 1);
}

#[test]
fn an_event_that_is_no_yes_by_the_recipe_is_kept_and_changes_no_answer() {
    let served = served_with_positive("value >= 4.1 and dwell_ms > 10", &["purchase"]);
    let mut client = served.client();
    let body = json!({ "user_id": "new", "n": 30 });
    let before = client.post("/v1/recommend", &body).ok();
    let item = first_item(&before);
    let event = |value: Value, dwell_ms: Value| json!({ "user_id": "new", "item_id": item, "type": "view", "value": value, "dwell_ms": dwell_ms });
    // Too little, for too short, for nobody knows how long, and nothing said: a value of 1.
    let noes = [
        event(json!(4.0), json!(11)),
        event(json!(4.1), json!(10)),
        event(json!(5), json!(null)),
        event(json!(null), json!(11)),
    ];
    let answer = client.post("/v1/events", &json!({ "events": noes })).ok();
    assert_eq!(
        (&answer["accepted"], &answer["not_counted"]),
        (&json!(4), &json!([0, 1, 2, 3]))
    );
    let after = client.post("/v1/recommend", &body).ok();
    assert_eq!(after["items"], before["items"]);
    assert_eq!(after["personalised"], false);
    let counts = |history: &Value| {
        let events = history["events"].as_array().expect("events").iter();
        events.filter(|event| event["counts"] == true).count()
    };
    let history = client.get("/v1/users/new/history").ok();
    assert_eq!((&history["total"], counts(&history)), (&json!(4), 0));
    let yes = json!({ "events": [event(json!(4.1), json!(11))] });
    assert_eq!(client.post("/v1/events", &yes).ok()["not_counted"], json!([]));
    let after = client.post("/v1/recommend", &body).ok();
    assert!(
        !has(&after, &item) && after["personalised"] == true,
        "a yes counts"
    );
    assert_eq!(counts(&client.get("/v1/users/new/history").ok()), 1);
    // What says no need be no yes.
    let other = first_item(&after);
    let no = json!({ "events": [{ "user_id": "new", "item_id": other, "type": "purchase" }] });
    assert_eq!(client.post("/v1/events", &no).ok()["not_counted"], json!([]));
    assert!(
        !has(&client.post("/v1/recommend", &body).ok(), &other),
        "seen is seen"
    );
}

#[test]
fn where_the_recipe_asks_for_another_column_no_event_is_known_to_be_a_yes() {
    let served = served_with_positive("stars >= 3", &[]);
    let event = json!({ "events": [{ "user_id": "new", "item_id": "105", "value": 5 }] });
    let mut client = served.client();
    assert_eq!(client.post("/v1/events", &event).ok()["not_counted"], json!([0]));
    assert_eq!(client.get("/v1/recommend/new").ok()["personalised"], false);
}

#[test]
fn where_the_recipe_keeps_every_event_a_new_word_counts() {
    let served = Served::tiny();
    let event = json!({ "events": [{ "user_id": "new", "item_id": "105", "type": "a new word" }] });
    let mut client = served.client();
    assert_eq!(client.post("/v1/events", &event).ok()["not_counted"], json!([]));
    assert_eq!(client.get("/v1/recommend/new").ok()["personalised"], true);
}

/// What each channel but the popular one scores each item of the next answer, and the items that are named as reasons.
fn scores_and_reasons(answer: &Value) -> (BTreeMap<(String, String), f64>, BTreeSet<String>) {
    let (mut scores, mut reasons) = (BTreeMap::new(), BTreeSet::new());
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    for item in answer["items"].as_array().expect("items") {
        let sources = item["channels"].as_array().into_iter().flatten();
        for source in sources.filter(|source| source["name"] != "popular") {
            let score = source["score"].as_f64().expect("a score");
            scores.insert((text(&item["item_id"]), text(&source["name"])), score);
        }
        let because = item["reason"]["item_ids"].as_array().into_iter().flatten();
        reasons.extend(because.map(text));
    }
    (scores, reasons)
}

#[test]
fn an_event_that_says_no_pulls_nobody_towards_its_item_and_is_no_reason() {
    let (negative, plain) = (served_with_negative(), Served::tiny());
    for (served, says_no) in [(&negative, true), (&plain, false)] {
        let mut client = served.client();
        let mut event = |item: &str, kind: &str| {
            let event = json!({ "events": [{ "user_id": "new", "item_id": item, "type": kind }] });
            let answer = client.post("/v1/events", &event).ok();
            assert_eq!(
                (&answer["accepted"], &answer["not_counted"]),
                (&json!(1), &json!([]))
            );
            client
                .post("/v1/recommend", &json!({ "user_id": "new", "n": 40 }))
                .ok()
        };
        let (before, _) = scores_and_reasons(&event("100", "view"));
        // Of another taste.
        let answer = event("102", "purchase");
        let (after, reasons) = scores_and_reasons(&answer);
        assert!(!has(&answer, "102"), "seen is seen");
        let common: Vec<_> = before.keys().filter(|key| after.contains_key(*key)).collect();
        assert!(common.len() > 10, "{before:?} {after:?}");
        let is_as_before = |key: &&&(String, String)| (before[**key] - after[**key]).abs() < 1e-6;
        let unmoved = common.iter().filter(is_as_before).count();
        assert_eq!(unmoved == common.len(), says_no, "{before:?} {after:?}");
        assert!(reasons.contains("100"));
        assert_eq!(!reasons.contains("102"), says_no, "{reasons:?}");
    }
}

#[test]
fn who_only_said_no_is_answered_as_a_stranger() {
    let served = served_with_negative();
    let mut client = served.client();
    let body = json!({ "user_id": "new", "n": 40 });
    let before = client.post("/v1/recommend", &body).ok();
    let event = json!({ "events": [{ "user_id": "new", "item_id": "100", "type": "purchase" }] });
    client.post("/v1/events", &event).ok();
    let after = client.post("/v1/recommend", &body).ok();
    assert_eq!(after["personalised"], false);
    assert!(has(&before, "100") && !has(&after, "100"));
}
