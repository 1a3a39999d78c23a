//! From a few lines of CSV to what each user did, in order.
//!
//! `cargo run -p catchment-prepare --example sequences`

use std::io::Write;

use catchment_prepare::{Inputs, PrepareConfig, Prepared, SplitConfig, SplitKind, prepare};
use catchment_schema::import::{Format, Source};

const LOG: &str = "user_id,item_id,timestamp,event
ann,tea,2026-03-01T10:00:00Z,view
ann,cup,2026-03-01T10:01:00Z,buy
ann,pot,2026-03-02T18:30:00Z,view
bob,cup,2026-03-01T09:00:00Z,view
bob,tea,2026-03-01T09:20:00Z,buy
bob,jug,2026-03-03T12:00:00Z,view
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log.csv");
    std::fs::write(&log, LOG)?;
    let out = folder.path().join("prepared");

    let inputs = Inputs::new(Source::new(log.to_string_lossy(), Format::Csv));
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None });
    let mut print = std::io::stdout().lock();
    prepare(
        &inputs,
        &PrepareConfig::default(),
        &split,
        7,
        0,
        &out,
        &mut |progress| {
            if progress.is_done {
                let _ = writeln!(print, "{}: {} rows", progress.stage, progress.rows);
            }
        },
    )?;

    let prepared = Prepared::open(&out)?;
    let (users, items) = (prepared.users(), prepared.items());
    let histories = prepared.train()?.histories(users.len());
    for (user, history) in histories.iter() {
        let name = users.id(user.index()).unwrap_or("a cold user");
        write!(print, "{name}:")?;
        for event in history.events() {
            let word = &prepared.event_words()[usize::from(event.kind.0)];
            write!(
                print,
                " {word} {}",
                items.id(event.item.index()).unwrap_or("a cold item")
            )?;
        }
        writeln!(print)?;
    }
    Ok(())
}
