//! The ranker from requests to folder.

use catchment_features::{FeatureBatch, FeatureColumn};
use catchment_models::factorization::lr::{FtrlConfig, LogisticRegression, sigmoid};
use catchment_models::progress::Silent;
use catchment_schema::{ItemIdx, Score};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::testing::ranker_laws;
use crate::{
    Calibration, CalibrationKind, Layout, RankError, RankQuery, Ranker, TrainingRequest, TrainingSet,
};

fn dense(width: usize, values: Vec<f32>) -> FeatureColumn {
    FeatureColumn::Dense { width, values }
}

/// One id a row.
fn categories(cardinality: u32, ids: Vec<u32>) -> FeatureColumn {
    let offsets = (0..=u32::try_from(ids.len()).expect("few rows")).collect();
    FeatureColumn::Bag {
        cardinality,
        offsets,
        weights: vec![1.0; ids.len()],
        ids,
    }
}

fn batch(rows: usize, columns: Vec<FeatureColumn>) -> FeatureBatch {
    FeatureBatch { rows, columns }
}

/// 30 items with a category and a quality; a user has an activity; a candidate has a score from a channel, which is
/// what matters most. Returns labels too. The truth is a logistic model, so that logistic regression can reach it.
struct World {
    items: FeatureBatch,
    qualities: Vec<f32>,
    context: FeatureBatch,
    rng: Xoshiro256PlusPlus,
}

struct Request {
    user: FeatureBatch,
    candidates: Vec<ItemIdx>,
    features: FeatureBatch,
    labels: Vec<f32>,
}

impl Request {
    fn training<'a>(&'a self, context: &'a FeatureBatch) -> TrainingRequest<'a> {
        TrainingRequest {
            user: self.user.row(0),
            context: context.row(0),
            candidates: &self.candidates,
            candidate_features: &self.features,
            labels: &self.labels,
            weights: None,
        }
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let qualities: Vec<f32> = (0..30).map(|_| rng.random_range(-1.0..1.0)).collect();
        let ids = (0..30).map(|item| item % 4).collect();
        let items = batch(30, vec![categories(4, ids), dense(1, qualities.clone())]);
        Self {
            items,
            qualities,
            context: batch(1, vec![]),
            rng,
        }
    }

    /// Keeps each negative with probability `negative_rate`.
    fn request(&mut self, negative_rate: f64) -> Request {
        let activity = self.rng.random_range(-1.0..1.0_f32);
        let (mut candidates, mut scores, mut labels) = (vec![], vec![], vec![]);
        for _ in 0..25 {
            let (item, score) = (
                self.rng.random_range(0..30_u32),
                self.rng.random_range(-1.0..1.0_f32),
            );
            let logit = -3.0 + activity + 2.0 * score + self.qualities[item as usize];
            let label = self.rng.random_bool(sigmoid(f64::from(logit)));
            if label || self.rng.random_bool(negative_rate) {
                candidates.push(ItemIdx(item));
                scores.push(score);
                labels.push(f32::from(u8::from(label)));
            }
        }
        let features = batch(candidates.len(), vec![dense(1, scores)]);
        Request {
            user: batch(1, vec![dense(1, vec![activity])]),
            candidates,
            features,
            labels,
        }
    }

    fn set(&mut self, n_requests: usize, negative_rate: f64) -> (FeatureBatch, FeatureBatch, Vec<Request>) {
        let requests = (0..n_requests).map(|_| self.request(negative_rate)).collect();
        (self.items.clone(), self.context.clone(), requests)
    }
}

fn fit(
    (items, context, requests): &(FeatureBatch, FeatureBatch, Vec<Request>),
    config: &LrRankerConfig,
    seed: u64,
) -> Result<(LrRanker, LrReport), RankError> {
    let first = requests.first().expect("requests");
    let layout = Layout::of(&first.user, context, items, &first.features).expect("narrow enough");
    let mut set = TrainingSet::new(layout, items, "features of the test");
    for request in requests {
        set.push(&request.training(context))?;
    }
    LrRanker::fit(&set, config, seed, &mut Silent)
}

fn scores_of(
    ranker: &LrRanker,
    items: &FeatureBatch,
    context: &FeatureBatch,
    request: &Request,
) -> Vec<Score> {
    let query = RankQuery {
        user: request.user.row(0),
        context: context.row(0),
        items,
    };
    let mut scores = vec![];
    ranker
        .score(&query, &request.candidates, &request.features, &mut scores)
        .expect("scored");
    scores
}

#[test]
fn a_fitted_ranker_keeps_the_laws_and_ranks_what_it_has_not_seen() {
    let data = World::new(1).set(400, 1.0);
    let (mut ranker, report) = fit(&data, &LrRankerConfig::default(), 7).expect("fitted");
    assert!(report.calibrated.auc > 0.75, "{report:#?}");
    assert!(
        (report.calibrated.mean_prediction_over_mean_label - 1.0).abs() < 0.15,
        "{report:#?}"
    );
    assert_eq!(
        report.train.rows + report.validation.rows + report.test.rows,
        400 * 25
    );
    assert_eq!(report.n_weights, 1 + 4 + 1 + 1);
    let (items, context, requests) = &data;
    let request = &requests[0];
    let query = RankQuery {
        user: request.user.row(0),
        context: context.row(0),
        items,
    };
    ranker_laws(&mut ranker, &query, &request.candidates, &request.features, true);
}

#[test]
fn what_is_scored_is_what_was_learned_from() {
    let (items, context, requests) = World::new(11).set(3, 1.0);
    let layout =
        Layout::of(&requests[0].user, &context, &items, &requests[0].features).expect("narrow enough");
    let mut set = TrainingSet::new(layout.clone(), &items, "");
    for request in &requests {
        set.push(&request.training(&context)).expect("good request");
    }
    let weights = [0.7, -0.3, 0.2, 1.1, -0.9, 0.4, 2.0][..layout.width()].to_vec();
    let model = LogisticRegression { weights, bias: -0.5 };
    let ranker = LrRanker::new(layout, model.clone(), Calibration::None, 1.0, "").expect("fits together");
    for (number, request) in requests.iter().enumerate() {
        let scores = scores_of(&ranker, &items, &context, request);
        for (row, score) in set.request(number).zip(scores) {
            let expected = sigmoid(model.wide_logit(set.rows().row(row)));
            assert!(
                (f64::from(score.get()) - expected).abs() < 1e-6,
                "row {row}: {score:?} {expected}"
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_ranker_and_another_seed_another_split() {
    let data = World::new(2).set(60, 1.0);
    let run = |seed| fit(&data, &LrRankerConfig::default(), seed).expect("fitted");
    let ((one, one_report), (two, two_report), (_, other)) = (run(1), run(1), run(2));
    assert_eq!(one_report, two_report);
    assert_eq!(one.model, two.model);
    assert_ne!(one_report, other);
}

#[test]
fn calibration_mends_a_model_that_is_too_sure() {
    let data = World::new(3).set(900, 1.0);
    for kind in [CalibrationKind::Platt, CalibrationKind::Isotonic] {
        // A rate far too high for 25 rows a request overshoots in its only pass.
        let ftrl = FtrlConfig {
            alpha: 20.0,
            l1: 0.0,
            l2: 0.0,
            epochs: 1,
            ..Default::default()
        };
        let config = LrRankerConfig {
            ftrl,
            calibration: kind,
            test_fraction: 0.3,
            ..Default::default()
        };
        let (_, report) = fit(&data, &config, 1).expect("fitted");
        let (before, after) = (&report.uncalibrated, &report.calibrated);
        assert!(after.ece < before.ece / 2.0, "{kind:?}: {before:?} {after:?}");
        assert!(after.logloss < before.logloss, "{kind:?}: {before:?} {after:?}");
        assert!(
            (after.auc - before.auc).abs() < 0.005,
            "{kind:?}: the order is the model's"
        );
    }
}

#[test]
fn dropped_negatives_are_put_back_into_the_probabilities() {
    let (rate, config) = (
        0.2,
        LrRankerConfig {
            test_fraction: 0.3,
            ..Default::default()
        },
    );
    let all = World::new(4).set(1500, 1.0);
    let dropped = World::new(5).set(1500, rate);
    let corrected = LrRankerConfig {
        negative_rate: rate,
        ..config.clone()
    };
    let (ranker, report) = fit(&dropped, &corrected, 1).expect("fitted");
    assert!(
        (report.calibrated.mean_prediction_over_mean_label - 1.0).abs() < 0.15,
        "{report:#?}"
    );
    // On requests where nothing was dropped, the corrected ranker is right and the uncorrected is not.
    let ratio = |ranker: &LrRanker| {
        let (items, context, requests) = &all;
        let (mut predictions, mut labels) = (0.0, 0.0);
        for request in requests {
            let scores = scores_of(ranker, items, context, request);
            predictions += scores.iter().map(|score| f64::from(score.get())).sum::<f64>();
            labels += request.labels.iter().map(|&label| f64::from(label)).sum::<f64>();
        }
        predictions / labels
    };
    let naive = fit(&dropped, &config, 1).expect("fitted").0;
    // The two worlds have other items; what is compared is the general level.
    assert!((ratio(&ranker) - 1.0).abs() < 0.3, "{}", ratio(&ranker));
    assert!(ratio(&naive) > 2.0, "{}", ratio(&naive));
}

#[test]
fn a_saved_ranker_opens_with_the_same_scores_to_the_bit() {
    let data = World::new(6).set(80, 1.0);
    for calibration in [
        CalibrationKind::None,
        CalibrationKind::Platt,
        CalibrationKind::Isotonic,
    ] {
        let config = LrRankerConfig {
            calibration,
            negative_rate: 0.3,
            ..Default::default()
        };
        let (ranker, _) = fit(&data, &config, 7).expect("fitted");
        let folder = tempfile::tempdir().expect("temporary folder");
        ranker.save(folder.path()).expect("saved");
        let opened = LrRanker::open(folder.path()).expect("opened");
        assert_eq!(opened.feature_fingerprint(), "features of the test");
        assert_eq!(
            (&opened.calibration, &opened.layout),
            (&ranker.calibration, &ranker.layout)
        );
        let (items, context, requests) = &data;
        let [one, two] = [&ranker, &opened].map(|ranker| scores_of(ranker, items, context, &requests[0]));
        assert_eq!(one, two);
    }
}

#[test]
fn bad_settings_and_requests_without_contrast_are_typed_errors() {
    let data = World::new(8).set(40, 1.0);
    let fail = |config: LrRankerConfig| fit(&data, &config, 1).expect_err("refused");
    let base = LrRankerConfig::default();
    let key = |error: RankError| match error {
        RankError::Config { key, .. } => key,
        error => panic!("{error}"),
    };
    assert_eq!(
        key(fail(LrRankerConfig {
            validation_fraction: 0.0,
            ..base.clone()
        })),
        "validation_fraction"
    );
    assert_eq!(
        key(fail(LrRankerConfig {
            test_fraction: 0.5,
            ..base.clone()
        })),
        "test_fraction"
    );
    assert_eq!(
        key(fail(LrRankerConfig {
            negative_rate: 0.0,
            ..base.clone()
        })),
        "negative_rate"
    );
    assert_eq!(
        key(fail(LrRankerConfig {
            negative_rate: f64::NAN,
            ..base.clone()
        })),
        "negative_rate"
    );
    let ftrl = FtrlConfig {
        alpha: 0.0,
        ..Default::default()
    };
    assert!(matches!(
        fail(LrRankerConfig { ftrl, ..base.clone() }),
        RankError::Model(_)
    ));
    assert!(serde_json::from_str::<LrRankerConfig>(r#"{"calibratoin": "platt"}"#).is_err());

    let mut data = data;
    for request in &mut data.2 {
        request.labels.fill(0.0);
    }
    assert!(matches!(
        fit(&data, &base, 1),
        Err(RankError::OneClass { part: "train" })
    ));
    data.2[5].labels.fill(1.0);
    assert!(matches!(fit(&data, &base, 1), Err(RankError::OneClass { .. })));
}

#[test]
fn a_feature_that_is_not_finite_is_an_error_and_not_a_score() {
    let data = World::new(10).set(40, 1.0);
    let (ranker, _) = fit(&data, &LrRankerConfig::default(), 1).expect("fitted");
    let (items, context, requests) = &data;
    let user = batch(1, vec![dense(1, vec![f32::INFINITY])]);
    let query = RankQuery {
        user: user.row(0),
        context: context.row(0),
        items,
    };
    let request = &requests[0];
    let refused = ranker.score(&query, &request.candidates, &request.features, &mut vec![]);
    assert!(
        matches!(refused, Err(RankError::NotFinite { row: 0, .. })),
        "{refused:?}"
    );
}
