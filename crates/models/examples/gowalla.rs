//! The figures of popularity, item CF, Swing and iALS on Gowalla, and the time that they take.
//!
//! `CATCHMENT_DATA=… cargo run -p catchment-models --example gowalla -- popularity | item_cf`
//! `CATCHMENT_DATA=… cargo run -p catchment-models --example gowalla -- swing test '{"max_users": 1000000}'`
//! `CATCHMENT_DATA=… cargo run -p catchment-models --example gowalla -- ials test '{"dim": 192, "sweeps": 6}'`
//! `CATCHMENT_DATA=… cargo run -p catchment-models --example gowalla -- item2vec test '{"epochs": 40}'`
//!
//! With `validation` in the place of `test`, a tenth of the training pairs is held out and judged instead; with `time`,
//! nothing is judged.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::time::Instant;

use catchment_models::factorization::ials::{self, IalsConfig};
use catchment_models::neighbours::item_cf::{ItemCf, ItemCfConfig};
use catchment_models::neighbours::swing::{Swing, SwingConfig};
use catchment_models::popularity::{Popularity, PopularityConfig};
use catchment_models::progress::{Flow, Silent};
use catchment_models::sgns::{self, ItemVectors, SgnsConfig};
use catchment_sampling::{MemorySessions, SessionRules};
use catchment_schema::{ItemIdx, Time};

#[path = "../tests/it/gowalla.rs"]
mod gowalla;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |position: usize| arguments.get(position).map(String::as_str);
    let Some(split) = gowalla::open() else {
        println!("skipped: CATCHMENT_DATA is not set");
        return Ok(());
    };
    let split = match argument(1) {
        Some("validation") => split.validation(),
        Some("validation-fifth") => split.held_out(5),
        _ => split,
    };
    let histories = split.histories();
    let begun = Instant::now();
    match argument(0) {
        Some("popularity") => {
            let config = PopularityConfig::default();
            let model = Popularity::fit(&histories, split.n_items, Time::UNKNOWN, &config)?;
            println!("fitted in {:.2?}", begun.elapsed());
            let quality = split.judge(|_, scores| {
                scores
                    .chunks_mut(split.n_items)
                    .for_each(|scores| scores.copy_from_slice(&model.scores));
            });
            println!("{quality:.4?}");
        }
        Some("item_cf") => {
            let model = ItemCf::fit(&histories, split.n_items, &ItemCfConfig::default(), &mut Silent)?;
            println!("fitted in {:.2?}", begun.elapsed());
            let quality = split.judge(|users, scores| {
                for (&user, scores) in users.iter().zip(scores.chunks_mut(split.n_items)) {
                    let history = split.train[user].iter().map(|&item| ItemIdx(item));
                    model
                        .score_into(history, scores)
                        .expect("one score for each item");
                }
            });
            println!("{quality:.4?}");
        }
        Some("swing") => {
            let config: SwingConfig = serde_json::from_str(argument(2).unwrap_or("{}"))?;
            let model = Swing::fit(&histories, split.n_items, &config, 1, &mut Silent)?;
            println!("fitted in {:.2?}, {:?}", begun.elapsed(), model.report);
            let quality = split.judge(|users, scores| {
                scores.fill(0.0);
                for (&user, scores) in users.iter().zip(scores.chunks_mut(split.n_items)) {
                    for neighbour in split.train[user]
                        .iter()
                        .flat_map(|&item| model.table.of(ItemIdx(item)))
                    {
                        scores[neighbour.item.index()] += neighbour.score.get();
                    }
                }
            });
            println!("{} {quality:.4?}", serde_json::to_string(&config)?);
        }
        Some("ials") => {
            let config: IalsConfig = serde_json::from_str(argument(2).unwrap_or("{}"))?;
            let (n_users, n_pairs) = (histories.n_users(), histories.n_events());
            let memory = ials::memory_bytes(n_users, split.n_items, n_pairs, &config);
            println!("at most about {} MB", memory / 1_000_000);
            let mut before = Instant::now();
            let mut print = |done: u64, _: u64, note: &str| {
                println!("sweep {done}: {note} in {:.2?}", before.elapsed());
                before = Instant::now();
                Flow::Continue
            };
            let model = ials::fit(&histories, split.n_items, &config, 1, &mut print)?;
            println!("fitted in {:.2?}", begun.elapsed());
            if argument(1) != Some("time") {
                println!(
                    "{} {:.4?}",
                    serde_json::to_string(&config)?,
                    split.judge_ials(&model)
                );
            }
        }
        Some("item2vec") => item2vec(&split, argument(2).unwrap_or("{}"))?,
        _ => println!("which model: popularity, item_cf, swing, ials or item2vec?"),
    }
    Ok(())
}

/// A user is the mean direction of the train items; items are ranked by cosine, and by how likely they are beside them.
fn item2vec(split: &gowalla::Split, config: &str) -> Result<(), Box<dyn std::error::Error>> {
    let config: SgnsConfig = serde_json::from_str(config)?;
    let sessions = MemorySessions::new(&split.histories(), &SessionRules::default());
    let begun = Instant::now();
    let model = sgns::fit(&sessions, split.n_items, &config, 1, &mut Silent)?;
    let (report, seconds) = (&model.report, begun.elapsed().as_secs_f64());
    let speed = report.pairs as f64 / seconds;
    println!(
        "fitted in {seconds:.1} s, {speed:.2e} pairs/s, losses {:.3?}",
        report.losses
    );
    println!("{}", serde_json::to_string(&config)?);
    let items = ItemVectors::new(model.input, model.dim)?;
    for (what, table) in [("input", items.vectors()), ("output", &model.output[..])] {
        let quality = split.judge(|users, scores| {
            let mut queries = vec![0.0; users.len() * model.dim];
            for (query, &user) in queries.chunks_mut(model.dim).zip(users) {
                let train = split.train[user].iter().map(|&item| (ItemIdx(item), 1.0));
                if items.pool(train, query).is_err() {
                    query.fill(0.0);
                }
            }
            gowalla::inner_products(&queries, table, model.dim, scores);
        });
        println!("pooled against {what}: {quality:.4?}");
    }
    Ok(())
}
