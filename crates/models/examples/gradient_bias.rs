//! Bias and spread of the gradient for every sampler and correction, beside the softmax over all classes.
//!
//! `cargo run --release -p catchment-models --example gradient_bias`
#![allow(clippy::print_stdout, reason = "an example prints")]

#[path = "../tests/it/gradient_bias.rs"]
mod gradient_bias;

use catchment_models::losses::Correction;
use gradient_bias::{N_DRAWN, N_ITEMS, N_ROWS, SAMPLERS, Toy};

const BATCHES: usize = 2_000;

fn main() {
    println!(
        "{N_ITEMS} items, {N_ROWS} rows a batch, {N_DRAWN} draws; in parts of the length of the full gradient, {BATCHES} batches\n"
    );
    println!(
        "| sampler | correction | bias | noise of the mean | deviation of a batch |\n|---|---|---|---|---|"
    );
    let toy = Toy::new(3);
    for sampler in SAMPLERS {
        for correction in [Correction::None, Correction::LogQ, Correction::Refined] {
            let gap = toy.gap(sampler, correction, BATCHES, 11);
            println!(
                "| {sampler:?} | {correction:?} | {:.4} | {:.4} | {:.2} |",
                gap.bias, gap.noise, gap.deviation
            );
        }
    }
}
