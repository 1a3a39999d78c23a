//! `kill -9` in the middle of event writing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::client::Client;
use crate::process::{PROGRAM, Process, command, folder};

/// How often, and how.
struct Plan {
    kills: usize,
    /// How many events each client sends at once: a group of a thousand is written page by page and can be torn.
    events: [usize; 3],
    segment_bytes: u64,
}

/// What one client sent to its own user before the server died, by the events' times.
#[derive(Default)]
struct Sent {
    user: String,
    acknowledged: BTreeSet<u64>,
    unanswered: BTreeSet<u64>,
}

fn send_until_the_end(
    mut client: Client,
    user: String,
    n_events: usize,
    acknowledged_in_all: &AtomicUsize,
) -> Sent {
    let mut sent = Sent {
        user,
        ..Sent::default()
    };
    for first in (0..).step_by(n_events) {
        let times: BTreeSet<u64> = (first..).take(n_events).collect();
        let event = |time: &u64| json!({ "user_id": sent.user, "item_id": "110", "timestamp": time });
        let body = json!({ "events": times.iter().map(event).collect::<Vec<_>>() });
        let Ok(reply) = client.try_post("/v1/events", &body) else {
            sent.unanswered = times;
            break;
        };
        assert_eq!(reply.ok()["accepted"], n_events);
        sent.acknowledged.extend(times);
        acknowledged_in_all.fetch_add(1, Ordering::Relaxed);
    }
    sent
}

/// What the server remembers of a user: at most the newest thousand events.
fn remembered(client: &mut Client, user: &str) -> BTreeSet<u64> {
    let reply = client.get(&format!("/v1/users/{user}/history?n=1000"));
    if reply.status == 404 {
        return BTreeSet::new();
    }
    let history = reply.ok();
    let events = history["events"].as_array().expect("events");
    let times: BTreeSet<_> = events
        .iter()
        .filter_map(|event| event["timestamp"].as_u64())
        .collect();
    assert_eq!(
        history["total"].as_u64().map(|total| total.min(1000)),
        Some(times.len() as u64),
        "an event twice"
    );
    times
}

/// Nothing lost, nothing invented. Returns whether the kill came between the write and the answer.
fn check(client: &mut Client, sent: &Sent) -> bool {
    let remembered = remembered(client, &sent.user);
    let oldest = if remembered.len() == 1000 {
        remembered.first().copied().unwrap_or(0)
    } else {
        0
    };
    let lost: Vec<_> = sent
        .acknowledged
        .range(oldest..)
        .filter(|time| !remembered.contains(time))
        .collect();
    assert!(lost.is_empty(), "{}: acknowledged and lost: {lost:?}", sent.user);
    let all: BTreeSet<_> = sent.acknowledged.union(&sent.unanswered).copied().collect();
    let invented: Vec<_> = remembered.difference(&all).collect();
    assert!(invented.is_empty(), "{}: never sent: {invented:?}", sent.user);
    sent.unanswered.iter().any(|time| remembered.contains(time))
}

#[test]
fn a_hundred_kills_lose_no_acknowledged_event_and_invent_none() {
    let torn = try_kills(&Plan {
        kills: 100,
        events: [1, 40, 1000],
        segment_bytes: 64 << 20,
    });
    eprintln!("{torn} torn ends");
}

/// Segments of a few appends: nearly every kill comes while one is sealed, a snapshot is written or old files go.
#[test]
fn sixty_kills_among_snapshots_lose_no_acknowledged_event_and_invent_none() {
    try_kills(&Plan {
        kills: 60,
        events: [1, 5, 100],
        segment_bytes: 20_000,
    });
}

fn start(folder: &std::path::Path, plan: &Plan) -> Process {
    let bytes = plan.segment_bytes.to_string();
    Process::start(command(PROGRAM, folder).args(["--segment-bytes", &bytes]))
}

/// Returns how many appends were cut off.
fn try_kills(plan: &Plan) -> usize {
    let folder = folder();
    let mut history: Vec<Sent> = Vec::new();
    let (mut n_acknowledged, mut n_torn) = (0, 0);
    for round in 0..plan.kills {
        let process = start(folder.path(), plan);
        let mut client = process.client();
        for sent in history.iter().rev().take(plan.events.len()) {
            check(&mut client, sent);
        }
        let acknowledged = AtomicUsize::new(0);
        let round_of_all = thread::scope(|scope| {
            let clients: Vec<_> = plan
                .events
                .into_iter()
                .map(|n_events| {
                    let (client, user) = (process.client(), format!("k-{round}-{n_events}"));
                    let acknowledged = &acknowledged;
                    scope.spawn(move || send_until_the_end(client, user, n_events, acknowledged))
                })
                .collect();
            // Any moment from before the first event is written to some dozens later.
            let wanted = round % 7;
            while acknowledged.load(Ordering::Relaxed) < wanted {
                thread::yield_now();
            }
            thread::sleep(Duration::from_micros(211 * (round as u64 % 19)));
            let said = process.kill();
            n_torn += usize::from(said.contains("cut off an unfinished append"));
            clients
                .into_iter()
                .map(|client| client.join().expect("no panic"))
                .collect::<Vec<_>>()
        });
        n_acknowledged += round_of_all
            .iter()
            .map(|sent| sent.acknowledged.len())
            .sum::<usize>();
        history.extend(round_of_all);
    }
    let process = start(folder.path(), plan);
    let mut client = process.client();
    let n_in_the_middle = history.iter().filter(|sent| check(&mut client, sent)).count();
    let state = std::fs::read_dir(folder.path().join("state")).expect("read");
    let snapshots = state.filter(|entry| {
        let name = entry.as_ref().expect("entry").file_name();
        name.to_string_lossy().starts_with("snapshot-")
    });
    eprintln!(
        "{n_acknowledged} events acknowledged, {n_in_the_middle} requests cut between write and answer, {n_torn} torn ends"
    );
    // Otherwise the kills came when nothing was going on, and nothing was tried.
    assert!(n_in_the_middle > plan.kills / 10, "{n_in_the_middle}");
    assert!(n_acknowledged > plan.kills * plan.events[1], "{n_acknowledged}");
    // An event takes between 20 and 400 bytes of a segment. A server may die before it makes a snapshot of a full one,
    // but not so many in a row.
    let (least, most) = (n_acknowledged as u64 * 20, n_acknowledged as u64 * 400);
    let n_snapshots = snapshots.count();
    assert!(
        n_snapshots == 0 || most > plan.segment_bytes,
        "{n_snapshots} snapshots"
    );
    assert!(n_snapshots > 0 || least < 10 * plan.segment_bytes, "no snapshot");
    n_torn
}
