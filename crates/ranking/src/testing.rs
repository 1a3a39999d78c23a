//! The laws of [`Ranker`], for every implementation to run in its tests.

use catchment_features::{FeatureBatch, FeatureColumn};
use catchment_schema::{ItemIdx, Score};

use crate::{RankError, RankQuery, Ranker};

/// Checks the laws on one request, before and after [`Ranker::prepare_items`]. `calibrated` says whether scores must be
/// probabilities. The user's features must have at least one column for the law on wrong shapes to bite.
///
/// # Panics
/// When a law does not hold; the message names it.
pub fn ranker_laws(
    ranker: &mut dyn Ranker,
    query: &RankQuery<'_>,
    candidates: &[ItemIdx],
    candidate_features: &FeatureBatch,
    calibrated: bool,
) {
    let unprepared = score_laws(ranker, query, candidates, candidate_features, calibrated);
    refusals(ranker, query, candidates, candidate_features);
    ranker
        .prepare_items(query.items)
        .expect("law 5: a catalogue that can be scored can be prepared");
    let prepared = score_laws(ranker, query, candidates, candidate_features, calibrated);
    assert_eq!(
        bits(&prepared),
        bits(&unprepared),
        "law 5: preparing changes no score"
    );
    refusals(ranker, query, candidates, candidate_features);
    let mut shorter = query.items.clone();
    shorter.rows = shorter.rows.saturating_sub(1);
    let query = RankQuery {
        items: &shorter,
        ..*query
    };
    let refused = ranker.score(
        &query,
        &[],
        &select_rows(candidate_features, &[]),
        &mut Vec::new(),
    );
    // A ranker that prepares nothing has nothing to compare.
    let is_lawful = matches!(refused, Ok(()) | Err(RankError::WrongShape { .. }));
    assert!(
        is_lawful,
        "law 5: another catalogue was answered with {refused:?}"
    );
}

/// Laws 1, 2 and 3; answers the scores.
fn score_laws(
    ranker: &dyn Ranker,
    query: &RankQuery<'_>,
    candidates: &[ItemIdx],
    candidate_features: &FeatureBatch,
    calibrated: bool,
) -> Vec<Score> {
    let score = |rows: &[usize]| {
        let items: Vec<ItemIdx> = rows.iter().map(|&row| candidates[row]).collect();
        let mut scores = vec![Score::ZERO; 3];
        let outcome = ranker.score(query, &items, &select_rows(candidate_features, rows), &mut scores);
        outcome.expect("a request of the right shape is scored");
        assert_eq!(scores.len(), items.len(), "law 1: one score for each candidate");
        scores
    };
    let everyone: Vec<usize> = (0..candidates.len()).collect();
    let scores = score(&everyone);
    for row in 0..candidates.len() {
        assert_eq!(
            bits(&score(&[row])),
            bits(&scores[row..=row]),
            "law 2: candidate {row} alone"
        );
    }
    let backwards: Vec<usize> = everyone.iter().rev().copied().collect();
    let mut turned = score(&backwards);
    turned.reverse();
    assert_eq!(bits(&turned), bits(&scores), "law 2: the order of the batch");
    for value in scores.iter().map(|score| score.get()) {
        assert!(value.is_finite(), "law 3: {value} is not finite");
        assert!(
            !calibrated || (0.0..=1.0).contains(&value),
            "law 3: {value} is no probability"
        );
    }
    scores
}

/// Law 4.
fn refusals(
    ranker: &dyn Ranker,
    query: &RankQuery<'_>,
    candidates: &[ItemIdx],
    candidate_features: &FeatureBatch,
) {
    let score = |query: &RankQuery<'_>, candidates: &[ItemIdx], features: &FeatureBatch| {
        ranker.score(query, candidates, features, &mut Vec::new())
    };
    let beyond = ItemIdx::from_index(query.items.rows);
    if !candidates.is_empty() {
        let mut strangers = candidates.to_vec();
        strangers[candidates.len() - 1] = beyond;
        let refused = score(query, &strangers, candidate_features);
        assert!(
            matches!(refused, Err(RankError::UnknownItem { .. })),
            "law 4: unknown item: {refused:?}"
        );
    }
    let more: Vec<ItemIdx> = candidates.iter().copied().chain([ItemIdx(0)]).collect();
    let wrong_shape = |what: &str, refused: Result<(), RankError>| {
        assert!(
            matches!(refused, Err(RankError::WrongShape { .. })),
            "law 4: {what}: {refused:?}"
        );
    };
    wrong_shape(
        "more candidates than rows",
        score(query, &more, candidate_features),
    );
    let mut user = query.user;
    user.row = user.batch.rows;
    wrong_shape(
        "no such user row",
        score(&RankQuery { user, ..*query }, candidates, candidate_features),
    );
    let nobody = FeatureBatch {
        rows: 1,
        columns: vec![],
    };
    if !query.user.batch.columns.is_empty() {
        let query = RankQuery {
            user: nobody.row(0),
            ..*query
        };
        wrong_shape("no user column", score(&query, candidates, candidate_features));
    }
    if !candidate_features.columns.is_empty() && !candidates.is_empty() {
        let bare = FeatureBatch {
            rows: candidates.len(),
            columns: vec![],
        };
        wrong_shape("no candidate column", score(query, candidates, &bare));
    }
}

fn bits(scores: &[Score]) -> Vec<u32> {
    scores.iter().map(|score| score.get().to_bits()).collect()
}

/// The rows `rows` of a batch, as a batch.
fn select_rows(batch: &FeatureBatch, rows: &[usize]) -> FeatureBatch {
    let columns = batch.columns.iter().map(|column| match column {
        FeatureColumn::Dense { width, values } => FeatureColumn::Dense {
            width: *width,
            values: rows
                .iter()
                .flat_map(|&row| &values[row * width..(row + 1) * width])
                .copied()
                .collect(),
        },
        FeatureColumn::Bag {
            cardinality,
            offsets,
            ids,
            weights,
        } => {
            let (mut new_offsets, mut new_ids, mut new_weights) = (vec![0], vec![], vec![]);
            for &row in rows {
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                new_ids.extend_from_slice(&ids[range.clone()]);
                new_weights.extend_from_slice(&weights[range]);
                new_offsets.push(u32::try_from(new_ids.len()).expect("a batch has fewer ids than u32::MAX"));
            }
            FeatureColumn::Bag {
                cardinality: *cardinality,
                offsets: new_offsets,
                ids: new_ids,
                weights: new_weights,
            }
        }
    });
    FeatureBatch {
        rows: rows.len(),
        columns: columns.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores a candidate's only number, less what `batch` says of the whole batch.
    struct Peeking {
        batch: fn(&[f32]) -> f32,
        checks_shapes: bool,
    }

    impl Ranker for Peeking {
        fn score(
            &self,
            query: &RankQuery<'_>,
            candidates: &[ItemIdx],
            candidate_features: &FeatureBatch,
            scores: &mut Vec<Score>,
        ) -> Result<(), RankError> {
            scores.clear();
            let wrong = || RankError::WrongShape {
                side: crate::Side::Candidate,
                reason: String::new(),
            };
            let [FeatureColumn::Dense { values, .. }] = candidate_features.columns.as_slice() else {
                return Err(wrong());
            };
            let user_is_wrong = query.user.row >= query.user.batch.rows;
            if self.checks_shapes && (values.len() != candidates.len() || user_is_wrong) {
                return Err(wrong());
            }
            let n_items = query.items.rows;
            if let Some(item) = candidates.iter().find(|item| item.index() >= n_items) {
                return Err(RankError::UnknownItem {
                    item: item.0,
                    n_items,
                });
            }
            let shift = (self.batch)(values);
            scores.extend(values.iter().map(|value| Score::clamped(value - shift)));
            Ok(())
        }

        fn prepare_items(&mut self, _items: &FeatureBatch) -> Result<(), RankError> {
            Ok(())
        }
    }

    fn check(batch: fn(&[f32]) -> f32, checks_shapes: bool, calibrated: bool) {
        let one = FeatureBatch {
            rows: 1,
            columns: vec![],
        };
        let items = FeatureBatch {
            rows: 4,
            columns: vec![],
        };
        let features = FeatureBatch {
            rows: 3,
            columns: vec![FeatureColumn::Dense {
                width: 1,
                values: vec![0.5, -1.0, 3.0],
            }],
        };
        let query = RankQuery {
            user: one.row(0),
            context: one.row(0),
            items: &items,
        };
        let candidates = [ItemIdx(3), ItemIdx(0), ItemIdx(1)];
        let mut ranker = Peeking { batch, checks_shapes };
        ranker_laws(&mut ranker, &query, &candidates, &features, calibrated);
    }

    #[test]
    fn a_lawful_ranker_passes() {
        check(|_| 0.0, true, false);
    }

    #[test]
    #[should_panic(expected = "law 2: candidate 0 alone")]
    fn a_ranker_that_looks_at_the_batch_is_caught() {
        check(|values| values.iter().sum(), true, false);
    }

    #[test]
    #[should_panic(expected = "law 3")]
    fn a_score_that_is_no_probability_is_caught() {
        check(|_| 0.0, true, true);
    }

    #[test]
    #[should_panic(expected = "law 4")]
    fn a_ranker_that_takes_any_shape_is_caught() {
        check(|_| 0.0, false, false);
    }
}
