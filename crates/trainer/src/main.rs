//! `catchment-train`: the offline half of Catchment. Recipes in, bundles out.

mod airbnb;
mod allocator;
mod cli;
mod commands;
mod common_users;
mod draft;
mod failure;
mod findings;
mod fit;
mod fitted;
mod folder;
mod interrupt;
mod judge;
mod lists;
mod progress;
mod rank;
mod recipe;
mod shown;
mod speech;
mod stamp;
mod tables;
mod test_reads;
mod towers;
mod vector_maps;
mod vector_neighbours;
mod work;

use std::process::ExitCode;

use clap::Parser;

/// Large buffers come and go in training; glibc's allocator gives their pages back each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let json = cli.output.json;
    let work = || {
        interrupt::listen()?;
        commands::run(cli)?;
        speech::heard()
    };
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(json);
            failure.exit_code()
        }
    }
}

/// Help, the version, or a command line that makes no sense: clap's own words, or one JSON object where it was
/// asked for.
fn refused(error: &clap::Error) -> ExitCode {
    let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && asked_for_json {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let what = first.strip_prefix("error: ").unwrap_or(first);
        let failure = failure::Failure::usage(what, "catchment-train --help lists commands and options");
        failure.print(true);
        return failure.exit_code();
    }
    // Nothing is left to do where even this cannot be printed.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
