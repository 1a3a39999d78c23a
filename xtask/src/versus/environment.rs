//! What a peer runs in: a Python of its own, or its own program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::contest::Contest;
use crate::workspace::{Workspace, cargo, stage};

/// A peer that can be started.
pub(crate) enum Environment {
    Python(Python),
    Program(Program),
}

impl Environment {
    /// Makes it where it is not there yet; `None` without Python.
    pub(crate) fn ready(workspace: &Workspace, contest: &Contest, below: &Path) -> Result<Option<Self>> {
        let script = workspace.root.join("xtask/versus").join(contest.script);
        Ok(match contest.script.strip_suffix("/Cargo.toml") {
            Some(folder) => Some(Self::Program(Program::ready(
                workspace,
                &script,
                &format!("{folder}-peer"),
                contest.packages,
            )?)),
            None => Python::ready(contest, below, script)?.map(Self::Python),
        })
    }

    /// The peer's worker.
    pub(crate) fn worker(&self) -> Command {
        match self {
            Self::Python(python) => {
                let mut command = Command::new(python.interpreter());
                command.arg(&python.script).env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Self::Program(program) => Command::new(&program.path),
        }
    }

    /// What was installed, by name.
    pub(crate) fn versions(&self) -> Result<Value> {
        match self {
            Self::Python(python) => python.versions(),
            Self::Program(program) => program.versions(),
        }
    }
}

/// A peer that is a program of Cargo's.
pub(crate) struct Program {
    path: PathBuf,
    lock: PathBuf,
    packages: &'static [&'static str],
}

impl Program {
    fn ready(
        workspace: &Workspace,
        manifest: &Path,
        name: &str,
        packages: &'static [&'static str],
    ) -> Result<Self> {
        stage(&format!("build {name} (release)"), || {
            let mut build = Command::new(cargo());
            build.args(["build", "--release", "--locked", "--manifest-path"]);
            build.arg(manifest).arg("--target-dir").arg(&workspace.target);
            run(&mut build)
        })?;
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Ok(Self {
            path: workspace.target.join("release").join(file),
            lock: manifest.with_extension("lock"),
            packages,
        })
    }

    fn versions(&self) -> Result<Value> {
        let lock = fs::read_to_string(&self.lock)?;
        let versions = self.packages.iter().map(|&package| {
            let version = locked(&lock, package);
            let version =
                version.with_context(|| format!("{} does not lock {package}", self.lock.display()))?;
            Ok((package.to_owned(), version.into()))
        });
        Ok(Value::Object(versions.collect::<Result<_>>()?))
    }
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// A virtual environment with the peer in it.
pub(crate) struct Python {
    folder: PathBuf,
    packages: &'static [&'static str],
    script: PathBuf,
}

impl Python {
    fn ready(contest: &Contest, below: &Path, script: PathBuf) -> Result<Option<Self>> {
        let environment = Self {
            folder: below.join(format!("python-{}", contest.name)),
            packages: contest.packages,
            script,
        };
        let wanted = contest.packages.join("\n");
        let mark = environment.folder.join("installed.txt");
        if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
            return Ok(Some(environment));
        }
        if Command::new("python3").arg("--version").output().is_err() {
            return Ok(None);
        }
        if let Some(warning) = contest.warning {
            println!("note: {warning}");
        }
        stage(&format!("install {}", contest.packages.join(" ")), || {
            let mut make = Command::new("python3");
            run(make.args(["-m", "venv"]).arg(&environment.folder))?;
            let mut install = Command::new(environment.interpreter());
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            run(install.args(contest.packages))
        })?;
        fs::write(&mark, wanted)?;
        Ok(Some(environment))
    }

    fn interpreter(&self) -> PathBuf {
        let inside = if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        };
        self.folder.join(inside)
    }

    fn versions(&self) -> Result<Value> {
        let ask = "import importlib.metadata as m, sys; [print(m.version(name)) for name in sys.argv[1:]]";
        let output = Command::new(self.interpreter())
            .args(["-c", ask])
            .args(self.packages)
            .output()?;
        ensure!(output.status.success(), "the peer's versions cannot be had");
        let text = String::from_utf8(output.stdout)?;
        let pairs = self.packages.iter().zip(text.lines());
        let versions: Map<String, Value> = pairs
            .map(|(name, version)| ((*name).to_owned(), version.into()))
            .collect();
        Ok(versions.into())
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(status.success(), "{status}; its message is above");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_says_the_version_of_just_that_package() {
        let lock = "[[package]]\nname = \"tantivy-common\"\nversion = \"0.10.0\"\n\n[[package]]\nname = \"tantivy\"\nversion = \"0.27.0\"\n";
        assert_eq!(locked(lock, "tantivy"), Some("0.27.0"));
        assert_eq!(locked(lock, "tant"), None);
    }
}
