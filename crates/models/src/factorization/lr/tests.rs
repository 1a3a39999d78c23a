//! The model, the optimiser and the loop together.

#![allow(clippy::float_cmp, reason = "exact zeros and equal bytes are what is claimed")]

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;

use super::*;
use crate::Error;
use crate::progress::{Flow, Silent};

/// What `parity.py` wrote.
#[derive(Deserialize)]
struct Parity {
    alpha: f64,
    beta: f64,
    l1: f64,
    l2: f64,
    epochs: usize,
    rows: Vec<Vec<(u32, f32)>>,
    labels: Vec<f32>,
    weights: Vec<f32>,
    train_logloss: Vec<f64>,
    expected_weights: Vec<f32>,
    expected_bias: f32,
}

fn rows_of(n_features: usize, rows: &[Vec<(u32, f32)>]) -> SparseRows {
    let mut sparse = SparseRows::new(n_features);
    for row in rows {
        sparse.push(row.iter().copied()).expect("good row");
    }
    sparse
}

fn all(rows: &SparseRows) -> Vec<usize> {
    (0..rows.len()).collect()
}

/// Rows of `n_features` yes/no features, labels from a logistic model in which only features below `n_true` count.
fn world(n_rows: usize, n_features: u32, n_true: u32, seed: u64) -> (SparseRows, Vec<f32>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut rows = SparseRows::new(n_features as usize);
    let mut labels = Vec::new();
    for _ in 0..n_rows {
        let active: Vec<u32> = (0..n_features).filter(|_| rng.random_bool(0.3)).collect();
        let logit: f64 = active
            .iter()
            .filter(|&&index| index < n_true)
            .map(|index| if index % 2 == 0 { 1.5 } else { -1.5 })
            .sum();
        labels.push(f32::from(u8::from(rng.random_bool(sigmoid(logit)))));
        rows.push(active.into_iter().map(|index| (index, 1.0)))
            .expect("good row");
    }
    (rows, labels)
}

#[test]
fn the_recursion_equals_the_definition_solved_in_python() {
    let parity: Parity = serde_json::from_str(include_str!("parity.json")).expect("parity.json");
    let rows = rows_of(parity.expected_weights.len(), &parity.rows);
    let examples = Examples::new(&rows, &parity.labels, Some(&parity.weights)).expect("good examples");
    let config = FtrlConfig {
        alpha: parity.alpha,
        beta: parity.beta,
        l1: parity.l1,
        l2: parity.l2,
        epochs: parity.epochs,
        shuffle: false,
        ..Default::default()
    };
    let fitted = fit(&examples, &all(&rows), &[], &config, 0, &mut Silent).expect("fitted");
    for (found, expected) in fitted.epochs.iter().zip(&parity.train_logloss) {
        assert!((found.train_logloss - expected).abs() < 1e-9);
    }
    assert!((fitted.model.bias - parity.expected_bias).abs() < 1e-6);
    for (index, (found, expected)) in fitted
        .model
        .weights
        .iter()
        .zip(&parity.expected_weights)
        .enumerate()
    {
        assert!(
            (found - expected).abs() < 1e-6,
            "weight {index}: {found} {expected}"
        );
        assert_eq!(
            *found == 0.0,
            *expected == 0.0,
            "weight {index} must be exactly zero in both or neither"
        );
    }
    assert!(
        parity.expected_weights.contains(&0.0),
        "the case must show sparsity"
    );
}

#[test]
fn the_slope_of_the_loss_in_each_weight_is_prediction_minus_label_times_value() {
    let rows = rows_of(3, &[vec![(0, 1.5), (2, -0.5)]]);
    let (row, label) = (rows.row(0), 0.3);
    let model = LogisticRegression {
        weights: vec![0.4, 1.0, -0.7],
        bias: 0.2,
    };
    let slope = sigmoid(model.wide_logit(row)) - label;
    for (index, value) in [(0, 1.5), (1, 0.0), (2, -0.5)] {
        let loss = |by: f32| {
            let mut moved = model.clone();
            moved.weights[index] += by;
            logloss(moved.wide_logit(row), label)
        };
        let step = 1.0 / 1024.0;
        let numeric = (loss(step) - loss(-step)) / (2.0 * f64::from(step));
        assert!(
            (numeric - slope * value).abs() < 1e-6,
            "weight {index}: {numeric} {}",
            slope * value
        );
    }
}

#[test]
fn sixty_four_rows_can_be_learned_by_heart() {
    let rows = rows_of(
        66,
        &(0..64)
            .map(|row| vec![(row, 1.0), (64 + row % 2, 1.0)])
            .collect::<Vec<_>>(),
    );
    let labels: Vec<f32> = (0..64)
        .map(|row: u16| f32::from((row * 37 % 64).is_multiple_of(3)))
        .collect();
    let examples = Examples::new(&rows, &labels, None).expect("good examples");
    let config = FtrlConfig {
        alpha: 1.0,
        l1: 0.0,
        l2: 0.0,
        epochs: 300,
        ..Default::default()
    };
    let fitted = fit(&examples, &all(&rows), &[], &config, 1, &mut Silent).expect("fitted");
    let last = fitted.epochs.last().expect("an epoch");
    assert!(last.train_logloss < 0.02, "{}", last.train_logloss);
}

#[test]
fn l1_makes_exact_zeros_and_takes_the_features_that_say_nothing_first() {
    let (rows, labels) = world(2000, 40, 6, 3);
    let examples = Examples::new(&rows, &labels, None).expect("good examples");
    let weights = |l1: f64| {
        let config = FtrlConfig {
            l1,
            ..Default::default()
        };
        fit(&examples, &all(&rows), &[], &config, 1, &mut Silent)
            .expect("fitted")
            .model
    };
    assert!(weights(0.0).n_nonzero() >= 39);
    let sparse = weights(200.0);
    assert!(
        sparse.weights[..6].iter().all(|&weight| weight != 0.0),
        "{:?}",
        sparse.weights
    );
    let zeros = sparse.weights[6..]
        .iter()
        .filter(|&&weight| weight == 0.0)
        .count();
    assert!(zeros >= 30, "{zeros} of 34 exactly zero");
    let nothing = weights(1e9);
    assert_eq!(nothing.n_nonzero(), 0);
    assert!(nothing.bias != 0.0, "the bias is not regularised");
}

#[test]
fn early_stopping_keeps_the_pass_with_the_best_validation_loss() {
    let (rows, labels) = world(300, 200, 4, 5);
    let examples = Examples::new(&rows, &labels, None).expect("good examples");
    let (train, validation) = (all(&rows)[..200].to_vec(), all(&rows)[200..].to_vec());
    let config = FtrlConfig {
        alpha: 1.0,
        l1: 0.0,
        l2: 0.0,
        epochs: 50,
        patience: 2,
        ..Default::default()
    };
    let mut last = (0, 0);
    let mut note_the_last = |done: u64, total: u64, _: &str| {
        last = (done, total);
        Flow::Continue
    };
    let fitted = fit(&examples, &train, &validation, &config, 1, &mut note_the_last).expect("fitted");
    assert_eq!(fitted.stop, StopReason::Patience);
    assert_eq!(last, (50, 50), "whoever watches is told that it is over");
    assert_eq!(fitted.epochs.len(), fitted.best_epoch + 2);
    let losses: Vec<f64> = fitted
        .epochs
        .iter()
        .filter_map(|epoch| epoch.validation_logloss)
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses[fitted.best_epoch - 1], best);
    let again: f64 = validation
        .iter()
        .map(|&row| logloss(fitted.model.wide_logit(rows.row(row)), f64::from(labels[row])))
        .sum();
    assert!(
        (again / 100.0 - best).abs() < 1e-12,
        "the weights kept are those of the best pass"
    );
}

#[test]
fn the_caller_can_stop_a_training_and_keeps_what_it_has() {
    let (rows, labels) = world(50, 5, 2, 1);
    let examples = Examples::new(&rows, &labels, None).expect("good examples");
    let mut calls = vec![];
    let mut stop_at_two = |done: u64, total: u64, note: &str| {
        assert!(note.starts_with("logloss "), "{note}");
        calls.push((done, total));
        if done == 2 { Flow::Stop } else { Flow::Continue }
    };
    let fitted = fit(
        &examples,
        &all(&rows),
        &[],
        &FtrlConfig::default(),
        1,
        &mut stop_at_two,
    )
    .expect("fitted");
    assert_eq!(
        (fitted.stop, fitted.epochs.len(), fitted.best_epoch),
        (StopReason::Asked, 2, 2)
    );
    assert_eq!(calls, [(1, 10), (2, 10)]);
}

#[test]
fn a_weight_of_two_teaches_the_bias_as_a_larger_gradient_and_a_weight_of_zero_nothing() {
    let rows = rows_of(2, &[vec![(0, 1.0)], vec![(1, 1.0)]]);
    let examples = Examples::new(&rows, &[1.0, 0.0], Some(&[2.0, 0.0])).expect("good examples");
    let config = FtrlConfig {
        epochs: 1,
        ..Default::default()
    };
    let fitted = fit(&examples, &[0, 1], &[], &config, 1, &mut Silent).expect("fitted");
    assert!(fitted.model.weights[0] > 0.0);
    assert_eq!(fitted.model.weights[1], 0.0);
    // One step with g = 2·(σ(0) − 1) = −1, so that z = −1 and n = 1: w = (1 − l1) / ((β + 1)/α + l2).
    let expected = (1.0 - config.l1) / ((config.beta + 1.0) / config.alpha + config.l2);
    assert!((f64::from(fitted.model.weights[0]) - expected).abs() < 1e-7);
}

#[test]
fn bad_requests_for_a_fit_are_typed_errors() {
    let rows = rows_of(1, &[vec![(0, 1.0)]]);
    let examples = Examples::new(&rows, &[1.0], None).expect("good examples");
    let fail = |train: &[usize], validation: &[usize], config: &FtrlConfig| {
        fit(&examples, train, validation, config, 1, &mut Silent).expect_err("bad request")
    };
    let config = FtrlConfig::default();
    assert!(matches!(
        fail(&[], &[], &config),
        Error::NoRows { purpose: "train on" }
    ));
    assert!(matches!(
        fail(&[5], &[], &config),
        Error::UnknownRow { row: 5, .. }
    ));
    assert!(matches!(
        fail(&[0], &[5], &config),
        Error::UnknownRow { row: 5, .. }
    ));
    let config = FtrlConfig {
        alpha: -1.0,
        ..config
    };
    assert!(matches!(
        fail(&[0], &[], &config),
        Error::Config { key: "alpha", .. }
    ));
}

#[test]
fn numbers_beyond_what_a_weight_can_hold_are_reported_as_divergence() {
    let rows = rows_of(1, &[vec![(0, 1e-38)]]);
    let examples = Examples::new(&rows, &[1.0], None).expect("good examples");
    let config = FtrlConfig {
        alpha: 1e300,
        beta: 0.0,
        l1: 0.0,
        l2: 0.0,
        ..Default::default()
    };
    let error = fit(&examples, &[0], &[], &config, 1, &mut Silent).expect_err("diverged");
    assert!(matches!(error, Error::Diverged { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_every_weight_is_finite(
        rows in prop::collection::vec(prop::collection::vec((0_u32..20, -3.0_f32..3.0), 0..6), 2..30),
        seed: u64,
        alpha in 0.01_f64..5.0,
        l1 in 0.0_f64..2.0,
    ) {
        let labels: Vec<f32> = (0..rows.len()).map(|row| f32::from(u8::from(row % 3 == 0))).collect();
        let rows = rows_of(20, &rows);
        let examples = Examples::new(&rows, &labels, None).expect("good examples");
        let config = FtrlConfig { alpha, l1, epochs: 3, ..Default::default() };
        let run = || fit(&examples, &all(&rows), &[], &config, seed, &mut Silent).expect("fitted");
        let (one, two) = (run(), run());
        prop_assert!(one.model.weights.iter().all(|weight| weight.is_finite()));
        prop_assert_eq!(one, two);
    }
}
