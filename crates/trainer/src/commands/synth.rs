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
use crate::speech;

/// The recipe that lies beside a made world.
const RECIPE: &str = include_str!("../../recipes/demo.toml");
/// The recipe that lies beside a made marketplace.
const MARKETPLACE_RECIPE: &str = include_str!("synth_marketplace.toml");

pub(crate) fn run(
    preset: Preset,
    marketplace: &MarketplaceArgs,
    folder: &Path,
    force: bool,
    output: Output,
) -> Result<(), Failure> {
    let is_world = matches!(preset, Preset::Tiny | Preset::Demo) && marketplace.events.is_none();
    let recipe = if is_world {
        RECIPE.to_owned()
    } else {
        marketplace_recipe(marketplace.format)
    };
    if !force {
        keep_what_is_there(folder, &recipe)?;
    }
    match (preset, marketplace.events) {
        (Preset::Tiny, None) => world(WorldConfig::tiny(), folder, output),
        (Preset::Demo, None) => world(WorldConfig::default(), folder, output),
        (Preset::Marketplace, None) => market(MarketplaceConfig::default(), marketplace, folder, output),
        (_, Some(n_views)) => market(MarketplaceConfig::of_size(n_views), marketplace, folder, output),
    }
}

/// Files of a made world that somebody may have of their own, under the same names.
const TABLES: [&str; 3] = ["interactions", "items", "users"];

/// Refuses a folder that holds somebody's recipe or tables. Where its recipe is the one that would be written, the
/// world is a made one, and is made again.
fn keep_what_is_there(folder: &Path, recipe: &str) -> Result<(), Failure> {
    let file = folder.join("catchment.toml");
    let tables = TABLES
        .iter()
        .flat_map(|table| ["csv", "parquet"].map(|ending| folder.join(format!("{table}.{ending}"))));
    let there = match std::fs::read(&file) {
        Ok(text) if text == recipe.as_bytes() => None,
        Ok(_) => Some(file),
        Err(_) => tables.into_iter().find(|table| table.exists()),
    };
    there.map_or(Ok(()), |there| {
        Err(Failure::usage(
            format!(
                "{} is there already, and is not what would be made",
                there.display()
            ),
            "name another folder with -o, or write over it with --force",
        ))
    })
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
        speech::say(format!(
            "{} users, {} items, {} events, and a recipe for them: {}",
            config.n_users,
            config.n_items,
            config.n_events,
            folder.join("catchment.toml").display()
        ));
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
    // All that can be out of range stands on the command line.
    let marketplace = Marketplace::new(&config)
        .map_err(|error| Failure::usage(error.to_string(), "choose an allowed value for that flag"))?;
    let format = match args.format {
        TableFormat::Parquet => WriteFormat::Parquet,
        TableFormat::Csv => WriteFormat::Csv,
    };
    let mut bar = Bar::new("synth", output.is_silent());
    let files = marketplace.write(folder, format, &mut |done, total| {
        // Nothing can stop it but a signal: there is no half of a world.
        let _ = bar.step(done, total, "views");
    })?;
    drop(bar);
    let recipe = marketplace_recipe(args.format);
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
        speech::say(format!(
            "{} users, {} items, {} events ({} views, {} bookings, {} rejections), and a recipe for them: {}",
            config.n_users,
            config.n_items,
            size.n_events(),
            size.n_views,
            size.n_bookings,
            size.n_rejections,
            folder.join("catchment.toml").display()
        ));
    }
    Ok(())
}

fn marketplace_recipe(format: TableFormat) -> String {
    let ending = match format {
        TableFormat::Parquet => "parquet",
        TableFormat::Csv => "csv",
    };
    MARKETPLACE_RECIPE.replace("{format}", ending)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::recipe::Recipe;

    /// What lies in a folder after the command, in order.
    fn made(arguments: &str) -> (tempfile::TempDir, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let words = format!("catchment-train {arguments} --quiet -o");
        let words = words.split(' ').map(Into::into).chain([folder.path().into()]);
        let words: Vec<std::ffi::OsString> = words.collect();
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        crate::commands::run(cli).unwrap_or_else(|_| panic!("{arguments}: it failed"));
        let entries = std::fs::read_dir(folder.path()).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        (folder, names)
    }

    #[test]
    fn a_marketplace_comes_with_its_truth_and_a_recipe_that_can_be_read() {
        for (format, ending) in [("", "parquet"), (" --format csv", "csv")] {
            let (folder, names) = made(&format!("synth --events 2000 --users 50 --items 300{format}"));
            let mut expected = [
                "catchment.toml".to_owned(),
                format!("interactions.{ending}"),
                format!("items.{ending}"),
                "judgements.txt".to_owned(),
                "labels.parquet".to_owned(),
                "queries.csv".to_owned(),
                "truth.parquet".to_owned(),
                "truth_bookings.parquet".to_owned(),
                format!("users.{ending}"),
            ];
            expected.sort();
            assert_eq!(names, expected);
            let recipe = Recipe::read(&folder.path().join("catchment.toml"));
            assert!(recipe.is_ok(), "the recipe for {ending}");
        }
    }

    #[test]
    fn only_what_is_asked_for_is_made() {
        let (_folder, names) = made("synth --events 2000 --with sessions,drift --switch-day 30 --days 60");
        assert_eq!(
            names,
            [
                "catchment.toml",
                "interactions.parquet",
                "items.parquet",
                "truth.parquet",
                "users.parquet"
            ]
        );
    }

    #[test]
    fn sizes_belong_to_a_marketplace_and_a_preset_has_its_own() {
        for wrong in [
            "synth --preset tiny --events 2000 -o x",
            "synth --users 50 -o x",
            "synth --events many -o x",
        ] {
            let words = format!("catchment-train {wrong}");
            assert!(Cli::try_parse_from(words.split(' ')).is_err(), "{wrong}");
        }
        let preset = Cli::try_parse_from("catchment-train synth --preset marketplace -o x".split(' '));
        let is_synth = |cli: Cli| {
            matches!(
                cli.command,
                Command::Synth {
                    preset: Preset::Marketplace,
                    ..
                }
            )
        };
        assert!(preset.is_ok_and(is_synth));
    }
}
