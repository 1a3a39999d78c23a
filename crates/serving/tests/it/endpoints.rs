//! What every endpoint answers when all is well.

use catchment_pipeline::Pipeline;
use catchment_pipeline::testing::TinyBundle;
use catchment_schema::Time;
use serde_json::{Value, json};

use crate::served::{Served, bundles};

fn ids(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["item_id"].as_str().expect("an id"))
        .collect()
}

#[test]
fn both_forms_of_recommend_give_the_same_items_and_say_where_they_come_from() {
    let served = Served::tiny();
    let mut client = served.client();
    let short = client.get("/v1/recommend/u0?n=7").ok();
    let long = client
        .post("/v1/recommend", &json!({ "user_id": "u0", "n": 7 }))
        .ok();
    assert_eq!(short["items"], long["items"]);
    assert_eq!(ids(&short).len(), 7);
    assert_eq!(short["bundle"], served.version.to_string());
    assert_eq!(short["personalised"], true);
    assert_eq!(short["degraded"], json!([]));
    assert_eq!(short["fallback_used"], json!([]));
    assert_ne!(short["recomm_id"], long["recomm_id"]);
    assert!(short.get("explain").is_none());
    for (rank, item) in (1..).zip(short["items"].as_array().expect("items")) {
        assert_eq!(item["rank"], rank);
        let title = format!("Item {}", item["item_id"].as_str().expect("an id"));
        assert_eq!(item["attributes"], json!({ "title": title }));
        for source in item["channels"].as_array().expect("at least one channel") {
            assert!(["popular", "item_cf", "ials"].contains(&source["name"].as_str().expect("a name")));
            assert!(source["rank"].as_u64().expect("a rank") >= 1);
        }
    }
}

#[test]
fn an_item_that_the_history_speaks_for_says_which_of_its_items_do() {
    let served = Served::tiny();
    let mut client = served.client();
    let history = client.get("/v1/users/u0/history?n=100").ok();
    let own: Vec<&str> = history["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["item_id"].as_str().expect("an id"))
        .collect();
    let answer = client.get("/v1/recommend/u0?n=5").ok();
    let mut reasons = 0;
    for item in answer["items"].as_array().expect("items") {
        let Some(reason) = item.get("reason") else {
            continue;
        };
        reasons += 1;
        assert_eq!(reason["code"], "because_you_viewed");
        let because = reason["item_ids"].as_array().expect("ids");
        assert!((1..=3).contains(&because.len()));
        assert!(
            because
                .iter()
                .all(|id| own.contains(&id.as_str().expect("an id")))
        );
    }
    assert!(
        reasons > 0,
        "item CF or iALS found one of the first five: {answer}"
    );
    let nobody = client.get("/v1/recommend/nobody?n=5").ok();
    let items = nobody["items"].as_array().expect("items");
    assert!(!items.is_empty() && items.iter().all(|item| item.get("reason").is_none()));
}

#[test]
fn a_request_can_exclude_items_choose_attributes_stop_before_the_ranker_and_ask_for_reasons() {
    let served = Served::tiny();
    let mut client = served.client();
    let first = client.get("/v1/recommend/u0?n=3").ok();
    let answer = client
        .post(
            "/v1/recommend",
            &json!({
                "user_id": "u0", "n": 1000, "stages": "merged", "explain": true,
                "exclude": { "item_ids": [ids(&first)[0], ids(&first)[1].parse::<u64>().expect("a number"), "nothing"] },
                "return_attributes": ["category", "price", "available", "nothing"],
            }),
        )
        .ok();
    assert!(!ids(&answer).contains(&ids(&first)[0]) && !ids(&answer).contains(&ids(&first)[1]));
    // The second item of the tiny world cannot be had.
    assert!(!ids(&answer).contains(&"101"));
    let attributes = &answer["items"][0]["attributes"];
    assert!(attributes["category"].is_string() && attributes["price"].is_number());
    assert_eq!(attributes["available"], true);
    assert!(attributes.get("nothing").is_none() && attributes.get("title").is_none());
    let explain = &answer["explain"];
    assert_eq!(explain["ranked"], false);
    assert_eq!(explain["channels"].as_array().expect("channels").len(), 3);
    assert_eq!(explain["merged"], ids(&answer).len());
    let rules: Vec<_> = explain["removed"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| &rule["rule"])
        .collect();
    assert_eq!(rules, ["seen", "excluded", "unavailable"]);
    assert_eq!(explain["removed"][1]["count"], 2);
}

#[test]
fn an_unknown_user_gets_what_is_popular_and_is_told_so() {
    let served = Served::tiny();
    let answer = served.client().get("/v1/recommend/nobody").ok();
    assert_eq!(answer["personalised"], false);
    assert_eq!(ids(&answer).len(), 10);
    for item in answer["items"].as_array().expect("items") {
        let channels = item["channels"].as_array().expect("channels");
        assert!(
            channels.iter().all(|source| source["name"] == "popular"),
            "{item}"
        );
    }
}

#[test]
fn without_any_time_all_channels_are_named_and_the_most_frequent_items_come() {
    let served = Served::tiny();
    let body = json!({ "user_id": "u0", "n": 5, "budget_ms": 0, "explain": true });
    let answer = served.client().post("/v1/recommend", &body).ok();
    let cause = |name: &str| json!({ "channel": name, "cause": "deadline" });
    assert_eq!(
        answer["degraded"],
        json!([cause("popular"), cause("item_cf"), cause("ials")])
    );
    assert_eq!(answer["fallback_used"], json!(["most_frequent"]));
    assert_eq!(answer["personalised"], false);
    assert_eq!(answer["explain"]["fallback"], 5);
    assert_eq!(ids(&answer).len(), 5);
    let history = served.client().get("/v1/users/u0/history").ok();
    for event in history["events"].as_array().expect("events") {
        assert!(!ids(&answer).contains(&event["item_id"].as_str().expect("an id")));
    }
}

#[test]
fn similar_answers_by_item_and_by_channel() {
    let served = Served::tiny();
    let mut client = served.client();
    let short = client.get("/v1/items/100/similar?n=4").ok();
    let long = client
        .post("/v1/similar", &json!({ "item_id": 100, "n": 4 }))
        .ok();
    assert_eq!(short["items"], long["items"]);
    assert_eq!(short["channel"], "item_cf");
    assert!(!ids(&short).is_empty() && !ids(&short).contains(&"100") && !ids(&short).contains(&"101"));
    let vectors = client.get("/v1/items/100/similar?channel=ials").ok();
    assert_eq!(vectors["channel"], "ials");
    assert_eq!(ids(&vectors).len(), 10);
}

#[test]
fn a_history_has_what_the_bundle_knew_and_what_came_since_newest_first() {
    let served = Served::tiny();
    let mut client = served.client();
    let before = client.get("/v1/users/u2/history").ok();
    let events = json!({ "events": [
        { "user_id": "u2", "item_id": "139", "type": "share", "value": 2.5, "timestamp": 1_795_500_000_000_i64 },
        { "user_id": "u2", "item_id": "138", "type": "view", "timestamp": "2026-11-24T06:00:01Z" },
    ]});
    assert_eq!(client.post("/v1/events", &events).ok()["accepted"], 2);
    let after = client.get("/v1/users/u2/history").ok();
    assert_eq!(after["known"], true);
    assert_eq!(
        after["total"].as_u64(),
        before["total"].as_u64().map(|total| total + 2)
    );
    assert_eq!(after["events"][0]["item_id"], "138");
    assert_eq!(
        after["events"][1],
        json!({ "item_id": "139", "title": "Item 139", "type": "share", "value": 2.5, "timestamp": 1_795_500_000_000_i64, "counts": true })
    );
    let shares = client.get("/v1/users/u2/history?type=share&n=5").ok();
    assert_eq!(shares["events"].as_array().expect("events").len(), 1);
    let one = client.get("/v1/users/u2/history?n=1").ok();
    assert_eq!(one["events"].as_array().expect("events").len(), 1);
}

#[test]
fn health_and_bundles_say_which_bundle_is_served() {
    let served = Served::tiny();
    let version = served.version.to_string();
    for mut client in [served.client(), served.admin_client()] {
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(
                client.get(path).ok(),
                json!({ "status": "ok", "bundle": version })
            );
        }
    }
    let bundles = served.admin_client().get("/admin/bundles").ok();
    assert_eq!(
        bundles,
        json!({ "bundles": [version], "serving": version, "refused": null })
    );
    // Operators' questions are not answered where everybody may ask.
    assert_eq!(served.client().get("/admin/bundles").problem(), "no_such_path");
    assert_eq!(
        served.admin_client().get("/v1/recommend/u0").problem(),
        "no_such_path"
    );
}

#[test]
fn a_request_id_is_echoed_or_given_also_with_problems() {
    let served = Served::tiny();
    let mut client = served.client();
    for (method, path) in [
        ("GET", "/health/live"),
        ("GET", "/nothing"),
        ("PUT", "/v1/recommend"),
    ] {
        let reply = client
            .send(method, path, "X-Request-Id: abc-7\r\n", b"")
            .expect("answered");
        assert_eq!(reply.header("x-request-id"), "abc-7");
        let given = client.send(method, path, "", b"").expect("answered");
        let other = client.send(method, path, "", b"").expect("answered");
        assert!(given.header("x-request-id").starts_with("q-"));
        assert_ne!(given.header("x-request-id"), other.header("x-request-id"));
    }
    let long = format!("X-Request-Id: {}\r\n", "x".repeat(129));
    let reply = client.send("GET", "/health/live", &long, b"").expect("answered");
    assert!(reply.header("x-request-id").starts_with("q-"));
}

#[test]
fn why_not_names_the_stage_and_live_events_count() {
    let served = Served::tiny();
    let mut client = served.client();
    let answer = client.get("/v1/recommend/u0?n=5").ok();
    let first = ids(&answer)[0].to_owned();
    let mut why = |item: &str| {
        let body = json!({ "user_id": "u0", "item_id": item, "n": 5 });
        client.post("/v1/why-not", &body).ok()
    };
    let said = why(&first);
    assert_eq!(
        (&said["stage"], &said["position"]),
        (&json!("answered"), &json!(1))
    );
    assert_eq!(said["found_by"], answer["items"][0]["channels"]);
    assert_eq!(why("nothing")["stage"], "unknown_item");
    assert_eq!(why("101")["rule"], "unavailable");
    let event = json!({ "events": [{ "user_id": "u0", "item_id": first }] });
    served.client().post("/v1/events", &event).ok();
    let said = why(&first);
    assert_eq!(
        (&said["stage"], &said["rule"]),
        (&json!("filtered"), &json!("seen"))
    );
    assert_eq!(said["detail"], "it was filtered out: the user has had it");
}

#[test]
fn what_is_popular_does_not_depend_on_who_asks_and_can_be_of_one_category() {
    let served = Served::tiny();
    let mut client = served.client();
    let all = client.get("/v1/popular?n=40").ok();
    assert_eq!(all["channel"], "popular");
    // All but the one that cannot be had.
    assert_eq!(ids(&all).len(), 39);
    let red = client.get("/v1/popular?n=40&category=red").ok();
    assert!(!ids(&red).is_empty() && ids(&red).len() < 39);
    let in_order: Vec<_> = ids(&all)
        .into_iter()
        .filter(|id| ids(&red).contains(id))
        .collect();
    assert_eq!(in_order, ids(&red));
    assert_eq!(
        client.get("/v1/popular?category=mauve").problem(),
        "unknown_category"
    );
    assert_eq!(
        client.get("/v1/popular?window=7d").problem(),
        "window_not_supported"
    );
}

#[test]
fn what_is_popular_or_similar_is_there_now_and_not_at_the_last_moment_of_the_bundle() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_millis()).expect("in this age");
    let mut then = 0;
    let publish = TinyBundle::default().publish_changed(bundles(folder.path()), |layout| {
        then = Pipeline::open_folder(layout)?
            .catalogue()
            .now()
            .millis()
            .unwrap_or(0);
        // Between the bundle and now, whichever is later.
        let moment = Time::from_millis(then.midpoint(now));
        TinyBundle::set_moments(layout, "published_at", &[("103", moment)])?;
        TinyBundle::set_moments(layout, "expires_at", &[("106", moment)])
    });
    publish.expect("published");
    assert!((now - then).abs() > 60_000, "run this in a minute");
    let (there, gone) = if now > then {
        ("103", "106")
    } else {
        ("106", "103")
    };
    let served = Served::over(folder, |_| ());
    let mut client = served.client();
    for path in [
        "/v1/popular?n=40",
        "/v1/items/100/similar?n=40&channel=item_cf",
        "/v1/items/100/similar?n=40&channel=ials",
        "/v1/recommend/nobody?n=40",
    ] {
        let answer = client.get(path).ok();
        assert!(
            ids(&answer).contains(&there),
            "{path}: {there} is there: {answer}"
        );
        assert!(!ids(&answer).contains(&gone), "{path}: {gone} is not: {answer}");
    }
}

#[test]
fn users_are_found_by_the_beginning_of_their_ids_and_new_ones_as_well() {
    let served = Served::tiny();
    let mut client = served.client();
    let event = json!({ "events": [{ "user_id": "u1-new", "item_id": "110" }, { "user_id": "u12", "item_id": "110" }] });
    client.post("/v1/events", &event).ok();
    let found = client.get("/v1/users?prefix=u1&n=1000").ok();
    let users = found["users"].as_array().expect("users");
    let mut names: Vec<_> = users
        .iter()
        .map(|user| user["user_id"].as_str().expect("an id"))
        .collect();
    assert_eq!(names.pop(), Some("u1-new"));
    assert_eq!(users.last().expect("a user")["known"], false);
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "u1", "u10", "u11", "u12", "u13", "u14", "u15", "u16", "u17", "u18", "u19"
        ]
    );
    for user in users {
        let id = user["user_id"].as_str().expect("an id");
        assert_eq!(
            client.get(&format!("/v1/users/{id}/history")).ok()["total"],
            user["events"]
        );
    }
    assert_eq!(
        client.get("/v1/users?n=2").ok()["users"]
            .as_array()
            .expect("users")
            .len(),
        2
    );
    assert_eq!(client.get("/v1/users?prefix=nobody").ok()["users"], json!([]));
}
