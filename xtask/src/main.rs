//! Orchestration of the workspace: `cargo xtask <command>`. Thin on purpose: it builds the two
//! binaries, calls them, and checks what the compiler does not.

#![allow(clippy::print_stdout, reason = "a command-line program talks to its user")]

mod ci;
mod data;
mod demo;
mod deps;
mod docs;
mod http;
mod release;
mod reproduce;
mod test;
mod versus;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workspace::Workspace;

/// Builds, demonstrates, checks and reproduces Catchment.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// From raw data to ranked recommendations over HTTP, end to end, on a world made for the purpose.
    Demo(demo::Args),
    /// Everything that has to hold: format, lints, dependencies, docs, the demo's river, tests.
    Test(test::Args),
    /// What continuous integration runs: `test`, with the times of its stages.
    Ci(test::Args),
    /// Proves the dependency table of `docs/ARCHITECTURE.md`.
    Deps(deps::Args),
    /// Builds the documentation; `--check` fails on warnings and on links into nowhere.
    Docs(docs::Args),
    /// Runs a recipe of `crates/trainer/recipes/` in release and writes `<target>/reproduce/<recipe>.json`.
    Reproduce(reproduce::Args),
    /// Says where a public dataset comes from, under which terms, and whether it is at hand.
    Data(data::Args),
    /// Our work against what people would use instead, in turns; writes `<target>/versus/<peer>.json`.
    Versus(versus::Args),
    /// Checks that every crate can be published.
    Release(release::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = Workspace::find().and_then(|workspace| match cli.command {
        Command::Demo(args) => demo::run(&workspace, &args),
        Command::Test(args) => test::run(&workspace, &args),
        Command::Ci(args) => ci::run(&workspace, &args),
        Command::Deps(args) => deps::run(&workspace, &args),
        Command::Docs(args) => docs::run(&workspace, &args),
        Command::Reproduce(args) => reproduce::run(&workspace, &args),
        Command::Data(args) => data::run(&workspace, &args),
        Command::Versus(args) => versus::run(&workspace, &args),
        Command::Release(args) => release::run(&workspace, &args),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
