//! Which items are nearest to which, from their vectors.

use std::path::Path;

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex, zero_rows};
use catchment_models::sgns::{ItemVectors, SgnsModel};
use catchment_pipeline::ChannelSpec;
use catchment_recall::{Against, ItemVectorsConfig, QueryForm};
use catchment_schema::{ItemFilter, ItemIdx, Metric, NeighbourTable, Vocabulary};

/// Queries searched at once.
const BATCH: usize = 1024;

/// Writes the table that a channel asked item by item is served from; nothing for one that is asked otherwise.
pub(crate) fn write(
    model: &SgnsModel,
    query: ItemVectorsConfig,
    path: &Path,
    items: &Vocabulary,
    channel: &ChannelSpec,
) -> anyhow::Result<()> {
    if query.form != QueryForm::Seeds {
        return Ok(());
    }
    let against = match query.against {
        Against::Input => None,
        Against::Output => Some(&model.output[..]),
    };
    let vectors = ItemVectors::new(model.input.clone(), model.dim)?;
    let table = of(&vectors, against, query.neighbours)?;
    table.write(path, items, channel.model.kind())?;
    Ok(())
}

/// For each item the `n` others that are nearest to it, itself not among them: by cosine, or, `against` other vectors of
/// the same items, by inner product with its direction. An item without a direction is near nothing.
///
/// # Shapes
/// `against`: `[n_items, dim]`.
fn of(items: &ItemVectors, against: Option<&[f32]>, n: usize) -> anyhow::Result<NeighbourTable> {
    let (directions, dim) = (items.vectors(), items.dim());
    let metric = match against {
        None => Metric::Cosine,
        Some(_) => Metric::InnerProduct,
    };
    let without_direction = zero_rows(directions, dim);
    let table = against.unwrap_or(directions);
    let mut not_found = zero_rows(table, dim);
    not_found.union_with(&without_direction);
    let index = ExactIndex::build(table.to_vec(), dim, metric)?;
    let mut lists = Vec::with_capacity(items.n_items());
    let mut hits = Vec::new();
    for queries in directions.chunks(BATCH * dim) {
        let filters = vec![ItemFilter::NONE.but_for(&not_found); queries.len() / dim];
        index.search_batch(queries, n + 1, &SearchParams::default(), &filters, &mut hits)?;
        for list in &mut hits {
            let item = ItemIdx::from_index(lists.len());
            if without_direction.contains(item) {
                list.clear();
            } else {
                list.retain(|hit| hit.item != item);
                list.truncate(n);
            }
            lists.push(std::mem::take(list));
        }
    }
    Ok(NeighbourTable::from_lists(lists))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(table: &NeighbourTable, item: u32) -> Vec<u32> {
        table.of(ItemIdx(item)).iter().map(|hit| hit.item.0).collect()
    }

    #[test]
    fn the_nearest_come_first_and_unknown_items_are_near_nothing() {
        let items = ItemVectors::new(vec![1.0, 0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 1.0], 2).expect("vectors");
        let table = of(&items, None, 5).expect("searched");
        assert_eq!(near(&table, 0), [2, 3]);
        assert!(near(&table, 1).is_empty());
        assert_eq!(near(&table, 3), [2, 0]);
    }

    #[test]
    fn unknown_items_take_no_places_among_the_nearest() {
        // Two of them score 0, above the only other known item at a right angle or more.
        let items = ItemVectors::new(vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.1], 2).expect("vectors");
        let table = of(&items, None, 1).expect("searched");
        assert_eq!(near(&table, 0), [3]);
        let other = [-1.0, 0.0, 5.0, 5.0, 0.0, 0.0, 2.0, 0.0];
        let table = of(&items, Some(&other), 1).expect("searched");
        assert_eq!(near(&table, 0), [3]);
    }

    #[test]
    fn against_other_vectors_their_length_counts() {
        let items = ItemVectors::new(vec![2.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2).expect("vectors");
        let other = [9.0, 9.0, 0.5, 0.0, 3.0, 0.0];
        let table = of(&items, Some(&other), 5).expect("searched");
        assert_eq!(near(&table, 0), [2, 1]);
        assert!((table.of(ItemIdx(0))[0].score.get() - 3.0).abs() < 1e-6);
    }
}
