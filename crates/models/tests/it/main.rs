//! The models on real data. Skipped, by name, where `CATCHMENT_DATA` does not say where the data are.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod gowalla;
#[allow(dead_code, reason = "the example prints more of it")]
mod gradient_bias;

use catchment_models::factorization::ials::{self, IalsConfig};
use catchment_models::neighbours::item_cf::{ItemCf, ItemCfConfig};
use catchment_models::popularity::{Popularity, PopularityConfig};
use catchment_models::progress::Silent;
use catchment_schema::{ItemIdx, Time};

fn split(test: &str) -> Option<gowalla::Split> {
    let split = gowalla::open();
    if split.is_none() {
        println!("{test} is skipped: CATCHMENT_DATA is not set");
    }
    split
}

fn assert_near(found: gowalla::Quality, recall: f64, ndcg: f64, tolerance: f64) {
    let near = (found.recall - recall).abs() < tolerance && (found.ndcg - ndcg).abs() < tolerance;
    assert!(near, "found {found:?}, published {recall} {ndcg}");
}

#[test]
fn popularity_reaches_the_known_figures_on_gowalla() {
    let Some(split) = split("popularity_reaches_the_known_figures_on_gowalla") else {
        return;
    };
    let config = PopularityConfig::default();
    let model = Popularity::fit(&split.histories(), split.n_items, Time::UNKNOWN, &config).expect("valid");
    let found = split.judge(|_, scores| {
        scores
            .chunks_mut(split.n_items)
            .for_each(|scores| scores.copy_from_slice(&model.scores));
    });
    assert_near(found, 0.0416, 0.0317, 0.0002);
}

#[test]
fn item_cf_reaches_the_published_figures_on_gowalla() {
    let Some(split) = split("item_cf_reaches_the_published_figures_on_gowalla") else {
        return;
    };
    let histories = split.histories();
    let model = ItemCf::fit(&histories, split.n_items, &ItemCfConfig::default(), &mut Silent).expect("valid");
    let found = split.judge(|users, scores| {
        for (&user, scores) in users.iter().zip(scores.chunks_mut(split.n_items)) {
            let history = split.train[user].iter().map(|&item| ItemIdx(item));
            model
                .score_into(history, scores)
                .expect("one score for each item");
        }
    });
    assert_near(found, 0.1570, 0.1214, 0.001);
}

#[test]
fn a_narrow_ials_reaches_its_figures_on_gowalla_and_on_a_validation_part() {
    let Some(split) = split("a_narrow_ials_reaches_its_figures_on_gowalla_and_on_a_validation_part") else {
        return;
    };
    let config = IalsConfig {
        dim: 64,
        sweeps: 6,
        ..IalsConfig::default()
    };
    let fit = |split: &gowalla::Split| {
        let model = ials::fit(&split.histories(), split.n_items, &config, 1, &mut Silent).expect("valid");
        split.judge_ials(&model)
    };
    assert_near(fit(&split), 0.1511, 0.1301, 0.003);
    let validation = split.validation();
    let held_out: usize = validation.test.iter().map(Vec::len).sum();
    let all: usize = split.train.iter().map(Vec::len).sum();
    assert!((held_out as f64 / all as f64 - 0.1).abs() < 0.01);
    assert!(fit(&validation).recall > 0.1);
}
