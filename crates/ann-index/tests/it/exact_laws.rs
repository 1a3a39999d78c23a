//! The exact index.

use catchment_ann_index::exact::{ExactIndex, Kernel};
use catchment_ann_index::testing::index_laws;
use catchment_ann_index::{BuildError, SearchParams, VectorIndex};
use catchment_schema::{ItemFilter, ItemIdx, Metric};
use proptest::prelude::*;

use crate::vectors::vectors;

const METRICS: [Metric; 3] = [Metric::InnerProduct, Metric::Cosine, Metric::L2];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn it_obeys_every_law(n in 0usize..400, dim in 1usize..40, n_queries in 1usize..16, seed in any::<u64>()) {
        let (items, queries) = (vectors(n, dim, seed), vectors(n_queries, dim, seed ^ 1));
        for metric in METRICS {
            let index = ExactIndex::build(items.clone(), dim, metric).expect("valid vectors");
            index_laws(&index, &items, &queries);
        }
    }
}

#[test]
fn answers_do_not_depend_on_threads_batch_or_cut() {
    let (dim, n) = (24, 9000);
    let (items, queries) = (vectors(n, dim, 3), vectors(300, dim, 4));
    for metric in METRICS {
        let index = ExactIndex::build(items.clone(), dim, metric).expect("valid vectors");
        let search = |queries: &[f32], threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            let mut hits = Vec::new();
            let params = SearchParams::default();
            pool.install(|| index.search_batch(queries, 50, &params, &[], &mut hits))
                .expect("answered");
            hits
        };
        let all = search(&queries, 1);
        assert_eq!(search(&queries, 7), all);
        let one_by_one: Vec<_> = queries.chunks(dim).flat_map(|query| search(query, 5)).collect();
        assert_eq!(one_by_one, all);
    }
}

#[test]
fn every_kernel_finds_neighbours_with_nearly_the_same_scores() {
    let (dim, n) = (40, 1500);
    let (items, queries) = (vectors(n, dim, 5), vectors(40, dim, 6));
    for metric in METRICS {
        let index = ExactIndex::build(items.clone(), dim, metric).expect("valid vectors");
        let answers = Kernel::available().into_iter().map(|kernel| {
            let mut hits = Vec::new();
            let index = index.clone().with_kernel(kernel);
            index
                .search_batch(&queries, 20, &SearchParams::default(), &[], &mut hits)
                .expect("answered");
            hits.concat()
        });
        let answers: Vec<_> = answers.collect();
        for other in &answers[1..] {
            for (a, b) in answers[0].iter().zip(other) {
                assert!((a.score.get() - b.score.get()).abs() < 1e-4, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn vectors_come_back_as_they_are_compared() {
    let index = ExactIndex::build(vec![3.0, 4.0], 2, Metric::L2).expect("valid");
    assert_eq!(index.vector(ItemIdx(0)), Some(&[3.0, 4.0][..]));
    let index = ExactIndex::build(vec![3.0, 4.0], 2, Metric::Cosine).expect("valid");
    assert_eq!(index.vector(ItemIdx(0)), Some(&[0.6, 0.8][..]));
    assert_eq!(index.vector(ItemIdx(1)), None);
}

#[test]
fn bad_vectors_are_typed_errors() {
    let build = |values: Vec<f32>, dim| ExactIndex::build(values, dim, Metric::L2).err();
    assert_eq!(build(vec![], 0), Some(BuildError::ZeroDimension));
    assert_eq!(
        build(vec![1.0; 5], 2),
        Some(BuildError::Ragged { values: 5, dim: 2 })
    );
    let not_finite = BuildError::NotFinite { item: 1, position: 0 };
    assert_eq!(build(vec![1.0, 1.0, f32::INFINITY, 1.0], 2), Some(not_finite));
}

#[test]
fn a_filter_for_each_query_is_obeyed_in_a_batch() {
    let items = vectors(300, 8, 7);
    let index = ExactIndex::build(items.clone(), 8, Metric::L2).expect("valid");
    let own: Vec<_> = (0..300u32)
        .map(|item| [ItemIdx(item)].into_iter().collect())
        .collect();
    let filters: Vec<_> = own.iter().map(ItemFilter::excluding).collect();
    let mut hits = Vec::new();
    index
        .search_batch(&items, 5, &SearchParams::default(), &filters, &mut hits)
        .expect("answered");
    for (item, hits) in (0..).zip(&hits) {
        assert!(hits.len() == 5 && hits.iter().all(|hit| hit.item != ItemIdx(item)));
    }
}
