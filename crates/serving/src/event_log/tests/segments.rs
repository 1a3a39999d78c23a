//! Segments, snapshots, and what a crash or a stranger leaves of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;

/// A log whose segments are sealed at a few hundred bytes.
fn small(folder: &Path) -> (EventLog, Arc<UserStore>) {
    let users = Arc::new(UserStore::default());
    let log = EventLog::open(folder, users.clone(), 300).expect("opened");
    (log, users)
}

fn append(log: &EventLog, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let taken = runtime()
            .block_on(log.append(vec![event(number)]))
            .expect("durable");
        assert_eq!(taken.accepted, 1);
    }
}

/// The events of all users, by their times.
fn times(users: &UserStore) -> Vec<i64> {
    let events = (0..3).flat_map(|user| users.events(&format!("u{user}")).to_vec());
    let mut times: Vec<_> = events.map(|event| event.timestamp).collect();
    times.sort_unstable();
    times
}

fn expected(n: usize) -> Vec<i64> {
    (0..n).map(|number| event(number).timestamp).collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("read");
    entries
        .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
        .collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn full_segments_become_a_snapshot_and_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for round in 0..5 {
        let (log, users) = small(folder.path());
        assert_eq!(times(&users), expected(round * 20));
        append(&log, round * 20..(round + 1) * 20);
        // What was taken once is known, wherever it is kept by now.
        let again = runtime().block_on(log.append((0..round * 20).map(event).collect()));
        assert_eq!(again.expect("durable").duplicates, round * 20);
        drop(log);
        let names = names(folder.path());
        assert_eq!(
            names.iter().filter(|name| name.starts_with("snapshot-")).count(),
            1,
            "{names:?}"
        );
    }
    let (_log, users) = small(folder.path());
    assert_eq!(times(&users), expected(100));
    assert_eq!(users.events("u1")[0], event(1));
}

#[test]
fn a_snapshot_that_is_asked_for_takes_the_place_of_the_log() {
    let folder = written(7);
    let (log, _) = open(folder.path()).expect("opened");
    let made = runtime().block_on(log.snapshot()).expect("made");
    assert_eq!(
        made,
        SnapshotMade {
            number: 1,
            n_events: 7
        }
    );
    assert_eq!(
        names(folder.path()),
        set(["events.log", "snapshot-0000000001.log"])
    );
    let text = fs::read_to_string(folder.path().join(LOG_FILE)).expect("read");
    assert_eq!(text.lines().count(), 1);
    // Nothing came since: the same once more.
    assert_eq!(runtime().block_on(log.snapshot()).expect("made"), made);
    drop(log);
    let (_log, users) = open(folder.path()).expect("opened");
    assert_eq!(times(&users), expected(7));
}

#[test]
fn ids_are_remembered_when_their_events_are_gone() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let users = Arc::new(UserStore::default());
    let log = EventLog::open(folder.path(), users.clone(), 1 << 20).expect("opened");
    users.remember(crate::user_store::EventId::of("e7"));
    append(&log, 0..3);
    runtime().block_on(log.snapshot()).expect("made");
    drop(log);
    let (log, users) = open(folder.path()).expect("opened");
    assert!(users.has_event("e7") && users.has_event("e2") && !users.has_event("e3"));
    assert_eq!(
        runtime()
            .block_on(log.append(vec![event(7)]))
            .expect("durable")
            .duplicates,
        1
    );
}

#[test]
fn a_crash_between_any_two_steps_of_a_rotation_changes_nothing() {
    // Sealed and snapshot made, with everything that was there before still there.
    let folder = written(5);
    let before = fs::read(folder.path().join(LOG_FILE)).expect("read");
    let (log, _) = open(folder.path()).expect("opened");
    runtime().block_on(log.snapshot()).expect("made");
    append(&log, 5..7);
    drop(log);
    let check = || {
        let (_log, users) = open(folder.path()).expect("opened");
        assert_eq!(times(&users), expected(7));
    };
    fs::write(folder.path().join("events-0000000001.log"), &before).expect("written");
    fs::write(folder.path().join(".unfinished-x"), "catchment snap").expect("written");
    check();
    assert_eq!(
        names(folder.path()),
        set(["events.log", "snapshot-0000000001.log"])
    );
    // Sealed, and no new file begun.
    fs::rename(
        folder.path().join(LOG_FILE),
        folder.path().join("events-0000000002.log"),
    )
    .expect("renamed");
    check();
    // Sealed, a new file begun without a line, and no snapshot of it.
    fs::write(folder.path().join(LOG_FILE), "").expect("written");
    check();
}

#[test]
fn a_snapshot_that_was_changed_anywhere_is_refused() {
    let folder = written(3);
    let (log, users) = open(folder.path()).expect("opened");
    users.remember(crate::user_store::EventId::of("gone"));
    runtime().block_on(log.snapshot()).expect("made");
    drop(log);
    let path = folder.path().join("snapshot-0000000001.log");
    let whole = fs::read(&path).expect("read");
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        matches!(open(folder.path()), Err(Error::DamagedLog { path: named, .. }) if named == path)
    };
    for position in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[position] ^= 1;
        assert!(refused(&bytes), "byte {position}");
        assert!(refused(&whole[..position]), "cut at {position}");
    }
    // A line less, with everything else as it was.
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    for missing in 0..lines.len() {
        let rest: Vec<&[u8]> = (0..lines.len())
            .filter(|&line| line != missing)
            .map(|line| lines[line])
            .collect();
        assert!(refused(&rest.concat()), "without line {missing}");
    }
    assert!(!refused(&whole));
}

#[test]
fn a_segment_that_is_missing_or_torn_in_the_middle_of_the_log_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = |name: &str| folder.path().join(name);
    let whole = |first: usize| {
        let other = written(first);
        fs::read(other.path().join(LOG_FILE)).expect("read")
    };
    fs::write(path("events-0000000002.log"), whole(2)).expect("written");
    assert!(matches!(
        open(folder.path()),
        Err(Error::DamagedLog { path: named, .. }) if named == path("events-0000000001.log")
    ));
    let one = whole(1);
    fs::write(path("events-0000000001.log"), &one[..one.len() - 1]).expect("written");
    fs::write(path(LOG_FILE), "").expect("written");
    match open(folder.path()) {
        Err(Error::DamagedLog {
            line: 2, path: named, ..
        }) => assert_eq!(named, path("events-0000000001.log")),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn a_snapshot_or_the_newest_segment_that_is_missing_is_noticed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = |name: &str| folder.path().join(name);
    let (log, _) = open(folder.path()).expect("opened");
    append(&log, 0..3);
    runtime().block_on(log.snapshot()).expect("made");
    append(&log, 3..5);
    drop(log);
    let snapshot = path("snapshot-0000000001.log");
    let kept = fs::read(&snapshot).expect("read");
    let refused = || matches!(open(folder.path()), Err(Error::DamagedLog { .. }));
    fs::remove_file(&snapshot).expect("removed");
    assert!(refused(), "three events would be gone");
    fs::write(&snapshot, kept).expect("back");
    assert!(!refused());

    // A crash right after a segment was sealed: no snapshot stands for it yet, and the new file is empty.
    fs::rename(path(LOG_FILE), path("events-0000000002.log")).expect("sealed");
    let (log, users) = open(folder.path()).expect("opened");
    assert_eq!(times(&users), expected(5));
    drop(log);
    fs::remove_file(path("events-0000000002.log")).expect("removed");
    assert!(refused(), "two events would be gone");
}

/// What a stranger does to the file, and whether what stood there is kept beside the log.
type Harm = (fn(&Path), bool);

#[cfg(unix)]
#[test]
fn a_log_that_is_removed_replaced_or_cut_under_the_server_loses_nothing() {
    let harms: [Harm; 4] = [
        (|path| fs::remove_file(path).expect("removed"), false),
        (
            |path| fs::rename(path, path.with_extension("old")).expect("renamed"),
            false,
        ),
        (|path| File::create(path).map(drop).expect("cut"), true),
        (
            |path| {
                fs::remove_file(path).expect("removed");
                fs::write(path, "something else").expect("written");
            },
            true,
        ),
    ];
    for (number, (harm, set_aside)) in harms.into_iter().enumerate() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (log, _) = open(folder.path()).expect("opened");
        append(&log, 0..5);
        harm(&folder.path().join(LOG_FILE));
        append(&log, 5..6);
        assert_eq!(
            folder.path().join("not-ours-0000000001.log").exists(),
            set_aside,
            "harm {number}"
        );
        drop(log);
        let (_log, users) = open(folder.path()).expect("opened");
        assert_eq!(times(&users), expected(6), "harm {number}");
    }
}

#[cfg(unix)]
#[test]
fn an_idle_server_notices_by_itself() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (log, _) = open(folder.path()).expect("opened");
    append(&log, 0..5);
    fs::remove_file(folder.path().join(LOG_FILE)).expect("removed");
    let begin = Instant::now();
    while !folder.path().join(LOG_FILE).exists() {
        assert!(begin.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(20));
    }
    // As after a kill: nothing more is asked of the log.
    let copy = tempfile::tempdir().expect("temporary folder");
    for name in names(folder.path()) {
        fs::copy(folder.path().join(&name), copy.path().join(&name)).expect("copied");
    }
    let (_copied, users) = open(copy.path()).expect("opened");
    assert_eq!(times(&users), expected(5));
}
