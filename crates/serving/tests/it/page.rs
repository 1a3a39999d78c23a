//! The page at `/`: what it is made of, and what a person sees in headless Chromium.

use std::path::Path;
use std::sync::Arc;

use catchment_pipeline::PipelineSpec;
use catchment_pipeline::testing::TinyBundle;
use catchment_schema::arrow::array::{ArrayRef, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Vocabulary};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::served::{Served, bundles};

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/page/style.css", "text/css; charset=utf-8"),
    ("/page/page.js", "text/javascript; charset=utf-8"),
    ("/page/icon.svg", "image/svg+xml"),
];

#[test]
fn the_page_comes_from_the_program_asks_nobody_else_and_has_nothing_inline() {
    let served = Served::tiny();
    let mut client = served.client();
    for (path, kind) in FILES {
        let reply = client.get(path);
        assert_eq!((reply.status, reply.header("content-type")), (200, kind));
        let policy = reply.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        let text = String::from_utf8(reply.body).expect("UTF-8");
        // The name of SVG is no address that anybody asks.
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for forbidden in [
            "http:",
            "https:",
            "//cdn",
            " style=",
            "onclick",
            "<style",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "@import",
            "url(",
        ] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
        assert_eq!(
            text.matches("<script").count(),
            text.matches("<script src=\"/page/").count()
        );
    }
}

#[test]
fn a_page_that_is_turned_off_is_gone_with_the_list_of_users() {
    let served = Served::with(|config| config.page = false);
    let mut client = served.client();
    for path in [
        "/",
        "/page/page.js",
        "/page/style.css",
        "/page/icon.svg",
        "/page/kinds.json",
        "/v1/users",
    ] {
        let reply = client.get(path);
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (404, "page_off"),
            "{path}"
        );
    }
    client.get("/v1/recommend/u0").ok();
}

/// A server whose titles are markup.
fn served_with_markup() -> Served {
    let folder = tempfile::tempdir().expect("temporary folder");
    let bundle = TinyBundle::default();
    let publish = bundle.publish_changed(bundles(folder.path()), |layout| {
        let items = Vocabulary::read(layout.item_vocabulary())?;
        let before = AttributeTable::read(layout.item_attributes(), items.len())?;
        let titles = items
            .ids()
            .iter()
            .map(|id| format!("<img src=x onerror=\"window.hurt=1\"> & <b>{id}</b>"));
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values(items.ids().iter()));
        let titles: ArrayRef = Arc::new(StringArray::from_iter_values(titles));
        // The ranker sees the others: they stay.
        let others = before.names().filter(|name| !["title", "item_id"].contains(name));
        let others = others.filter_map(|name| Some((name, before.column(name)?.clone())));
        let columns = [("item_id", ids), ("title", titles)].into_iter().chain(others);
        let batch = RecordBatch::try_from_iter(columns).expect("of one length");
        AttributeTable::align(Path::new("test"), &batch, "item_id", &items)?
            .write(layout.item_attributes())?;
        Ok(())
    });
    publish.expect("published");
    Served::over(folder, |_| ())
}

/// A server whose bundle learned from purchases alone.
fn served_with_purchases() -> Served {
    let folder = tempfile::tempdir().expect("temporary folder");
    let publish = TinyBundle::default().publish_changed(bundles(folder.path()), |layout| {
        let mut spec = PipelineSpec::read(&layout.spec())?;
        spec.events = vec!["purchase".to_owned()];
        spec.write(&layout.spec())
    });
    publish.expect("published");
    Served::over(folder, |_| ())
}

#[test]
fn the_buttons_are_the_events_of_the_log_that_count() {
    let kinds = |served: &Served| served.client().get("/page/kinds.json").ok()["kinds"].clone();
    assert_eq!(kinds(&Served::tiny()), json!(["view", "purchase"]));
    let served = served_with_purchases();
    assert_eq!(kinds(&served), json!(["purchase"]));
    let whole = |served: &Served| served.client().get("/page/kinds.json").ok();
    assert_eq!(whole(&served)["value"], 1.0);
    let demanding = whole(&crate::events::served_with_positive(
        "value >= 4 and dwell_ms > 20",
        &[],
    ));
    assert_eq!(
        (&demanding["value"], &demanding["dwell_ms"]),
        (&json!(4.0), &json!(21))
    );
    let Some(mut browser) = open(&served, "?user=u3") else {
        return;
    };
    browser.wait(&format!("{ROWS} === 10"));
    let buttons =
        "[...document.querySelectorAll('#items > li:first-child button')].map((one) => one.textContent)";
    assert_eq!(browser.value(buttons), json!(["purchase"]));
    assert_eq!(
        browser.value("document.getElementById('keys').textContent"),
        "p purchase, "
    );
}

fn open(served: &Served, query: &str) -> Option<Browser> {
    let browser = Browser::open(&format!("http://{}/{query}", served.address));
    if browser.is_none() {
        eprintln!("skipped: there is no chromium");
    }
    browser
}

const ROWS: &str = "document.querySelectorAll('#items > li').length";
const FOCUS: &str = "[...document.querySelectorAll('#items > li')].indexOf(document.activeElement)";

#[test]
fn a_title_that_is_markup_stays_text() {
    let served = served_with_markup();
    let Some(mut browser) = open(&served, "?user=u0") else {
        return;
    };
    browser.wait(&format!("{ROWS} === 10"));
    let first = browser.value("document.querySelector('#items .name').firstChild.textContent");
    assert!(
        first.as_str().expect("text").starts_with("<img src=x onerror="),
        "{first}"
    );
    let past = browser.value("document.querySelector('#events li span').textContent");
    assert!(
        past.as_str().expect("text").starts_with("<img src=x onerror="),
        "{past}"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('img, main b:not(.chip b)').length"),
        0
    );
    assert_eq!(browser.value("window.hurt === undefined"), true);
}

#[test]
fn a_user_is_shown_with_channels_scores_and_history_and_an_event_changes_the_list() {
    let served = Served::tiny();
    // Nobody is named: the most active user is shown.
    let users = served.client().get("/v1/users?n=1").ok();
    let user = users["users"][0]["user_id"].as_str().expect("an id");
    let answer = served.client().get(&format!("/v1/recommend/{user}")).ok();
    let Some(mut browser) = open(&served, "") else {
        return;
    };
    browser.wait(&format!("{ROWS} === 10"));
    let items = answer["items"].as_array().expect("items");
    let shown = browser.value("[...document.querySelectorAll('#items > li')].map((row) => row.dataset.item)");
    let ids: Vec<&Value> = items.iter().map(|item| &item["item_id"]).collect();
    assert_eq!(shown, json!(ids));
    // One chip for each channel that found the item, and the reason's chip where there is one.
    let chips = |of: &str| {
        format!(
            "[...document.querySelectorAll('#items > li')].map((row) => row.querySelectorAll('.found {of}').length)"
        )
    };
    let found = browser.value(&chips(".chip:not(.because)"));
    let channels: Vec<usize> = items
        .iter()
        .map(|item| item["channels"].as_array().expect("channels").len())
        .collect();
    assert_eq!(found, json!(channels));
    let because = browser.value(&chips(".because"));
    let reasons: Vec<usize> = items
        .iter()
        .map(|item| usize::from(item.get("reason").is_some()))
        .collect();
    assert_eq!(because, json!(reasons));
    assert!(reasons.contains(&1), "{answer}");
    let widths = browser.value(
        "[...document.querySelectorAll('#items rect')].map((bar) => bar.getBoundingClientRect().width)",
    );
    let widths: Vec<f64> = widths
        .as_array()
        .expect("bars")
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    assert!(
        widths.is_sorted_by(|a, b| a >= b) && widths[0] > 50.0,
        "{widths:?}"
    );
    let n_events = browser
        .value("document.querySelectorAll('#events li').length")
        .as_u64()
        .expect("a number");
    assert_eq!(
        browser.value("document.querySelector('button[aria-current=true]').dataset.user"),
        user
    );

    browser.value("document.querySelector('#items button[data-kind=purchase]').click()");
    browser.wait(&format!(
        "document.querySelectorAll('#events li').length === {}",
        n_events + 1
    ));
    let past = &served.client().get(&format!("/v1/users/{user}/history")).ok()["events"][0];
    assert_eq!((&past["item_id"], &past["type"]), (ids[0], &json!("purchase")));
    let after = browser.value("[...document.querySelectorAll('#items > li')].map((row) => row.dataset.item)");
    assert!(!after.as_array().expect("items").contains(ids[0]));
    // What is new or stands elsewhere says so, and nothing else does.
    let marked = browser
        .value("[...document.querySelectorAll('#items > li')].map((row) => !!row.querySelector('.mark'))");
    for (place, (item, marked)) in after
        .as_array()
        .expect("items")
        .iter()
        .zip(marked.as_array().expect("marks"))
        .enumerate()
    {
        assert_eq!(*marked, json!(*item != *ids[place]), "{item}");
    }
    assert!(
        browser
            .value("document.getElementById('summary').textContent")
            .as_str()
            .expect("text")
            .contains("since your event")
    );
    // The event names the answer that showed the item.
    let stored = served.state.users.events(user);
    assert!(
        stored[0]
            .recomm_id
            .as_deref()
            .is_some_and(|id| id.starts_with("r-"))
    );
}

#[test]
fn everything_can_be_done_by_keyboard_and_the_focus_is_seen() {
    let served = Served::tiny();
    let Some(mut browser) = open(&served, "?user=u3") else {
        return;
    };
    browser.wait(&format!("{ROWS} === 10"));
    browser.value("document.querySelector('#items > li').focus()");
    for (key, place) in [
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("End", 9),
        ("Home", 0),
        ("ArrowUp", 0),
        ("ArrowDown", 1),
    ] {
        browser.press(key);
        assert_eq!(browser.value(FOCUS), place, "{key}");
    }
    assert_ne!(
        browser.value("getComputedStyle(document.activeElement).outlineStyle"),
        "none"
    );
    let item = browser.value("document.activeElement.dataset.item");
    browser.press("p");
    browser.wait(&format!(
        "![...document.querySelectorAll('#items > li')].some((row) => row.dataset.item === {item})"
    ));
    browser.wait(&format!("{FOCUS} === 1"));
    assert_eq!(served.state.users.events("u3")[0].kind, "purchase");
    browser.press("/");
    assert_eq!(browser.value("document.activeElement.id"), "user");
    // Whatever can be clicked can be reached by Tab, or stands in the list that arrows walk.
    let unreachable = browser
        .value("[...document.querySelectorAll('button, input, a')].filter((one) => one.tabIndex < 0).length");
    assert_eq!(unreachable, 0);
}

#[test]
fn strangers_and_failures_are_said_in_words() {
    let mut served = Served::tiny();
    let Some(mut browser) = open(&served, "?user=somebody%20%3Ci%3Enew") else {
        return;
    };
    browser.wait(&format!("{ROWS} === 10"));
    assert_eq!(
        browser.value("document.getElementById('events-empty').hidden"),
        false
    );
    let summary = browser.value("document.getElementById('summary').textContent");
    assert!(
        summary
            .as_str()
            .expect("text")
            .starts_with("For somebody <i>new: 10 items"),
        "{summary}"
    );
    assert!(
        summary.as_str().expect("text").contains("not personalised"),
        "{summary}"
    );
    browser.value("document.getElementById('user').value = 'x'.repeat(600)");
    browser.value("document.getElementById('search').requestSubmit()");
    browser.wait("document.getElementById('problem').textContent.includes('an id has 1 to 512 characters')");
    served.tell_to_stop();
    served.ended();
    browser.value("document.querySelector('#items button').click()");
    browser.wait("document.getElementById('problem').textContent.includes('The server does not answer')");
    assert_eq!(browser.value("document.getElementById('problem').hidden"), false);
}
