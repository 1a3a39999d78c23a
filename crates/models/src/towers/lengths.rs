//! Rows brought to length one, and the gradient through it.

use rayon::prelude::*;

/// Shorter than this, a row has no direction and stays as it is.
const SHORTEST: f32 = 1e-12;

/// Divides each row by its length and returns the lengths; 0 for a row that has none.
pub(crate) fn normalise(rows: &mut [f32], dim: usize) -> Vec<f32> {
    rows.par_chunks_exact_mut(dim)
        .map(|row| {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length <= SHORTEST {
                return 0.0;
            }
            for value in row.iter_mut() {
                *value /= length;
            }
            length
        })
        .collect()
}

/// The gradient by the rows before [`normalise`], from that by the rows after: what points along a row is taken out, the
/// rest divided by its length.
pub(crate) fn normalise_backward(gradient: &mut [f32], rows: &[f32], lengths: &[f32], dim: usize) {
    (
        gradient.par_chunks_exact_mut(dim),
        rows.par_chunks_exact(dim),
        lengths.par_iter(),
    )
        .into_par_iter()
        .for_each(|(gradient, row, &length)| {
            if length <= SHORTEST {
                gradient.fill(0.0);
                return;
            }
            let along: f32 = gradient.iter().zip(row).map(|(slope, value)| slope * value).sum();
            for (slope, value) in gradient.iter_mut().zip(row) {
                *slope = (*slope - along * value) / length;
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_differences() {
        let rows = [0.3_f32, -1.2, 2.0, 0.5, 0.1, -0.4];
        let towards = [1.0_f32, 0.5, -0.7, 0.2, 0.9, -1.1];
        let value = |rows: &[f32]| -> f64 {
            let mut rows = rows.to_vec();
            normalise(&mut rows, 3);
            rows.iter().zip(towards).map(|(a, b)| f64::from(a * b)).sum()
        };
        let mut unit = rows.to_vec();
        let lengths = normalise(&mut unit, 3);
        let mut gradient = towards.to_vec();
        normalise_backward(&mut gradient, &unit, &lengths, 3);
        for (cell, slope) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut rows = rows;
                rows[cell] += by;
                value(&rows)
            };
            let difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((difference - f64::from(*slope)).abs() < 1e-3, "{cell}");
        }
        let mut none = vec![0.0; 3];
        let lengths = normalise(&mut none, 3);
        let mut gradient = vec![1.0; 3];
        normalise_backward(&mut gradient, &none, &lengths, 3);
        assert_eq!(gradient, [0.0; 3]);
    }
}
