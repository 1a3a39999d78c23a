//! How good rankings are: NDCG with gains of 2^grade − 1, over all documents, and intervals over queries.

use catchment_evaluation::EvaluateConfig;
use catchment_evaluation::resample::intervals;
use serde::Serialize;

use crate::collection::Query;

/// Where lists are cut.
pub(crate) const KS: [usize; 3] = [1, 3, 10];

/// A score for each document, for each query.
pub(crate) type Scores = Vec<Vec<f32>>;

/// The best `k` documents. Equal scores stand in the order of the documents.
pub(crate) fn best(scores: &[f32], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let before = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
    if k < order.len() {
        order.select_nth_unstable_by(k, before);
        order.truncate(k);
    }
    order.sort_unstable_by(before);
    order
}

/// NDCG at [`KS`]; a document that nobody judged is not relevant.
pub(crate) fn ndcg(scores: &[f32], query: &Query) -> [f32; 3] {
    let order = best(scores, KS[KS.len() - 1]);
    let gain = |grade: f32| f64::from(grade).exp2() - 1.0;
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let of = |document: usize| {
        query
            .relevant()
            .find(|&(one, _)| one == document)
            .map_or(0.0, |(_, grade)| gain(grade))
    };
    let mut ideal: Vec<f64> = query.relevant().map(|(_, grade)| gain(grade)).collect();
    ideal.sort_unstable_by(|a, b| b.total_cmp(a));
    KS.map(|k| {
        let found: f64 = order
            .iter()
            .take(k)
            .enumerate()
            .map(|(rank, &document)| of(document) * discount(rank))
            .sum();
        let best: f64 = ideal
            .iter()
            .take(k)
            .enumerate()
            .map(|(rank, gain)| gain * discount(rank))
            .sum();
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let value = (found / best) as f32;
        value
    })
}

/// A mean over queries, and where it may lie (95 %).
#[derive(Clone, Copy, Serialize)]
#[allow(clippy::struct_field_names, reason = "the mean of a metric is a mean")]
pub(crate) struct Mean {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Of each column of `rows`, [`KS`] wide.
pub(crate) fn means(rows: &[[f32; 3]]) -> [Mean; 3] {
    let config = EvaluateConfig {
        resamples: 10_000,
        confidence: 0.95,
        ..EvaluateConfig::default()
    };
    let found = intervals(rows.as_flattened(), KS.len(), &config, 7);
    [0, 1, 2].map(|column| Mean {
        mean: mean(rows, column),
        low: found[column].low,
        high: found[column].high,
    })
}

/// The mean of a column.
pub(crate) fn mean(rows: &[[f32; 3]], column: usize) -> f64 {
    rows.iter().map(|row| f64::from(row[column])).sum::<f64>() / rows.len().max(1) as f64
}

/// What one ranking has over another, query by query.
pub(crate) fn differences(ours: &[[f32; 3]], theirs: &[[f32; 3]]) -> Vec<[f32; 3]> {
    ours.iter()
        .zip(theirs)
        .map(|(ours, theirs)| [0, 1, 2].map(|column| ours[column] - theirs[column]))
        .collect()
}
