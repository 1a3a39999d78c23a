//! The tables that are trained, as memory that several threads may write at once.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers in a line, and what every row is padded to.
pub(super) const LINE: usize = 16;

/// One cache line: sixteen numbers, two to an atomic word.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Line([AtomicU64; LINE / 2]);

/// A table of `[n_rows, dim]` numbers, each row padded to whole cache lines.
///
/// # Who may write what
/// The words are atomic, and so is every access: in the portable kernel by relaxed loads and stores, in the x86 kernels
/// by vector instructions behind `asm!`, each of which stands for the relaxed loads or stores of the aligned words that
/// it covers. (The machine moves an aligned eight-byte word at once, whatever the width of the instruction, and `asm!`
/// may do what atomics could have done.) Nobody ever makes a `&[f32]` or `&mut [f32]` of this memory. So threads that
/// meet in a row are no data race: either may lose an update to the other, which lock-free training takes into
/// account (Niu et al. 2011), and a row may mix numbers of two updates; a number itself is never torn.
#[derive(Debug)]
pub(super) struct Rows {
    lines: Vec<Line>,
    dim: usize,
    lines_a_row: usize,
}

impl Rows {
    /// All zero.
    pub(super) fn zeros(n_rows: usize, dim: usize) -> Self {
        let lines_a_row = dim.div_ceil(LINE);
        Self {
            lines: std::iter::repeat_with(Line::default)
                .take(n_rows * lines_a_row)
                .collect(),
            dim,
            lines_a_row,
        }
    }

    /// From `[n_rows, dim]`.
    #[cfg(test)]
    pub(super) fn from_vectors(vectors: &[f32], dim: usize) -> Self {
        let rows = Self::zeros(vectors.len() / dim, dim);
        for (row, vector) in vectors.chunks_exact(dim).enumerate() {
            rows.set(row, vector);
        }
        rows
    }

    /// None yet, with memory set aside for so many.
    pub(super) fn with_capacity(n_rows: usize, dim: usize) -> Self {
        let lines_a_row = dim.div_ceil(LINE);
        Self {
            lines: Vec::with_capacity(n_rows * lines_a_row),
            dim,
            lines_a_row,
        }
    }

    /// At least so many rows; new ones are zero. Beyond what was set aside no more is taken than they need.
    pub(super) fn grow(&mut self, n_rows: usize) {
        let n_lines = n_rows * self.lines_a_row;
        if self.lines.len() < n_lines {
            self.lines.reserve_exact(n_lines - self.lines.len());
            self.lines.resize_with(n_lines, Line::default);
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.lines.len() / self.lines_a_row
    }

    pub(super) fn lines_a_row(&self) -> usize {
        self.lines_a_row
    }

    /// Bytes that a table of this shape takes.
    pub(super) fn bytes(n_rows: usize, dim: usize) -> usize {
        n_rows * dim.div_ceil(LINE) * size_of::<Line>()
    }

    /// Where a row begins: `16 · lines_a_row` numbers, aligned to 64 bytes. Reading and writing through it is the
    /// kernels' affair; it reaches no other row.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline]
    pub(super) fn row(&self, row: usize) -> *mut f32 {
        self.rows(row, 1)
    }

    /// Where `n` rows begin that lie side by side. An address may be used as far as the slice that it was taken from
    /// reaches, so it is taken from all of them; their bounds are checked here, once.
    ///
    /// # Panics
    /// When there are not so many.
    #[inline]
    pub(super) fn rows(&self, first: usize, n: usize) -> *mut f32 {
        let begin = first * self.lines_a_row;
        self.lines[begin..begin + n * self.lines_a_row]
            .as_ptr()
            .cast_mut()
            .cast()
    }

    pub(super) fn set(&self, row: usize, vector: &[f32]) {
        let lines = &self.lines[row * self.lines_a_row..(row + 1) * self.lines_a_row];
        let words = lines.iter().flat_map(|line| &line.0);
        for (word, pair) in words.zip(vector.chunks(2)) {
            let high = pair.get(1).copied().unwrap_or(0.0);
            word.store(join([pair[0], high]), Ordering::Relaxed);
        }
    }

    /// The rows without their padding, as little-endian numbers. Nobody may be writing them.
    pub(super) fn write_to(&self, file: &mut impl Write) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(self.dim * 4);
        for lines in self.lines.chunks_exact(self.lines_a_row) {
            bytes.clear();
            for number in numbers(lines).take(self.dim) {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            file.write_all(&bytes)?;
        }
        Ok(())
    }

    /// What [`Rows::write_to`] wrote.
    pub(super) fn read_from(file: &mut impl Read, n_rows: usize, dim: usize) -> std::io::Result<Self> {
        let rows = Self::zeros(n_rows, dim);
        let (mut bytes, mut vector) = (vec![0; dim * 4], vec![0.0; dim]);
        for row in 0..n_rows {
            file.read_exact(&mut bytes)?;
            for (number, bytes) in vector.iter_mut().zip(bytes.as_chunks().0) {
                *number = f32::from_le_bytes(*bytes);
            }
            rows.set(row, &vector);
        }
        Ok(rows)
    }

    /// `[n_rows, dim]`, without the padding.
    pub(super) fn to_vectors(&self) -> Vec<f32> {
        let mut vectors = Vec::with_capacity(self.n_rows() * self.dim);
        for lines in self.lines.chunks_exact(self.lines_a_row) {
            vectors.extend(numbers(lines).take(self.dim));
        }
        vectors
    }
}

/// All numbers of some lines.
fn numbers(lines: &[Line]) -> impl Iterator<Item = f32> {
    let words = lines.iter().flat_map(|line| &line.0);
    words.flat_map(|word| split(word.load(Ordering::Relaxed)))
}

/// Two numbers in a word, in the order in which they lie in memory.
#[inline]
pub(super) fn join([first, second]: [f32; 2]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

/// The opposite of [`join`].
#[inline]
pub(super) fn split(word: u64) -> [f32; 2] {
    let bytes = word.to_ne_bytes();
    let number = |at: usize| f32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    [number(0), number(4)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_given_as_far_as_there_are_any() {
        let rows = Rows::zeros(5, 17);
        assert_eq!(rows.rows(1, 4), rows.row(1));
        for (first, n) in [(1, 5), (5, 1), (0, 6)] {
            assert!(
                std::panic::catch_unwind(|| rows.rows(first, n)).is_err(),
                "{first} {n}"
            );
        }
    }

    #[test]
    fn vectors_go_in_and_come_out_whatever_the_padding() {
        for dim in [1, 3, 16, 17, 64] {
            let vectors: Vec<f32> = (0..5 * dim).map(|value| value as f32 - 7.5).collect();
            let rows = Rows::from_vectors(&vectors, dim);
            assert_eq!(rows.to_vectors(), vectors);
            assert_eq!(rows.n_rows(), 5);
            let mut bytes = Vec::new();
            rows.write_to(&mut bytes).expect("in memory");
            assert_eq!(bytes.len(), 5 * dim * 4);
            let read = Rows::read_from(&mut &bytes[..], 5, dim).expect("in memory");
            assert_eq!(read.to_vectors(), vectors);
            assert!(Rows::read_from(&mut &bytes[1..], 5, dim).is_err());
            assert_eq!(rows.row(4) as usize % 64, 0);
        }
    }
}
