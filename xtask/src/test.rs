//! `cargo xtask test`: everything that has to hold, the test runner last, so that its summary is the last word.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::workspace::{Workspace, cargo, stage};
use crate::{demo, deps, docs};

/// What to leave out.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the test runner.
    #[arg(long)]
    only_tests: bool,
    /// Do not build each crate alone (the slow half of `deps`).
    #[arg(long)]
    not_alone: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if !args.only_tests {
        stage("format", || workspace.cargo("fmt", &["--all", "--check"]))?;
        stage("lints", || {
            workspace.cargo(
                "clippy",
                &["--workspace", "--all-targets", "--", "-D", "warnings"],
            )
        })?;
        stage("dependencies", || {
            deps::run(
                workspace,
                &deps::Args {
                    alone: !args.not_alone,
                },
            )
        })?;
        stage("licences and sources", || licences(workspace))?;
        stage("documentation", || {
            docs::run(
                workspace,
                &docs::Args {
                    check: true,
                    open: false,
                },
            )
        })?;
        stage("the river, end to end on a tiny world", || {
            demo::end_to_end(workspace)
        })?;
        stage("examples in the documentation", || {
            workspace.cargo("test", &["--workspace", "--doc", "--quiet"])
        })?;
    }
    stage("tests", || tests(workspace))
}

/// Bans, licences and sources of `deny.toml`; advisories would need the network.
fn licences(workspace: &Workspace) -> Result<()> {
    if has("deny") {
        workspace.cargo("deny", &["--offline", "check", "bans", "licenses", "sources"])
    } else {
        println!("skipped: cargo-deny is not installed");
        Ok(())
    }
}

/// Whether cargo has this subcommand.
fn has(subcommand: &str) -> bool {
    let mut command = Command::new(cargo());
    command
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// With nextest where it is installed, otherwise with cargo's own runner.
fn tests(workspace: &Workspace) -> Result<()> {
    if has("nextest") {
        workspace.cargo("nextest", &["run", "--workspace"])
    } else {
        println!("cargo-nextest is not installed: using `cargo test`");
        workspace.cargo(
            "test",
            &["--workspace", "--lib", "--bins", "--tests", "--examples"],
        )
    }
}
