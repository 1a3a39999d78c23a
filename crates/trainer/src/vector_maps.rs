//! What the report shows of the vectors of channels.

use std::collections::HashMap;

use catchment_evaluation::report::{MapPoint, VectorMap};
use catchment_models::spectrum::Spectrum;
use catchment_pipeline::{Error, Pipeline};
use catchment_prepare::Prepared;

use crate::failure::Failure;

/// So many of the most popular items are drawn: more would hide each other.
const POINTS: usize = 1500;
/// So many groups have a colour of their own.
const GROUPS: usize = 8;

/// One map for each channel that has item vectors, with categories as groups.
pub(crate) fn of(pipeline: &Pipeline, prepared: &Prepared) -> Result<Vec<VectorMap>, Failure> {
    let mut maps = Vec::new();
    for channel in &pipeline.spec().channels {
        let table = match pipeline.item_embeddings(&channel.name) {
            Ok(table) => table,
            Err(Error::NoVectors { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        // A channel without one direction has no map; its figures tell the rest.
        let Ok(spectrum) = Spectrum::of_directions(&table.vectors, table.dim) else {
            continue;
        };
        let placed: Vec<(usize, [f64; 2])> = table
            .vectors
            .chunks_exact(table.dim)
            .enumerate()
            .filter_map(|(item, vector)| spectrum.place(vector).map(|place| (item, place)))
            .collect();
        let n_items = placed.len();
        // Items are numbered by falling popularity.
        let drawn = &placed[..n_items.min(POINTS)];
        let group_of = |item: usize| {
            prepared
                .item_attributes()
                .texts("category", item)
                .into_iter()
                .next()
        };
        let groups = most_frequent(drawn.iter().filter_map(|(item, _)| group_of(*item)));
        let points = drawn.iter().map(|&(item, place)| MapPoint {
            place,
            label: prepared
                .item_attributes()
                .text("title", item)
                .map_or_else(|| table.ids[item].to_string(), str::to_owned),
            group: group_of(item).and_then(|name| groups.iter().position(|group| *group == name)),
        });
        maps.push(VectorMap {
            channel: channel.name.clone(),
            singular_values: spectrum.singular_values().to_vec(),
            effective_rank: spectrum.effective_rank(),
            points: points.collect(),
            n_items,
            groups,
        });
    }
    Ok(maps)
}

/// The most frequent names, the most frequent first; equally frequent ones by name.
fn most_frequent(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts
        .sort_by(|(name, count), (other, other_count)| other_count.cmp(count).then_with(|| name.cmp(other)));
    counts.into_iter().take(GROUPS).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::most_frequent;

    #[test]
    fn groups_are_the_most_frequent_and_ties_go_by_name() {
        let names = ["b", "a", "c", "c", "b", "a", "d"].map(str::to_owned);
        assert_eq!(most_frequent(names.into_iter()), ["a", "b", "c", "d"]);
        let many = (0..20).map(|n| format!("g{n:02}"));
        assert_eq!(most_frequent(many).len(), super::GROUPS);
    }
}
