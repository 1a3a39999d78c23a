//! Learns to rank in a small world whose truth is known, and shows what came of it.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use catchment_features::{FeatureBatch, FeatureColumn};
use catchment_models::factorization::lr::sigmoid;
use catchment_models::progress::Flow;
use catchment_ranking::{
    Layout, LrRanker, LrRankerConfig, RankError, RankQuery, Ranker, TrainingRequest, TrainingSet,
};
use catchment_schema::{ItemIdx, ScoredItem};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const FILMS: [(&str, u32, f32); 8] = [
    ("The Lighthouse Keeper", 0, 0.9),
    ("Midnight Tram", 1, 0.2),
    ("A Field of Rye", 0, -0.5),
    ("Rust and Roses", 2, 0.6),
    ("The Ninth Bell", 1, -0.8),
    ("Paper Boats", 2, 0.0),
    ("Salt", 0, 0.3),
    ("Northbound", 1, 0.7),
];

fn numbers(values: &[f32]) -> FeatureColumn {
    FeatureColumn::Dense {
        width: 1,
        values: values.to_vec(),
    }
}

/// One id a row.
fn ids(cardinality: u32, ids: &[u32]) -> FeatureColumn {
    FeatureColumn::Bag {
        cardinality,
        offsets: (0u32..).take(ids.len() + 1).collect(),
        ids: ids.to_vec(),
        weights: vec![1.0; ids.len()],
    }
}

fn batch(rows: usize, columns: Vec<FeatureColumn>) -> FeatureBatch {
    FeatureBatch { rows, columns }
}

fn main() -> Result<(), RankError> {
    let genres: Vec<u32> = FILMS.iter().map(|film| film.1).collect();
    let qualities: Vec<f32> = FILMS.iter().map(|film| film.2).collect();
    let items = batch(FILMS.len(), vec![ids(3, &genres), numbers(&qualities)]);
    let context = batch(1, vec![]);
    let candidates: Vec<ItemIdx> = (0u32..).take(FILMS.len()).map(ItemIdx).collect();
    let user = |activity: f32| batch(1, vec![numbers(&[activity])]);
    let found = |scores: &[f32]| batch(scores.len(), vec![numbers(scores)]);

    // What a user takes depends on how active they are, how good the film is, and how well a channel thought it fits.
    let layout = Layout::of(&user(0.0), &context, &items, &found(&[0.0]))?;
    let mut set = TrainingSet::new(layout, &items, "this example");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    for _ in 0..600 {
        let activity = rng.random_range(-1.0..1.0_f32);
        let scores: Vec<f32> = FILMS.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
        let takes =
            |(score, quality): (&f32, &f32)| sigmoid(f64::from(-2.0 + activity + 2.0 * score + quality));
        let chances: Vec<f64> = scores.iter().zip(&qualities).map(takes).collect();
        let labels: Vec<f32> = chances
            .into_iter()
            .map(|p| f32::from(u8::from(rng.random_bool(p))))
            .collect();
        set.push(&TrainingRequest {
            user: user(activity).row(0),
            context: context.row(0),
            candidates: &candidates,
            candidate_features: &found(&scores),
            labels: &labels,
            weights: None,
        })?;
    }

    let mut print = |pass: u64, _: u64, note: &str| {
        println!("pass {pass}: {note}");
        Flow::Continue
    };
    let (mut ranker, report) = LrRanker::fit(&set, &LrRankerConfig::default(), 7, &mut print)?;
    println!(
        "held out: AUC {:.3}, logloss {:.4}, calibration error {:.3} (before calibration {:.3})",
        report.calibrated.auc, report.calibrated.logloss, report.calibrated.ece, report.uncalibrated.ece
    );

    ranker.prepare_items(&items)?;
    let user = user(0.5);
    let query = RankQuery {
        user: user.row(0),
        context: context.row(0),
        items: &items,
    };
    let mut scores = Vec::new();
    let channel_scores = found(&[-0.5, 0.9, 0.1, 0.8, -0.2, 0.4, 0.6, -0.9]);
    ranker.score(&query, &candidates, &channel_scores, &mut scores)?;
    let mut list: Vec<ScoredItem> = candidates
        .iter()
        .zip(scores)
        .map(|(&item, score)| ScoredItem::new(item, score))
        .collect();
    list.sort();
    for ScoredItem { item, score } in list {
        println!("{:.3}  {}", score.get(), FILMS[item.index()].0);
    }
    Ok(())
}
