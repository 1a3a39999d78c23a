//! Bundles of every format version that was ever written, opened forever.

use std::fs;
use std::path::{Path, PathBuf};

use catchment_bundle::Bundle;

use crate::made::{MOMENT, publish, root};

fn golden(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format)
}

#[test]
fn format_1_opens() {
    let bundle = Bundle::open_current(golden("v1")).expect("opens forever");
    let manifest = bundle.manifest();
    assert_eq!(manifest.format_version, 1);
    assert_eq!(manifest.created_by, "test 0.1.0");
    assert_eq!(manifest.created_at_ms, MOMENT);
    assert_eq!(manifest.trained_on.rows, 1500);
    assert_eq!(manifest.metrics["recall@20"].to_bits(), 0.25f64.to_bits());
    assert_eq!(manifest.files.len(), 3);
    let popular = bundle.part("channels/popular").expect("part");
    assert_eq!(popular.entry.expect("configured")["kind"], "popular");
    assert_eq!(
        fs::read_to_string(popular.path.join("items.csv")).expect("read"),
        "item_id,count\ni1,12\ni2,3\n"
    );
}

/// If this fails, the format changed: raise the format version, keep the old golden bundle, add a new one.
#[test]
fn what_is_written_today_is_format_1_byte_by_byte() {
    let root = root();
    let version = publish(root.path(), MOMENT, "item_id,count\ni1,12\ni2,3\n").expect("published");
    let name = version.to_string();
    for file in [
        "CURRENT",
        &format!("{name}/manifest.json"),
        &format!("{name}/manifest.json.sha256"),
        &format!("{name}/channels/popular/items.csv"),
    ] {
        let today = fs::read(root.path().join(file)).expect("written today");
        let golden = fs::read(golden("v1").join(file)).expect("written once");
        assert!(today == golden, "{file} differs");
    }
}
