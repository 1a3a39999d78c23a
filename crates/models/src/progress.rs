//! How bars, logs, early stopping and Ctrl-C reach a training, so that models never print.

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop here. What a training then returns is said at its `fit`.
    Stop,
}

/// Told of every step of a training.
///
/// # Laws
/// 1. `done` never falls, never exceeds `total`, and is `total` in the last call of a training that was not stopped.
/// 2. After [`Flow::Stop`] there is no further call.
/// 3. Calls come from the thread that called `fit`, in an order that does not depend on the number of threads.
pub trait Progress {
    /// `done` of `total` units are done; `note` is a short text about the last one (a loss, for example).
    fn step(&mut self, done: u64, total: u64, note: &str) -> Flow;

    /// Just before a step: how much work of a kind was done so far, which grows from step to step. Whoever has a clock
    /// can tell how much of it is done in a second.
    fn work(&mut self, _done: u64, _unit: &str) {}
}

/// Says nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&mut self, _done: u64, _total: u64, _note: &str) -> Flow {
        Flow::Continue
    }
}

impl<F: FnMut(u64, u64, &str) -> Flow> Progress for F {
    fn step(&mut self, done: u64, total: u64, note: &str) -> Flow {
        self(done, total, note)
    }
}
