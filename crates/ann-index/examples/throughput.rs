//! How many queries a second, by batch size, with recall beside: an index's speed without its recall is not a
//! result.
//!
//! `cargo run --release -p catchment-ann-index --example throughput [--features hnsw] -- [n] [dim] [k]
//! [metric]` (default 41000 192 100 `inner_product`). Each line is the best of several rounds on clustered,
//! seeded vectors. With the feature `hnsw` and metric `cosine` or `l2` the graph is built and measured too,
//! which takes minutes.
#![allow(clippy::print_stdout, reason = "an example that prints a table")]

use std::time::Instant;

use anyhow::{Context, Result, bail};
use catchment_ann_index::exact::{ExactIndex, Kernel};
use catchment_ann_index::{Scratch, SearchParams, VectorIndex};
use catchment_schema::{ItemFilter, Metric, ScoredItem};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |position: usize, otherwise: usize| {
        arguments.get(position).map_or(Ok(otherwise), |text| {
            text.parse().context("a number was expected")
        })
    };
    let (n, dim, k) = (number(0, 41_000)?, number(1, 192)?, number(2, 100)?);
    let metric = match arguments.get(3).map(String::as_str) {
        None | Some("inner_product") => Metric::InnerProduct,
        Some("cosine") => Metric::Cosine,
        Some("l2") => Metric::L2,
        Some(other) => bail!("unknown metric {other}"),
    };
    let vectors = clustered(n, dim, 1);
    let queries = clustered(2000, dim, 2);
    println!(
        "{n} x {dim}, {}, k = {k}, {} threads",
        metric.name(),
        rayon::current_num_threads()
    );
    println!(
        "{:<16} {:>6} {:>12} {:>9} {:>10}",
        "engine", "batch", "queries/s", "GFlop/s", "recall@k"
    );

    let exact = ExactIndex::build(vectors.clone(), dim, metric)?;
    let truth = answers(&exact, &queries, k)?;
    for kernel in Kernel::available() {
        let index = exact.clone().with_kernel(kernel);
        measure(&format!("exact {kernel}"), &index, &queries, k, &truth)?;
    }
    #[cfg(feature = "hnsw")]
    if metric != Metric::InnerProduct {
        use catchment_ann_index::{IndexConfig, IndexKind, build_index};
        let config = IndexConfig {
            kind: IndexKind::Hnsw,
            recall: 0.95,
            ..IndexConfig::default()
        };
        let started = Instant::now();
        let built = build_index(vectors, dim, metric, &config)?;
        println!(
            "hnsw built and tuned in {:.1} s: {:?}",
            started.elapsed().as_secs_f64(),
            built.report.hnsw
        );
        measure("hnsw", built.index.as_ref(), &queries, k, &truth)?;
    }
    Ok(())
}

/// Vectors `[n, dim]` around 64 centres.
fn clustered(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut of_centres = Xoshiro256PlusPlus::seed_from_u64(99);
    let centres: Vec<f32> = (0..64 * dim)
        .map(|_| of_centres.random_range(-1.0f32..1.0))
        .collect();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut vectors = Vec::with_capacity(n * dim);
    for _ in 0..n {
        let centre = rng.random_range(0..64usize) * dim;
        vectors.extend((0..dim).map(|t| centres[centre + t] + rng.random_range(-1.0f32..1.0)));
    }
    vectors
}

fn answers(index: &dyn VectorIndex, queries: &[f32], k: usize) -> Result<Vec<Vec<ScoredItem>>> {
    let mut hits = Vec::new();
    index.search_batch(queries, k, &SearchParams::default(), &[], &mut hits)?;
    Ok(hits)
}

fn measure(
    name: &str,
    index: &dyn VectorIndex,
    queries: &[f32],
    k: usize,
    truth: &[Vec<ScoredItem>],
) -> Result<()> {
    let dim = index.dim();
    let params = SearchParams::default();
    for batch in [1, 64, 2000] {
        let (mut best, mut found, mut asked) = (0.0f64, 0usize, 0usize);
        let (mut scratch, mut hits) = (Scratch::default(), vec![Vec::new(); 1]);
        let rounds = if batch == 1 { 60 } else { 5 };
        for round in 0..rounds {
            let first = (round * batch) % (truth.len() - batch + 1);
            let block = &queries[first * dim..(first + batch) * dim];
            let started = Instant::now();
            if batch == 1 {
                index.search(block, k, &params, ItemFilter::NONE, &mut scratch, &mut hits[0])?;
            } else {
                index.search_batch(block, k, &params, &[], &mut hits)?;
            }
            best = best.max(batch as f64 / started.elapsed().as_secs_f64());
            for (hits, truth) in hits.iter().zip(&truth[first..]) {
                asked += truth.len();
                found += truth
                    .iter()
                    .filter(|hit| hits.iter().any(|other| other.item == hit.item))
                    .count();
            }
        }
        let flops = if index.is_exact() {
            format!("{:.1}", best * 2.0 * index.len() as f64 * dim as f64 / 1e9)
        } else {
            "-".to_owned()
        };
        println!(
            "{name:<16} {batch:>6} {best:>12.0} {flops:>9} {:>10.4}",
            found as f64 / asked as f64
        );
    }
    Ok(())
}
