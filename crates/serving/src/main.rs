//! `catchment-serve`: a bundle over HTTP.

use std::io;
use std::process::ExitCode;

use catchment_serving::{ConfigError, ServeConfig};
use tracing_subscriber::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = match ServeConfig::load(std::env::args_os()) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
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
            ExitCode::from(if error.is_wrong_use() { 2 } else { 1 })
        }
    }
}

/// Help, the version, or settings that make no sense.
fn refused(error: &ConfigError) -> ExitCode {
    let ConfigError::Usage(error) = error else {
        eprintln!("error: {error}");
        eprintln!("help: catchment-serve --help lists all settings; in a file they have `_` for `-`");
        return ExitCode::from(2);
    };
    // Nothing is left to do where even this cannot be printed.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
