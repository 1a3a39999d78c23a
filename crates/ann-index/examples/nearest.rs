//! Builds an index over a handful of places and asks for the nearest ones, with and without a filter.
//!
//! `cargo run -p catchment-ann-index --example nearest`
#![allow(clippy::print_stdout, reason = "an example that shows its answer")]

use anyhow::Result;
use catchment_ann_index::{IndexConfig, Scratch, SearchParams, build_index};
use catchment_schema::{ItemFilter, ItemIdx, ItemSet, Metric};

/// How much of sea, mountain and city there is in each place.
const PLACES: [(&str, [f32; 3]); 6] = [
    ("harbour walk", [0.9, 0.0, 0.4]),
    ("alpine hut", [0.0, 1.0, 0.0]),
    ("old town", [0.1, 0.1, 1.0]),
    ("fjord", [0.7, 0.7, 0.0]),
    ("beach", [1.0, 0.0, 0.1]),
    ("cable car", [0.0, 0.7, 0.6]),
];

fn main() -> Result<()> {
    let vectors = PLACES.iter().flat_map(|(_, vector)| *vector).collect();
    let built = build_index(vectors, 3, Metric::Cosine, &IndexConfig::default())?;
    println!("{:?}, because {:?}", built.report.kind, built.report.because);

    let wish = [1.0, 0.3, 0.0];
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    let visited: ItemSet = [ItemIdx(4)].into_iter().collect();
    for (title, filter) in [
        ("nearest to the wish", ItemFilter::NONE),
        ("without the beach", ItemFilter::excluding(&visited)),
    ] {
        built.index.search(
            &wish,
            3,
            &SearchParams::default(),
            filter,
            &mut scratch,
            &mut hits,
        )?;
        println!("{title}:");
        for hit in &hits {
            println!("  {:<14} {:.3}", PLACES[hit.item.index()].0, hit.score.get());
        }
    }
    Ok(())
}
