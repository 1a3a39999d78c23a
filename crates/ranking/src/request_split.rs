//! Which requests are learned from, which choose, which judge.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::TrainingSet;

/// Row numbers of each part, in the order of the set. No request is in two parts.
#[derive(Debug, PartialEq)]
pub(crate) struct RequestSplit {
    pub(crate) train: Vec<usize>,
    pub(crate) validation: Vec<usize>,
    pub(crate) test: Vec<usize>,
}

impl RequestSplit {
    /// Draws the parts by `seed`. Requests with something positive and requests without are shared out apart, so that
    /// a few positives are not all drawn into one part.
    pub(crate) fn draw(set: &TrainingSet<'_>, validation: f64, test: f64, seed: u64) -> Self {
        let has_positive = |&request: &usize| {
            set.labels()[set.request(request)]
                .iter()
                .any(|&label| label > 0.0)
        };
        let (with, without): (Vec<usize>, Vec<usize>) = (0..set.n_requests()).partition(has_positive);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (mut train_requests, mut validation_requests, mut test_requests) = (vec![], vec![], vec![]);
        for mut requests in [with, without] {
            requests.shuffle(&mut rng);
            let n_validation = share(requests.len(), validation);
            let n_test = share(requests.len(), test);
            validation_requests.extend(requests.drain(..n_validation));
            test_requests.extend(requests.drain(..n_test.min(requests.len())));
            train_requests.extend(requests);
        }
        let rows = |mut requests: Vec<usize>| {
            requests.sort_unstable();
            requests
                .into_iter()
                .flat_map(|request| set.request(request))
                .collect()
        };
        Self {
            train: rows(train_requests),
            validation: rows(validation_requests),
            test: rows(test_requests),
        }
    }
}

/// The nearest number of requests, at least one where there are three to share.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count, from 0 to the count"
)]
fn share(n: usize, fraction: f64) -> usize {
    let nearest = (n as f64 * fraction).round() as usize;
    if n >= 3 { nearest.max(1) } else { nearest.min(n) }
}

#[cfg(test)]
mod tests {
    use catchment_features::{FeatureBatch, FeatureColumn};
    use catchment_schema::ItemIdx;

    use super::*;
    use crate::{Layout, Shapes, TrainingRequest};

    /// Requests of one or two candidates each; every fifth request has a positive.
    fn set(items: &FeatureBatch, n_requests: usize) -> TrainingSet<'_> {
        let mut set = TrainingSet::new(Layout::new(Shapes::default()).expect("narrow"), items, "");
        let nothing = FeatureBatch {
            rows: 1,
            columns: vec![],
        };
        for request in 0..n_requests {
            let n = 1 + request % 2;
            let label = f32::from(u8::from(request % 5 == 0));
            set.push(&TrainingRequest {
                user: nothing.row(0),
                context: nothing.row(0),
                candidates: &[ItemIdx(0); 2][..n],
                candidate_features: &FeatureBatch {
                    rows: n,
                    columns: vec![],
                },
                labels: &[label; 2][..n],
                weights: None,
            })
            .expect("good request");
        }
        set
    }

    #[test]
    fn every_row_is_in_one_part_and_no_request_is_cut() {
        let items = FeatureBatch {
            rows: 1,
            columns: Vec::<FeatureColumn>::new(),
        };
        let set = set(&items, 50);
        let split = RequestSplit::draw(&set, 0.2, 0.1, 3);
        let mut rows: Vec<usize> = split
            .train
            .iter()
            .chain(&split.validation)
            .chain(&split.test)
            .copied()
            .collect();
        rows.sort_unstable();
        assert_eq!(rows, (0..set.n_rows()).collect::<Vec<_>>());
        for request in 0..set.n_requests() {
            let range = set.request(request);
            for part in [&split.train, &split.validation, &split.test] {
                let inside = range.clone().filter(|row| part.contains(row)).count();
                assert!(inside == 0 || inside == range.len(), "request {request} is cut");
            }
        }
        assert_eq!(RequestSplit::draw(&set, 0.2, 0.1, 3), split);
        assert_ne!(RequestSplit::draw(&set, 0.2, 0.1, 4), split);
    }

    #[test]
    fn positives_are_in_every_part_even_where_they_are_few() {
        let items = FeatureBatch {
            rows: 1,
            columns: Vec::<FeatureColumn>::new(),
        };
        let set = set(&items, 15);
        for seed in 0..20 {
            let split = RequestSplit::draw(&set, 0.1, 0.1, seed);
            for part in [&split.train, &split.validation, &split.test] {
                assert!(part.iter().any(|&row| set.labels()[row] > 0.0), "seed {seed}");
            }
        }
    }
}
