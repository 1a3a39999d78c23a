//! Which items are nearest to which, from their vectors.

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex};
use catchment_schema::{ItemFilter, ItemIdx, Metric, NeighbourTable};

/// Queries searched at once.
const BATCH: usize = 1024;

/// The `n` items nearest to each by cosine, itself not among them. An item with a zero vector is near nothing.
///
/// # Shapes
/// `vectors`: `[n_items, dim]`.
pub(crate) fn of(vectors: &[f32], dim: usize, n: usize) -> anyhow::Result<NeighbourTable> {
    let index = ExactIndex::build(vectors.to_vec(), dim, Metric::Cosine)?;
    let is_known = |item: ItemIdx| vectors[item.index() * dim..(item.index() + 1) * dim].iter().any(|&x| x != 0.0);
    let mut lists = Vec::with_capacity(vectors.len() / dim);
    let mut hits = Vec::new();
    for queries in vectors.chunks(BATCH * dim) {
        let filters = vec![ItemFilter::default(); queries.len() / dim];
        index.search_batch(queries, n + 1, &SearchParams::default(), &filters, &mut hits)?;
        for list in &mut hits {
            let item = ItemIdx::from_index(lists.len());
            if is_known(item) {
                list.retain(|hit| hit.item != item && is_known(hit.item));
                list.truncate(n);
            } else {
                list.clear();
            }
            lists.push(std::mem::take(list));
        }
    }
    Ok(NeighbourTable::from_lists(lists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_unknown_items_are_near_nothing() {
        let vectors = [1.0, 0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 1.0];
        let table = of(&vectors, 2, 5).expect("vectors");
        let near = |item: u32| -> Vec<u32> { table.of(ItemIdx(item)).iter().map(|hit| hit.item.0).collect() };
        assert_eq!(near(0), [2, 3]);
        assert!(near(1).is_empty());
        assert_eq!(near(3), [2, 0]);
    }
}
