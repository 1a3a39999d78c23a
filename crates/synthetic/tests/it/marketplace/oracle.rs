//! Each oracle reaches its ceiling, and a model that knows less does not.

use std::collections::BTreeSet;

use catchment_schema::Time;
use catchment_synthetic::Ceiling;
use catchment_synthetic::marketplace::{Label, LabelCeiling, Marketplace, MarketplaceConfig, Question};

use super::{all_events, is_view, middling, millis};

const K: usize = 20;

fn hit_rate(questions: &[Question], mut rank: impl FnMut(&Question) -> Vec<f64>) -> f64 {
    let n_hits = questions
        .iter()
        .filter(|question| {
            let list = Marketplace::ideal_list(&rank(question), &question.seen, K);
            list.iter().any(|(item, _)| *item == question.target)
        })
        .count();
    n_hits as f64 / questions.len() as f64
}

fn reaches(measured: f64, ceiling: &Ceiling) {
    // The log was drawn by the law, so only luck lies between them: three standard deviations.
    assert!(
        (measured - ceiling.recall).abs() < 3.0 * ceiling.recall_deviation,
        "{measured} against {ceiling:?}"
    );
}

fn stays_below(what: &str, measured: f64, ceiling: &Ceiling) {
    assert!(
        measured < ceiling.recall - 3.0 * ceiling.recall_deviation,
        "{what}: {measured} against {ceiling:?}"
    );
}

#[test]
fn the_next_view_is_guessed_as_well_as_the_ceiling_says_and_no_better() {
    for seed in [1, 2] {
        let marketplace = Marketplace::new(&MarketplaceConfig { seed, ..middling() }).expect("allowed");
        let users = 0..1500;
        let ceiling = marketplace.view_ceiling(K, users.clone());
        let questions: Vec<_> = users.filter_map(|user| marketplace.last_view(user)).collect();
        assert_eq!(questions.len(), ceiling.n_users);
        let oracle = hit_rate(&questions, |question| {
            marketplace.view_probabilities(question.user, question.at, question.session)
        });
        reaches(oracle, &ceiling);
        let taste = hit_rate(&questions, |question| {
            marketplace.view_probabilities(question.user, question.at, None)
        });
        stays_below("taste without the session", taste, &ceiling);
        let popularity = marketplace.popularity(marketplace.config().end_time());
        let popular = hit_rate(&questions, |_| popularity.clone());
        stays_below("popularity", popular, &ceiling);
        println!("recall@{K}: popularity {popular:.3}, taste {taste:.3}, oracle {oracle:.3}, {ceiling:?}");
        assert!(popular < taste);
        assert!(ceiling.ndcg < ceiling.recall);
    }
}

#[test]
fn the_next_booking_is_guessed_as_well_as_the_ceiling_says_and_no_better() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let users = 0..3000;
    let ceiling = marketplace.booking_ceiling(K, users.clone());
    let questions: Vec<_> = users.filter_map(|user| marketplace.first_booking(user)).collect();
    assert!(questions.len() > 1000, "{}", questions.len());
    let oracle = hit_rate(&questions, |question| {
        marketplace.booking_probabilities(question.user, question.at, question.session)
    });
    reaches(oracle, &ceiling);
    let another = hit_rate(&questions, |question| {
        marketplace.booking_probabilities(question.user + 1, question.at, question.session)
    });
    stays_below("somebody else's taste", another, &ceiling);
    let views = hit_rate(&questions, |question| {
        marketplace.view_probabilities(question.user, question.at, question.session)
    });
    println!("recall@{K}: another's {another:.3}, by views {views:.3}, oracle {oracle:.3}, {ceiling:?}");
    assert!(
        views < ceiling.recall - ceiling.recall_deviation,
        "bookings are not views: {views}"
    );
}

/// AUC, log loss and Brier score of predictions, by their definitions.
fn judge(labels: &[Label], predict: impl Fn(&Label) -> f64) -> (f64, f64, f64) {
    let mut scored: Vec<(f64, bool)> = labels
        .iter()
        .map(|label| (predict(label), label.is_booked))
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut right, mut positives, mut negatives) = (0.0, 0.0, 0.0);
    for tie in scored.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let up = tie.iter().filter(|scored| scored.1).count() as f64;
        let down = tie.len() as f64 - up;
        right += up * (negatives + 0.5 * down);
        positives += up;
        negatives += down;
    }
    let n = scored.len() as f64;
    let (mut log_loss, mut brier) = (0.0, 0.0);
    for (p, is_booked) in scored {
        log_loss -= if is_booked { p.ln() } else { (1.0 - p).ln() };
        brier += (p - f64::from(u8::from(is_booked))).powi(2);
    }
    (right / (positives * negatives), log_loss / n, brier / n)
}

#[test]
fn labels_are_predicted_as_well_as_the_ceiling_says_and_no_better() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let labels: Vec<Label> = (0..2000).flat_map(|user| marketplace.labels_of(user)).collect();
    let ceiling = LabelCeiling::of(&labels);
    println!("{ceiling:?}");
    let (auc, log_loss, brier) = judge(&labels, |label| label.probability);
    assert!((auc - ceiling.auc).abs() < 0.005, "{auc} against {ceiling:?}");
    assert!((log_loss - ceiling.log_loss).abs() < 0.005, "{log_loss}");
    assert!((brier - ceiling.brier).abs() < 0.002, "{brier}");
    let (constant, worse_loss, worse_brier) = judge(&labels, |_| ceiling.rate);
    assert!((constant - 0.5).abs() < 1e-9);
    assert!(worse_loss > ceiling.log_loss + 0.02 && worse_brier > ceiling.brier + 0.005);
    // The right order with wrong probabilities: the same AUC, a worse loss.
    let (same, overconfident, _) = judge(&labels, |label| {
        let odds = (label.probability / (1.0 - label.probability)).powi(2);
        odds / (1.0 + odds)
    });
    assert!((same - auc).abs() < 1e-9 && overconfident > ceiling.log_loss + 0.02);
    let quality = judge(&labels, |label| {
        0.01 + 0.98 * f64::from(label.view.dwell_ms) / 170_000.0
    });
    assert!(
        quality.0 < ceiling.auc - 0.02,
        "dwell time tells less: {quality:?}"
    );
}

#[test]
fn a_ceiling_of_labels_counts_pairs_as_their_definition_does() {
    let marketplace = Marketplace::new(&MarketplaceConfig::of_size(1000)).expect("allowed");
    let labels = marketplace.labels_of(0);
    let (mut right, mut pairs) = (0.0, 0.0);
    for (a, one) in labels.iter().enumerate() {
        for (b, other) in labels.iter().enumerate() {
            if a != b {
                let weight = one.probability * (1.0 - other.probability);
                pairs += weight;
                right += weight
                    * match one.probability.total_cmp(&other.probability) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
            }
        }
    }
    assert!(labels.len() > 3);
    assert!((LabelCeiling::of(&labels).auc - right / pairs).abs() < 1e-12);
}

#[test]
fn true_popularity_explains_the_views_of_its_day_and_that_of_another_time_does_not() {
    let config = MarketplaceConfig {
        switch_day: Some(60),
        ..middling()
    };
    let marketplace = Marketplace::new(&config).expect("allowed");
    let events = all_events(&marketplace);
    let at = |day: i64| Time::from_millis((config.start + day * 86_400 + 43_200) * 1000);
    for day in [30, 58, 61, 80] {
        let today: Vec<_> = events
            .iter()
            .filter(|event| is_view(event) && (millis(event) / 1000 - config.start) / 86_400 == day)
            .collect();
        let surprise = |popularity: &[f64]| {
            // What is published later in the day is no surprise.
            let of = |item: u32| popularity[item as usize].max(1e-7);
            today.iter().map(|event| -of(event.item).ln()).sum::<f64>() / today.len() as f64
        };
        let truth = marketplace.popularity(at(day));
        // Shannon: no distribution explains draws from it better than itself, on average.
        let entropy: f64 = truth.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        let (right, early, uniform) = (
            surprise(&truth),
            surprise(&marketplace.popularity(at(10))),
            surprise(&vec![1.0 / f64::from(config.n_items); config.n_items as usize]),
        );
        println!(
            "day {day}: {} views, entropy {entropy:.3}, {right:.3}, day 10 {early:.3}, uniform {uniform:.3}",
            today.len()
        );
        assert!(
            (right - entropy).abs() < 0.1,
            "day {day}: {right} against {entropy}"
        );
        assert!(
            right < early - 0.02 && right < uniform - 0.1,
            "day {day}: {right}, {early}, {uniform}"
        );
    }
}

#[test]
fn ideal_lists_are_sorted_without_what_was_seen() {
    let list = Marketplace::ideal_list(&[0.1, 0.4, 0.0, 0.4, 0.1], &BTreeSet::from([4]), 10);
    assert_eq!(list, [(1, 0.4), (3, 0.4), (0, 0.1)]);
    assert_eq!(
        Marketplace::ideal_list(&[0.1, 0.4, 0.2], &[].into(), 2),
        [(1, 0.4), (2, 0.2)]
    );
}
