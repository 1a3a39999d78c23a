//! `catchment-train`: the offline half of Catchment. Recipes in, bundles out.

#![allow(clippy::print_stdout, reason = "a command-line program talks to its user")]

mod cli;
mod commands;
mod failure;
mod fit;
mod judge;
mod lists;
mod progress;
mod rank;
mod recipe;
mod tables;
mod work;

use std::process::ExitCode;

use clap::Parser;

/// Large buffers come and go in training; glibc's allocator gives their pages back each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let json = cli.output.json;
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(json);
            failure.exit_code()
        }
    }
}
