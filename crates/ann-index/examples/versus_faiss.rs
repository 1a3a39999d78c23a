//! Exact search as `cargo xtask versus faiss` races it: `versus_faiss FOLDER SETTINGS` reads `items.npy` and
//! `queries.npy` and answers each line of its input with one search of all queries.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex};
use catchment_schema::Metric;
use serde_json::{Value, json};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(settings)) = (arguments.next(), arguments.next()) else {
        println!("usage: versus_faiss FOLDER SETTINGS (`cargo xtask versus faiss` makes and runs it)");
        return Ok(());
    };
    let folder = Path::new(&folder);
    let settings: Value = serde_json::from_str(&settings)?;
    let k = usize::try_from(settings["k"].as_u64().context("k")?)?;
    let (items, dim) = matrix(&folder.join("items.npy"))?;
    let (queries, query_dim) = matrix(&folder.join("queries.npy"))?;
    ensure!(dim == query_dim, "items have {dim} values, queries {query_dim}");
    let index = ExactIndex::build(items, dim, Metric::InnerProduct)?;
    let mut hits = Vec::new();
    for line in std::io::stdin().lines() {
        line?;
        let begun = Instant::now();
        index.search_batch(&queries, k, &SearchParams::default(), &[], &mut hits)?;
        let seconds = begun.elapsed().as_secs_f64();
        let scores = || hits.iter().flatten().map(|hit| f64::from(hit.score.get()));
        let n_hits = scores().count();
        let quality = json!({ "hits": n_hits, "mean_score": scores().sum::<f64>() / n_hits as f64 });
        println!("{}", json!({ "seconds": seconds, "quality": quality }));
    }
    Ok(())
}

/// A two-dimensional array of little-endian `f32` in C order, and its width.
fn matrix(path: &Path) -> Result<(Vec<f32>, usize)> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(
        bytes.starts_with(b"\x93NUMPY\x01"),
        "{} is not an .npy file",
        path.display()
    );
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start])?;
    ensure!(header.contains("'<f4'") && header.contains("False"), "{header}");
    let shape = header.split(['(', ')']).nth(1).context("a shape")?;
    let dim = shape
        .split(',')
        .nth(1)
        .context("two dimensions")?
        .trim()
        .parse()?;
    let values = bytes[start..].chunks_exact(4);
    Ok((
        values
            .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
            .collect(),
        dim,
    ))
}
