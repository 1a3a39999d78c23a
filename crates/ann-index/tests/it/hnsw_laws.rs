//! The graph index behind its wall.

use catchment_ann_index::hnsw::HnswIndex;
use catchment_ann_index::testing::index_laws;
use catchment_ann_index::{
    BuildError, Choice, HnswConfig, IndexConfig, IndexKind, SampledFrom, Scratch, SearchParams, VectorIndex,
    build_index,
};
use catchment_schema::{ItemFilter, ItemIdx, ItemSet, Metric, ScoredItem};
use proptest::prelude::*;

use crate::vectors::vectors;

/// A graph that is built quickly and asked for little, so that searches really walk it.
fn quick() -> IndexConfig {
    IndexConfig {
        kind: IndexKind::Hnsw,
        recall: 0.9,
        k: 10,
        hnsw: HnswConfig {
            max_connections: 8,
            ef_construction: 40,
            ..HnswConfig::default()
        },
    }
}

fn build(items: &[f32], dim: usize, metric: Metric, config: &IndexConfig) -> HnswIndex {
    HnswIndex::build(items, dim, metric, config, &[]).expect("valid vectors")
}

fn answers(index: &dyn VectorIndex, queries: &[f32], k: usize) -> Vec<Vec<ScoredItem>> {
    let mut hits = Vec::new();
    index
        .search_batch(queries, k, &SearchParams::default(), &[], &mut hits)
        .expect("answered");
    hits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn it_obeys_every_law(n in 0usize..900, dim in 1usize..24, seed in any::<u64>(), parallel in any::<bool>()) {
        let (items, queries) = (vectors(n, dim, seed), vectors(4, dim, seed ^ 1));
        let mut config = quick();
        config.hnsw.parallel = parallel;
        for metric in [Metric::Cosine, Metric::L2] {
            index_laws(&build(&items, dim, metric, &config), &items, &queries);
        }
    }
}

#[test]
fn recall_is_measured_and_reached() {
    let dim = 16;
    let (items, queries) = (vectors(4000, dim, 1), vectors(200, dim, 2));
    for metric in [Metric::Cosine, Metric::L2] {
        let index = HnswIndex::build(&items, dim, metric, &quick(), &queries).expect("valid vectors");
        let report = index.report();
        assert!(report.recall_at_k >= 0.9 && report.gap == 0.0, "{report:?}");
        assert_eq!(
            (report.n_sampled, report.sampled_from),
            (200, SampledFrom::Queries)
        );
        let again = index
            .recall(&queries, 10, &SearchParams::default())
            .expect("valid queries");
        assert_eq!(again.to_bits(), report.recall_at_10.to_bits());
        let poor = index
            .recall(&queries, 1, &SearchParams { ef: Some(1) })
            .expect("valid queries");
        assert!(poor <= 1.0 && poor > 0.5, "{poor}");
    }
}

#[test]
fn a_recall_out_of_reach_is_reported_as_a_gap() {
    let dim = 24;
    let items = vectors(3000, dim, 3);
    let mut config = quick();
    config.recall = 1.0;
    config.hnsw = HnswConfig {
        max_connections: 4,
        ef_construction: 8,
        max_ef: 16,
        parallel: false,
    };
    let report = build(&items, dim, Metric::L2, &config).report().clone();
    assert!(report.ef == 16 && report.recall_at_k < 1.0, "{report:?}");
    assert_eq!(report.gap.to_bits(), (1.0 - report.recall_at_k).to_bits());
    let built = build_index(items, dim, Metric::L2, &config).expect("valid");
    assert_eq!(
        (built.report.kind, built.report.because),
        (IndexKind::Hnsw, Choice::Asked)
    );
    assert_eq!(built.report.hnsw, Some(report));
}

#[test]
fn serial_builds_are_reproducible() {
    let dim = 12;
    let (items, queries) = (vectors(2000, dim, 4), vectors(50, dim, 5));
    let [one, two] = [0, 1].map(|_| build(&items, dim, Metric::Cosine, &quick()));
    assert_eq!(one.report(), two.report());
    assert!(one.report().reproducible);
    assert_eq!(answers(&one, &queries, 20), answers(&two, &queries, 20));
}

#[test]
fn inner_product_is_refused_with_the_remedy() {
    let error = HnswIndex::build(&[1.0, 2.0], 2, Metric::InnerProduct, &quick(), &[]).expect_err("refused");
    assert!(matches!(
        error,
        BuildError::UnsupportedMetric {
            engine: "hnsw",
            metric: Metric::InnerProduct
        }
    ));
    assert!(error.to_string().contains("exact"), "{error}");
}

#[test]
fn hostile_vectors_and_settings_never_reach_the_library() {
    let refused = |items: &[f32], change: &dyn Fn(&mut IndexConfig)| {
        let mut config = quick();
        change(&mut config);
        HnswIndex::build(items, 2, Metric::Cosine, &config, &[]).expect_err("refused")
    };
    assert!(matches!(
        refused(&[1.0, f32::NAN], &|_| ()),
        BuildError::NotFinite { item: 0, position: 1 }
    ));
    assert!(matches!(refused(&[1.0], &|_| ()), BuildError::Ragged { .. }));
    for connections in [0, 1, 256, 257, usize::MAX] {
        let error = refused(&[1.0, 1.0], &|config| config.hnsw.max_connections = connections);
        assert!(matches!(error, BuildError::BadSetting { .. }), "{error}");
    }
    // Valid, but of the kind that makes a careless distance overflow or divide by zero.
    let extremes = [
        [0.0, 0.0],
        [f32::MAX, f32::MAX],
        [f32::MIN, 1e-45],
        [1e-45, 0.0],
        [0.0, 0.0],
        [1.0, 1.0],
    ];
    let items: Vec<f32> = extremes.iter().cycle().take(400).flatten().copied().collect();
    for metric in [Metric::Cosine, Metric::L2] {
        index_laws(&build(&items, 2, metric, &quick()), &items, &extremes.concat());
    }
}

#[test]
fn every_width_of_filter_gets_all_that_pass() {
    let (dim, n) = (8, 3000u32);
    let items = vectors(n as usize, dim, 6);
    let index = build(&items, dim, Metric::L2, &quick());
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    for step in [1, 2, 5, 9, 11, 100, 1500] {
        let allow: ItemSet = (0..n).step_by(step).map(ItemIdx).collect();
        let filter = ItemFilter {
            allow: Some(&allow),
            ..ItemFilter::NONE
        };
        for ef in [1, 16, 200] {
            let params = SearchParams { ef: Some(ef) };
            index
                .search(&items[..dim], 30, &params, filter, &mut scratch, &mut hits)
                .expect("answered");
            assert_eq!(hits.len(), allow.len().min(30), "one in {step}, ef {ef}");
            assert!(hits.iter().all(|hit| allow.contains(hit.item)));
        }
    }
}

#[test]
fn inserting_and_searching_at_once_loses_nothing() {
    let (dim, start, more) = (8, 500, 600);
    let items = vectors(start + more, dim, 7);
    let index = build(&items[..start * dim], dim, Metric::Cosine, &quick());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (row, vector) in items.chunks(dim).enumerate().skip(start) {
                assert_eq!(index.insert(vector), Ok(ItemIdx::from_index(row)));
            }
        });
        for thread in 0..3 {
            let (index, items) = (&index, &items);
            scope.spawn(move || {
                let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
                for round in 0..400 {
                    let before = index.len();
                    let query = &items[(round * 7 + thread) % start * dim..][..dim];
                    let params = SearchParams { ef: Some(20) };
                    index
                        .search(query, 10, &params, ItemFilter::NONE, &mut scratch, &mut hits)
                        .expect("answered");
                    assert!(hits.len() == 10 && hits.is_sorted() && before <= index.len());
                    if round % 50 == 0 {
                        assert!(
                            answers(index, &items[..20 * dim], 5)
                                .iter()
                                .all(|hits| hits.len() == 5)
                        );
                    }
                }
            });
        }
    });
    assert_eq!(
        index.insert(&[f32::NAN; 8]),
        Err(BuildError::NotFinite {
            item: start + more,
            position: 0
        })
    );
    index_laws(&index, &items, &items[..3 * dim]);
    let recall = index
        .recall(&items[start * dim..], 10, &SearchParams { ef: Some(50) })
        .expect("valid");
    assert!(recall > 0.9, "inserted items are found: {recall}");
}

#[test]
fn an_index_may_begin_empty() {
    let index = build(&[], 3, Metric::L2, &quick());
    assert!(answers(&index, &[0.0; 6], 4).iter().all(Vec::is_empty));
    assert_eq!(index.insert(&[]), Ok(ItemIdx(0)));
    assert_eq!(index.insert(&[1.0, 2.0, 3.0]), Ok(ItemIdx(0)));
    assert_eq!(
        answers(&index, &[1.0, 2.0, 3.0], 4)[0][0].score.get().to_bits(),
        0.0f32.to_bits()
    );
}
