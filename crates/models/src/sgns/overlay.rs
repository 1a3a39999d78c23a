//! A lane's own copy of the rows that it touches.
#![allow(
    unsafe_code,
    reason = "adds rows through the kernels' lanes; a test compares with plain sums"
)]

use super::kernel::Kernel;
use super::rows::Rows;

/// Rows of one table as one lane sees them: those it has touched since the lanes last met are its own.
#[derive(Debug)]
pub(super) struct Overlay {
    /// For every row of the table: where its copy is, plus 1; 0 without one.
    places: Vec<u32>,
    /// The rows that have a copy, in the order in which they were touched.
    touched: Vec<u32>,
    /// The copies, in blocks that never move.
    blocks: Vec<Rows>,
    dim: usize,
}

/// Copies in a block.
const BLOCK: usize = 1024;

impl Overlay {
    pub(super) fn new(n_rows: usize, dim: usize) -> Self {
        Self {
            places: vec![0; n_rows],
            touched: Vec::new(),
            blocks: Vec::new(),
            dim,
        }
    }

    /// Bytes that the copies and their places take when `n_copies` rows are touched between two meetings.
    pub(super) fn bytes(n_rows: usize, dim: usize, n_copies: usize) -> usize {
        n_rows * size_of::<u32>() + Rows::bytes(n_copies.next_multiple_of(BLOCK), dim)
    }

    /// The lane's copy of a row, made from the table where there is none yet.
    #[inline]
    pub(super) fn row(&mut self, kernel: Kernel, table: &Rows, row: usize) -> *mut f32 {
        let place = self.places[row];
        if place > 0 {
            return self.copy(place as usize - 1);
        }
        let place = self.touched.len();
        if place == self.blocks.len() * BLOCK {
            self.blocks.push(Rows::zeros(BLOCK, self.dim));
        }
        #[expect(clippy::cast_possible_truncation, reason = "rows are numbered by u32")]
        {
            self.touched.push(row as u32);
            self.places[row] = place as u32 + 1;
        }
        let copy = self.copy(place);
        // SAFETY: both are whole rows of tables of this width.
        unsafe { kernel.copy(table.row(row), copy, table.lines_a_row()) };
        copy
    }

    #[inline]
    fn copy(&self, place: usize) -> *mut f32 {
        self.blocks[place / BLOCK].row(place % BLOCK)
    }

    /// Turns copies into changes: what was added to the table's row. The table must not have changed since.
    pub(super) fn turn_into_changes(&mut self, kernel: Kernel, table: &Rows) {
        for (place, &row) in self.touched.iter().enumerate() {
            // SAFETY: both are whole rows of tables of this width.
            unsafe { kernel.subtract(table.row(row as usize), self.copy(place), table.lines_a_row()) };
        }
    }

    /// Adds to the table the changes of the rows that belong to `part` of `parts`.
    pub(super) fn add_changes(&self, kernel: Kernel, table: &Rows, part: u32, parts: u32) {
        for (place, &row) in self.touched.iter().enumerate() {
            // Neighbouring numbers are neighbouring memory: blocks of rows, so that two threads share no line's page.
            if (row >> 4) % parts == part {
                // SAFETY: both are whole rows of tables of this width.
                unsafe { kernel.add(self.copy(place), table.row(row as usize), table.lines_a_row()) };
            }
        }
    }

    /// Forgets all copies; their memory is kept.
    pub(super) fn clear(&mut self) {
        for &row in &self.touched {
            self.places[row as usize] = 0;
        }
        self.touched.clear();
    }
}
