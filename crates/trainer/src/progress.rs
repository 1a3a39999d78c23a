//! Bars on a terminal, a line every ten seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use catchment_models::progress::{Flow, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows one piece of work.
pub(crate) struct Bar {
    drawn: ProgressBar,
    name: String,
    /// The step of a preparation.
    stage: String,
    /// When the next line is due; `None` on a terminal or when quiet.
    next_line: Option<Instant>,
}

impl Bar {
    pub(crate) fn new(name: &str, quiet: bool) -> Self {
        let terminal = stderr().is_terminal();
        let target = if quiet || !terminal {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{prefix:<24} {wide_bar} {pos}/{len} {msg} ETA {eta}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        let next_line = (!quiet && !terminal).then(|| Instant::now() + LINE_EVERY);
        Self {
            drawn: bar,
            name: name.to_owned(),
            stage: String::new(),
            next_line,
        }
    }

    /// How far a preparation is: rows of its step, which begins a count of its own.
    pub(crate) fn rows(&mut self, progress: &catchment_prepare::Progress) {
        if self.stage != progress.stage {
            progress.stage.clone_into(&mut self.stage);
            self.drawn.reset();
        }
        match progress.of {
            Some(of) => self.drawn.set_length(of),
            None => self.drawn.unset_length(),
        }
        self.drawn.set_position(progress.rows);
        self.drawn.set_message(format!("{} rows", progress.stage));
        if self.next_line.is_some_and(|due| Instant::now() >= due) {
            self.next_line = Some(Instant::now() + LINE_EVERY);
            let far = match progress.of {
                Some(of) if progress.rows > 0 => {
                    let eta = self.drawn.eta().as_secs();
                    format!("{}/{of} rows (about {eta} s left in this step)", progress.rows)
                }
                Some(of) => format!("{}/{of} rows", progress.rows),
                None => format!("{} rows", progress.rows),
            };
            eprintln!("{}: {}, {far}", self.name, progress.stage);
        }
    }
}

impl Progress for Bar {
    fn step(&mut self, done: u64, total: u64, note: &str) -> Flow {
        self.drawn.set_length(total);
        self.drawn.set_position(done);
        self.drawn.set_message(note.to_owned());
        if self.next_line.is_some_and(|due| Instant::now() >= due) {
            self.next_line = Some(Instant::now() + LINE_EVERY);
            let eta = self.drawn.eta().as_secs();
            eprintln!("{}: {done}/{total} {note} (about {eta} s left)", self.name);
        }
        if interrupt::asked() {
            return Flow::Stop;
        }
        Flow::Continue
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}
