//! How far a preparation is.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};

/// How often the caller is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// One message to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The step: see [`crate::Stage`].
    pub stage: &'static str,
    /// Rows that the step has given so far; all of them once it is done.
    pub rows: u64,
    /// How many rows it will give at most, where that is known.
    pub of: Option<u64>,
    /// Whether the step is done. Every step is told of once with this set, in order.
    pub is_done: bool,
    /// How often the query engine has moved something to disk since the start, for want of memory.
    pub spills: u64,
}

/// Counts rows as they come out of the plans, on any thread.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    now: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stage: &'static str,
    rows: u64,
    of: Option<u64>,
    spills: u64,
    done: VecDeque<Progress>,
}

impl Meter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step begins, which will give at most `of` rows.
    pub(crate) fn begin(&self, stage: &'static str, of: Option<u64>) {
        let mut now = self.lock();
        (now.stage, now.rows, now.of) = (stage, 0, of);
    }

    /// A table begins within the step: its rows are counted from 0.
    pub(crate) fn restart(&self) {
        self.lock().rows = 0;
    }

    pub(crate) fn add_rows(&self, rows: usize) {
        self.lock().rows += rows as u64;
    }

    pub(crate) fn add_spills(&self, spills: usize) {
        self.lock().spills += spills as u64;
    }

    pub(crate) fn done(&self, stage: &'static str, rows: u64) {
        let mut now = self.lock();
        let progress = Progress {
            stage,
            rows,
            of: Some(rows),
            is_done: true,
            spills: now.spills,
        };
        now.done.push_back(progress);
        (now.stage, now.rows, now.of) = ("", 0, None);
    }

    fn tell(&self, progress: &mut dyn FnMut(&Progress)) {
        let mut now = self.lock();
        let mut messages: Vec<Progress> = now.done.drain(..).collect();
        if !now.stage.is_empty() {
            messages.push(Progress {
                stage: now.stage,
                rows: now.rows,
                of: now.of,
                is_done: false,
                spills: now.spills,
            });
        }
        drop(now);
        messages.iter().for_each(progress);
    }

    /// Runs `work` and tells the caller how far it is, now and then and at the end.
    pub(crate) async fn watch<T>(
        &self,
        work: impl Future<Output = T>,
        progress: &mut dyn FnMut(&Progress),
    ) -> T {
        let mut work = pin!(work);
        loop {
            let tick = pin!(tokio::time::sleep(TELL_EVERY));
            match select(work.as_mut(), tick).await {
                Either::Left((result, _)) => {
                    self.tell(progress);
                    return result;
                }
                Either::Right(_) => self.tell(progress),
            }
        }
    }
}
