//! Bars on a terminal, a line every ten seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use catchment_models::progress::{Flow, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt;
use crate::speech;

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
    /// When work was first told, and how much of it there was: a fit that was taken up begins with some.
    first: Option<(Instant, u64)>,
    /// `, 1.3M pairs/s`, once it is known.
    speed: String,
}

/// Before so long, a speed says little.
const SPEED_AFTER: Duration = Duration::from_secs(1);

/// `850k pairs/s`.
fn speed(done: u64, unit: &str, within: Duration) -> String {
    let rate = done as f64 / within.as_secs_f64();
    match rate {
        rate if rate >= 1e6 => format!("{:.2}M {unit}/s", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.0}k {unit}/s", rate / 1e3),
        rate => format!("{rate:.0} {unit}/s"),
    }
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
            first: None,
            speed: String::new(),
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
            speech::aside(format!("{}: {}, {far}", self.name, progress.stage));
        }
    }
}

impl Progress for Bar {
    fn step(&mut self, done: u64, total: u64, note: &str) -> Flow {
        self.drawn.set_length(total);
        self.drawn.set_position(done);
        let note = format!("{note}{}", self.speed);
        self.drawn.set_message(note.clone());
        if self.next_line.is_some_and(|due| Instant::now() >= due) {
            self.next_line = Some(Instant::now() + LINE_EVERY);
            let eta = self.drawn.eta().as_secs();
            speech::aside(format!(
                "{}: {done}/{total} {note} (about {eta} s left)",
                self.name
            ));
        }
        if interrupt::asked() {
            return Flow::Stop;
        }
        Flow::Continue
    }

    fn work(&mut self, done: u64, unit: &str) {
        let (since, before) = *self.first.get_or_insert((Instant::now(), done));
        if since.elapsed() >= SPEED_AFTER {
            let done = done.saturating_sub(before);
            self.speed = format!(", {}", speed(done, unit, since.elapsed()));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_has_the_unit_that_suits_it() {
        let of = |done| speed(done, "pairs", Duration::from_secs(2));
        assert_eq!(of(2_468_000), "1.23M pairs/s");
        assert_eq!(of(1_700_000), "850k pairs/s");
        assert_eq!(of(30), "15 pairs/s");
    }

    #[test]
    fn a_fit_that_was_taken_up_is_not_taken_for_a_fast_one() {
        let mut bar = Bar::new("item2vec", true);
        bar.work(1_000_000_000, "pairs");
        let (since, before) = bar.first.expect("told");
        assert_eq!(before, 1_000_000_000);
        bar.first = since
            .checked_sub(Duration::from_secs(10))
            .map(|since| (since, before));
        bar.work(1_000_000_100, "pairs");
        assert_eq!(bar.speed, ", 10 pairs/s");
    }
}
