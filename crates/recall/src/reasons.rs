//! Which of somebody's own items speak for an item.

use std::collections::HashMap;

use catchment_schema::ItemIdx;

use crate::channel::MOST_REASONS;

/// Gathers who speaks for some items, and how strongly.
#[derive(Debug)]
pub struct Reasons {
    places: HashMap<ItemIdx, usize>,
    voices: Vec<Vec<(ItemIdx, f64)>>,
}

impl Reasons {
    /// For these items, each of which is there once.
    pub fn new(items: &[ItemIdx]) -> Self {
        Self {
            places: items
                .iter()
                .zip(0..)
                .map(|(&item, place)| (item, place))
                .collect(),
            voices: vec![Vec::new(); items.len()],
        }
    }

    /// `seed` speaks for `item`; not heard where the item is none of these, is the seed itself, or `strength` is not
    /// above 0.
    pub fn speak(&mut self, item: ItemIdx, seed: ItemIdx, strength: f64) {
        if strength > 0.0
            && item != seed
            && let Some(&place) = self.places.get(&item)
        {
            self.voices[place].push((seed, strength));
        }
    }

    /// For each item the strongest voices; of equally strong ones the one that spoke first.
    pub fn strongest(self) -> Vec<Vec<ItemIdx>> {
        let strongest = |mut voices: Vec<(ItemIdx, f64)>| {
            voices.sort_by(|(_, one), (_, other)| other.total_cmp(one));
            voices
                .into_iter()
                .take(MOST_REASONS)
                .map(|(seed, _)| seed)
                .collect()
        };
        self.voices.into_iter().map(strongest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_are_named_and_ties_go_by_who_spoke_first() {
        let mut reasons = Reasons::new(&[5, 6].map(ItemIdx));
        for (item, seed, strength) in [
            (5, 1, 0.2),
            (5, 2, 0.5),
            (5, 3, 0.5),
            (5, 4, 0.1),
            (6, 6, 1.0),
            (7, 1, 1.0),
            (6, 1, 0.0),
        ] {
            reasons.speak(ItemIdx(item), ItemIdx(seed), strength);
        }
        assert_eq!(
            reasons.strongest(),
            [vec![ItemIdx(2), ItemIdx(3), ItemIdx(1)], vec![]]
        );
    }
}
