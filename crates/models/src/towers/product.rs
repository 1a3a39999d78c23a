//! Matrix products of a step: by blocks of rows, so that their bytes do not depend on how many threads there are.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Rows of the answer that one thread makes at a time, of a large one.
const ROWS_A_PART: usize = 64;
/// Of a small one it makes so many times fewer, in steps of `LEAST_ROWS`, so that there is something for others.
const LEAST_PARTS: usize = 4;
const LEAST_ROWS: usize = 8;

/// A matrix by rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    values: &'a [f32],
    len: usize,
    width: usize,
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
            len: values.len() / n_columns,
            width: n_columns,
        }
    }

    pub(crate) fn n_rows(self) -> usize {
        self.len
    }

    fn faer(self) -> MatRef<'a, f32> {
        MatRef::from_row_major_slice(self.values, self.len, self.width)
    }
}

/// `out = a · bᵀ`: `[a.len × b.len]`.
pub(crate) fn times_transposed(a: Rows<'_>, b: Rows<'_>, out: &mut [f32]) {
    assert_eq!(a.width, b.width, "inner widths");
    by_parts(out, a.len, b.len, |first, rows, out| {
        let part = a.faer().subrows(first, rows);
        matmul(
            view(out, rows, b.len),
            Accum::Replace,
            part,
            b.faer().transpose(),
            1.0,
            Par::Seq,
        );
    });
}

/// `out = a · b`: `[a.len × b.width]`.
pub(crate) fn times(a: Rows<'_>, b: Rows<'_>, out: &mut [f32]) {
    times_then(a, b, out, |_| {});
}

/// The same, and what becomes of some of its rows while they are near.
pub(crate) fn times_then(a: Rows<'_>, b: Rows<'_>, out: &mut [f32], then: impl Fn(&mut [f32]) + Sync) {
    assert_eq!(a.width, b.len, "inner widths");
    by_parts(out, a.len, b.width, |first, rows, out| {
        let part = a.faer().subrows(first, rows);
        matmul(
            view(out, rows, b.width),
            Accum::Replace,
            part,
            b.faer(),
            1.0,
            Par::Seq,
        );
        then(out);
    });
}

/// `out = aᵀ · b`: `[a.width × b.width]`.
pub(crate) fn transposed_times(a: Rows<'_>, b: Rows<'_>, out: &mut [f32]) {
    assert_eq!(a.len, b.len, "inner widths");
    by_parts(out, a.width, b.width, |first, rows, out| {
        let part = a.faer().subcols(first, rows);
        matmul(
            view(out, rows, b.width),
            Accum::Replace,
            part.transpose(),
            b.faer(),
            1.0,
            Par::Seq,
        );
    });
}

fn by_parts(
    out: &mut [f32],
    n_rows: usize,
    n_columns: usize,
    fill: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    assert_eq!(out.len(), n_rows * n_columns, "the length of the answer");
    if out.is_empty() {
        return;
    }
    // By the shape alone: another number of threads must not round otherwise.
    let rows_a_part = n_rows
        .div_ceil(LEAST_PARTS)
        .next_multiple_of(LEAST_ROWS)
        .min(ROWS_A_PART);
    out.par_chunks_mut(rows_a_part * n_columns)
        .enumerate()
        .for_each(|(part, out)| {
            let rows = out.len() / n_columns;
            fill(part * rows_a_part, rows, out);
        });
}

/// By columns and turned around: faer 0.24's row-major view of a mutable slice has its strides swapped.
fn view(out: &mut [f32], n_rows: usize, n_columns: usize) -> MatMut<'_, f32> {
    MatMut::from_column_major_slice_mut(out, n_columns, n_rows).transpose_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_by_hand() {
        let (rows, columns, width) = (131, 70, 9);
        let left: Vec<f32> = (0..rows * width).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
        let right: Vec<f32> = (0..columns * width)
            .map(|i| ((i * 5) % 13) as f32 - 6.0)
            .collect();
        let mut scores = vec![f32::NAN; rows * columns];
        times_transposed(Rows::new(&left, width), Rows::new(&right, width), &mut scores);
        for (i, row) in scores.chunks(columns).enumerate() {
            for (j, &score) in row.iter().enumerate() {
                let wanted: f32 = (0..width)
                    .map(|x| left[i * width + x] * right[j * width + x])
                    .sum();
                assert!((score - wanted).abs() < 1e-3, "{i} {j}: {score} {wanted}");
            }
        }
        let mut back = vec![f32::NAN; rows * width];
        times(Rows::new(&scores, columns), Rows::new(&right, width), &mut back);
        let wanted: f32 = (0..columns)
            .map(|j| scores[5 * columns + j] * right[j * width + 3])
            .sum();
        let found = back[5 * width + 3];
        assert!((found - wanted).abs() < 0.1, "{found} {wanted}");
        let mut other = vec![f32::NAN; columns * width];
        transposed_times(Rows::new(&scores, columns), Rows::new(&left, width), &mut other);
        let wanted: f32 = (0..rows)
            .map(|i| scores[i * columns + 65] * left[i * width + 2])
            .sum();
        let found = other[65 * width + 2];
        assert!((found - wanted).abs() < 0.1, "{found} {wanted}");
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
