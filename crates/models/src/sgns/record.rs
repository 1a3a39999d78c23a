//! Changes that were computed and not yet made.

use super::NegativesForm;
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
    /// An empty one, for vectors of this width, with memory set aside for so many targets. Whatever more there are takes
    /// just what it needs.
    pub(super) fn new(dim: usize, n_targets: usize, form: NegativesForm) -> Self {
        let [vectors, inputs, outputs] = Self::lengths(n_targets, form);
        Self {
            vectors: Rows::with_capacity(vectors, dim),
            n_vectors: 0,
            inputs: Vec::with_capacity(inputs),
            outputs: Vec::with_capacity(outputs),
        }
    }

    /// Bytes of a record of so many targets, of which each group has at least two.
    pub(super) fn bytes(n_targets: usize, dim: usize, form: NegativesForm) -> usize {
        let [vectors, inputs, outputs] = Self::lengths(n_targets, form);
        (inputs + outputs) * size_of::<Update>() + Rows::bytes(vectors, dim)
    }

    /// How many vectors and updates of both tables so many targets have at most.
    fn lengths(n_targets: usize, form: NegativesForm) -> [usize; 3] {
        let pairs = n_targets.div_ceil(2);
        match form {
            // A centre has a vector beside those of its groups, and at least one group.
            NegativesForm::Each => [n_targets, pairs, n_targets],
            // One pair alone that shares its negatives has a vector for every target and one more.
            NegativesForm::Shared => [n_targets + pairs, pairs, n_targets],
        }
    }

    /// Room for this many updates more.
    pub(super) fn reserve(&mut self, inputs: usize, outputs: usize) {
        self.inputs.reserve_exact(inputs);
        self.outputs.reserve_exact(outputs);
    }

    /// Room for `n` vectors more; the number of the first of them.
    pub(super) fn room(&mut self, n: usize) -> u32 {
        let first = self.n_vectors;
        self.n_vectors += n;
        self.vectors.grow(self.n_vectors);
        u32::try_from(first).unwrap_or(u32::MAX)
    }

    /// Where `n` vectors begin that [`Record::room`] was made for.
    pub(super) fn vectors(&self, first: u32, n: usize) -> *mut f32 {
        self.vectors.rows(first as usize, n)
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
