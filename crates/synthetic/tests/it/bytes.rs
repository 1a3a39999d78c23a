//! What a seed means is fixed: the worlds that have a name keep every byte.
//!
//! Measured tables and `datasets/tiny` rest on them. The sums of Parquet files may change with the `parquet` crate,
//! if those of the text files do not change with them; a change of a text file is a breaking change.

use std::fmt::Write as _;
use std::fs;

use catchment_synthetic::{World, WorldConfig, WriteFormat};
use sha2::{Digest, Sha256};

/// The files in the order written here, with the first 16 digits of their SHA-256.
fn check(config: &WorldConfig, expected: [(&str, &str); 7]) {
    let folder = tempfile::tempdir().expect("folder");
    let world = World::generate(config).expect("allowed");
    world.write(folder.path(), WriteFormat::Csv).expect("written");
    world.write(folder.path(), WriteFormat::Parquet).expect("written");
    for (name, sum) in expected {
        let bytes = fs::read(folder.path().join(name)).expect("read");
        let mut digits = String::new();
        for byte in &Sha256::digest(&bytes)[..8] {
            let _ = write!(digits, "{byte:02x}");
        }
        assert_eq!(digits, sum, "{name}");
    }
}

#[test]
fn the_demo_world_keeps_its_bytes() {
    check(
        &WorldConfig::default(),
        [
            ("interactions.csv", "b89ddb9689328582"),
            ("items.csv", "3f8966a88d5eb7f9"),
            ("users.csv", "9ee062ae07347b2c"),
            ("interactions.parquet", "6e6074c8f954c379"),
            ("items.parquet", "bcdaae2e35f411fa"),
            ("users.parquet", "46abfcaab87a09a2"),
            ("truth.parquet", "47100df03194fb24"),
        ],
    );
}

#[test]
fn the_tiny_world_keeps_its_bytes() {
    check(
        &WorldConfig::tiny(),
        [
            ("interactions.csv", "e3b30d3d73030cfa"),
            ("items.csv", "0790a3ebf5122745"),
            ("users.csv", "f873d838fdc3a5a6"),
            ("interactions.parquet", "657f6be5255d14e4"),
            ("items.parquet", "0edbb855b59cfe7d"),
            ("users.parquet", "3b6a95f791e6451a"),
            ("truth.parquet", "99213320de9783f8"),
        ],
    );
}
