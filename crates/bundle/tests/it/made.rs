//! Bundles to test with.

use std::fs;
use std::path::Path;

use catchment_bundle::{ManifestInfo, PartEntry, Publisher, Result, TrainedOn, Version};
use serde_json::json;

/// 2026-11-23 22:15:00 UTC.
pub(crate) const MOMENT: i64 = 1_795_472_100_000;

pub(crate) fn info(created_at_ms: i64) -> ManifestInfo {
    ManifestInfo {
        created_by: "test 0.1.0".to_owned(),
        created_at_ms,
        trained_on: TrainedOn {
            dataset: "tiny".to_owned(),
            split: "train".to_owned(),
            rows: 1500,
            hash: "0123456789abcdef".to_owned(),
        },
        seed: 7,
        feature_fingerprint: Some("fedcba9876543210".to_owned()),
        metrics: [("ndcg@20".to_owned(), 0.125), ("recall@20".to_owned(), 0.25)].into(),
        parts: vec![
            PartEntry {
                part: "channels/popular".to_owned(),
                config: json!({ "half_life_days": 14.5, "kind": "popular" }),
            },
            PartEntry {
                part: "ranker".to_owned(),
                config: json!({ "kind": "lr" }),
            },
        ],
    }
}

/// Publishes three small files, `content` being in the second.
pub(crate) fn publish(root: &Path, created_at_ms: i64, content: &str) -> Result<Version> {
    let publisher = Publisher::begin(root, None)?;
    fs::write(publisher.path("features/spec.json")?, "{}\n").expect("written");
    fs::write(publisher.path("channels/popular/items.csv")?, content).expect("written");
    fs::write(publisher.part("ranker")?.join("weights.bin"), [0u8, 1, 2, 255]).expect("written");
    publisher.commit(info(created_at_ms))
}

/// A folder of all bundles that goes when the test ends.
pub(crate) fn root() -> tempfile::TempDir {
    tempfile::tempdir().expect("temporary folder")
}

/// The names in `root` that are neither versions, `CURRENT`, nor the lock.
pub(crate) fn leftovers(root: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root)
        .expect("readable")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "CURRENT" && name != ".lock" && name.parse::<Version>().is_err())
        .collect();
    names.sort();
    names
}
