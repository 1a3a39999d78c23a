//! One's own log, from a CSV to recommendations: writes the smallest log and recipe that make sense, and runs
//! `catchment-train` on them.
//!
//! ```text
//! cargo build -p catchment-trainer && cargo run -p catchment-trainer --example own_csv
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

/// Any columns, in any order: the recipe says which is which.
const LOG: &str = "\
when,customer,sku,qty
2026-03-01,ada,bread,1
2026-03-02,ada,butter,2
2026-03-05,ada,jam,1
2026-03-01,ben,bread,1
2026-03-03,ben,jam,1
2026-03-04,ben,butter,1
2026-03-02,cleo,tea,1
2026-03-03,cleo,honey,1
2026-03-06,cleo,jam,2
2026-03-04,dan,tea,1
2026-03-05,dan,jam,1
2026-03-07,dan,honey,1
";

const RECIPE: &str = r#"
name = "bakery"

[data]
interactions = { path = "log.csv", format = "csv", columns = { user_id = "customer", item_id = "sku", timestamp = "when", value = "qty" } }

[split]
kind = "leave-last"                 # the last purchase of each customer is what has to be found

[[channel]]
name = "popular"
kind = "popular"

[[channel]]
name = "item_cf"
kind = "item_cf"

[evaluate]
ks = [3]
metrics = ["recall", "ndcg"]
"#;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("log.csv"), LOG)?;
    fs::write(folder.path().join("catchment.toml"), RECIPE)?;
    let program = program()?;
    for command in [
        "run catchment.toml",
        "recommend --bundle bundles --user ada -n 3 --explain",
        "similar --bundle bundles --item tea -n 2",
    ] {
        println!("$ catchment-train {command}");
        let status = Command::new(&program)
            .args(command.split(' '))
            .current_dir(folder.path())
            .status()
            .with_context(|| program.display().to_string())?;
        ensure!(status.success(), "it failed; what it says is above");
        println!();
    }
    Ok(())
}

/// The binary beside the folder of examples.
fn program() -> anyhow::Result<PathBuf> {
    let mut program = std::env::current_exe()?;
    program.pop();
    program.pop();
    program.push(format!("catchment-train{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        program.exists(),
        "{} is not there: cargo build -p catchment-trainer",
        program.display()
    );
    Ok(program)
}
