//! `cargo xtask versus`: our work and a peer's, the same task, in turns, in one run.

mod contest;
mod environment;
mod race;
mod worker;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::workspace::{Workspace, stage};
use contest::{CONTESTS, Contest, Maker, Task};
use environment::Environment;

/// Which peer, and how often.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The peer; none lists them.
    peer: Option<String>,
    /// How many times each runs, in turns; the first turn of each row warms up and does not count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Only rows whose work has this text; they go into a report of their own, and the whole one stays.
    #[arg(long)]
    only: Option<String>,
    /// Threads of each. They never run at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: u32,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let Some(name) = &args.peer else {
        for contest in CONTESTS {
            println!("{:<12} {}", contest.name, contest.question);
        }
        return Ok(());
    };
    let contest = CONTESTS.iter().find(|contest| contest.name == name);
    let contest = contest.with_context(|| format!("no peer {name}; `cargo xtask versus` lists them"))?;
    let folder = workspace.target.join("versus");
    fs::create_dir_all(&folder)?;
    let Some(environment) = Environment::ready(workspace, contest, &folder)? else {
        println!("skipped: there is no python3 to run {name} with");
        return Ok(());
    };
    stage("build (release)", || {
        workspace.cargo(
            "build",
            &["--workspace", "--release", "--example", contest.example],
        )
    })?;
    let ours = workspace.target.join("release/examples").join(contest.example);
    let mut rows = Vec::new();
    let is_wanted = |task: &&Task| args.only.as_ref().is_none_or(|text| task.work.contains(text));
    let tasks: Vec<&Task> = contest.tasks.iter().filter(is_wanted).collect();
    if tasks.is_empty() {
        let rows: Vec<&str> = contest.tasks.iter().map(|task| task.work).collect();
        bail!(
            "no row of {name} has the text of --only; its rows:\n  {}",
            rows.join("\n  ")
        );
    }
    for task in tasks {
        let input = folder.join("input").join(name).join(task.input);
        if !input.join(".done").is_file() {
            fs::create_dir_all(&input)?;
            let makers = match contest.maker {
                Maker::Ours => vec![Command::new(&ours)],
                Maker::Peer => vec![environment.worker()],
                Maker::OursThenPeer => vec![Command::new(&ours), environment.worker()],
            };
            stage(&format!("input {}", task.input), || {
                makers.into_iter().try_for_each(|mut command| {
                    command.arg("--make").arg(&input).arg(task.settings);
                    workspace.checked(&mut command)
                })
            })?;
            fs::write(input.join(".done"), "")?;
        }
        let ours = Command::new(&ours);
        let peer = environment.worker();
        rows.push(race::run(task, &input, [ours, peer], args.rounds, args.threads)?);
    }
    print(contest, &rows);
    let result = match args.only {
        Some(_) => folder.join(format!("{name}-only.json")),
        None => folder.join(format!("{name}.json")),
    };
    let report = json!({
        "machine": race::machine(),
        "threads": args.threads,
        "peer": environment.versions()?,
        "rows": rows,
    });
    fs::write(&result, serde_json::to_vec_pretty(&report)?)?;
    println!("{}", result.display());
    Ok(())
}

fn print(contest: &Contest, rows: &[race::Row]) {
    println!("\n{}; ratio above 1: ours is faster", contest.question);
    for row in rows {
        let ratio = &row.ratio;
        println!(
            "\n{}\n  ours {:.3} {unit}, {} {:.3} {unit}: ratio {:.2} ({:.2} to {:.2})",
            row.work,
            row.ours,
            contest.name,
            row.peer,
            ratio.median,
            ratio.min,
            ratio.max,
            unit = row.unit,
        );
        if let Some([ours, peer]) = row.examples_per_second {
            println!("  examples/s: ours {ours:.0}, {} {peer:.0}", contest.name);
        }
        println!(
            "  quality: ours {}\n           {:>4} {}",
            row.quality_ours, "peer", row.quality_peer
        );
    }
}
