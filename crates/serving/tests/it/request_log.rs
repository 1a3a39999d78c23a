//! Every recommendation leaves a line that events can be joined to.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::served::Served;

fn lines(folder: &Path, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("state/requests").join(file)).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("whole JSON"))
        .collect()
}

#[test]
fn the_line_of_an_answer_says_what_was_shown_and_an_event_joins_it() {
    let served = Served::with(|config| config.request_log = true);
    let mut client = served.client();
    let answer = client.get("/v1/recommend/u0?n=3").ok();
    let other = client
        .post("/v1/recommend", &json!({ "user_id": "u1", "budget_ms": 0 }))
        .ok();
    let event = json!({ "events": [{
        "user_id": "u0", "item_id": answer["items"][0]["item_id"], "type": "click", "recomm_id": answer["recomm_id"],
    }]});
    assert_eq!(client.post("/v1/events", &event).ok()["accepted"], 1);
    drop(client);
    let folder = served.ended();
    let lines = lines(folder.path(), "requests.ndjson");
    assert_eq!(lines.len(), 2);
    for key in ["recomm_id", "bundle", "personalised", "fallback_used", "took_ms"] {
        assert_eq!(lines[0][key], answer[key], "{key}");
        assert_eq!(lines[1][key], other[key], "{key}");
    }
    assert_eq!((&lines[0]["user_id"], &lines[0]["n"]), (&json!("u0"), &json!(3)));
    assert!(lines[0]["time"].as_i64().expect("a time") > 1_700_000_000_000);
    for (shown, answered) in lines[0]["items"]
        .as_array()
        .expect("items")
        .iter()
        .zip(answer["items"].as_array().expect("items"))
    {
        for key in ["item_id", "score", "channels"] {
            assert_eq!(shown[key], answered[key]);
        }
    }
    assert_eq!(lines[1]["degraded"], json!(["popular", "item_cf", "ials"]));
    let log = fs::read_to_string(folder.path().join("state/events.log")).expect("read");
    let id = answer["recomm_id"].as_str().expect("an id");
    assert!(log.contains(id), "the event keeps the id of the answer");
}

#[test]
fn it_is_off_unless_asked_for() {
    let served = Served::tiny();
    served.client().get("/v1/recommend/u0").ok();
    assert!(!served.ended().path().join("state/requests").exists());
}

#[test]
fn files_are_begun_anew_by_size_and_old_ones_go() {
    let served = Served::with(|config| {
        config.request_log = true;
        config.request_log_bytes = 4096;
        config.request_log_files = 3;
    });
    let mut client = served.client();
    let mut last = Value::Null;
    for _ in 0..60 {
        last = client.get("/v1/recommend/u0").ok();
    }
    drop(client);
    let folder = served.ended();
    let files = fs::read_dir(folder.path().join("state/requests")).expect("read");
    assert_eq!(files.count(), 3);
    let newest = lines(folder.path(), "requests.ndjson");
    assert_eq!(newest.last().expect("a line")["recomm_id"], last["recomm_id"]);
    assert!(!lines(folder.path(), "requests.1.ndjson").is_empty());
    assert!(!lines(folder.path(), "requests.2.ndjson").is_empty());
}
