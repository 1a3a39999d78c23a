//! A preparation that is done is not repeated, and one that was killed is not taken for done.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::place::Place;

const RECIPE: &str = "name = \"shop\"\n[data]\ninteractions = { path = \"log.csv\", format = \"csv\" }\n\
    [prepare]\nmemory_limit = \"64MiB\"\n[split]\nkind = \"leave-last\"\n[[channel]]\nname = \"popular\"\nkind = \"popular\"\n\
    [evaluate]\nks = [2]\nmetrics = [\"recall\"]\n";

fn place(n_rows: u32) -> Place {
    let mut log = "user_id,item_id,timestamp\n".to_owned();
    for row in 0..n_rows {
        let _ = writeln!(log, "u{},i{},{}", row % 997, row % 389, 1_600_000_000 + row);
    }
    let place = Place::empty();
    place.write("catchment.toml", RECIPE);
    place.write("log.csv", log);
    place
}

#[test]
fn the_same_data_is_prepared_once() {
    const NOTHING: &str = "nothing to prepare";
    let place = place(5_000);
    let first = place.run("prepare catchment.toml").well();
    assert!(!first.contains(NOTHING), "{first}");
    let before = place.files("work/shop/data");
    let again = place.run("prepare catchment.toml").well();
    assert!(
        again.contains(NOTHING) && again.contains("prepared 997 users"),
        "{again}"
    );
    assert_eq!(before, place.files("work/shop/data"));
    let seed = place.run("prepare catchment.toml --seed 8").well();
    assert!(!seed.contains(NOTHING), "another seed: {seed}");
    place.replace(
        "catchment.toml",
        "kind = \"leave-last\"",
        "kind = \"leave-last\"\nn = 2",
    );
    let split = place.run("prepare catchment.toml").well();
    assert!(!split.contains(NOTHING), "another split: {split}");
}

#[test]
fn a_killed_preparation_is_done_again_and_leaves_nothing() {
    let place = place(300_000);
    let unfinished = || {
        let entries = fs::read_dir(place.path("work/shop"))
            .into_iter()
            .flatten()
            .flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .filter(|name| name.starts_with(".prepare-unfinished-"))
            .collect::<Vec<_>>()
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_catchment-train"))
        .args(["prepare", "catchment.toml"])
        .current_dir(place.path("."))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    // As soon as it is at work, it is killed without a warning.
    while unfinished().is_empty() && child.try_wait().expect("asked").is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    child.kill().expect("killed");
    let status = child.wait().expect("waited");
    assert!(
        !status.success(),
        "it was faster than this test: make the log longer"
    );
    assert_eq!(unfinished().len(), 1, "killed in the middle");
    assert!(!place.path("work/shop/data").exists());

    let said = place.run("prepare catchment.toml").well();
    assert!(said.contains("prepared 997 users, 389 items"), "{said}");
    assert_eq!(unfinished(), [""; 0], "what the killed run left is cleared away");
}
