//! Real vectors: the MNIST test images with their exact neighbours, found through `CATCHMENT_DATA`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex};
use catchment_schema::Metric;
use flate2::read::GzDecoder;

const DIM: usize = 784;
const N_QUERIES: usize = 1000;
const K: usize = 100;

/// The folder with the set, or a line that says which test is skipped.
fn folder(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CATCHMENT_DATA").map(|data| Path::new(&data).join("mnist-10k-ann"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped {test}: CATCHMENT_DATA has no mnist-10k-ann");
    }
    folder
}

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(path).expect("the file is there");
    GzDecoder::new(file).read_to_end(&mut bytes).expect("whole gzip");
    bytes
}

/// Queries and base, as floats.
fn images(folder: &Path) -> (Vec<f32>, Vec<f32>) {
    let bytes = read(&folder.join("vectors_10000x784.u8.gz"));
    let mut all: Vec<f32> = bytes.into_iter().map(f32::from).collect();
    let base = all.split_off(N_QUERIES * DIM);
    (all, base)
}

#[test]
fn exact_l2_finds_the_published_neighbours_of_mnist() {
    let Some(folder) = folder("exact_l2_finds_the_published_neighbours_of_mnist") else {
        return;
    };
    let (queries, base) = images(&folder);
    let truth: Vec<u32> = read(&folder.join("l2_top100_1000x100.u32le.gz"))
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| u32::from_le_bytes(bytes))
        .collect();
    let index = ExactIndex::build(base, DIM, Metric::L2).expect("valid vectors");
    let mut hits = Vec::new();
    index
        .search_batch(&queries, K, &SearchParams::default(), &[], &mut hits)
        .expect("answered");
    let found: Vec<u32> = hits.iter().flatten().map(|hit| hit.item.0).collect();
    assert_eq!(found.len(), N_QUERIES * K);
    assert_eq!(found, truth);
}

#[cfg(feature = "hnsw")]
#[test]
fn hnsw_reaches_its_recall_on_mnist() {
    use catchment_ann_index::hnsw::HnswIndex;
    use catchment_ann_index::{HnswConfig, IndexConfig};

    let Some(folder) = folder("hnsw_reaches_its_recall_on_mnist") else {
        return;
    };
    let (queries, base) = images(&folder);
    let config = IndexConfig {
        recall: 0.95,
        k: 10,
        // A quarter of the default effort: nine thousand images are few.
        hnsw: HnswConfig {
            ef_construction: 50,
            parallel: true,
            ..HnswConfig::default()
        },
        ..IndexConfig::default()
    };
    for metric in [Metric::L2, Metric::Cosine] {
        let index = HnswIndex::build(&base, DIM, metric, &config, &queries).expect("valid vectors");
        let report = index.report();
        println!("{report:?}");
        assert!(report.recall_at_10 >= 0.95, "{report:?}");
    }
}
