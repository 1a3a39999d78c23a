#![allow(clippy::float_cmp, reason = "exact by definition")]

use catchment_sampling::{Candidates, CountedFrequency, LogUniform, Mixed, Proposal, Uniform, in_batch};
use catchment_schema::ItemIdx;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::softmax::IsPositive;
use super::{
    Correction, SoftmaxConfig, bpr, cosine_contrastive, full_softmax, in_batch_softmax, own_softmax,
    sampled_softmax,
};

const CORRECTIONS: [Correction; 3] = [Correction::LogQ, Correction::Refined, Correction::None];

fn items(ids: &[u32]) -> Vec<ItemIdx> {
    ids.iter().map(|&id| ItemIdx(id)).collect()
}

fn scores(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A positive for each of three rows, and five sampled items, one of which is the second row's own.
fn sample() -> (Candidates, Candidates) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut proposal = LogUniform::new(40).expect("items");
    let negatives = proposal.draw(5, &mut rng);
    let own = [ItemIdx(30), negatives.ids()[3], ItemIdx(31)];
    (proposal.expected(&own, 5), negatives)
}

/// Compares a gradient with differences of the loss.
fn check(scores: &[f32], loss: &dyn Fn(&[f32]) -> f64, gradient: &[f32], what: &str) {
    let step = 1e-2_f32;
    for cell in 0..scores.len() {
        let at = |by: f32| {
            let mut moved = scores.to_vec();
            moved[cell] += by;
            loss(&moved)
        };
        let slope = (at(step) - at(-step)) / f64::from(2.0 * step);
        let found = f64::from(gradient[cell]);
        assert!(
            (slope - found).abs() < 2e-3,
            "{what}: score {cell}: {found}, differences say {slope}"
        );
    }
}

type PairLoss<'a> = &'a dyn Fn(&[f32], &[f32], (&mut [f32], &mut [f32])) -> f64;

/// The scores of the positives first, then of the negatives: one function of all.
fn check_pairs(loss: PairLoss<'_>, what: &str) {
    let (n_rows, n_negatives) = (3, 5);
    let all = scores(n_rows + n_rows * n_negatives, 4);
    let whole = |all: &[f32], gradient: &mut [f32]| {
        let (positive, negative) = all.split_at(n_rows);
        loss(positive, negative, gradient.split_at_mut(n_rows))
    };
    let mut gradient = vec![f32::NAN; all.len()];
    whole(&all, &mut gradient);
    check(
        &all,
        &|all| whole(all, &mut vec![0.0; all.len()]),
        &gradient,
        what,
    );
}

#[test]
fn gradients_are_what_differences_of_the_loss_say() {
    let (positives, negatives) = sample();
    let rewards = [1.0, 0.25, 2.0];
    let taken = |row: usize, item: ItemIdx| row == 0 && item == negatives.ids()[0];
    for correction in CORRECTIONS {
        let config = SoftmaxConfig {
            temperature: 0.5,
            correction,
        };
        check_pairs(
            &|positive, negative, gradients| {
                let taken: IsPositive<'_> = &taken;
                sampled_softmax(
                    positive,
                    negative,
                    &positives,
                    &negatives,
                    &config,
                    Some(&rewards),
                    Some(taken),
                    gradients,
                )
            },
            "sampled softmax",
        );
        let frequency = CountedFrequency::new(&[5, 3, 2, 1], 3).expect("counts");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let columns = Mixed::new(4, 2)
            .expect("items")
            .draw(&items(&[1, 0, 1]), &frequency, &mut rng);
        let scores = scores(15, 5);
        let loss = |scores: &[f32], gradient: &mut [f32]| {
            in_batch_softmax(scores, 3, &columns, &config, Some(&rewards), None, gradient)
        };
        let mut gradient = vec![f32::NAN; 15];
        loss(&scores, &mut gradient);
        check(
            &scores,
            &|scores| loss(scores, &mut [0.0; 15]),
            &gradient,
            "in-batch softmax",
        );
    }
    check_pairs(
        &|positive, negative, gradients| bpr(positive, negative, &positives, &negatives, gradients),
        "BPR",
    );
    let scores = scores(12, 6);
    let loss = |scores: &[f32], gradient: &mut [f32]| {
        full_softmax(scores, &items(&[0, 3, 3]), 0.5, Some(&rewards), gradient)
    };
    let mut gradient = vec![f32::NAN; 12];
    loss(&scores, &mut gradient);
    check(
        &scores,
        &|scores| loss(scores, &mut [0.0; 12]),
        &gradient,
        "full softmax",
    );
}

#[test]
fn the_cosine_contrastive_loss_counts_what_is_above_the_margin() {
    let proposal = Uniform::new(10).expect("items");
    let (positives, negatives) = (
        proposal.expected(&items(&[1, 2]), 3),
        proposal.expected(&items(&[5, 1, 6]), 3),
    );
    let (mut by_positive, mut by_negative) = ([f32::NAN; 2], [f32::NAN; 6]);
    let loss = cosine_contrastive(
        &[0.8, 0.5],
        &[0.7, 0.9, 0.1, 0.6, 0.4, 0.39],
        &positives,
        &negatives,
        0.4,
        3.0,
        (&mut by_positive, &mut by_negative),
    );
    // Row 0: 0.2 + 3 · 0.3 / 3, its own item left out; row 1: 0.5 + 3 · 0.2 / 3.
    assert!((loss - 0.6).abs() < 1e-6, "{loss}");
    assert_eq!(by_positive, [-0.5, -0.5]);
    assert_eq!(by_negative, [0.5, 0.0, 0.0, 0.5, 0.0, 0.0]);
}

/// Where the sample is all classes once, each form is the full softmax.
#[test]
fn a_sample_of_every_class_once_is_the_full_softmax() {
    let n = 7;
    let own: Vec<ItemIdx> = items(&[3, 0, 6, 1, 5, 2, 4]);
    let columns = in_batch(&own, &CountedFrequency::new(&[1; 7], n).expect("counts"));
    let scores = scores(n * n, 8);
    for correction in CORRECTIONS {
        let config = SoftmaxConfig {
            temperature: 0.3,
            correction,
        };
        let mut gradient = vec![0.0; n * n];
        let loss = in_batch_softmax(&scores, n, &columns, &config, None, None, &mut gradient);
        // The full softmax has its classes in the order of the columns here.
        let labels: Vec<ItemIdx> = (0..n).map(ItemIdx::from_index).collect();
        let mut full_gradient = vec![0.0; n * n];
        let full = full_softmax(&scores, &labels, 0.3, None, &mut full_gradient);
        assert!((loss - full).abs() < 1e-5, "{correction:?}: {loss}, full {full}");
        let largest = gradient
            .iter()
            .zip(&full_gradient)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(largest < 1e-5, "{correction:?}: {largest}");
    }
}

/// As the sample grows, the refined form tends to the full softmax with replacement, too.
#[test]
fn the_refined_gradient_of_a_large_sample_is_the_full_one() {
    let n_items = 30;
    let scores = scores(n_items, 9);
    let label = ItemIdx(0);
    let mut full = vec![0.0; n_items];
    full_softmax(&scores, &[label], 0.7, None, &mut full);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(12);
    let mut proposal = LogUniform::new(30).expect("items");
    let n = 200_000;
    let negatives = proposal.draw(n, &mut rng);
    let of_sample: Vec<f32> = negatives.ids().iter().map(|item| scores[item.index()]).collect();
    let by_item = |correction| {
        let (mut by_positive, mut by_negative) = ([0.0], vec![0.0; n]);
        sampled_softmax(
            &scores[..1],
            &of_sample,
            &proposal.expected(&[label], n),
            &negatives,
            &SoftmaxConfig {
                temperature: 0.7,
                correction,
            },
            None,
            None,
            (&mut by_positive, &mut by_negative),
        );
        let mut found = vec![0.0; n_items];
        found[0] = by_positive[0];
        for (item, gradient) in negatives.ids().iter().zip(by_negative) {
            found[item.index()] += gradient;
        }
        let gaps = found.iter().zip(&full).map(|(a, b): (&f32, &f32)| (a - b).abs());
        gaps.fold(0.0, f32::max)
    };
    assert!(
        by_item(Correction::Refined) < 5e-3,
        "{}",
        by_item(Correction::Refined)
    );
    assert!(by_item(Correction::None) > 5e-2, "{}", by_item(Correction::None));
}

#[test]
fn the_temperature_divides_before_the_correction() {
    let (positives, negatives) = sample();
    let config = SoftmaxConfig {
        temperature: 0.25,
        correction: Correction::LogQ,
    };
    let (positive, negative) = ([0.5; 3], [0.1; 15]);
    let loss = sampled_softmax(
        &positive,
        &negative,
        &positives,
        &negatives,
        &config,
        None,
        None,
        (&mut [0.0; 3], &mut [0.0; 15]),
    );
    let mut by_hand = 0.0;
    for row in 0..3 {
        let own = f64::from(positives.log_expected_count()[row]);
        let numerator = (0.5 / 0.25 - own).exp();
        let others = negatives.ids().iter().zip(negatives.log_expected_count());
        let others = others.filter(|(item, _)| **item != positives.ids()[row]);
        let sum: f64 = others.map(|(_, log)| (0.1 / 0.25 - f64::from(*log)).exp()).sum();
        by_hand -= (numerator / (numerator + sum)).ln() / 3.0;
    }
    assert!((loss - by_hand).abs() < 1e-5, "{loss} is not {by_hand}");
}

#[test]
fn extreme_scores_and_what_is_never_drawn_stay_finite() {
    let frequency = CountedFrequency::new(&[5, 0, 5], 2).expect("counts");
    let columns = in_batch(&items(&[0, 1, 2]), &frequency);
    for score in [-1e30, 0.0, 1e30] {
        let scores = [score, -score, 0.0, score, 1.0, -1.0];
        let mut gradient = [0.0; 6];
        let config = SoftmaxConfig {
            temperature: 0.05,
            ..SoftmaxConfig::default()
        };
        let loss = in_batch_softmax(&scores, 2, &columns, &config, None, None, &mut gradient);
        assert!(
            !loss.is_nan() && gradient.iter().all(|value| value.is_finite()),
            "{loss} {gradient:?}"
        );
    }
}

/// Five negatives for each of three rows, one of which is the first row's own positive.
fn own_sample() -> (Candidates, Candidates) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let mut proposal = LogUniform::new(40).expect("items");
    let mut negatives = proposal.draw(0, &mut rng);
    for _ in 0..3 {
        negatives = negatives.followed_by(&proposal.draw(5, &mut rng));
    }
    let own = [negatives.ids()[2], ItemIdx(30), ItemIdx(31)];
    (proposal.expected(&own, 5), negatives)
}

#[test]
fn negatives_of_ones_own_have_the_gradient_that_differences_say() {
    let (positives, negatives) = own_sample();
    let rewards = [1.0, 0.25, 2.0];
    let taken = |row: usize, item: ItemIdx| row == 1 && item == negatives.ids()[7];
    for correction in CORRECTIONS {
        let config = SoftmaxConfig {
            temperature: 0.5,
            correction,
        };
        check_pairs(
            &|positive, negative, gradients| {
                own_softmax(
                    positive,
                    negative,
                    &positives,
                    &negatives,
                    &config,
                    Some(&rewards),
                    Some(&taken),
                    gradients,
                )
            },
            "softmax over negatives of one's own",
        );
    }
}

/// Each row is a sampled softmax of that row alone; its own positive and what is spared have no slope.
#[test]
fn negatives_of_ones_own_are_a_shared_sample_of_each_row() {
    let (positives, negatives) = own_sample();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let mut proposal = LogUniform::new(40).expect("items");
    let taken = |_: usize, item: ItemIdx| item == negatives.ids()[7];
    let (own_scores, other_scores) = (scores(3, 1), scores(15, 2));
    let config = SoftmaxConfig::default();
    let (mut own_slopes, mut slopes) = ([f32::NAN; 3], [f32::NAN; 15]);
    let whole = own_softmax(
        &own_scores,
        &other_scores,
        &positives,
        &negatives,
        &config,
        None,
        Some(&taken),
        (&mut own_slopes, &mut slopes),
    );
    let mut sum = 0.0;
    for row in 0..3 {
        let sample = proposal.draw(5, &mut rng);
        let cells = row * 5..(row + 1) * 5;
        assert_eq!(sample.ids(), &negatives.ids()[cells.clone()]);
        let own = proposal.expected(&positives.ids()[row..=row], 5);
        let (mut own_slope, mut of_row) = ([f32::NAN], [f32::NAN; 5]);
        sum += sampled_softmax(
            &own_scores[row..=row],
            &other_scores[cells.clone()],
            &own,
            &sample,
            &config,
            None,
            Some(&taken),
            (&mut own_slope, &mut of_row),
        );
        assert!((own_slope[0] / 3.0 - own_slopes[row]).abs() < 1e-7);
        for (one, other) in of_row.iter().zip(&slopes[cells]) {
            assert!((one / 3.0 - other).abs() < 1e-7);
        }
    }
    assert!((whole - sum / 3.0).abs() < 1e-6);
    assert_eq!((slopes[2], slopes[7]), (0.0, 0.0));
    let none = proposal.draw(0, &mut rng);
    let mut slopes = [f32::NAN; 3];
    let loss = own_softmax(
        &own_scores,
        &[],
        &positives,
        &none,
        &config,
        None,
        None,
        (&mut slopes, &mut []),
    );
    assert_eq!((loss, slopes), (0.0, [0.0; 3]));
}
