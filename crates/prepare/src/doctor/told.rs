//! What a finding has to tell.

use super::N_EXAMPLES;

/// How often, and the first of them.
#[derive(Default)]
pub(super) struct Told {
    pub(super) count: u64,
    pub(super) examples: Vec<String>,
}

impl Told {
    /// One more; the text of an example is made only where it is kept.
    pub(super) fn add(&mut self, example: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < N_EXAMPLES {
            self.examples.push(example());
        }
    }
}
