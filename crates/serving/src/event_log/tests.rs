use std::fs::{self, File};

use super::*;

mod segments;

fn event(number: usize) -> StoredEvent {
    StoredEvent {
        event_id: Some(format!("e{number}")),
        user_id: format!("u{}", number % 3),
        item_id: "i\n\"7\"".to_owned(),
        kind: "view".to_owned(),
        value: 0.1,
        dwell_ms: None,
        timestamp: 1000 + i64::try_from(number).expect("small"),
        session_id: None,
        recomm_id: None,
    }
}

fn open(folder: &Path) -> Result<(EventLog, Arc<UserStore>), Error> {
    let users = Arc::new(UserStore::default());
    Ok((EventLog::open(folder, users.clone(), 1 << 20)?, users))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("runtime")
}

/// A log of `n` events in a folder of its own, closed again.
fn written(n: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (log, _) = open(folder.path()).expect("opened");
    let taken = runtime().block_on(log.append((0..n).map(event).collect()));
    let expected = Taken {
        accepted: n,
        duplicates: 0,
    };
    assert_eq!(taken.expect("durable"), expected);
    folder
}

fn n_events(users: &UserStore) -> usize {
    (0..3).map(|user| users.events(&format!("u{user}")).len()).sum()
}

#[test]
fn what_was_appended_is_there_when_the_log_is_opened_again() {
    let folder = written(10);
    let (_log, users) = open(folder.path()).expect("opened again");
    assert_eq!(n_events(&users), 10);
    assert_eq!(users.events("u1")[0], event(1));
}

#[test]
fn an_unfinished_line_is_cut_off_wherever_it_was_cut() {
    let folder = written(3);
    let path = folder.path().join(LOG_FILE);
    let whole = fs::read(&path).expect("read");
    let ends: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).expect("written");
        let (log, users) = open(folder.path()).expect("a cut log opens");
        let complete = ends.iter().filter(|&&end| end < length).count().saturating_sub(1);
        assert_eq!(n_events(&users), complete, "cut at {length}");
        // What comes next stands behind what was left.
        runtime().block_on(log.append(vec![event(100)])).expect("durable");
        drop(log);
        let (_log, users) = open(folder.path()).expect("opens");
        assert_eq!(n_events(&users), complete + 1, "cut at {length}");
    }
}

#[test]
fn damage_in_the_middle_is_refused_with_its_line_and_changes_nothing() {
    let folder = written(3);
    let path = folder.path().join(LOG_FILE);
    let whole = fs::read(&path).expect("read");
    for position in 0..whole.len() - 1 {
        if whole[position] == b'\n' {
            continue;
        }
        let mut bytes = whole.clone();
        bytes[position] ^= 1;
        if bytes[position] == b'\n' {
            continue;
        }
        fs::write(&path, &bytes).expect("written");
        let line = whole[..position].split(|&byte| byte == b'\n').count();
        match open(folder.path()) {
            Err(Error::DamagedLog { line: named, .. }) => assert_eq!(named, line, "byte {position}"),
            Err(error) => panic!("byte {position}: {error}"),
            Ok(_) => panic!("byte {position} was not noticed"),
        }
        assert!(fs::read(&path).expect("read") == bytes);
    }
}

#[test]
fn a_log_of_a_newer_version_and_other_files_are_refused() {
    for (content, said) in [
        (
            "catchment events 3\n",
            "it is of version \"3\", this program reads versions 1 and 2",
        ),
        ("user,item\nu1,i1\n", "it is no event log"),
    ] {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join(LOG_FILE), content).expect("written");
        match open(folder.path()) {
            Err(Error::DamagedLog { line: 1, reason, .. }) => assert_eq!(reason, said),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{content:?} was taken"),
        }
    }
}

#[test]
fn an_event_sent_by_many_at_once_is_accepted_once_and_written_once() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (log, users) = open(folder.path()).expect("opened");
    let log = Arc::new(log);
    let accepted: usize = runtime().block_on(async {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let log = log.clone();
                tokio::spawn(async move { log.append(vec![event(1), event(2)]).await })
            })
            .collect();
        let mut accepted = 0;
        for task in tasks {
            let taken = task.await.expect("no panic").expect("durable");
            assert_eq!(taken.accepted + taken.duplicates, 2);
            accepted += taken.accepted;
        }
        accepted
    });
    assert_eq!(accepted, 2);
    assert_eq!(n_events(&users), 2);
    let text = fs::read_to_string(folder.path().join(LOG_FILE)).expect("read");
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn requests_that_wait_together_share_a_sync() {
    const APPENDS: usize = 200;
    let folder = tempfile::tempdir().expect("temporary folder");
    let users = Arc::new(UserStore::default());
    let recovered = recover::recover(folder.path(), &users).expect("recovered");
    let syncs = Arc::new(AtomicU64::new(0));
    let (sender, receiver) = mpsc::channel();
    let mut answers = Vec::new();
    for number in 0..APPENDS {
        let (reply, answer) = oneshot::channel();
        let events = vec![event(number)];
        let message = Message::Append(Append { events, reply });
        sender.send(message).expect("open");
        answers.push(answer);
    }
    drop(sender);
    Writer::new(recovered, 1 << 20, users.clone(), syncs.clone()).run(&receiver);
    for answer in answers {
        assert_eq!(
            answer
                .blocking_recv()
                .expect("answered")
                .expect("durable")
                .accepted,
            1
        );
    }
    assert_eq!(n_events(&users), APPENDS);
    assert_eq!(syncs.load(Ordering::Relaxed), 1);
}
