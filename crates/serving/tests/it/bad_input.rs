//! The table of bad inputs in the README is what the server answers, row by row.

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::served::Served;

const RECOMMEND: &str = "/v1/recommend";
const EVENTS: &str = "/v1/events";
const WHY_NOT: &str = "/v1/why-not";

/// One row of the table.
struct Row {
    input: &'static str,
    answer: String,
}

/// `200`, or status and code of the problem; and the codes of events that were rejected.
fn answer(reply: &Reply) -> String {
    assert!(reply.status < 500, "{reply:?}");
    assert!(!reply.header("x-request-id").is_empty());
    if reply.status != 200 {
        return format!("{} `{}`", reply.status, reply.problem());
    }
    let body = reply.ok();
    let list = |name: &str| body[name].as_array().filter(|list| !list.is_empty());
    if let Some(rejected) = list("rejected") {
        format!(
            "200, rejected: `{}`",
            rejected[0]["code"].as_str().expect("a code")
        )
    } else if let Some(degraded) = list("degraded") {
        format!("200, {} channels in `degraded`", degraded.len())
    } else if body["personalised"] == false {
        "200, not personalised".to_owned()
    } else {
        "200".to_owned()
    }
}

fn event(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut event = json!({ "user_id": "u1", "item_id": "110" });
    change(&mut event);
    json!({ "events": [event] }).to_string().into_bytes()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn bodies() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let set = |key: &'static str, value: Value| event(move |event| event[key] = value);
    let deep = |n: usize| [b"[".repeat(n), b"]".repeat(n)].concat();
    let of = |text: &str| text.as_bytes().to_vec();
    let user = |rest: &str| format!("{{\"user_id\":\"u0\",{rest}}}").into_bytes();
    let long = "x".repeat(100_000);
    vec![
        (
            "10 MB of JSON",
            RECOMMEND,
            format!("\"{}\"", "x".repeat(10 << 20)).into_bytes(),
        ),
        ("JSON nested 10,000 deep", RECOMMEND, deep(10_000)),
        (
            "events nested 10,000 deep",
            EVENTS,
            [of("{\"events\":"), deep(10_000), of("}")].concat(),
        ),
        ("no body", RECOMMEND, vec![]),
        ("JSON that is cut off", RECOMMEND, of("{\"user_id\":\"u0\"")),
        (
            "JSON with something behind it",
            RECOMMEND,
            of("{\"user_id\":\"u0\"} x"),
        ),
        (
            "invalid UTF-8 in a string",
            RECOMMEND,
            [of("{\"user_id\":\""), vec![0xff], of("\"}")].concat(),
        ),
        (
            "half a surrogate pair",
            RECOMMEND,
            of("{\"user_id\":\"\\ud800\"}"),
        ),
        ("`NaN`", RECOMMEND, user("\"n\":NaN")),
        ("`n` = 1e999", RECOMMEND, user("\"n\":1e999")),
        ("`n` = 0", RECOMMEND, user("\"n\":0")),
        ("`n` = 1,000,000,000", RECOMMEND, user("\"n\":1000000000")),
        ("`n` = −1", RECOMMEND, user("\"n\":-1")),
        ("`n` as a string", RECOMMEND, user("\"n\":\"10\"")),
        ("`n` twice", RECOMMEND, user("\"n\":1,\"n\":2")),
        ("a field that does not exist", RECOMMEND, user("\"m\":1")),
        ("no `user_id`", RECOMMEND, of("{}")),
        ("a list in place of the object", RECOMMEND, of("[]")),
        ("`user_id` null", RECOMMEND, of("{\"user_id\":null}")),
        ("`user_id` = 1.5", RECOMMEND, of("{\"user_id\":1.5}")),
        ("`user_id` empty", RECOMMEND, of("{\"user_id\":\"\"}")),
        (
            "`user_id` of 100,000 bytes",
            RECOMMEND,
            format!("{{\"user_id\":\"{long}\"}}").into_bytes(),
        ),
        ("`user_id` as a number", RECOMMEND, of("{\"user_id\":42}")),
        ("an unknown user", RECOMMEND, of("{\"user_id\":\"nobody\"}")),
        (
            "excluded items that are unknown",
            RECOMMEND,
            user("\"exclude\":{\"item_ids\":[\"x\",-1]}"),
        ),
        ("`budget_ms` = 0", RECOMMEND, user("\"budget_ms\":0")),
        (
            "`budget_ms` = 2⁶⁴ − 1",
            RECOMMEND,
            user("\"budget_ms\":18446744073709551615"),
        ),
        ("`stages` misspelt", RECOMMEND, user("\"stages\":\"ful\"")),
        (
            "101 attributes",
            RECOMMEND,
            user(&format!("\"return_attributes\":{}", json!(vec!["a"; 101]))),
        ),
        (
            "1,001 events",
            EVENTS,
            json!({ "events": vec![1; 1001] }).to_string().into_bytes(),
        ),
        ("no events", EVENTS, of("{\"events\":[]}")),
        ("`events` is no list", EVENTS, of("{\"events\":{}}")),
        ("an event that is null", EVENTS, of("{\"events\":[null]}")),
        (
            "an event without an item",
            EVENTS,
            of("{\"events\":[{\"user_id\":\"u1\"}]}"),
        ),
        (
            "an event with an unknown item",
            EVENTS,
            set("item_id", json!("nothing")),
        ),
        (
            "an event of an unknown user",
            EVENTS,
            set("user_id", json!("nobody")),
        ),
        (
            "an event with a field that does not exist",
            EVENTS,
            set("rating", json!(5)),
        ),
        ("an event with ids as numbers", EVENTS, set("item_id", json!(110))),
        (
            "an event with an id of 100,000 bytes",
            EVENTS,
            set("event_id", json!(long)),
        ),
        (
            "an event with a type of 100,000 bytes",
            EVENTS,
            set("type", json!(long)),
        ),
        (
            "an event with a session that is a list",
            EVENTS,
            set("session_id", json!([])),
        ),
        (
            "`value` = 1e300, no 32-bit number",
            EVENTS,
            set("value", json!(1e300)),
        ),
        (
            "`value` = 1e999",
            EVENTS,
            of("{\"events\":[{\"user_id\":1,\"item_id\":110,\"value\":1e999}]}"),
        ),
        ("`dwell_ms` = −1", EVENTS, set("dwell_ms", json!(-1))),
        (
            "`timestamp` = \"yesterday\"",
            EVENTS,
            set("timestamp", json!("yesterday")),
        ),
        ("`timestamp` before 1970", EVENTS, set("timestamp", json!(-1))),
        ("`timestamp` = −2⁶³", EVENTS, set("timestamp", json!(i64::MIN))),
        (
            "`timestamp` in the year 9999",
            EVENTS,
            set("timestamp", json!("9999-01-01T00:00:00Z")),
        ),
        (
            "similar to an unknown item",
            "/v1/similar",
            of("{\"item_id\":\"nothing\"}"),
        ),
        (
            "similar by an unknown channel",
            "/v1/similar",
            of("{\"item_id\":100,\"channel\":\"x\"}"),
        ),
        (
            "similar by a channel that cannot say",
            "/v1/similar",
            of("{\"item_id\":100,\"channel\":\"popular\"}"),
        ),
        ("why not, without an item", WHY_NOT, of("{\"user_id\":\"u0\"}")),
        ("why not, with `n` = 0", WHY_NOT, user("\"item_id\":100,\"n\":0")),
        (
            "why not, with an unknown item",
            WHY_NOT,
            user("\"item_id\":\"nothing\""),
        ),
        (
            "why not, for an unknown user",
            WHY_NOT,
            of("{\"user_id\":\"nobody\",\"item_id\":100}"),
        ),
    ]
}

fn others(client: &mut Client) -> Vec<Row> {
    let json = "Content-Type: application/json\r\n";
    let user = b"{\"user_id\":\"u0\"}".as_slice();
    let long = format!("/v1/recommend/{}", "x".repeat(1000));
    let prefix = format!("/v1/users?prefix={}", "x".repeat(1000));
    let requests: Vec<(&'static str, &str, &str, &str, &[u8])> = vec![
        (
            "another content type",
            "POST",
            RECOMMEND,
            "Content-Type: text/plain\r\n",
            user,
        ),
        ("no content type", "POST", RECOMMEND, "", user),
        (
            "a content type with a charset",
            "POST",
            RECOMMEND,
            "Content-Type: application/json; charset=utf-8\r\n",
            user,
        ),
        ("a method that the path has not", "DELETE", RECOMMEND, json, user),
        ("a method that nobody knows", "BREW", RECOMMEND, json, user),
        ("a path that does not exist", "GET", "/v2/recommend", "", b""),
        ("a path without the id", "GET", "/v1/recommend/", "", b""),
        (
            "invalid UTF-8 in the path (`%ff`)",
            "GET",
            "/v1/recommend/%ff",
            "",
            b"",
        ),
        (
            "half an escape in the path (`%f`)",
            "GET",
            "/v1/recommend/%f",
            "",
            b"",
        ),
        ("a NUL in the path (`%00`)", "GET", "/v1/recommend/%00", "", b""),
        ("an id of 1,000 bytes in the path", "GET", &long, "", b""),
        ("`?n=abc`", "GET", "/v1/recommend/u0?n=abc", "", b""),
        ("`?n=0`", "GET", "/v1/recommend/u0?n=0", "", b""),
        ("`?n=1000000000`", "GET", "/v1/recommend/u0?n=1000000000", "", b""),
        (
            "a parameter that does not exist",
            "GET",
            "/v1/recommend/u0?m=1",
            "",
            b"",
        ),
        ("a parameter twice", "GET", "/v1/recommend/u0?n=1&n=2", "", b""),
        (
            "the history of an unknown user",
            "GET",
            "/v1/users/stranger/history",
            "",
            b"",
        ),
        ("`?n=0` for a history", "GET", "/v1/users/u0/history?n=0", "", b""),
        (
            "items like an unknown item",
            "GET",
            "/v1/items/nothing/similar",
            "",
            b"",
        ),
        (
            "what is popular within a window",
            "GET",
            "/v1/popular?window=7d",
            "",
            b"",
        ),
        (
            "what is popular in a category that no item has",
            "GET",
            "/v1/popular?category=mauve",
            "",
            b"",
        ),
        ("`?n=0` for what is popular", "GET", "/v1/popular?n=0", "", b""),
        ("`?n=1001` for users", "GET", "/v1/users?n=1001", "", b""),
        ("a prefix of 1,000 bytes for users", "GET", &prefix, "", b""),
    ];
    requests
        .into_iter()
        .map(|(input, method, path, headers, body)| {
            let reply = client.send(method, path, headers, body).expect("answered");
            if reply.status == 405 {
                assert_eq!(reply.header("allow"), "POST");
            }
            Row {
                input,
                answer: answer(&reply),
            }
        })
        .collect()
}

#[test]
fn the_table_in_the_readme_is_what_the_server_answers() {
    let served = Served::tiny();
    let mut rows = Vec::new();
    for (input, path, body) in bodies() {
        // The connection of a body that is too large ends with the answer.
        let reply = served.client().post_bytes(path, &body).expect("answered");
        rows.push(Row {
            input,
            answer: answer(&reply),
        });
    }
    rows.extend(others(&mut served.client()));
    let lines = rows
        .iter()
        .map(|row| format!("| {} | {} |\n", row.input, row.answer));
    let table = format!("| input | answer |\n|---|---|\n{}", lines.collect::<String>());
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table), "the README should have:\n{table}");
    // And nothing of it did any harm.
    served.client().get("/v1/recommend/u0").ok();
}

#[test]
fn a_failure_of_ours_is_a_problem_without_its_cause_and_the_server_goes_on() {
    let served = Served::tiny();
    // No request can cause one: take something away inside.
    served.state.workers.close();
    let reply = served.client().get("/v1/recommend/u0");
    assert_eq!((reply.status, reply.problem().as_str()), (500, "internal"));
    assert!(
        !String::from_utf8_lossy(&reply.body).contains("semaphore"),
        "causes stay in the log"
    );
    served.client().get("/health/live").ok();
}

#[test]
fn text_that_is_no_http_ends_the_connection_and_nothing_else() {
    let served = Served::tiny();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        "x".repeat(1 << 20).as_bytes(),
    ] {
        let mut client = served.client();
        let _ = client.write(bytes);
        let _ = client.write(b"\r\n\r\n");
        if let Ok(reply) = client.reply() {
            assert!((400..500).contains(&reply.status), "{reply:?}");
        }
    }
    served.client().get("/health/live").ok();
}
