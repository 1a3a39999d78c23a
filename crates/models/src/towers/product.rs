//! Matrix products of a step: by blocks of rows, so that their bytes do not depend on how many threads there are.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Rows of the answer that one thread makes at a time.
const ROWS_A_PART: usize = 64;

/// A matrix by rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    values: &'a [f32],
    n_rows: usize,
    n_columns: usize,
}

impl<'a> Rows<'a> {
    /// `[values.len() / n_columns × n_columns]`
    pub(crate) fn new(values: &'a [f32], n_columns: usize) -> Self {
        assert!(
            n_columns > 0 && values.len().is_multiple_of(n_columns),
            "{} numbers by rows of {n_columns}",
            values.len()
        );
        Self {
            values,
            n_rows: values.len() / n_columns,
            n_columns,
        }
    }

    pub(crate) fn n_rows(self) -> usize {
        self.n_rows
    }

    fn faer(self) -> MatRef<'a, f32> {
        MatRef::from_row_major_slice(self.values, self.n_rows, self.n_columns)
    }
}

/// `out = a · bᵀ`: `[a.n_rows × b.n_rows]`.
pub(crate) fn times_transposed(a: Rows<'_>, b: Rows<'_>, out: &mut [f32]) {
    assert_eq!(a.n_columns, b.n_columns, "inner widths");
    by_parts(out, a.n_rows, b.n_rows, |first, rows, out| {
        let part = a.faer().subrows(first, rows);
        matmul(out, Accum::Replace, part, b.faer().transpose(), 1.0, Par::Seq);
    });
}

/// `out = a · b`: `[a.n_rows × b.n_columns]`.
pub(crate) fn times(a: Rows<'_>, b: Rows<'_>, out: &mut [f32]) {
    assert_eq!(a.n_columns, b.n_rows, "inner widths");
    by_parts(out, a.n_rows, b.n_columns, |first, rows, out| {
        let part = a.faer().subrows(first, rows);
        matmul(out, Accum::Replace, part, b.faer(), 1.0, Par::Seq);
    });
}

/// `out = aᵀ · b`: `[a.n_columns × b.n_columns]`.
pub(crate) fn transposed_times(a: Rows<'_>, b: Rows<'_>, out: &mut [f32]) {
    assert_eq!(a.n_rows, b.n_rows, "inner widths");
    by_parts(out, a.n_columns, b.n_columns, |first, rows, out| {
        let part = a.faer().subcols(first, rows);
        matmul(out, Accum::Replace, part.transpose(), b.faer(), 1.0, Par::Seq);
    });
}

fn by_parts(
    out: &mut [f32],
    n_rows: usize,
    n_columns: usize,
    fill: impl Fn(usize, usize, MatMut<'_, f32>) + Sync,
) {
    assert_eq!(out.len(), n_rows * n_columns, "the length of the answer");
    if out.is_empty() {
        return;
    }
    out.par_chunks_mut(ROWS_A_PART * n_columns)
        .enumerate()
        .for_each(|(part, out)| {
            let rows = out.len() / n_columns;
            // By columns and turned around: faer 0.24's row-major view of a mutable slice has its strides swapped.
            let view = MatMut::from_column_major_slice_mut(out, n_columns, rows).transpose_mut();
            fill(part * ROWS_A_PART, rows, view);
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_by_hand() {
        let (n, m, k) = (131, 70, 9);
        let a: Vec<f32> = (0..n * k).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
        let b: Vec<f32> = (0..m * k).map(|i| ((i * 5) % 13) as f32 - 6.0).collect();
        let mut scores = vec![f32::NAN; n * m];
        times_transposed(Rows::new(&a, k), Rows::new(&b, k), &mut scores);
        for (i, row) in scores.chunks(m).enumerate() {
            for (j, &score) in row.iter().enumerate() {
                let wanted: f32 = (0..k).map(|x| a[i * k + x] * b[j * k + x]).sum();
                assert!((score - wanted).abs() < 1e-3, "{i} {j}: {score} {wanted}");
            }
        }
        let mut back = vec![f32::NAN; n * k];
        times(Rows::new(&scores, m), Rows::new(&b, k), &mut back);
        let wanted: f32 = (0..m).map(|j| scores[5 * m + j] * b[j * k + 3]).sum();
        assert!(
            (back[5 * k + 3] - wanted).abs() < 0.1,
            "{} {wanted}",
            back[5 * k + 3]
        );
        let mut other = vec![f32::NAN; m * k];
        transposed_times(Rows::new(&scores, m), Rows::new(&a, k), &mut other);
        let wanted: f32 = (0..n).map(|i| scores[i * m + 65] * a[i * k + 2]).sum();
        assert!(
            (other[65 * k + 2] - wanted).abs() < 0.1,
            "{} {wanted}",
            other[65 * k + 2]
        );
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let a: Vec<f32> = (0..300 * 40).map(|i| (i as f32 * 0.37).sin()).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut out = vec![0.0; 300 * 300];
            pool.expect("threads")
                .install(|| times_transposed(Rows::new(&a, 40), Rows::new(&a, 40), &mut out));
            out
        };
        assert!(run(1) == run(3));
    }
}
