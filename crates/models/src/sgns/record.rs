//! Changes that were computed and not yet made.

use super::kernel::{Kernel, Update};
use super::rows::Rows;

/// What some centres would change: for each group of targets the centre as the group saw it, and how much of it each
/// target gains.
#[derive(Debug)]
pub(super) struct Record {
    /// What rows gain multiples of.
    pub(super) vectors: Rows,
    n_vectors: usize,
    /// Of input vectors, in the order in which they were computed.
    pub(super) inputs: Vec<Update>,
    /// Of output vectors.
    pub(super) outputs: Vec<Update>,
}

impl Record {
    /// An empty one, for vectors of this width.
    pub(super) fn new(dim: usize) -> Self {
        Self {
            vectors: Rows::zeros(0, dim),
            n_vectors: 0,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Bytes of a record of so many targets, of which each group has at least two.
    pub(super) fn bytes(n_targets: usize, dim: usize) -> usize {
        // A centre has a vector beside those of its groups, and at least one group.
        n_targets * 2 * size_of::<Update>() + Rows::bytes(n_targets, dim)
    }

    /// Room for `n` vectors more; the number of the first of them.
    pub(super) fn room(&mut self, n: usize) -> u32 {
        let first = self.n_vectors;
        self.n_vectors += n;
        self.vectors.grow(self.n_vectors);
        u32::try_from(first).unwrap_or(u32::MAX)
    }

    /// Adds the changes to those rows of the tables whose numbers have the low bits `part` under `mask`.
    pub(super) fn apply(&self, kernel: Kernel, [input, output]: [&Rows; 2], part: u32, mask: u32) {
        kernel.apply(input, &self.vectors, &self.inputs, part, mask);
        kernel.apply(output, &self.vectors, &self.outputs, part, mask);
    }

    /// Forgets all changes; the memory is kept.
    pub(super) fn clear(&mut self) {
        self.n_vectors = 0;
        self.inputs.clear();
        self.outputs.clear();
    }
}
