//! Distances for the graph: rows as they are compared, never NaN, never negative.

use catchment_schema::Metric;
use hnsw_rs::anndists::dist::distances::Distance;

/// Independent sums, so that the compiler can use registers.
const LANES: usize = 16;

/// Smaller is nearer, by the same order as the metric's score up to rounding. Only for walking the graph: the
/// scores of hits come from the exact kernel.
#[derive(Clone, Copy, Debug)]
pub(super) enum GraphDistance {
    /// `1 − ⟨a, b⟩` of normalised rows. Not by `‖a−b‖²`: a row of zeros has to be as far as cosine 0 is.
    Cosine,
    /// `‖a−b‖²`.
    L2,
}

impl GraphDistance {
    /// `None` for a metric that no graph of ours can search.
    pub(super) fn of(metric: Metric) -> Option<Self> {
        match metric {
            Metric::InnerProduct => None,
            Metric::Cosine => Some(Self::Cosine),
            Metric::L2 => Some(Self::L2),
        }
    }
}

impl Distance<f32> for GraphDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        let distance = match self {
            Self::Cosine => 1.0 - sum(a, b, |a, b| a * b),
            Self::L2 => sum(a, b, |a, b| (a - b) * (a - b)),
        };
        // The library panics below 0. No NaN arises: cosine has seen rows of length 1, L2 sums squares.
        distance.clamp(0.0, f32::MAX)
    }
}

fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&a, &b)| term(a, b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_stay_within_what_the_library_asserts() {
        let check = |distance: GraphDistance, a: &[f32], b: &[f32], expected: f32| {
            assert!(
                (distance.eval(a, b) - expected).abs() <= 1e-6 * expected.max(1.0),
                "{distance:?} {a:?} {b:?}"
            );
        };
        check(GraphDistance::L2, &[f32::MAX; 20], &[f32::MIN; 20], f32::MAX);
        check(GraphDistance::L2, &[3.0; 17], &[1.0; 17], 68.0);
        check(GraphDistance::Cosine, &[0.0, 0.0], &[1.0, 0.0], 1.0);
        check(GraphDistance::Cosine, &[1.000_001, 0.0], &[1.000_001, 0.0], 0.0);
    }
}
