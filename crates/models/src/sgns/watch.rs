//! Tells progress, not too often.

use super::worker::Done;
use crate::progress::{Flow, Progress};

/// Steps of progress in an epoch, about.
pub(super) const STEPS_AN_EPOCH: usize = 32;

/// What was done, and what of it was told.
pub(super) struct Watch<'a> {
    progress: &'a mut dyn Progress,
    pub(super) done: Done,
    pub(super) told: Done,
    total: u64,
}

impl<'a> Watch<'a> {
    /// Begins where `done` and `told` say; `total` events are to be read.
    pub(super) fn new(progress: &'a mut dyn Progress, [done, told]: [Done; 2], total: u64) -> Self {
        Self {
            progress,
            done,
            told,
            total,
        }
    }

    /// Tells what was done, where it is enough of an epoch or the last of all. The last is never stopped.
    pub(super) fn step(&mut self, is_more: bool, epoch_events: u64) -> Flow {
        let since = self.done.events - self.told.events;
        if is_more && since * (STEPS_AN_EPOCH as u64) < epoch_events {
            return Flow::Continue;
        }
        let pairs = self.done.loss_pairs - self.told.loss_pairs;
        let loss = (self.done.loss - self.told.loss) / pairs.max(1) as f64;
        let note = format!("loss {loss:.4}, {:.1}M pairs", self.done.pairs as f64 / 1e6);
        self.told = self.done;
        self.progress.work(self.done.pairs, "pairs");
        let flow = self.progress.step(self.done.events, self.total, &note);
        if is_more { flow } else { Flow::Continue }
    }
}
