//! `cargo xtask release`.

use anyhow::{Result, ensure};

use crate::workspace::Workspace;

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
    workspace.cargo("publish", &["--workspace", "--dry-run", "--allow-dirty"])
}
