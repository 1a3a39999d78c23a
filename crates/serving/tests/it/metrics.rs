//! `/metrics` counts what happens.
#![allow(clippy::float_cmp, reason = "counts of a few are exact")]

use std::collections::BTreeMap;

use serde_json::json;

use crate::served::Served;

/// Series with their labels, as they stand in the text.
fn scrape(served: &Served) -> BTreeMap<String, f64> {
    let reply = served.admin_client().get("/metrics");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4");
    let text = String::from_utf8(reply.body).expect("UTF-8");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series: BTreeMap<_, _> = lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect();
    // Whatever has a value has a help and a type before it.
    for name in series.keys() {
        let family = name.split('{').next().expect("a name");
        let described = ["", "_sum", "_count", "_bucket"].iter().any(|suffix| {
            family.strip_suffix(suffix).is_some_and(|family| {
                text.contains(&format!("# HELP {family} ")) && text.contains(&format!("# TYPE {family} "))
            })
        });
        assert!(described, "{name}");
    }
    series
}

#[test]
fn every_answer_is_counted_by_channel_stage_rule_and_route() {
    let served = Served::tiny();
    let mut client = served.client();
    client.get("/v1/recommend/u0?n=5").ok();
    client.get("/v1/recommend/nobody?n=1000").ok();
    client
        .post(
            "/v1/recommend",
            &json!({ "user_id": "u0", "n": 5, "budget_ms": 0 }),
        )
        .ok();
    client.get("/v1/recommend/u0?n=0").problem();
    client.get("/v1/nothing/at/all").problem();
    let events = json!({ "events": [{ "user_id": "u0", "item_id": "110" }, { "user_id": "u9", "item_id": "111" }, 7] });
    client.post("/v1/events", &events).ok();

    let series = scrape(&served);
    let value = |name: &str| {
        *series
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {series:#?}"))
    };
    for channel in ["popular", "item_cf", "ials"] {
        assert_eq!(
            value(&format!("recall_channel_seconds_count{{channel=\"{channel}\"}}")),
            3.0
        );
        let items = |stage: &str| {
            value(&format!(
                "recall_channel_items{{channel=\"{channel}\",stage=\"{stage}\"}}"
            ))
        };
        assert!(items("asked") >= items("returned") && items("returned") >= items("kept"));
        assert!(items("kept") >= items("answered"));
        let share = value(&format!("recall_share{{channel=\"{channel}\"}}"));
        assert!((0.0..=1.0).contains(&share));
        assert!((share - items("answered") / value("recommend_items_total")).abs() < 1e-9);
    }
    assert_eq!(value("recall_short_total"), 1.0);
    assert_eq!(value("fallback_total{reason=\"deadline\"}"), 1.0);
    assert_eq!(value("filter_removed_total{rule=\"unavailable\"}"), 3.0);
    assert!(value("filter_removed_total{rule=\"seen\"}") > 0.0);
    for stage in ["wait", "features", "recall", "merge", "rank"] {
        assert_eq!(value(&format!("stage_seconds_count{{stage=\"{stage}\"}}")), 3.0);
    }
    assert_eq!(value("recommend_answers_total{personalised=\"true\"}"), 1.0);
    assert!((value("personalised_ratio") - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(value(&format!("bundle_info{{id=\"{}\"}}", served.version)), 1.0);
    assert_eq!(value("event_visible_seconds_count"), 1.0);
    assert_eq!(value("events_total{outcome=\"accepted\"}"), 2.0);
    assert_eq!(value("events_total{outcome=\"rejected\"}"), 1.0);
    assert_eq!((value("live_users"), value("live_events")), (2.0, 2.0));
    assert_eq!(value("shed_total"), 0.0);
    let requests = |method: &str, route: &str, status: u16| {
        value(&format!(
            "http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"
        ))
    };
    assert_eq!(requests("GET", "/v1/recommend/{user_id}", 200), 2.0);
    assert_eq!(requests("GET", "/v1/recommend/{user_id}", 400), 1.0);
    assert_eq!(requests("GET", "other", 404), 1.0);
    if cfg!(target_os = "linux") {
        assert!(value("process_resident_memory_bytes") > 1e6);
    }
}

#[test]
fn a_stranger_cannot_make_series_and_requests_given_up_are_counted() {
    let served = Served::with(|config| config.timeout_ms = 100);
    let mut client = served.client();
    for number in 0..50 {
        let _ = client.send(&format!("BREW{number}"), &format!("/{number}"), "", b"");
    }
    let all: u32 = u32::try_from(served.state.workers.available_permits()).expect("few");
    let taken = served.state.workers.try_acquire_many(all).expect("all are free");
    assert_eq!(client.get("/v1/recommend/u0").problem(), "timeout");
    drop(taken);
    let series = scrape(&served);
    assert_eq!(series["shed_total"], 1.0);
    let routes = series
        .keys()
        .filter(|name| name.starts_with("http_requests_total{"));
    assert!(routes.count() < 6, "{series:#?}");
}
