//! Several publishers and readers at once.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use catchment_bundle::{Bundle, Error, Publisher, Version, activate, list, roll_back};

use crate::made::{MOMENT, info, leftovers, publish, root};

#[test]
fn publishers_at_once_all_succeed_and_readers_never_see_a_half() {
    const PUBLISHERS: i64 = 4;
    const ROUNDS: i64 = 10;
    let root = root();
    publish(root.path(), MOMENT - 1000, "before").expect("published");
    let done = AtomicBool::new(false);
    let versions: Vec<Version> = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut n_opened = 0;
            while !done.load(Ordering::Relaxed) {
                Bundle::open_current(root.path()).expect("always whole");
                n_opened += 1;
            }
            n_opened
        });
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let root = root.path();
                scope.spawn(move || {
                    (0..ROUNDS)
                        .map(|round| {
                            let moment = MOMENT + (round * PUBLISHERS + publisher) * 1000;
                            publish(root, moment, &format!("{publisher} {round}")).expect("published")
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let versions = publishers
            .into_iter()
            .flat_map(|publisher| publisher.join().expect("no panic"))
            .collect();
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().expect("no panic") > 0);
        versions
    });
    let published = list(root.path()).expect("listed");
    assert_eq!(published.len(), versions.len() + 1);
    for version in &versions {
        Bundle::open_version(root.path(), version).expect("whole");
    }
    assert!(leftovers(root.path()).is_empty());
}

#[test]
fn of_two_publishers_of_one_version_one_succeeds_and_the_other_is_told() {
    let root = root();
    let version: Version = "20260101T000000Z-0001".parse().expect("version");
    let answers: Vec<_> = thread::scope(|scope| {
        let publishers: Vec<_> = (0..6)
            .map(|content| {
                let root = root.path();
                scope.spawn(move || {
                    let publisher = Publisher::begin(root, Some(version)).expect("begun");
                    fs::write(publisher.path("a").expect("path"), [content]).expect("written");
                    publisher.commit(info(MOMENT))
                })
            })
            .collect();
        publishers
            .into_iter()
            .map(|publisher| publisher.join().expect("no panic"))
            .collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Ok(_) | Err(Error::VersionExists { .. })))
    );
    Bundle::open_current(root.path()).expect("whole");
    assert!(leftovers(root.path()).is_empty());
}

#[test]
fn the_folder_of_a_living_publisher_survives_the_cleaning_of_another() {
    let root = root();
    let slow = Publisher::begin(root.path(), None).expect("begun");
    let path = slow.path("a").expect("path");
    fs::write(&path, "a").expect("written");
    // What a dead one leaves: a folder whose lock nobody holds, one without a lock, a pointer not renamed.
    fs::create_dir_all(root.path().join(".staging-dead1/files")).expect("made");
    fs::write(root.path().join(".staging-dead1/lock"), "").expect("written");
    fs::create_dir_all(root.path().join(".staging-dead2")).expect("made");
    fs::write(root.path().join(".unfinished-dead3"), "").expect("written");
    assert_eq!(leftovers(root.path()).len(), 4);

    let quick = publish(root.path(), MOMENT, "b").expect("published");
    assert_eq!(leftovers(root.path()).len(), 1, "only the living one's");
    assert!(path.is_file());
    let slow = slow.commit(info(MOMENT)).expect("committed");
    assert_eq!(leftovers(root.path()).len(), 0);
    assert_eq!(list(root.path()).expect("listed").len(), 2);
    activate(root.path(), &slow.max(quick)).expect("activated");
    assert_eq!(roll_back(root.path()).expect("back"), slow.min(quick));
}
