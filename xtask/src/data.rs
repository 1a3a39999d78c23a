//! `cargo xtask data`.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Which dataset.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A name of `datasets/registry.toml`; none lists them.
    name: Option<String>,
}

/// The registry is TOML, but all that is needed of it here is one table as it stands.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let path = workspace.root.join("datasets/registry.toml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
        .collect();
    let Some(wanted) = &args.name else {
        println!("{}", names.join("\n"));
        return Ok(());
    };
    if !names.contains(&wanted.as_str()) {
        bail!("no dataset `{wanted}`; there are: {}", names.join(", "));
    }
    let table = text
        .lines()
        .skip_while(|line| *line != format!("[{wanted}]"))
        .skip(1);
    for line in table
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty())
    {
        println!("{line}");
    }
    match std::env::var_os("CATCHMENT_DATA") {
        Some(folder) if std::path::Path::new(&folder).join(wanted).is_dir() => {
            println!("at hand: $CATCHMENT_DATA/{wanted}");
        }
        Some(_) => println!("not at hand: put its files into $CATCHMENT_DATA/{wanted}"),
        None => println!("not at hand: set CATCHMENT_DATA to the folder that holds {wanted}/"),
    }
    Ok(())
}
