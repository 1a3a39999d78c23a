//! `cargo xtask test`: everything that has to hold, the test runner last, so that its summary is the last word.

use std::path::PathBuf;
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
    /// Do not train on a graphics processor (several minutes of building where nothing is cached).
    #[arg(long)]
    no_gpu: bool,
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
        if args.no_gpu {
            println!("skipped: {GPU_TESTS}* of catchment-models (`--no-gpu`)");
        } else {
            stage("training on a graphics processor", || gpu(workspace))?;
        }
    }
    stage("tests", || tests(workspace))
}

/// The tests that compare a graphics processor with the processor begin so.
const GPU_TESTS: &str = "a_gpu_";

/// On whatever driver there is, Mesa's software Vulkan among them. Without one, nothing is built for it.
fn gpu(workspace: &Workspace) -> Result<()> {
    if !has_gpu_driver() {
        println!(
            "skipped: {GPU_TESTS}* of catchment-models, as there is no Vulkan driver (Debian has one in software: mesa-vulkan-drivers)"
        );
        return Ok(());
    }
    let only = [
        "test",
        "--package",
        "catchment-models",
        "--features",
        "gpu",
        "--lib",
    ];
    let test = [GPU_TESTS, "--", "--nocapture", "--test-threads", "1"];
    workspace.cargo(only[0], &[&only[1..], &test].concat())
}

/// Whether the Vulkan loader would find a driver; other systems than Linux bring one.
fn has_gpu_driver() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut folders = vec![
        PathBuf::from("/usr/share/vulkan/icd.d"),
        PathBuf::from("/usr/local/share/vulkan/icd.d"),
        PathBuf::from("/etc/vulkan/icd.d"),
    ];
    folders.extend(std::env::home_dir().map(|home| home.join(".local/share/vulkan/icd.d")));
    let holds_one = |folder: &PathBuf| folder.read_dir().is_ok_and(|mut files| files.next().is_some());
    is_set("VK_DRIVER_FILES") || is_set("VK_ICD_FILENAMES") || folders.iter().any(holds_one)
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
