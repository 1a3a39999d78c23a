//! `cargo xtask reproduce`.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace::{Program, Workspace, stage};

/// Which recipe, and how often.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A file of `crates/trainer/recipes/`, without `.toml`; none lists them.
    recipe: Option<String>,
    /// How many seeds; the recipe's own is the first.
    #[arg(long, default_value_t = 1)]
    seeds: u32,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let folder = workspace.root.join("crates/trainer/recipes");
    let Some(recipe) = &args.recipe else {
        let mut names: Vec<_> = std::fs::read_dir(&folder)?
            .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        println!("{}", names.join("\n"));
        return Ok(());
    };
    let path = folder.join(format!("{recipe}.toml"));
    ensure!(
        path.is_file(),
        "no recipe {}; `cargo xtask reproduce` lists them",
        path.display()
    );
    stage("build (release)", || workspace.build(true))?;
    let output = workspace.target.join("reproduce");
    std::fs::create_dir_all(&output)?;
    let result = output.join(format!("{recipe}.json"));
    let mut command = Command::new(workspace.program(Program::Train, true));
    command
        .arg("reproduce")
        .arg(&path)
        .arg("--work")
        .arg(output.join("work"));
    command
        .arg("--seeds")
        .arg(args.seeds.to_string())
        .arg("-o")
        .arg(&result);
    command.env("CATCHMENT_COMMIT", commit(workspace));
    stage(recipe, || workspace.checked(&mut command))?;
    println!("{}", result.display());
    Ok(())
}

/// The commit that is measured, with a `+` where the checkout has changes on top of it.
fn commit(workspace: &Workspace) -> String {
    let git = |arguments: &[&str]| {
        xshell::cmd!(workspace.shell, "git {arguments...}")
            .quiet()
            .ignore_stderr()
            .read()
            .unwrap_or_default()
    };
    let changed = if git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        ""
    } else {
        "+"
    };
    format!("{}{changed}", git(&["rev-parse", "--short=12", "HEAD"]))
}
