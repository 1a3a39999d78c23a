//! `catchment-serve`: a bundle over HTTP.

use std::process::ExitCode;

use catchment_serving::ServeConfig;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = ServeConfig::parse();
    match catchment_serving::serve(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            eprintln!("help: {}", error.help());
            ExitCode::FAILURE
        }
    }
}
