//! `catchment-serve`: a bundle over HTTP.

use std::io;
use std::process::ExitCode;

use catchment_serving::ServeConfig;
use clap::Parser;
use tracing_subscriber::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = ServeConfig::parse();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(config.log.clone()))
        .init();
    match catchment_serving::serve(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            eprintln!("help: {}", error.help());
            ExitCode::FAILURE
        }
    }
}
