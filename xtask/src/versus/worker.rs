//! A process that does the same work as often as it is asked to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// What a worker says of one run.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) seconds: f64,
    pub(crate) quality: Value,
    /// How much was done, where that says more than the seconds.
    pub(crate) examples: Option<f64>,
}

/// A started worker; it ends with us.
pub(crate) struct Worker {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Started; it reads its input before the first answer.
    pub(crate) fn start(mut command: Command, input: &Path, settings: &str, threads: u32) -> Result<Self> {
        command.arg(input).arg(settings);
        for variable in [
            "RAYON_NUM_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMBA_NUM_THREADS",
            "POLARS_MAX_THREADS",
        ] {
            command.env(variable, threads.to_string());
        }
        // A worker that waits must not spin: it is the other's turn.
        command
            .env("OMP_WAIT_POLICY", "PASSIVE")
            .env("KMP_BLOCKTIME", "0");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let ask = child.stdin.take().context("a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("a pipe")?);
        Ok(Self { child, ask, answers })
    }

    pub(crate) fn work(&mut self) -> Result<Answer> {
        writeln!(self.ask, "run")?;
        self.ask.flush()?;
        let line = self.line()?;
        let answer: Answer =
            serde_json::from_str(&line).with_context(|| format!("the worker said {line:?}"))?;
        ensure!(answer.seconds > 0.0, "a run of {} seconds", answer.seconds);
        Ok(answer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line)?;
        ensure!(
            read > 0,
            "a worker ended before it answered; its message is above"
        );
        Ok(line)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
