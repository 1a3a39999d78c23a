//! Draws from any finite distribution in constant time.

use rand::Rng;

use crate::SamplingError;

/// Walker's alias method in Vose's form: a table of as many slots as there are outcomes, each divided between two of
/// them. A draw reads one slot, whatever the distribution (Walker 1977; Vose 1991).
///
/// Eight bytes an outcome: where the slot is divided, in 2³² parts, and who has the rest. So a probability is met to
/// 2⁻³² of a slot; nothing else about a draw is rounded.
///
/// ```
/// use catchment_sampling::AliasTable;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
///
/// let table = AliasTable::new(&[1.0, 0.0, 3.0])?;
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
/// let draws: Vec<u32> = (0..1000).map(|_| table.draw(&mut rng)).collect();
/// assert!(draws.iter().all(|&outcome| outcome != 1));
/// # Ok::<(), catchment_sampling::SamplingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasTable {
    slots: Vec<Slot>,
}

/// One slot: its own outcome has the part below `threshold`, `alias` the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    threshold: u32,
    alias: u32,
}

/// The parts of a slot.
const PARTS: f64 = 4_294_967_296.0;

impl AliasTable {
    /// Outcome `i` is drawn in proportion to `weights[i]`.
    ///
    /// # Errors
    /// [`SamplingError::NoItems`] where no weight is above 0; [`SamplingError::BadWeight`] for one that is negative or
    /// not finite; [`SamplingError::TooMany`] from 2³² outcomes on.
    pub fn new(weights: &[f64]) -> Result<Self, SamplingError> {
        Ok(Self {
            slots: fill_slots(weights)?,
        })
    }

    /// How many outcomes there are, those of weight 0 among them.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Never: a table has an outcome.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// One outcome.
    #[inline]
    pub fn draw(&self, rng: &mut (impl Rng + ?Sized)) -> u32 {
        draw_slot(&self.slots, rng)
    }
}

/// One outcome of a table.
#[inline]
pub(crate) fn draw_slot(slots: &[Slot], rng: &mut (impl Rng + ?Sized)) -> u32 {
    // One product gives both: its upper half the slot, its lower half the place in the slot.
    let product = u128::from(rng.next_u64()) * slots.len() as u128;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves and quarters are wanted"
    )]
    let (slot, place) = ((product >> 64) as u32, ((product as u64) >> 32) as u32);
    let Slot { threshold, alias } = slots[slot as usize];
    if place < threshold { slot } else { alias }
}

/// The slots of one table; errors as [`AliasTable::new`].
pub(crate) fn fill_slots(weights: &[f64]) -> Result<Vec<Slot>, SamplingError> {
    let n = u32::try_from(weights.len()).map_err(|_| SamplingError::TooMany { n: weights.len() })?;
    if let Some(item) = weights
        .iter()
        .position(|weight| !weight.is_finite() || *weight < 0.0)
    {
        return Err(SamplingError::BadWeight {
            item,
            value: weights[item],
        });
    }
    // The largest is 1, so that no sum overflows.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(SamplingError::NoItems);
    }
    let total: f64 = weights.iter().map(|weight| weight / largest).sum();
    // In slots: 1 is an even share.
    let mut share: Vec<f64> = weights
        .iter()
        .map(|weight| weight / largest / total * f64::from(n))
        .collect();
    let (mut poor, mut rich): (Vec<u32>, Vec<u32>) = (0..n).partition(|&item| share[item as usize] < 1.0);
    let mut slots: Vec<Slot> = (0..n)
        .map(|item| Slot {
            threshold: u32::MAX,
            alias: item,
        })
        .collect();
    while let (Some(&giver), Some(taker)) = (rich.last(), poor.pop()) {
        let own = share[taker as usize];
        slots[taker as usize] = Slot {
            threshold: parts(own),
            alias: giver,
        };
        share[giver as usize] -= 1.0 - own;
        if share[giver as usize] < 1.0 {
            rich.pop();
            poor.push(giver);
        }
    }
    // Rounding may leave somebody without a partner; an outcome of weight 0 among them must still never be drawn.
    let likeliest = (0..n).max_by(|&a, &b| weights[a as usize].total_cmp(&weights[b as usize]));
    for item in poor {
        if weights[item as usize] == 0.0 {
            slots[item as usize] = Slot {
                threshold: 0,
                alias: likeliest.unwrap_or(item),
            };
        }
    }
    Ok(slots)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 1, and a cast saturates"
)]
fn parts(share: f64) -> u32 {
    (share * PARTS) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    /// What the slots add up to, exactly, as probabilities.
    fn probabilities(table: &AliasTable) -> Vec<f64> {
        let mut sums = vec![0.0; table.len()];
        for (item, slot) in table.slots.iter().enumerate() {
            let own = if slot.alias as usize == item {
                1.0
            } else {
                f64::from(slot.threshold) / PARTS
            };
            sums[item] += own / table.len() as f64;
            sums[slot.alias as usize] += (1.0 - own) / table.len() as f64;
        }
        sums
    }

    proptest! {
        #[test]
        fn slots_add_up_to_the_weights(weights in prop::collection::vec(
            prop_oneof![Just(0.0), 1e-9..1e9_f64, Just(f64::MAX), Just(f64::MIN_POSITIVE)], 1..200)
        ) {
            let Ok(table) = AliasTable::new(&weights) else {
                prop_assert!(weights.iter().all(|&weight| weight == 0.0));
                return Ok(());
            };
            let largest = weights.iter().copied().fold(0.0, f64::max);
            let total: f64 = weights.iter().map(|weight| weight / largest).sum();
            for (found, weight) in probabilities(&table).into_iter().zip(&weights) {
                let expected = weight / largest / total;
                prop_assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
                prop_assert!(*weight > 0.0 || found == 0.0, "what has no weight is never drawn");
            }
        }
    }

    #[test]
    fn draws_follow_the_weights() {
        let weights = [5.0, 0.0, 1.0, 2.0];
        let table = AliasTable::new(&weights).expect("weights");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let n = 400_000;
        let mut counts = [0_u32; 4];
        for _ in 0..n {
            counts[table.draw(&mut rng) as usize] += 1;
        }
        for (count, weight) in counts.into_iter().zip(weights) {
            let p = weight / 8.0;
            let deviation = (f64::from(n) * p * (1.0 - p)).sqrt();
            assert!(
                (f64::from(count) - f64::from(n) * p).abs() <= 5.0 * deviation,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn what_is_no_weight_is_refused() {
        assert_eq!(AliasTable::new(&[]), Err(SamplingError::NoItems));
        assert_eq!(AliasTable::new(&[0.0, 0.0]), Err(SamplingError::NoItems));
        assert_eq!(
            AliasTable::new(&[1.0, -1.0]),
            Err(SamplingError::BadWeight { item: 1, value: -1.0 })
        );
        assert!(AliasTable::new(&[f64::NAN]).is_err());
    }
}
