//! Publishes two bundles, compares them, goes back to the first, and shows what damage does.
//!
//! `cargo run -p catchment-bundle --example publish_and_roll_back`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use catchment_bundle::{
    Bundle, ManifestInfo, PartEntry, Publisher, TrainedOn, Version, diff, list, roll_back,
};

fn publish(
    root: &std::path::Path,
    created_at_ms: i64,
    items: &str,
    recall: f64,
) -> catchment_bundle::Result<Version> {
    let publisher = Publisher::begin(root, None)?;
    let path = publisher.path("channels/popular/items.csv")?;
    std::fs::write(&path, items).map_err(|source| catchment_bundle::Error::Io { path, source })?;
    publisher.commit(ManifestInfo {
        created_by: "example 0.1.0".to_owned(),
        created_at_ms,
        trained_on: TrainedOn {
            dataset: "three purchases".to_owned(),
            split: "train".to_owned(),
            rows: 3,
            hash: "b1946ac9".to_owned(),
        },
        seed: 7,
        feature_fingerprint: None,
        metrics: [("recall@1".to_owned(), recall)].into(),
        parts: vec![PartEntry {
            part: "channels/popular".to_owned(),
            config: serde_json::json!({ "kind": "popular" }),
        }],
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let monday = publish(root, 1_795_472_100_000, "tea\nmilk\n", 0.5)?;
    let tuesday = publish(root, 1_795_558_500_000, "milk\ntea\njam\n", 0.625)?;
    println!(
        "published:  {:?}",
        list(root)?.iter().map(Version::to_string).collect::<Vec<_>>()
    );

    let (before, after) = (
        Bundle::open_version(root, &monday)?,
        Bundle::open_version(root, &tuesday)?,
    );
    print!("changed:    {}", diff(&before, &after));
    println!("in use:     {}", Bundle::open_current(root)?.version());
    println!("back to:    {}", roll_back(root)?);

    std::fs::write(before.path().join("channels/popular/items.csv"), "tea\nmelk\n")?;
    if let Err(error) = Bundle::open_current(root) {
        println!(
            "refused:    {}",
            error.to_string().replace(&root.display().to_string(), "bundles")
        );
        println!("help:       {}", error.help());
    }
    Ok(())
}
