//! `catchment-train synth`.

use std::path::Path;

use catchment_schema::AtomicFile;
use catchment_synthetic::{World, WorldConfig, WriteFormat};

use super::print_json;
use crate::cli::{Output, Preset};
use crate::failure::Failure;

/// The recipe that lies beside a made world.
const RECIPE: &str = include_str!("../../recipes/demo.toml");

pub(crate) fn run(preset: Preset, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut config = match preset {
        Preset::Tiny => WorldConfig::tiny(),
        Preset::Demo => WorldConfig::default(),
    };
    config.seed = output.seed.unwrap_or(config.seed);
    let world = World::generate(&config)?;
    // Text to look at, and Parquet because only there an item can have several categories.
    world.write(folder, WriteFormat::Csv)?;
    world.write(folder, WriteFormat::Parquet)?;
    AtomicFile::write(folder.join("catchment.toml"), RECIPE.as_bytes())?;
    if output.json {
        return print_json(&serde_json::json!({ "folder": folder, "world": config }));
    }
    if !output.quiet {
        println!(
            "{} users, {} items, {} events, and a recipe for them: {}",
            config.n_users,
            config.n_items,
            config.n_events,
            folder.join("catchment.toml").display()
        );
    }
    Ok(())
}
