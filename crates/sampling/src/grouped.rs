//! Draws items of one group by a power of how often they occur.

use catchment_schema::ItemIdx;
use rand::Rng;

use crate::alias::{Slot, draw_slot, fill_slots};
use crate::{SamplingError, unigram};

/// `q(i | group) ∝ count(i)^α` within each group: for negatives that share with the positive what the model is not
/// asked about. In Grbovic and Cheng (2018) a group is a market, and its negatives teach what differs within one.
///
/// One table for all groups: twelve bytes an item that occurs, four more for every item's group, eight for a group.
///
/// ```
/// use catchment_sampling::GroupedUnigram;
/// use catchment_schema::ItemIdx;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
///
/// let counts = [5, 1, 0, 9, 2];
/// let groups = [Some(0), Some(0), Some(0), Some(1), None];
/// let grouped = GroupedUnigram::new(&counts, &groups, 0.75)?;
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
/// assert!(grouped.draw_beside(ItemIdx(0), &mut rng).is_some_and(|item| item.0 < 2));
/// // One that is alone, and one of no group, have nobody beside them.
/// assert_eq!(grouped.draw_beside(ItemIdx(3), &mut rng), None);
/// assert_eq!(grouped.draw_beside(ItemIdx(4), &mut rng), None);
/// # Ok::<(), catchment_sampling::SamplingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GroupedUnigram {
    /// Of each item, [`NO_GROUP`] where it has none.
    group_of: Vec<u32>,
    /// Where each group begins, and the end.
    offsets: Vec<usize>,
    /// The items that occur, group by group.
    members: Vec<ItemIdx>,
    /// An alias table for each group.
    slots: Vec<Slot>,
}

const NO_GROUP: u32 = u32::MAX;

impl GroupedUnigram {
    /// Of how often each item occurs, and which group it is of. Groups are numbered from 0; a number that no item has
    /// costs eight bytes.
    ///
    /// # Errors
    /// [`SamplingError::Config`] for an exponent that is not finite; [`SamplingError::Lengths`] when not every item has
    /// both.
    pub fn new(counts: &[u64], groups: &[Option<u32>], exponent: f64) -> Result<Self, SamplingError> {
        if counts.len() != groups.len() {
            return Err(SamplingError::Lengths {
                counts: counts.len(),
                groups: groups.len(),
            });
        }
        let n_groups = groups
            .iter()
            .flatten()
            .max()
            .map_or(0, |&largest| largest as usize + 1);
        let occurs = || {
            let rows = groups.iter().zip(counts).enumerate();
            rows.filter_map(|(item, (group, &count))| group.filter(|_| count > 0).map(|group| (item, group)))
        };
        let mut offsets = vec![0; n_groups + 1];
        for (_, group) in occurs() {
            offsets[group as usize + 1] += 1;
        }
        for group in 0..n_groups {
            offsets[group + 1] += offsets[group];
        }
        let mut next = offsets.clone();
        let mut members = vec![ItemIdx(0); offsets[n_groups]];
        for (item, group) in occurs() {
            members[next[group as usize]] = ItemIdx::from_index(item);
            next[group as usize] += 1;
        }
        let mut slots = Vec::with_capacity(members.len());
        for range in offsets.windows(2) {
            let group = &members[range[0]..range[1]];
            let counts: Vec<u64> = group.iter().map(|item| counts[item.index()]).collect();
            let weights = unigram::power(&counts, exponent)?;
            if !weights.is_empty() {
                slots.extend(fill_slots(&weights)?);
            }
        }
        Ok(Self {
            group_of: groups.iter().map(|group| group.unwrap_or(NO_GROUP)).collect(),
            offsets,
            members,
            slots,
        })
    }

    /// The items that occur in the group of this one, itself among them where it occurs.
    pub fn beside(&self, item: ItemIdx) -> &[ItemIdx] {
        self.range(item).map_or(&[], |range| &self.members[range])
    }

    /// One item of the same group, itself possible; none where nobody else of the group occurs.
    #[inline]
    pub fn draw_beside(&self, item: ItemIdx, rng: &mut (impl Rng + ?Sized)) -> Option<ItemIdx> {
        let range = self.range(item)?;
        let group = &self.members[range.clone()];
        if group.is_empty() || group == [item] {
            return None;
        }
        let drawn = draw_slot(&self.slots[range], rng);
        Some(group[drawn as usize])
    }

    /// Bytes that a table over so many items takes, at most, where groups are numbered below `n_groups`.
    pub fn bytes(n_items: usize, n_groups: usize) -> usize {
        n_items * (size_of::<Slot>() + size_of::<ItemIdx>() + size_of::<u32>())
            + (n_groups + 1) * size_of::<usize>()
    }

    #[inline]
    fn range(&self, item: ItemIdx) -> Option<std::ops::Range<usize>> {
        let group = *self.group_of.get(item.index())?;
        (group != NO_GROUP).then(|| self.offsets[group as usize]..self.offsets[group as usize + 1])
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn draws_stay_in_the_group_and_follow_its_counts() {
        let counts = [16, 3, 1, 16, 0, 48];
        let groups = [Some(2), Some(0), Some(2), Some(0), Some(2), Some(2)];
        let grouped = GroupedUnigram::new(&counts, &groups, 0.5).expect("counts");
        assert_eq!(grouped.beside(ItemIdx(4)), [ItemIdx(0), ItemIdx(2), ItemIdx(5)]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut drawn = [0_u32; 6];
        let n = 200_000;
        for _ in 0..n {
            drawn[grouped.draw_beside(ItemIdx(2), &mut rng).expect("others").index()] += 1;
        }
        // √16, √1 and √48.
        let weights = [4.0, 0.0, 1.0, 0.0, 0.0, 48_f64.sqrt()];
        let total: f64 = weights.iter().sum();
        for (count, weight) in drawn.into_iter().zip(weights) {
            let p = weight / total;
            let deviation = (f64::from(n) * p * (1.0 - p)).sqrt();
            assert!(
                (f64::from(count) - f64::from(n) * p).abs() <= 5.0 * deviation,
                "{drawn:?}"
            );
        }
    }

    #[test]
    fn what_it_takes_is_what_is_told() {
        let counts = [5_u64; 40];
        let groups: Vec<_> = (0..40).map(|item| Some(item / 2)).collect();
        let grouped = GroupedUnigram::new(&counts, &groups, 0.75).expect("counts");
        let taken = size_of_val(&grouped.group_of[..])
            + size_of_val(&grouped.offsets[..])
            + size_of_val(&grouped.members[..])
            + size_of_val(&grouped.slots[..]);
        assert_eq!(taken, GroupedUnigram::bytes(40, 20));
    }

    #[test]
    fn who_is_alone_gets_nobody_and_who_does_not_occur_gets_the_others() {
        let counts = [5, 0, 0, 2];
        let groups = [Some(0), Some(0), Some(1), None];
        let grouped = GroupedUnigram::new(&counts, &groups, 1.0).expect("counts");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut draw = |item| grouped.draw_beside(ItemIdx(item), &mut rng);
        assert_eq!(
            [draw(0), draw(1), draw(2), draw(3), draw(77)],
            [None, Some(ItemIdx(0)), None, None, None]
        );
    }

    #[test]
    fn hostile_input_is_an_error_or_nobody() {
        assert!(matches!(
            GroupedUnigram::new(&[1], &[], 1.0),
            Err(SamplingError::Lengths { counts: 1, groups: 0 })
        ));
        assert!(GroupedUnigram::new(&[1], &[Some(0)], f64::NAN).is_err());
        let empty = GroupedUnigram::new(&[], &[], 1.0).expect("nothing to draw");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        assert_eq!(empty.draw_beside(ItemIdx(0), &mut rng), None);
    }
}
