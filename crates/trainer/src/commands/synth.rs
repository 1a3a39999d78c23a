//! `catchment-train synth`.

use std::path::Path;

use catchment_models::progress::Progress as _;
use catchment_schema::AtomicFile;
use catchment_synthetic::marketplace::{Marketplace, MarketplaceConfig};
use catchment_synthetic::{World, WorldConfig, WriteFormat};

use super::print_json;
use crate::cli::{MarketplaceArgs, Output, Preset, TableFormat};
use crate::failure::Failure;
use crate::progress::Bar;

/// The recipe that lies beside a made world.
const RECIPE: &str = include_str!("../../recipes/demo.toml");
/// The recipe that lies beside a made marketplace.
const MARKETPLACE_RECIPE: &str = include_str!("synth_marketplace.toml");

pub(crate) fn run(
    preset: Preset,
    marketplace: &MarketplaceArgs,
    folder: &Path,
    output: Output,
) -> Result<(), Failure> {
    match (preset, marketplace.events) {
        (Preset::Tiny, None) => world(WorldConfig::tiny(), folder, output),
        (Preset::Demo, None) => world(WorldConfig::default(), folder, output),
        (Preset::Marketplace, None) => market(MarketplaceConfig::default(), marketplace, folder, output),
        (_, Some(n_views)) => market(MarketplaceConfig::of_size(n_views), marketplace, folder, output),
    }
}

fn world(mut config: WorldConfig, folder: &Path, output: Output) -> Result<(), Failure> {
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

fn market(
    mut config: MarketplaceConfig,
    args: &MarketplaceArgs,
    folder: &Path,
    output: Output,
) -> Result<(), Failure> {
    config.seed = output.seed.unwrap_or(config.seed);
    config.n_users = args.users.unwrap_or(config.n_users);
    config.n_items = args.items.unwrap_or(config.n_items);
    config.n_days = args.days.unwrap_or(config.n_days);
    config.switch_day = args.switch_day.or(config.switch_day);
    config.n_truth_users = args.truth_users.unwrap_or(config.n_truth_users);
    if let Some(parts) = &args.with {
        config.with = parts.iter().map(|&part| part.into()).collect();
    }
    output.set_up_threads(0);
    let marketplace = Marketplace::new(&config)?;
    let (format, ending) = match args.format {
        TableFormat::Parquet => (WriteFormat::Parquet, "parquet"),
        TableFormat::Csv => (WriteFormat::Csv, "csv"),
    };
    let mut bar = Bar::new("synth", output.is_silent());
    let files = marketplace.write(folder, format, &mut |done, total| {
        // Nothing can stop it but a signal: there is no half of a world.
        let _ = bar.step(done, total, "views");
    })?;
    drop(bar);
    let recipe = MARKETPLACE_RECIPE.replace("{format}", ending);
    AtomicFile::write(folder.join("catchment.toml"), recipe.as_bytes())?;
    let size = files.size;
    if output.json {
        return print_json(&serde_json::json!({
            "folder": folder,
            "marketplace": config,
            "views": size.n_views,
            "bookings": size.n_bookings,
            "rejections": size.n_rejections,
        }));
    }
    if !output.quiet {
        println!(
            "{} users, {} items, {} events ({} views, {} bookings, {} rejections), and a recipe for them: {}",
            config.n_users,
            config.n_items,
            size.n_events(),
            size.n_views,
            size.n_bookings,
            size.n_rejections,
            folder.join("catchment.toml").display()
        );
    }
    Ok(())
}
