//! The laws of [`VectorIndex`] as a test that every implementor calls.

use catchment_schema::{ItemFilter, ItemIdx, ItemSet, ScoredItem};

use crate::exact::score;
use crate::{Scratch, SearchError, SearchParams, VectorIndex};

/// Checks every law for a number of `k`s and filters, and that one search and a batch give the same bytes.
///
/// # Shapes
/// `vectors`: `[index.len(), dim]`, what the index was built from; `queries`: `[n, dim]`, finite.
///
/// # Panics
/// When a law is broken: the message begins with its number. For tests alone.
pub fn index_laws(index: &dyn VectorIndex, vectors: &[f32], queries: &[f32]) {
    let (n_items, dim) = (index.len(), index.dim());
    assert_eq!(vectors.len(), n_items * dim, "the vectors are those of the index");
    assert_eq!(index.is_empty(), n_items == 0, "is_empty says what len says");
    let params = SearchParams::default();
    let sets = Sets::new(n_items);
    let mut scratch = Scratch::default();
    let mut hits = vec![ScoredItem::new(
        ItemIdx(u32::MAX),
        score(index.metric(), &[], &[]),
    )];
    for query in queries.chunks_exact(dim) {
        let scored: Vec<ScoredItem> = vectors
            .chunks_exact(dim)
            .enumerate()
            .map(|(row, vector)| {
                ScoredItem::new(ItemIdx::from_index(row), score(index.metric(), query, vector))
            })
            .collect();
        for filter in sets.filters() {
            for k in [0, 1, 10, n_items / 2, n_items, n_items + 3] {
                index
                    .search(query, k, &params, filter, &mut scratch, &mut hits)
                    .expect("law 7: a good query is answered");
                check_hits(index, &scored, k, filter, &hits);
            }
        }
    }
    for filter in sets.filters() {
        batch_equals_single(index, queries, &[filter]);
    }
    batch_equals_single(index, queries, &sets.filters());
    bad_queries_are_errors(index);
}

/// The sets that filters are made of.
struct Sets {
    even: ItemSet,
    first_third: ItemSet,
    few: ItemSet,
    beyond: ItemSet,
    empty: ItemSet,
    all: ItemSet,
}

impl Sets {
    fn new(n_items: usize) -> Self {
        let items = |step: usize, n: usize| (0..n).step_by(step).map(ItemIdx::from_index).collect();
        let mut beyond: ItemSet = items(2, n_items);
        beyond.insert(ItemIdx(u32::MAX));
        Self {
            even: items(2, n_items),
            first_third: items(1, n_items / 3),
            few: items((n_items / 3).max(1), n_items),
            beyond,
            empty: ItemSet::new(),
            all: ItemSet::all(n_items),
        }
    }

    fn filters(&self) -> [ItemFilter<'_>; 11] {
        let filter = |allow, deny| ItemFilter {
            allow,
            deny,
            ..ItemFilter::NONE
        };
        [
            ItemFilter::NONE,
            filter(Some(&self.even), None),
            filter(None, Some(&self.first_third)),
            filter(Some(&self.even), Some(&self.first_third)),
            filter(Some(&self.few), None),
            filter(Some(&self.beyond), Some(&self.few)),
            filter(Some(&self.empty), None),
            filter(None, Some(&self.all)),
            ItemFilter::NONE.but_for(&self.first_third),
            filter(Some(&self.beyond), Some(&self.few)).but_for(&self.first_third),
            ItemFilter::NONE.but_for(&self.all),
        ]
    }
}

fn check_hits(
    index: &dyn VectorIndex,
    scored: &[ScoredItem],
    k: usize,
    filter: ItemFilter<'_>,
    hits: &[ScoredItem],
) {
    let mut items: Vec<ItemIdx> = hits.iter().map(|hit| hit.item).collect();
    items.sort_unstable();
    items.dedup();
    assert_eq!(items.len(), hits.len(), "law 1: no item comes twice");
    assert!(hits.is_sorted(), "law 2: falling score, ties by item");
    assert!(
        hits.iter().all(|hit| filter.passes(hit.item)),
        "law 3: every hit passes the filter"
    );
    let mut expected: Vec<ScoredItem> = scored
        .iter()
        .copied()
        .filter(|hit| filter.passes(hit.item))
        .collect();
    assert_eq!(
        hits.len(),
        k.min(expected.len()),
        "law 4: k = {k} with {} passing",
        expected.len()
    );
    for hit in hits {
        let exact = scored[hit.item.index()].score;
        assert_eq!(
            hit.score.get().to_bits(),
            exact.get().to_bits(),
            "law 5: item {}",
            hit.item.0
        );
    }
    if index.is_exact() {
        expected.sort_unstable();
        expected.truncate(k);
        assert_eq!(hits, expected, "law 6: equal to a full sort");
    }
}

/// `one`: a filter for all queries, or a number of filters that are given in turn.
fn batch_equals_single(index: &dyn VectorIndex, queries: &[f32], one: &[ItemFilter<'_>]) {
    let params = SearchParams::default();
    let queries: Vec<&[f32]> = queries.chunks_exact(index.dim()).collect();
    let filters: Vec<ItemFilter<'_>> = one.iter().copied().cycle().take(queries.len()).collect();
    let mut batch = vec![vec![]; 3];
    index
        .search_batch(&queries.concat(), 10, &params, &filters, &mut batch)
        .expect("law 7: good queries are answered");
    assert_eq!(batch.len(), queries.len(), "one list a query");
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    for ((query, filter), batch) in queries.iter().zip(filters).zip(batch) {
        index
            .search(query, 10, &params, filter, &mut scratch, &mut hits)
            .expect("law 7: a good query is answered");
        assert_eq!(hits, batch, "a batch gives what one search gives");
    }
}

fn bad_queries_are_errors(index: &dyn VectorIndex) {
    let (params, dim) = (SearchParams::default(), index.dim());
    let (mut scratch, mut hits, mut batch) = (Scratch::default(), Vec::new(), Vec::new());
    let mut search =
        |query: &[f32]| index.search(query, 3, &params, ItemFilter::NONE, &mut scratch, &mut hits);
    let wrong = |found| Err(SearchError::WrongDimension { expected: dim, found });
    assert_eq!(search(&vec![0.0; dim + 1]), wrong(dim + 1), "law 7: too wide");
    assert_eq!(search(&[]), wrong(0), "law 7: empty");
    for bad in [f32::NAN, f32::INFINITY] {
        let mut query = vec![0.0; dim];
        query[dim - 1] = bad;
        let expected = Err(SearchError::NotFinite { position: dim - 1 });
        assert_eq!(search(&query), expected, "law 7: not finite");
        assert_eq!(
            index.search_batch(&query, 3, &params, &[], &mut batch),
            expected,
            "law 7: not finite"
        );
    }
    let queries = vec![0.0; 2 * dim];
    assert_eq!(
        index.search_batch(&queries, 3, &params, &[ItemFilter::NONE], &mut batch),
        Err(SearchError::FilterCount {
            expected: 2,
            found: 1
        }),
        "law 7: filters"
    );
    assert_eq!(
        index.search_batch(&[], 3, &params, &[], &mut batch),
        Ok(()),
        "no query, no answer"
    );
    assert!(batch.is_empty(), "no query, no answer");
}
