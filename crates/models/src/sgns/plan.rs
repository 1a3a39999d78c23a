//! What one centre is trained against, laid out for a kernel.
#![allow(unsafe_code, reason = "addresses in a buffer that moves between threads")]

use super::rows::Rows;

/// A centre's targets in groups. Within a group all gradients are taken at the same centre, which then takes one step;
/// the next group sees the centre after it. One context with its own negatives is a group, as in word2vec.
///
/// Rows are addresses: whose memory they are in, and who else may write it, is the caller's affair.
#[derive(Debug)]
pub(super) struct Plan {
    /// Of the targets' output vectors.
    pub(super) rows: Vec<*mut f32>,
    /// 1 for a positive, 0 for a negative.
    pub(super) labels: Vec<f32>,
    /// Where each group ends.
    pub(super) ends: Vec<usize>,
    /// For the kernel: logits, then what they are multiplied by.
    pub(super) logits: Vec<f32>,
    pub(super) steps: Vec<f32>,
    /// For the kernel, where a vector is too long for registers: the centre, its gradient, and the centre as it was.
    pub(super) wide: Rows,
}

// SAFETY: addresses are put in and used up by one thread within one call; between calls they mean nothing.
unsafe impl Send for Plan {}

impl Plan {
    /// An empty one, for vectors of this width.
    pub(super) fn new(dim: usize) -> Self {
        Self {
            rows: Vec::new(),
            labels: Vec::new(),
            ends: Vec::new(),
            logits: Vec::new(),
            steps: Vec::new(),
            wide: Rows::zeros(3, dim),
        }
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.labels.clear();
        self.ends.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, row: *mut f32, label: f32) {
        self.rows.push(row);
        self.labels.push(label);
    }

    #[inline]
    pub(super) fn end_group(&mut self) {
        if self.ends.last().copied().unwrap_or(0) < self.rows.len() {
            self.ends.push(self.rows.len());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}
