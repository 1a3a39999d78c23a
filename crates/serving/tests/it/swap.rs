//! A bundle is swapped without a failed request, and a broken one is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use catchment_bundle::{Version, activate, roll_back};
use catchment_pipeline::Layout;
use catchment_pipeline::testing::TinyBundle;
use serde_json::{Value, json};

use crate::served::{Served, bundles};

const SWAPS: usize = 20;

/// A tiny bundle that was made `number` minutes later, from other histories and with other items.
fn later(number: u8) -> TinyBundle {
    let first = TinyBundle::default();
    TinyBundle {
        seed: first.seed + u64::from(number),
        n_items: first.n_items + 5 * usize::from(number),
        created_at_ms: first.created_at_ms + 60_000 * i64::from(number),
        ..first
    }
}

/// Waits until the server says that it serves this bundle.
fn wait_for(served: &Served, version: Version) {
    wait(served, |health| health["bundle"] == version.to_string());
}

fn wait(served: &Served, done: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    let mut client = served.client();
    loop {
        let health = client.get("/health/ready").ok();
        if done(&health) {
            return health;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "{health}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("readable") {
        let path = entry.expect("entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

/// Makes a bundle elsewhere, damages it, and puts it where the server looks.
fn put(served: &Served, bundle: &TinyBundle, damage: impl FnOnce(&Path)) -> Version {
    let elsewhere = tempfile::tempdir().expect("temporary folder");
    let version = bundle.publish(elsewhere.path()).expect("published");
    put_made(served, elsewhere.path(), version, damage)
}

fn put_made(served: &Served, from: &Path, version: Version, damage: impl FnOnce(&Path)) -> Version {
    let folder = from.join(version.to_string());
    damage(&folder);
    copy(&folder, &served.bundles().join(version.to_string()));
    point_to(served, &version.to_string());
    version
}

/// Writes `CURRENT` as it should be written, by rename.
fn point_to(served: &Served, text: &str) {
    let pointer = served.bundles().join(".pointer");
    fs::write(&pointer, format!("{text}\n")).expect("written");
    fs::rename(pointer, served.bundles().join("CURRENT")).expect("renamed");
}

#[test]
fn twenty_swaps_under_load_without_a_failed_request() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let root = bundles(folder.path());
    // How many items each version has: an answer may only have items of the bundle that it names.
    let mut n_items = BTreeMap::new();
    for number in 0..4 {
        let bundle = later(number);
        n_items.insert(
            bundle.publish(&root).expect("published").to_string(),
            bundle.n_items,
        );
    }
    let versions = catchment_bundle::list(&root).expect("listed");
    let served = Served::over(folder, |_| ());
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let seen_by_clients = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|number| {
                let (served, stop, answered, n_items) = (&served, &stop, &answered, &n_items);
                scope.spawn(move || {
                    let mut client = served.client();
                    let mut seen = BTreeMap::new();
                    let mut round = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let user = format!("u{}", (round * 4 + number) % 60);
                        if round % 10 == 0 {
                            let event = json!({ "events": [{ "user_id": user, "item_id": "120" }] });
                            assert_eq!(client.post("/v1/events", &event).ok()["accepted"], 1);
                        }
                        let answer = client.get(&format!("/v1/recommend/{user}")).ok();
                        let bundle = answer["bundle"].as_str().expect("a version").to_owned();
                        let items = answer["items"].as_array().expect("items");
                        assert_eq!((items.len(), &answer["degraded"]), (10, &json!([])));
                        for item in items {
                            let id: usize = item["item_id"]
                                .as_str()
                                .expect("an id")
                                .parse()
                                .expect("a number");
                            assert!(id < 100 + n_items[&bundle], "{bundle} has no item {id}");
                        }
                        *seen.entry(bundle).or_insert(0usize) += 1;
                        answered.fetch_add(1, Ordering::Relaxed);
                        round += 1;
                    }
                    seen
                })
            })
            .collect();
        for swap in 0..SWAPS {
            let version = versions[swap % versions.len()];
            activate(served.bundles(), &version).expect("activated");
            wait_for(&served, version);
            let before = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) < before + 20 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|client| client.join().expect("no failed request"))
            .collect::<Vec<_>>()
    });
    for seen in seen_by_clients {
        assert_eq!(seen.len(), versions.len(), "{seen:?}");
    }
}

#[test]
fn a_broken_bundle_is_refused_while_the_old_one_serves_and_the_next_good_one_is_taken() {
    type Damage = fn(&Path);
    let served = Served::tiny();
    let answer = |served: &Served| served.client().get("/v1/recommend/u0").ok()["items"].clone();
    let before = answer(&served);
    let damages: [(Damage, &str); 4] = [
        (
            |folder| {
                let path = folder.join("channels/ials/items.parquet");
                let mut bytes = fs::read(&path).expect("read");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&path, bytes).expect("written");
            },
            "items.parquet has sha256",
        ),
        (
            |folder| fs::remove_file(folder.join("users/histories.parquet")).expect("removed"),
            "histories.parquet is missing",
        ),
        (
            |folder| {
                let path = folder.join("manifest.json");
                let text = fs::read_to_string(&path).expect("read");
                let text = text.replace("\"format_version\": 1", "\"format_version\": 99");
                fs::write(&path, text).expect("written");
            },
            "has bundle format 99",
        ),
        (
            |folder| fs::remove_file(folder.join("manifest.json")).expect("removed"),
            "is no bundle",
        ),
    ];
    for (number, (damage, said)) in (1..).zip(damages) {
        let version = put(&served, &later(number), damage);
        check_refused(&served, version, said);
        assert_eq!(answer(&served), before);
    }
    let version = put(&served, &later(9), |_| ());
    wait_for(&served, version);
    assert!(served.client().get("/health/ready").ok().get("refused").is_none());
}

/// Both addresses say that this version was refused and why, and that the old one serves.
fn check_refused(served: &Served, version: Version, said: &str) {
    let health = wait(served, |health| {
        health["refused"]["bundle"] == version.to_string()
    });
    assert!(
        health["refused"]["reason"]
            .as_str()
            .expect("a reason")
            .contains(said),
        "{health}"
    );
    assert_eq!(health["bundle"], served.version.to_string());
    let bundles = served.admin_client().get("/admin/bundles").ok();
    assert_eq!(bundles["refused"], health["refused"]);
    assert_eq!(bundles["serving"], served.version.to_string());
}

#[test]
fn a_bundle_that_answers_its_golden_queries_otherwise_is_refused() {
    let served = Served::tiny();
    let elsewhere = tempfile::tempdir().expect("temporary folder");
    let other = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(other.path());
    later(3).write(&layout).expect("written");
    let version = later(1).publish_changed(elsewhere.path(), |changed| {
        fs::copy(layout.golden(), changed.golden()).expect("copied");
        Ok(())
    });
    let version = put_made(&served, elsewhere.path(), version.expect("published"), |_| ());
    check_refused(&served, version, "golden query of user");
}

#[test]
fn a_pointer_that_cannot_be_read_keeps_the_old_bundle() {
    let served = Served::tiny();
    point_to(&served, "latest");
    let health = wait(&served, |health| health.get("refused").is_some());
    assert_eq!(health["refused"]["bundle"], Value::Null);
    assert!(
        health["refused"]["reason"]
            .as_str()
            .expect("a reason")
            .contains("`latest`")
    );
    served.client().get("/v1/recommend/u0").ok();
    point_to(&served, &served.version.to_string());
    wait(&served, |health| health.get("refused").is_none());
}

#[test]
fn a_roll_back_brings_the_older_answers_back() {
    let served = Served::tiny();
    let answer = |served: &Served| served.client().get("/v1/recommend/u3").ok()["items"].clone();
    let before = answer(&served);
    let version = later(1).publish(served.bundles()).expect("published");
    wait_for(&served, version);
    assert_ne!(answer(&served), before);
    assert_eq!(roll_back(served.bundles()).expect("rolled back"), served.version);
    wait_for(&served, served.version);
    assert_eq!(answer(&served), before);
}

#[test]
fn live_events_survive_a_swap_and_items_of_the_new_bundle_become_known() {
    let served = Served::tiny();
    let mut client = served.client();
    let event = |item: &str| json!({ "events": [{ "user_id": "live", "item_id": item }] });
    let shown = |item: &str| {
        let body = json!({ "user_id": "live", "n": 1000 });
        let answer = served.client().post("/v1/recommend", &body).ok();
        let items = answer["items"].as_array().expect("items").clone();
        items.iter().any(|found| found["item_id"] == item)
    };
    // The first bundle has items 100 to 139, the other one 100 to 144.
    assert_eq!(client.post("/v1/events", &event("110")).ok()["accepted"], 1);
    assert_eq!(
        client.post("/v1/events", &event("142")).ok()["rejected"][0]["code"],
        "unknown_item"
    );
    let version = later(1).publish(served.bundles()).expect("published");
    wait_for(&served, version);
    assert!(!shown("110"));
    assert_eq!(client.post("/v1/events", &event("142")).ok()["accepted"], 1);
    assert!(!shown("142"));
    let history = client.get("/v1/users/live/history").ok();
    assert_eq!(history["events"][0]["title"], "Item 142");
    // Back to a bundle that does not know the item: it stays in the history, and does no harm.
    roll_back(served.bundles()).expect("rolled back");
    wait_for(&served, served.version);
    let history = client.get("/v1/users/live/history").ok();
    assert_eq!(
        (&history["events"][0]["item_id"], &history["total"]),
        (&json!("142"), &json!(2))
    );
    assert!(history["events"][0].get("title").is_none());
    assert!(!shown("110"));
}

/// The first bundle again under a later name, with other histories where the seed differs.
fn later_of_seed(number: u8, seed: u64) -> TinyBundle {
    TinyBundle {
        seed,
        n_items: TinyBundle::default().n_items,
        ..later(number)
    }
}

#[test]
fn a_live_event_that_the_bundle_holds_counts_once_and_goes_when_two_bundles_hold_it() {
    let first = TinyBundle::default();
    let served = Served::tiny();
    let mut client = served.client();
    let before = client.get("/v1/users/u2/history").ok();
    let answer = |served: &Served| served.client().get("/v1/recommend/u2").ok()["items"].clone();
    let answered = answer(&served);
    // What the bundle was trained on comes once more from the log of the server, beside something new.
    let (old, mut new) = (before["events"][0].clone(), before["events"][1].clone());
    new["type"] = json!("a word of its own");
    let event = |past: &Value| {
        json!({
            "event_id": past["type"], "user_id": "u2", "item_id": past["item_id"], "type": past["type"],
            "timestamp": past["timestamp"],
        })
    };
    let body = json!({ "events": [event(&old)] });
    assert_eq!(client.post("/v1/events", &body).ok()["accepted"], 1);
    assert_eq!(client.get("/v1/users/u2/history").ok(), before);
    assert_eq!(answer(&served), answered);
    // Of two that are equal the history has only one.
    let other = client.get("/v1/users/u3/history").ok();
    let past = &other["events"][0];
    let twin = json!({
        "user_id": "u3", "item_id": past["item_id"], "type": past["type"], "timestamp": past["timestamp"],
    });
    let body_of_all = json!({ "events": [twin, twin, event(&new)] });
    assert_eq!(client.post("/v1/events", &body_of_all).ok()["accepted"], 3);
    let others = |served: &Served| served.client().get("/v1/users/u3/history").ok()["total"].as_u64();
    let n_others = other["total"].as_u64().map(|total| total + 1);
    assert_eq!(others(&served), n_others);
    let total = |served: &Served| served.client().get("/v1/users/u2/history").ok()["total"].as_u64();
    let n_before = before["total"].as_u64().expect("a number");
    assert_eq!(total(&served), Some(n_before + 1));
    assert_eq!(served.state.users.size(), (2, 4));

    // A bundle that does not hold it: all stay.
    let version = later_of_seed(1, first.seed + 1)
        .publish(served.bundles())
        .expect("published");
    wait_for(&served, version);
    assert_eq!(served.state.users.size(), (2, 4));
    // One that holds it, after one that did not: a roll back would miss it.
    let version = later_of_seed(2, first.seed)
        .publish(served.bundles())
        .expect("published");
    wait_for(&served, version);
    assert_eq!(served.state.users.size(), (2, 4));
    assert_eq!(total(&served), Some(n_before + 1));
    // And another one that holds it: now it goes, and what no bundle holds stays.
    let version = later_of_seed(3, first.seed)
        .publish(served.bundles())
        .expect("published");
    wait_for(&served, version);
    let begin = Instant::now();
    while served.state.users.size() != (2, 3) {
        assert!(begin.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(total(&served), Some(n_before + 1));
    assert_eq!(others(&served), n_others);
    // Its id is known for ever, also after a start from the snapshot that followed.
    assert_eq!(client.post("/v1/events", &body).ok()["duplicates"], 1);
    drop(client);
    let served = served.again();
    assert_eq!(served.state.users.size(), (2, 3));
    assert_eq!(total(&served), Some(n_before + 1));
    assert_eq!(served.client().post("/v1/events", &body).ok()["duplicates"], 1);
}
