//! The Python that a peer runs in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::contest::Contest;
use crate::workspace::stage;

/// A virtual environment with the peer in it.
pub(crate) struct Environment {
    folder: PathBuf,
    packages: &'static [&'static str],
}

impl Environment {
    /// Makes it where it is not there yet; `None` without Python.
    pub(crate) fn ready(contest: &Contest, below: &Path) -> Result<Option<Self>> {
        let environment = Self {
            folder: below.join(format!("python-{}", contest.name)),
            packages: contest.packages,
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

    /// A script of the peer's.
    pub(crate) fn python(&self, script: &Path) -> Command {
        let mut command = Command::new(self.interpreter());
        command.arg(script).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// What was installed, by name.
    pub(crate) fn versions(&self) -> Result<Value> {
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
