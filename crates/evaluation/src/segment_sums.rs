//! The metrics of segments, summed.

use catchment_schema::{ItemIdx, UserIdx};

use crate::metric_report::{SegmentMetrics, SegmentReport};
use crate::ranking_metrics::ListMetrics;
use crate::segment_by::Side;
use crate::segmentation::Segmentation;

/// What some users add to each segment of one segmentation.
#[derive(Clone, Debug)]
pub(crate) struct SegmentSums {
    /// By label.
    segments: Vec<Sums>,
}

#[derive(Clone, Debug)]
struct Sums {
    users: usize,
    pairs: usize,
    values: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    fn add(&mut self, row: &[f64], n_pairs: usize) {
        self.users += 1;
        self.pairs += n_pairs;
        for ((sum, square), value) in self.values.iter_mut().zip(&mut self.squares).zip(row) {
            *sum += value;
            *square += value * value;
        }
    }
}

impl SegmentSums {
    pub(crate) fn new(segmentation: &Segmentation, n_values: usize) -> Self {
        let empty = Sums {
            users: 0,
            pairs: 0,
            values: vec![0.0; n_values],
            squares: vec![0.0; n_values],
        };
        Self {
            segments: vec![empty; segmentation.labels().len()],
        }
    }

    /// Adds one user's list. `row`: its values against all of `relevant`, of which the first `n_reachable` compete.
    #[expect(
        clippy::too_many_arguments,
        reason = "one user's list with its truth, taken apart by the one caller"
    )]
    pub(crate) fn add(
        &mut self,
        segmentation: &Segmentation,
        metrics: &ListMetrics,
        user: UserIdx,
        list: &[ItemIdx],
        relevant: &[ItemIdx],
        n_reachable: usize,
        row: &[f64],
    ) {
        if segmentation.by().side() == Side::User {
            self.segments[segmentation.of_user(user)].add(row, relevant.len());
            return;
        }
        let mut held_out: Vec<(usize, usize)> = (0..relevant.len())
            .map(|position| (segmentation.of_item(relevant[position]), position))
            .collect();
        held_out.sort_unstable();
        let (mut reachable, mut of_segment) = (Vec::new(), vec![0.0; row.len()]);
        for group in held_out.chunk_by(|a, b| a.0 == b.0) {
            let competing = group.iter().filter(|&&(_, position)| position < n_reachable);
            reachable.clear();
            reachable.extend(competing.map(|&(_, position)| relevant[position]));
            of_segment.fill(0.0);
            metrics.add(list, &reachable, group.len(), &mut of_segment);
            self.segments[group[0].0].add(&of_segment, group.len());
        }
    }

    pub(crate) fn merge(&mut self, more: &Self) {
        for (sums, more) in self.segments.iter_mut().zip(&more.segments) {
            sums.users += more.users;
            sums.pairs += more.pairs;
            for (sum, value) in sums.values.iter_mut().zip(&more.values) {
                *sum += value;
            }
            for (sum, value) in sums.squares.iter_mut().zip(&more.squares) {
                *sum += value;
            }
        }
    }

    pub(crate) fn report(
        self,
        segmentation: &Segmentation,
        metrics: &ListMetrics,
        names: &[String],
    ) -> SegmentReport {
        let of_segment = |(label, sums): (&String, Sums)| {
            let n = sums.users as f64;
            let means: Vec<f64> = sums.values.iter().map(|sum| sum / n).collect();
            let error = |(mean, square): (&f64, &f64)| {
                let variance = (square - n * mean * mean).max(0.0) / (n - 1.0);
                (variance / n).sqrt()
            };
            let errors: Vec<f64> = means.iter().zip(&sums.squares).map(error).collect();
            let scaled = |values: Vec<f64>| {
                let values = values.into_iter().zip(metrics.scales(sums.pairs as f64 / n));
                values.map(|(value, scale)| value * scale)
            };
            let errors = scaled(errors).filter(|_| sums.users > 1);
            SegmentMetrics {
                label: label.clone(),
                users: sums.users,
                pairs: sums.pairs,
                standard_errors: names.iter().cloned().zip(errors).collect(),
                metrics: names.iter().cloned().zip(scaled(means)).collect(),
            }
        };
        let filled = segmentation.labels().iter().zip(self.segments);
        SegmentReport {
            by: segmentation.by().to_string(),
            segments: filled
                .filter(|(_, sums)| sums.users > 0)
                .map(of_segment)
                .collect(),
        }
    }
}
