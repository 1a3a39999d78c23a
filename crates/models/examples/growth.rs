//! How time and memory of skip-gram training grow: 1, 10 and 100 million pairs, from made logs that are written to
//! disk and trained on from there, so that neither the log nor its sessions are ever in memory.
//!
//! `cargo run -p catchment-models --example growth [-- '{"parallel": "deterministic"}' [LARGEST]]`
//!
//! First with 100,000 items throughout, then with a hundredth as many items as pairs, up to a million. `LARGEST` is the
//! largest number of pairs in millions. Peak memory is what the system says of the training alone (`VmHWM`, Linux);
//! beside it stands what is told before a training.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use catchment_models::progress::Silent;
use catchment_models::sgns::{self, SgnsConfig};
use catchment_sampling::{Context, FileSessions, Session, SessionRules, SessionSource};
use catchment_schema::{Event, Interactions, InteractionsWriter, ItemIdx, Metadata, Time, UserIdx};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

type Failure = Box<dyn std::error::Error>;

/// Events of a user, all of one group of items.
const EVENTS: usize = 20;
const GROUP: usize = 100;
const WINDOW: usize = 5;
/// A window is cut off at both ends of a session.
const PAIRS_A_USER: usize = 2 * EVENTS * WINDOW - WINDOW * (WINDOW + 1);
/// Users written at once.
const BATCH: usize = 10_000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings = arguments
        .first()
        .map_or(r#"{"parallel": "lock_free"}"#, String::as_str);
    let mut config: SgnsConfig = serde_json::from_str(settings)?;
    config.context = Context::Window(u32::try_from(WINDOW)?);
    config.subsample = 0.0;
    config.epochs = 1;
    // One training in a process of its own: what an older one left would count as its memory.
    if let [_, millions, items] = &arguments[..] {
        return one(&config, millions.parse()?, items.parse()?);
    }
    let largest: usize = arguments.get(1).map_or(Ok(100), |text| text.parse())?;
    println!(
        "{}, {} threads",
        serde_json::to_string(&config)?,
        rayon::current_num_threads()
    );
    println!(
        "{:>10} {:>9} {:>9} {:>10} {:>10} {:>9} {:>9} {:>9}",
        "pairs", "items", "seconds", "to read", "pairs/s", "exponent", "peak MB", "told MB"
    );
    for items_of in [|_| 100_000, |millions: usize| millions * 10_000] {
        let mut before: Option<(f64, f64)> = None;
        for millions in [1, 10, 100].into_iter().filter(|&millions| millions <= largest) {
            let n_items: usize = items_of(millions);
            let child = Command::new(std::env::current_exe()?)
                .args([settings, &millions.to_string(), &n_items.to_string()])
                .stderr(Stdio::inherit())
                .output()?;
            if !child.status.success() {
                return Err(format!("{millions} million pairs: {}", child.status).into());
            }
            let [pairs, seconds, reading, peak]: [f64; 4] = serde_json::from_slice(&child.stdout)?;
            let exponent = before.map_or("–".to_owned(), |(p, s)| {
                format!("{:.2}", (seconds / s).ln() / (pairs / p).ln())
            });
            println!(
                "{pairs:>10.3e} {n_items:>9} {seconds:>9.1} {reading:>10.2} {:>10.2e} {exponent:>9} {:>9.1} {:>9.1}",
                pairs / seconds,
                peak / 1e6,
                sgns::memory_bytes(n_items, &config) as f64 / 1e6,
            );
            before = Some((pairs, seconds));
        }
    }
    Ok(())
}

/// One training: its pairs, its seconds, those that going through the file once took, and its peak memory in bytes.
fn one(config: &SgnsConfig, millions: usize, n_items: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.parquet");
    write(&path, millions * 1_000_000 / PAIRS_A_USER, n_items)?;
    let sessions = FileSessions::open(&path, &SessionRules::default())?;
    let begun = Instant::now();
    read(&sessions)?;
    let reading = begun.elapsed().as_secs_f64();
    let before = memory("VmRSS")?;
    // What was needed to write the log is no peak of the training.
    fs::write("/proc/self/clear_refs", "5").ok();
    let begun = Instant::now();
    let model = sgns::fit(&sessions, n_items, config, 1, &mut Silent)?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak = memory("VmHWM")?.saturating_sub(before);
    let found = [model.report.pairs as f64, seconds, reading, peak as f64];
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}

/// Goes through all sessions once, as every epoch does.
fn read(sessions: &FileSessions) -> Result<(), Failure> {
    let mut session = Session::default();
    for shard in 0..sessions.n_shards() {
        let mut stream = sessions.shard(shard)?;
        while stream.next_session(&mut session)? {}
    }
    Ok(())
}

/// A log of that many users, some of them in memory at a time.
fn write(path: &Path, n_users: usize, n_items: usize) -> Result<(), Failure> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut writer = InteractionsWriter::create(path, &Metadata::new())?;
    let mut rows = Interactions::default();
    for user in 0..n_users {
        let group = rng.random_range(0..n_items / GROUP) * GROUP;
        for _ in 0..EVENTS {
            rows.users.push(UserIdx::from_index(user));
            let item = ItemIdx::from_index(group + rng.random_range(0..GROUP));
            rows.events.push(Event::new(item, Time::UNKNOWN));
            rows.sessions.push(0);
        }
        if rows.len() >= BATCH * EVENTS || user + 1 == n_users {
            writer.write(&rows)?;
            rows.clear();
        }
    }
    Ok(writer.commit()?)
}

/// A line of what the system says about this process, in bytes; 0 where it says nothing.
fn memory(key: &str) -> Result<u64, Failure> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return Ok(0);
    };
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.map_or(Ok(0), str::parse::<u64>)? * 1024)
}
