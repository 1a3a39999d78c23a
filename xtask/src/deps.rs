//! `cargo xtask deps`: proves the dependency table of `docs/ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package};

use crate::workspace::{Workspace, cargo};

/// How much to prove.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also check that each crate builds alone, with default and with no default features.
    #[arg(long)]
    pub(crate) alone: bool,
}

/// One room: what it may depend on, and what must not be anywhere below it.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    room("schema", &[], &["burn", "hnsw_rs", "axum", "tokio", "datafusion"]),
    room(
        "synthetic",
        &["schema"],
        &["burn", "hnsw_rs", "axum", "tokio", "datafusion"],
    ),
    room("features", &["schema"], &["burn", "axum", "datafusion"]),
    room("sampling", &["schema"], &["burn", "axum"]),
    room("bundle", &["schema"], &["burn", "axum"]),
    room(
        "models",
        &["schema", "features", "sampling"],
        &["burn", "axum", "tokio", "hnsw_rs"],
    ),
    room("ann-index", &["schema"], &["burn", "axum"]),
    room("prepare", &["schema"], &["burn", "axum"]),
    room("recall", &["schema", "ann-index"], &["burn", "hnsw_rs", "axum"]),
    room("ranking", &["schema", "features", "models"], &["axum", "hnsw_rs"]),
    room("evaluation", &["schema", "ann-index"], &["burn", "axum"]),
    room(
        "pipeline",
        &[
            "schema",
            "features",
            "models",
            "ann-index",
            "bundle",
            "recall",
            "ranking",
        ],
        &["axum", "datafusion", "burn-autodiff"],
    ),
    room(
        "trainer",
        &[
            "schema",
            "synthetic",
            "features",
            "sampling",
            "models",
            "ann-index",
            "bundle",
            "prepare",
            "recall",
            "ranking",
            "evaluation",
            "pipeline",
        ],
        &["axum"],
    ),
    room(
        "serving",
        &["schema", "features", "bundle", "recall", "ranking", "pipeline"],
        &["burn-autodiff", "datafusion"],
    ),
];

/// Only `schema` names these two; everybody else takes them from it.
const ONLY_IN_SCHEMA: &[&str] = &["arrow", "parquet"];
/// `xtask` stays thin.
const NEVER_IN_XTASK: &[&str] = &["burn", "arrow", "parquet", "datafusion", "axum"];

const fn room(name: &'static str, may_use: &'static [&'static str], never: &'static [&'static str]) -> Room {
    Room { name, may_use, never }
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    // All features: a forbidden crate must at least be somebody's option, or its absence proves nothing.
    let metadata = MetadataCommand::new()
        .current_dir(&workspace.root)
        .features(CargoOpt::AllFeatures)
        .exec()?;
    let known = known_names(&metadata);
    let mut wrong = Vec::new();
    for member in metadata
        .workspace_packages()
        .iter()
        .filter(|member| member.name.as_str() != "xtask")
    {
        let short = short_name(member);
        if !ROOMS.iter().any(|room| room.name == short) {
            wrong.push(format!("{}: a crate that the table does not know", member.name));
        }
    }
    for room in ROOMS {
        let package = format!("catchment-{}", room.name);
        let member = metadata
            .workspace_packages()
            .into_iter()
            .find(|member| member.name.as_str() == package)
            .with_context(|| format!("the table names {package}, and there is no such crate"))?;
        check_edges(room, member, &mut wrong);
        let below = tree(workspace, &package)?;
        check_absences(room.name, &below, room.never, &known, &mut wrong);
    }
    check_absences(
        "xtask",
        &tree(workspace, "xtask")?,
        NEVER_IN_XTASK,
        &known,
        &mut wrong,
    );
    ensure!(
        wrong.is_empty(),
        "the dependency table does not hold:\n  {}",
        wrong.join("\n  ")
    );
    println!(
        "{} crates keep to the dependency table, absences included",
        ROOMS.len()
    );
    if args.alone {
        build_alone(workspace)?;
    }
    Ok(())
}

/// Every name that the lock file holds. A forbidden name that is not among them is a misspelling, or a
/// feature nobody can turn on, and its absence would prove nothing.
fn known_names(metadata: &Metadata) -> BTreeSet<String> {
    metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect()
}

fn short_name(package: &Package) -> &str {
    package.name.as_str().trim_start_matches("catchment-")
}

fn check_edges(room: &Room, member: &Package, wrong: &mut Vec<String>) {
    for dependency in &member.dependencies {
        let name = dependency.name.as_str();
        if let Some(short) = name.strip_prefix("catchment-") {
            match dependency.kind {
                DependencyKind::Development if dependency.req != cargo_metadata::semver::VersionReq::STAR => {
                    wrong.push(format!(
                        "{}: dev-dependency {name} must be by path alone",
                        room.name
                    ));
                }
                DependencyKind::Development => {}
                _ if !room.may_use.contains(&short) => {
                    wrong.push(format!("{} may not depend on {short}", room.name));
                }
                _ => {}
            }
        }
        let normal = dependency.kind == DependencyKind::Normal;
        if normal && ONLY_IN_SCHEMA.contains(&name) && room.name != "schema" {
            wrong.push(format!("{} names {name}; only schema may", room.name));
        }
    }
}

fn check_absences(
    name: &str,
    below: &BTreeSet<String>,
    never: &[&str],
    known: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) {
    for forbidden in never {
        if !known.contains(*forbidden) {
            wrong.push(format!(
                "{name}: forbidden crate `{forbidden}` does not exist anywhere: misspelt?"
            ));
        } else if below.contains(*forbidden) {
            wrong.push(format!("{name} must never know {forbidden}, and does"));
        }
    }
}

/// What one crate pulls in by itself: its own resolution, default features, normal dependencies.
fn tree(workspace: &Workspace, package: &str) -> Result<BTreeSet<String>> {
    let output = Command::new(cargo())
        .args([
            "tree", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}",
        ])
        .current_dir(&workspace.root)
        .output()?;
    ensure!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect())
}

/// In a target folder of its own: other feature sets would throw the shared one away.
fn build_alone(workspace: &Workspace) -> Result<()> {
    let target = workspace.target.join("alone");
    for room in ROOMS {
        let package = format!("catchment-{}", room.name);
        for features in [&[][..], &["--no-default-features"][..]] {
            let mut command = Command::new(cargo());
            command.args(["check", "--quiet", "-p", &package]).args(features);
            command.env("CARGO_TARGET_DIR", &target);
            workspace.checked(&mut command)?;
        }
    }
    println!(
        "{} crates build alone, with default and with no default features",
        ROOMS.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(below: &[&str], never: &[&str]) -> Vec<String> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut wrong = Vec::new();
        check_absences("room", &set(below), never, &set(&["burn", "axum"]), &mut wrong);
        wrong
    }

    #[test]
    fn a_forbidden_crate_is_found_and_a_misspelt_one_cannot_pass() {
        assert!(check(&["serde"], &["burn"]).is_empty());
        assert_eq!(check(&["burn"], &["burn"]).len(), 1);
        assert_eq!(check(&["serde"], &["bum"]).len(), 1);
    }

    #[test]
    fn the_table_has_no_cycle() {
        for (position, room) in ROOMS.iter().enumerate() {
            for used in room.may_use {
                let used = ROOMS
                    .iter()
                    .position(|other| other.name == *used)
                    .expect("a known room");
                assert!(used < position, "{} is listed before what it uses", room.name);
            }
        }
    }
}
