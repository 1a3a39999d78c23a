//! `kill -9` in the middle of publishing.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use catchment_bundle::{Bundle, Error, Publisher, list};

use crate::made::{MOMENT, info, leftovers, root};

const ROOT: &str = "CATCHMENT_TEST_PUBLISH_INTO";
const ROUND: &str = "CATCHMENT_TEST_ROUND";
const KILLS: i64 = 100;
const PER_ROUND: i64 = 100_000;

/// Does nothing in an ordinary run; in a child it publishes until it is killed.
#[test]
fn child_publishes_until_killed() {
    let Ok(root) = env::var(ROOT) else { return };
    let round: i64 = env::var(ROUND).expect("set").parse().expect("number");
    for bundle in 0.. {
        publish_some_files(Path::new(&root), round * PER_ROUND + bundle);
    }
}

fn publish_some_files(root: &Path, second: i64) {
    let publisher = Publisher::begin(root, None).expect("begun");
    for file in 0..4u8 {
        let path = publisher
            .path(&format!("channels/c{file}/items.bin"))
            .expect("path");
        std::fs::write(path, vec![file; 20_000]).expect("written");
    }
    publisher.commit(info(MOMENT + second * 1000)).expect("committed");
}

/// Starts a child and kills it after a while; false when it ended by itself.
fn kill_one(root: &Path, round: i64, after: Duration) -> bool {
    let n_before = list(root).expect("listed").len();
    let mut child = Command::new(env::current_exe().expect("own path"))
        .args([
            "--exact",
            "kill::child_publishes_until_killed",
            "--test-threads=1",
        ])
        .env(ROOT, root)
        .env(ROUND, round.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("child started");
    // The clock runs from the child's first folder on; every other time from its first bundle on.
    let has_begun = || match round % 2 {
        0 => !leftovers(root).is_empty(),
        _ => list(root).expect("listed").len() > n_before,
    };
    let patience = Instant::now();
    while !has_begun() && patience.elapsed() < Duration::from_mins(1) {
        thread::sleep(Duration::from_micros(200));
    }
    thread::sleep(after);
    let ran = child.try_wait().expect("waitable").is_none();
    child.kill().expect("killed");
    child.wait().expect("waited");
    ran
}

#[test]
fn a_hundred_kills_at_any_moment_leave_no_half_bundle() {
    let root = root();
    let root = root.path();
    // How long one publication takes here, so that the kills fall into it on any disk.
    let start = Instant::now();
    publish_some_files(root, -1);
    let longest_wait = u64::try_from(start.elapsed().as_micros())
        .unwrap_or(u64::MAX)
        .clamp(1, 500_000)
        * 3;
    let mut verified = BTreeSet::new();
    let mut n_in_the_middle = 0;
    let mut n_published = 0;
    let mut dice = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..KILLS {
        // Xorshift: another moment every round, from the first instant to a few bundles later.
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        assert!(
            kill_one(root, round, Duration::from_micros(dice % longest_wait)),
            "the child failed"
        );

        n_in_the_middle += i64::from(leftovers(root).iter().any(|name| name.starts_with(".staging-")));
        Bundle::open_current(root).expect("the current bundle always opens");
        for version in list(root).expect("listed") {
            if verified.insert(version) {
                n_published += 1;
                Bundle::open_version(root, &version).expect("every visible bundle is whole");
            }
        }
        // The next publisher, in this process, cleans up after the dead one.
        let publisher = Publisher::begin(root, None).expect("begun");
        assert_eq!(leftovers(root).len(), 1, "round {round}: {:?}", leftovers(root));
        assert!(matches!(
            publisher.commit(info(MOMENT)),
            Err(Error::NothingToPublish { .. })
        ));
        assert!(leftovers(root).is_empty());
    }
    // Otherwise the kills came between the bundles, and nothing was tried.
    assert!(
        n_in_the_middle > KILLS / 10,
        "only {n_in_the_middle} in the middle"
    );
    assert!(n_published >= KILLS / 2, "only {n_published} bundles published");
}
