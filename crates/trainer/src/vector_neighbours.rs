//! Which items are nearest to which, from their vectors.

use std::path::Path;

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex, zero_rows};
use catchment_models::sgns::{ItemVectors, SgnsModel};
use catchment_pipeline::ChannelSpec;
use catchment_recall::{Against, ItemVectorsConfig, QueryForm};
use catchment_schema::{ItemFilter, ItemIdx, Metric, NeighbourTable, Score, Vocabulary};

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
/// A channel adds up what the seeds' lists say, and an item in no list adds nothing, though it is further away than all that
/// are: so every score is above 0, or whoever stands in two lists would come behind who stands in one. Of cosines those above
/// 0 make a neighbour. An inner product `x` with an output vector is mostly below it, and is told as
///
/// ```text
/// ln(1 + eˣ) = −ln(1 − σ(x))
/// ```
///
/// which keeps the order, is `x` where `x` is large, and makes the sum over the seeds minus the logarithm of the probability
/// that none of them brings the item (a noisy or), σ(x) being how likely the model takes the pair to be.
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
                match against {
                    None => list.retain(|hit| hit.score > Score::ZERO),
                    Some(_) => list.iter_mut().for_each(|hit| hit.score = likelihood(hit.score)),
                }
            }
            lists.push(std::mem::take(list));
        }
    }
    Ok(NeighbourTable::from_lists(lists))
}

/// `ln(1 + eˣ)`.
fn likelihood(product: Score) -> Score {
    let x = product.get();
    // Never quite 0, which would say nothing.
    Score::clamped((x.max(0.0) + (-x.abs()).exp().ln_1p()).max(f32::MIN_POSITIVE))
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
        assert_eq!(near(&table, 0), [2]);
        assert!(near(&table, 1).is_empty());
        assert_eq!(near(&table, 3), [2], "the other is at a right angle");
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
    fn against_other_vectors_likelihood_counts_and_none_is_below_zero() {
        let items = ItemVectors::new(vec![2.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2).expect("vectors");
        let other = [9.0, 9.0, -0.5, 0.0, 3.0, 0.0];
        let table = of(&items, Some(&other), 5).expect("searched");
        assert_eq!(near(&table, 0), [2, 1]);
        let score = |place: usize| f64::from(table.of(ItemIdx(0))[place].score.get());
        assert!(
            (score(0) - 3.0_f64.exp().ln_1p()).abs() < 1e-6,
            "nearly the product itself"
        );
        assert!((score(1) - (-0.5_f64).exp().ln_1p()).abs() < 1e-6);
        // Two that are a little unlikely say more than one that is more so.
        assert!(2.0 * score(1) > (-0.6_f64).exp().ln_1p());
        assert!(likelihood(Score::clamped(-500.0)) > Score::ZERO);
        assert!((likelihood(Score::clamped(500.0)).get() - 500.0).abs() < 1e-3);
    }
}
