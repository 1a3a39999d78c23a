//! Where things are, and how to call cargo and our binaries.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use xshell::Shell;

/// The checkout and its target folder.
pub(crate) struct Workspace {
    /// Shell, standing in the checkout.
    pub(crate) shell: Shell,
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, `CARGO_TARGET_DIR` honoured.
    pub(crate) target: PathBuf,
}

/// The two programs.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// `catchment-train`.
    Train,
    /// `catchment-serve`.
    Serve,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // Cargo says at run time where it stands. What was true when this was compiled need not be any more:
        // two checkouts may share a target folder.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask lies in the checkout")?;
        let shell = Shell::new()?;
        shell.change_dir(root);
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::path::absolute(PathBuf::from(folder))?,
            None => root.join("target"),
        };
        Ok(Self {
            shell,
            root: root.to_owned(),
            target,
        })
    }

    /// Builds the whole workspace: building one crate of it would unify features differently and compile
    /// its dependencies once more.
    pub(crate) fn build(&self, release: bool) -> Result<()> {
        let profile: &[&str] = if release { &["--release"] } else { &[] };
        self.cargo("build", &[&["--workspace"], profile].concat())
    }

    pub(crate) fn cargo(&self, command: &str, arguments: &[&str]) -> Result<()> {
        self.checked(Command::new(cargo()).arg(command).args(arguments))
    }

    /// Runs a command in the checkout; its failure is ours.
    pub(crate) fn checked(&self, command: &mut Command) -> Result<()> {
        command.current_dir(&self.root);
        let status = command
            .status()
            .with_context(|| format!("cannot start {command:?}"))?;
        ensure!(status.success(), "{} failed ({status})", describe(command));
        Ok(())
    }

    pub(crate) fn program(&self, program: Program, release: bool) -> PathBuf {
        let name = match program {
            Program::Train => "catchment-train",
            Program::Serve => "catchment-serve",
        };
        let profile = if release { "release" } else { "debug" };
        self.target
            .join(profile)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Starts one of our programs and leaves it running until the guard is dropped.
    pub(crate) fn start(&self, program: Program, arguments: &[&str]) -> Result<Running> {
        let mut command = Command::new(self.program(program, false));
        command
            .args(arguments)
            .current_dir(&self.root)
            .stdin(Stdio::null());
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Running(child))
    }
}

/// A child process that ends with us.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn wait(&mut self) -> Result<()> {
        self.0.wait()?;
        Ok(())
    }

    /// Fails with a clear word when the process has already ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("the server ended at once ({status}); its message is above"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says what happens, does it, and says how long it took.
pub(crate) fn stage<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("── {name}");
    let start = Instant::now();
    let result = work().with_context(|| name.to_owned());
    let verdict = if result.is_ok() { "done" } else { "FAILED" };
    println!("── {name}: {verdict} in {:.1} s", start.elapsed().as_secs_f64());
    result
}

pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}
