//! What each ingredient of Airbnb's embeddings does, with its ablation: on made searches over the real listings of New
//! York, where the truth is known (`nyc`; the law is in `world.rs`), and on real check-ins (`foursquare`).
//!
//! `CATCHMENT_DATA=… cargo run -p catchment-models --example airbnb -- nyc [USERS] [WEIGHT OF QUALITY]`
//! `CATCHMENT_DATA=… cargo run -p catchment-models --example airbnb -- foursquare`
//!
//! Every figure is a mean over held-out cases, differences are taken case by case, and ± is the half width of their 95 %
//! interval. Every model is trained three times with other seeds, and a case counts by its mean over them.
#![allow(clippy::print_stdout, reason = "an example prints")]

mod foursquare;
mod measure;
mod nyc;
mod world;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::var_os("CATCHMENT_DATA").map(PathBuf::from) else {
        println!("skipped: CATCHMENT_DATA is not set");
        return Ok(());
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("nyc") => nyc::run(
            &folder,
            arguments.get(1).map_or(Ok(20_000), |users| users.parse())?,
            arguments.get(2).map_or(Ok(4.0), |weight| weight.parse())?,
        ),
        Some("foursquare") => foursquare::run(&folder),
        _ => Err("which: nyc or foursquare".into()),
    }
}

/// A row of an ablation's table: with and without, and the difference case by case.
pub(crate) fn compare(what: &str, with: &[f64], without: &[f64]) {
    let differences: Vec<f64> = with.iter().zip(without).map(|(a, b)| a - b).collect();
    let ((with, _), (without, _)) = (measure::interval(with), measure::interval(without));
    let (difference, half) = measure::interval(&differences);
    println!(
        "{what:<62} {with:>7.4} {without:>7.4}  {difference:>+8.4} ± {half:.4}  ({} cases)",
        differences.len()
    );
}

/// The mean of each case over several seeds.
pub(crate) fn over_seeds(cases: &[Vec<f64>]) -> Vec<f64> {
    let n = cases.len() as f64;
    let first = cases.first().map_or(0, Vec::len);
    (0..first)
        .map(|case| cases.iter().map(|of_seed| of_seed[case]).sum::<f64>() / n)
        .collect()
}
