//! The description is what the server does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::served::Served;

fn schema<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        None => schema,
        Some(reference) => {
            let found = document.pointer(reference.trim_start_matches('#'));
            found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
    }
}

/// Whether `value` is what the schema says: types, required fields, and no field that is not described.
fn check(document: &Value, described: &Value, value: &Value, place: &str) {
    let described = schema(document, described);
    for any in ["oneOf", "anyOf"] {
        if let Some(choices) = described[any].as_array() {
            let choice = choices
                .iter()
                .find(|choice| (choice["type"] == "null") == value.is_null());
            return check(
                document,
                choice.unwrap_or_else(|| panic!("{place}: {value}")),
                value,
                place,
            );
        }
    }
    let types: Vec<&str> = match &described["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => panic!("{place} has no type: {described}"),
    };
    let of_type = |name: &&str| match *name {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{place}: type {other}"),
    };
    assert!(
        types.iter().any(of_type),
        "{place} is {value}, described as {types:?}"
    );
    for (number, element) in value.as_array().into_iter().flatten().enumerate() {
        check(
            document,
            &described["items"],
            element,
            &format!("{place}[{number}]"),
        );
    }
    let (Some(fields), Some(properties)) = (value.as_object(), described["properties"].as_object()) else {
        return;
    };
    for required in described["required"].as_array().into_iter().flatten() {
        assert!(
            fields.contains_key(required.as_str().expect("a name")),
            "{place} lacks {required}"
        );
    }
    for (name, field) in fields {
        let place = format!("{place}.{name}");
        check(
            document,
            properties
                .get(name)
                .unwrap_or_else(|| panic!("{place} is not described")),
            field,
            &place,
        );
    }
}

/// The schema that the document has for this reply.
fn response<'a>(document: &'a Value, path: &str, method: &str, reply: &Reply) -> &'a Value {
    let responses = &document["paths"][path][method]["responses"];
    let class = format!("{}XX", reply.status / 100);
    let found = [reply.status.to_string(), class]
        .into_iter()
        .find(|status| responses.get(status).is_some());
    let found =
        found.unwrap_or_else(|| panic!("{method} {path} answers {}, which is not described", reply.status));
    let content = &responses[&found]["content"];
    let kind = reply.header("content-type").split(';').next().unwrap_or_default();
    let described = &content[kind]["schema"];
    assert!(
        described.is_object(),
        "{method} {path}: {kind} is not described: {content}"
    );
    described
}

/// The answer as JSON; a text as a JSON text.
fn body_of(reply: &Reply) -> Value {
    if reply.header("content-type").starts_with("text/") {
        return Value::String(String::from_utf8(reply.body.clone()).expect("UTF-8"));
    }
    reply.json()
}

/// One request for each operation, and one that goes wrong where that can be.
fn requests() -> Vec<(&'static str, &'static str, String, Value)> {
    let event = json!({ "events": [{ "user_id": "u0", "item_id": "110" }, 7] });
    let explained = json!({ "user_id": "u0", "explain": true, "budget_ms": 60_000 });
    let get = |path: &'static str, filled: &str| ("get", path, filled.to_owned(), Value::Null);
    let post = |path: &'static str, body: Value| ("post", path, path.to_owned(), body);
    vec![
        post("/v1/recommend", explained),
        post("/v1/recommend", json!({ "user_id": "u0", "budget_ms": 0 })),
        post("/v1/recommend", json!({ "n": 1 })),
        get("/v1/recommend/{user_id}", "/v1/recommend/u1"),
        get("/v1/recommend/{user_id}", "/v1/recommend/u1?n=0"),
        post("/v1/similar", json!({ "item_id": "100" })),
        post("/v1/similar", json!({ "item_id": "nothing" })),
        get("/v1/items/{item_id}/similar", "/v1/items/100/similar"),
        get("/v1/items/{item_id}/similar", "/v1/items/nothing/similar"),
        post("/v1/events", event),
        post("/v1/events", json!({})),
        get("/v1/users/{user_id}/history", "/v1/users/u0/history"),
        get("/v1/users/{user_id}/history", "/v1/users/nobody/history"),
        get("/v1/users", "/v1/users?prefix=u1&n=3"),
        get("/v1/users", "/v1/users?n=0"),
        post("/v1/why-not", json!({ "user_id": "u0", "item_id": "100" })),
        post(
            "/v1/why-not",
            json!({ "user_id": "u0", "item_id": "nothing", "n": 1 }),
        ),
        post("/v1/why-not", json!({ "user_id": "u0" })),
        get("/v1/popular", "/v1/popular?category=red"),
        get("/v1/popular", "/v1/popular?window=7d"),
        get("/health/live", "/health/live"),
        get("/health/ready", "/health/ready"),
        get("/openapi.json", "/openapi.json"),
        get("/admin/bundles", "/admin/bundles"),
        get("/metrics", "/metrics"),
        post("/admin/snapshot", Value::Null),
    ]
}

fn ask(client: &mut Client, method: &str, path: &str, body: &Value) -> Reply {
    match method {
        "get" => client.get(path),
        _ => client.post(path, body),
    }
}

#[test]
fn every_answer_is_as_described_and_everything_described_answers() {
    let served = Served::tiny();
    let document = served.client().get("/openapi.json").ok();
    assert!(
        document["openapi"]
            .as_str()
            .expect("a version")
            .starts_with("3.1")
    );
    let mut tried = BTreeSet::new();
    for (method, path, filled, body) in requests() {
        let mut client = if path.starts_with("/admin") || path == "/metrics" {
            served.admin_client()
        } else {
            served.client()
        };
        let reply = ask(&mut client, method, &filled, &body);
        let place = format!("{method} {filled}");
        check(
            &document,
            response(&document, path, method, &reply),
            &body_of(&reply),
            &place,
        );
        tried.insert((path.to_owned(), method.to_owned()));
    }
    let described: BTreeSet<_> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().expect("operations").keys();
            methods.map(move |method| (path.clone(), method.clone()))
        })
        .collect();
    // The router and the document are made of one list, so that this covers every route.
    assert_eq!(tried, described);
}

#[test]
fn every_reference_leads_somewhere_and_every_field_and_operation_is_explained() {
    fn walk(document: &Value, value: &Value, place: &str) {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("$ref") {
                    schema(document, value);
                }
                for (name, field) in fields
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    let explained =
                        field["description"].is_string() || field["oneOf"][0]["description"].is_string();
                    assert!(explained, "{place}.{name} has no description: {field}");
                }
                for (name, field) in fields {
                    walk(document, field, &format!("{place}/{name}"));
                }
            }
            Value::Array(values) => values.iter().for_each(|value| walk(document, value, place)),
            _ => {}
        }
    }
    let served = Served::tiny();
    let document = served.client().get("/openapi.json").ok();
    walk(&document, &document, "");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let explained = operation["summary"].is_string() || operation["description"].is_string();
            assert!(explained, "{method} {path} has no description");
            let in_path = path.matches('{').count();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            assert_eq!(
                parameters.filter(|parameter| parameter["in"] == "path").count(),
                in_path,
                "{path}"
            );
        }
    }
}
