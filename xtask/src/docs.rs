//! `cargo xtask docs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::{Workspace, cargo};

/// What to do with the documentation.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fail on warnings and on links into nowhere.
    #[arg(long)]
    pub(crate) check: bool,
    /// Open it in a browser.
    #[arg(long)]
    pub(crate) open: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let mut command = Command::new(cargo());
    command.args(["doc", "--workspace", "--no-deps"]);
    if args.open {
        command.arg("--open");
    }
    if args.check {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    workspace.checked(&mut command)?;
    if args.check {
        check_links(workspace)?;
    }
    Ok(())
}

/// Every relative link of every page must point at a file that exists.
fn check_links(workspace: &Workspace) -> Result<()> {
    let mut pages = vec![workspace.root.join("README.md")];
    for folder in ["docs", "crates", "datasets"] {
        collect_pages(&workspace.root.join(folder), &mut pages)?;
    }
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
        let folder = page.parent().unwrap_or(Path::new("."));
        for target in links(&text) {
            if !folder.join(target).exists() {
                broken.push(format!(
                    "{}: {target}",
                    page.strip_prefix(&workspace.root)?.display()
                ));
            }
        }
    }
    ensure!(
        broken.is_empty(),
        "links into nowhere:\n  {}",
        broken.join("\n  ")
    );
    println!("{} pages, no link into nowhere", pages.len());
    Ok(())
}

fn collect_pages(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect_pages(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The relative targets of `[text](target)`, anchors cut off.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?.split('#').next()?;
        let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        (!elsewhere).then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_without_anchor() {
        let text = "[a](b.md#c) [d](https://e.org) [f](#g) ![h](i/j.svg)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "i/j.svg"]);
    }
}
