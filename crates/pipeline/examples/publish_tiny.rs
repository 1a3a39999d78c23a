//! Publishes the tiny bundle below a folder, to try a server or a program of your own on:
//! `cargo run -p catchment-pipeline --example publish_tiny [BUNDLES]`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use catchment_pipeline::testing::TinyBundle;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let root = std::env::args().nth(1);
    let root = root.map_or(temporary.path().to_owned(), Into::into);
    let version = TinyBundle::default().publish(&root)?;
    println!("{}", root.join(version.to_string()).display());
    Ok(())
}
