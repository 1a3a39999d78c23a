//! One row of a bag while it is written.

use crate::FeatureColumn;
use crate::config::Keep;

/// Ids and weights of the row that is being added; [`BagRow::finish`] ends it.
pub(crate) struct BagRow<'a> {
    offsets: &'a mut Vec<u32>,
    ids: &'a mut Vec<u32>,
    weights: &'a mut Vec<f32>,
    cardinality: u32,
    start: usize,
}

impl FeatureColumn {
    /// Begins a row.
    #[inline]
    pub(crate) fn bag_row(&mut self) -> BagRow<'_> {
        match self {
            Self::Bag {
                cardinality,
                offsets,
                ids,
                weights,
            } => BagRow {
                start: ids.len(),
                cardinality: *cardinality,
                offsets,
                ids,
                weights,
            },
            Self::Dense { .. } => unreachable!("the batch was given the shape of its features"),
        }
    }
}

impl BagRow<'_> {
    /// How many entries there are up to now.
    pub(crate) fn len(&self) -> usize {
        self.ids.len() - self.start
    }

    #[inline]
    pub(crate) fn push(&mut self, id: u32, weight: f32) {
        debug_assert!(id < self.cardinality, "an id beyond the cardinality");
        self.ids.push(id);
        self.weights.push(weight);
    }

    /// Adds the id with the weight 1, unless the row has it.
    #[inline]
    pub(crate) fn push_once(&mut self, id: u32) {
        if !self.ids[self.start..].contains(&id) {
            self.push(id, 1.0);
        }
    }

    /// Adds the id, or its weight to that of the id where the row has it.
    pub(crate) fn add(&mut self, id: u32, weight: f32) {
        match self.ids[self.start..].iter().position(|&other| other == id) {
            Some(place) => {
                let sum = &mut self.weights[self.start + place];
                *sum = (*sum + weight).min(f32::MAX);
            }
            None => self.push(id, weight),
        }
    }

    /// Counts what was pushed with the weight 1: each id comes once, in rising order, and weighs as often as it was pushed.
    pub(crate) fn count(&mut self) {
        let ids = &mut self.ids[self.start..];
        ids.sort_unstable();
        let mut kept = 0;
        let mut next = 0;
        while next < ids.len() {
            let id = ids[next];
            let times = ids[next..].iter().take_while(|&&other| other == id).count();
            ids[kept] = id;
            self.weights[self.start + kept] = times as f32;
            kept += 1;
            next += times;
        }
        self.ids.truncate(self.start + kept);
        self.weights.truncate(self.start + kept);
    }

    /// Drops all but `max` entries; the order of the others stays.
    pub(crate) fn keep(&mut self, max: usize, keep: Keep) {
        let len = self.len();
        if len <= max {
            return;
        }
        match keep {
            Keep::First => {}
            Keep::Last => {
                self.ids[self.start..].rotate_left(len - max);
                self.weights[self.start..].rotate_left(len - max);
            }
            Keep::Heaviest => self.heaviest_to_the_front(max),
        }
        self.ids.truncate(self.start + max);
        self.weights.truncate(self.start + max);
    }

    fn heaviest_to_the_front(&mut self, max: usize) {
        let weights = &self.weights[self.start..];
        let mut places: Vec<usize> = (0..weights.len()).collect();
        places.select_nth_unstable_by(max, |&a, &b| {
            weights[b].total_cmp(&weights[a]).then_with(|| a.cmp(&b))
        });
        places.truncate(max);
        places.sort_unstable();
        for (to, from) in places.into_iter().enumerate() {
            self.ids[self.start + to] = self.ids[self.start + from];
            self.weights[self.start + to] = self.weights[self.start + from];
        }
    }

    /// Ends the row; `mean` divides the weights by the sum of their absolute values. No weight becomes 0.
    #[inline]
    pub(crate) fn finish(self, mean: bool) {
        if mean && self.len() > 0 {
            let weights = &mut self.weights[self.start..];
            let sum: f64 = weights.iter().map(|weight| f64::from(weight.abs())).sum();
            for weight in weights {
                *weight = crate::number::weight(f64::from(*weight) / sum);
            }
        }
        self.offsets
            .push(u32::try_from(self.ids.len()).expect("a batch holds at most u32::MAX ids a column"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnKind;

    fn row(weights: &[f32], max: usize, keep: Keep, mean: bool) -> Vec<(u32, f32)> {
        let mut column = FeatureColumn::new(ColumnKind::Bag { cardinality: 99 });
        // A row before: nothing of it may be touched.
        let mut row = column.bag_row();
        row.push(98, 7.0);
        row.finish(false);
        let mut row = column.bag_row();
        for (id, &weight) in (0..).zip(weights) {
            row.add(id, weight);
        }
        row.keep(max, keep);
        row.finish(mean);
        match column {
            FeatureColumn::Bag {
                ids,
                weights,
                offsets,
                ..
            } => {
                assert_eq!((ids[0], offsets[1]), (98, 1));
                ids.into_iter().zip(weights).skip(1).collect()
            }
            FeatureColumn::Dense { .. } => panic!("a bag"),
        }
    }

    #[test]
    fn the_first_the_last_and_the_heaviest_are_kept_in_the_order_of_the_row() {
        let weights = [1.0, 5.0, 2.0, 5.0, 2.0];
        let ids = |max, keep| {
            row(&weights, max, keep, false)
                .iter()
                .map(|&(id, _)| id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(2, Keep::First), [0, 1]);
        assert_eq!(ids(2, Keep::Last), [3, 4]);
        assert_eq!(ids(3, Keep::Heaviest), [1, 2, 3]);
        assert_eq!(ids(5, Keep::Heaviest), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn pushed_ids_are_counted_in_their_own_row_alone() {
        let mut column = FeatureColumn::new(ColumnKind::Bag { cardinality: 9 });
        for ids in [&[4, 4][..], &[4, 2, 4, 2, 8, 4], &[]] {
            let mut row = column.bag_row();
            for &id in ids {
                row.push(id, 1.0);
            }
            row.count();
            row.finish(false);
        }
        let expected = FeatureColumn::Bag {
            cardinality: 9,
            offsets: vec![0, 1, 4, 4],
            ids: vec![4, 2, 4, 8],
            weights: vec![2.0, 2.0, 3.0, 1.0],
        };
        assert_eq!(column, expected);
    }

    #[test]
    fn means_sum_to_one_and_no_weight_vanishes() {
        assert_eq!(row(&[1.0, 3.0], 9, Keep::First, true), [(0, 0.25), (1, 0.75)]);
        let extremes = row(&[f32::from_bits(1), f32::MAX, f32::MAX], 9, Keep::First, true);
        assert!(extremes[0].1 > 0.0);
        assert_eq!(extremes[1].1.to_bits(), 0.5f32.to_bits());
    }
}
