//! Vectors in memory: one row an item, each row on whole cache lines.

use bytemuck::{Pod, Zeroable};
use catchment_schema::{ItemIdx, Metric};

use crate::BuildError;

/// Values on one cache line.
const LINE: usize = 16;
/// How far the squared length of a vector may be from 1 to count as normalised (rounding alone makes 1e-7).
const UNIT_TOLERANCE: f64 = 1e-6;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A growing matrix `[n, dim]` as it is compared: rows are padded with zeros to whole cache lines, and have
/// length 1 under cosine.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    lines: Vec<Line>,
    n: usize,
    dim: usize,
    metric: Metric,
}

impl Rows {
    pub(crate) fn new(vectors: &[f32], dim: usize, metric: Metric) -> Result<Self, BuildError> {
        if dim == 0 {
            return Err(BuildError::ZeroDimension);
        }
        let mut rows = Self {
            lines: Vec::new(),
            n: 0,
            dim,
            metric,
        };
        rows.extend(vectors)?;
        Ok(rows)
    }

    /// Appends rows; on an error nothing was appended.
    pub(crate) fn extend(&mut self, vectors: &[f32]) -> Result<(), BuildError> {
        let n_new = vectors.len() / self.dim;
        if n_new * self.dim != vectors.len() {
            return Err(BuildError::Ragged {
                values: vectors.len(),
                dim: self.dim,
            });
        }
        let n = self.n.saturating_add(n_new);
        if u32::try_from(n).is_err() {
            return Err(BuildError::TooManyItems { found: n });
        }
        if let Some(position) = vectors.iter().position(|value| !value.is_finite()) {
            return Err(BuildError::NotFinite {
                item: self.n + position / self.dim,
                position: position % self.dim,
            });
        }
        let stride = self.stride();
        self.lines.resize(n * stride / LINE, Line([0.0; LINE]));
        let values = bytemuck::cast_slice_mut::<Line, f32>(&mut self.lines);
        for (row, vector) in values[self.n * stride..]
            .chunks_exact_mut(stride)
            .zip(vectors.chunks_exact(self.dim))
        {
            row[..self.dim].copy_from_slice(vector);
            if self.metric == Metric::Cosine {
                normalise(&mut row[..self.dim]);
            }
        }
        self.n = n;
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.n
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// Values from one row to the next; a multiple of [`LINE`].
    pub(crate) fn stride(&self) -> usize {
        self.dim.next_multiple_of(LINE)
    }

    /// A row with its padding, `[stride]`.
    #[inline]
    pub(crate) fn padded(&self, row: usize) -> &[f32] {
        let stride = self.stride();
        &bytemuck::cast_slice::<Line, f32>(&self.lines)[row * stride..(row + 1) * stride]
    }

    /// A row without its padding, `[dim]`; `None` beyond the last.
    pub(crate) fn get(&self, item: ItemIdx) -> Option<&[f32]> {
        (item.index() < self.n).then(|| &self.padded(item.index())[..self.dim])
    }
}

/// Scales a vector to length 1. Zero stays zero, and a vector whose squared length already is 1 to within
/// 1e-6 stays as it is, so that normalising twice changes no bit.
pub(crate) fn normalise(vector: &mut [f32]) {
    let squared: f64 = vector
        .iter()
        .map(|&value| f64::from(value) * f64::from(value))
        .sum();
    if squared == 0.0 || (squared - 1.0).abs() <= UNIT_TOLERANCE {
        return;
    }
    let scale = 1.0 / squared.sqrt();
    for value in vector {
        #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the point")]
        {
            *value = (f64::from(*value) * scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_start_on_cache_lines_and_keep_their_values() {
        let rows = Rows::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, Metric::L2).expect("valid");
        assert_eq!(rows.get(ItemIdx(1)), Some(&[4.0, 5.0, 6.0][..]));
        assert_eq!(rows.get(ItemIdx(2)), None);
        assert_eq!(rows.padded(1).as_ptr() as usize % 64, 0);
        assert!(rows.padded(1)[3..].iter().all(|&value| value == 0.0));
    }

    #[test]
    fn normalising_twice_changes_nothing_even_at_the_ends_of_the_range() {
        for vector in [
            [3.0, 4.0],
            [1e-40, 2e-40],
            [f32::MAX, f32::MIN],
            [0.0, 0.0],
            [0.1, 0.7],
        ] {
            let mut once = vector;
            normalise(&mut once);
            let mut twice = once;
            normalise(&mut twice);
            assert_eq!(once.map(f32::to_bits), twice.map(f32::to_bits), "{vector:?}");
            assert!(once.iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn bad_tables_are_typed_errors_and_change_nothing() {
        assert_eq!(
            Rows::new(&[], 0, Metric::L2).err(),
            Some(BuildError::ZeroDimension)
        );
        let ragged = BuildError::Ragged { values: 3, dim: 2 };
        assert_eq!(Rows::new(&[1.0; 3], 2, Metric::L2).err(), Some(ragged));
        let mut rows = Rows::new(&[1.0, 2.0], 2, Metric::L2).expect("valid");
        let not_finite = BuildError::NotFinite { item: 2, position: 1 };
        assert_eq!(rows.extend(&[1.0, 1.0, 1.0, f32::NAN]).err(), Some(not_finite));
        assert_eq!(rows.len(), 1);
    }
}
