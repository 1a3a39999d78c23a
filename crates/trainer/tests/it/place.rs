//! A folder of a test, and the binary in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The output of a command that did its work.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The one JSON object of a command that did its work.
    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.well();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// A folder that is gone after the test.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn empty() -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
        }
    }

    /// With the tiny world and its recipe, `catchment.toml`.
    pub(crate) fn with_world() -> Self {
        let place = Self::empty();
        place.run("synth --preset tiny -o .").well();
        place
    }

    /// With the tiny world run through the whole river: `work/`, `bundles/`.
    pub(crate) fn with_bundle() -> Self {
        let place = Self::with_world();
        place.run("run catchment.toml --quiet").well();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("read")
    }

    /// Changes a text file; what is to be replaced has to be there.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, text.replacen(from, to, 1));
    }

    /// Runs the binary inside the folder with arguments cut at blanks.
    pub(crate) fn run(&self, arguments: &str) -> Said {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_catchment-train"))
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("CATCHMENT_DATA")
            .envs(variables.iter().copied())
            .output()
            .expect("started");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Said {
            code: output.status.code().expect("not killed"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// As [`Place::run`], with both streams going where nobody reads. The exit code, and what is said to a reader of
    /// stderr alone.
    pub(crate) fn run_unheard(&self, arguments: &str) -> (Option<i32>, String) {
        let closed = || {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            drop(reader);
            writer
        };
        let command = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_catchment-train"));
            command
                .args(arguments.split_whitespace())
                .current_dir(self.folder.path())
                .stdout(closed());
            command
        };
        let output = command().output().expect("started");
        let both = command().stderr(closed()).status().expect("started");
        assert_eq!(output.status.code(), both.code(), "{arguments}");
        (
            output.status.code(),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    }

    /// Exit code and stderr of a command that fails, paths as seen from the folder.
    pub(crate) fn refuse(&self, arguments: &str) -> String {
        let said = self.run(arguments);
        assert_ne!(said.code, 0, "was done: {}", said.stdout);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        assert!(said.stderr.contains("error: "), "{}", said.stderr);
        assert!(said.stderr.contains("help: "), "{}", said.stderr);
        format!("{}: {}", said.code, said.stderr.trim_end())
    }

    /// Every file below a folder, sorted, with what is in it.
    pub(crate) fn files(&self, below: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.path(below);
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort();
        files
    }

    /// As [`Place::files`]; none where there is no folder.
    pub(crate) fn files_or_none(&self, below: &str) -> Vec<(String, Vec<u8>)> {
        if self.path(below).exists() {
            self.files(below)
        } else {
            Vec::new()
        }
    }

    /// The current bundle's folder.
    pub(crate) fn bundle(&self) -> String {
        format!("bundles/{}", self.read("bundles/CURRENT").trim())
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            files.push((name, fs::read(&path).expect("read")));
        }
    }
}
