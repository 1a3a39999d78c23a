//! `cargo xtask release`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::{Workspace, cargo};

/// How far to go.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Package and verify everything, upload nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    ensure!(
        args.dry_run,
        "only --dry-run is done here; publishing is a maintainer's own step"
    );
    let target = workspace.target.join("release-check");
    forget_our_packages(&target)?;
    let mut command = Command::new(cargo());
    command.args(["publish", "--workspace", "--dry-run", "--allow-dirty"]);
    command.env("CARGO_TARGET_DIR", &target);
    workspace.checked(&mut command)
}

/// Cargo verifies each package against the others as if a registry had them, and takes what came from a registry for
/// unchangeable: without this, a second rehearsal of the same version would compile against the first one's crates.
fn forget_our_packages(target: &Path) -> Result<()> {
    remove(&target.join("package"))?;
    for profile in children(target)? {
        for fingerprint in children(&profile.join(".fingerprint"))? {
            if is_ours(&fingerprint) {
                remove(&fingerprint)?;
            }
        }
    }
    let home = match std::env::var_os("CARGO_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir()
            .context("there is no home directory, and CARGO_HOME is not set")?
            .join(".cargo"),
    };
    for registry in children(&home.join("registry/src"))? {
        // The registry of a rehearsal has no host to be named by.
        let has_no_host = registry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"-"));
        for package in children(&registry)? {
            if has_no_host && is_ours(&package) {
                remove(&package)?;
            }
        }
    }
    Ok(())
}

fn is_ours(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"catchment-"))
}

/// What is in a folder; nothing where there is none.
fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn remove(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_packages_are_forgotten() {
        assert!(is_ours(Path::new("a/catchment-models-0.1.0")));
        assert!(!is_ours(Path::new("a/serde-1.0.0")));
        assert!(!is_ours(Path::new("catchment-models/serde")));
    }
}
