//! Candidates of earlier batches, kept with what was expected of them then.

use std::collections::VecDeque;

use catchment_schema::ItemIdx;

use crate::{Candidates, SamplingError};

/// The columns of the last batches, first in, first out, for a loss whose item vectors change slowly enough that those of
/// a few steps ago still serve (Wang et al. 2021, cross-batch negative sampling). Each entry keeps the expected count of
/// *its own* step: frequencies move, and a correction by today's would be wrong for it.
///
/// It holds no vectors: they are the model's, which keeps them in the same order; [`CrossBatchMemory::push`] says how many
/// of the oldest to drop.
#[derive(Clone, Debug)]
pub struct CrossBatchMemory {
    capacity: usize,
    entries: VecDeque<(ItemIdx, f32)>,
}

impl CrossBatchMemory {
    /// For `capacity` columns.
    ///
    /// # Errors
    /// [`SamplingError::Config`] for 0.
    pub fn new(capacity: usize) -> Result<Self, SamplingError> {
        if capacity == 0 {
            return Err(SamplingError::Config {
                key: "memory",
                value: "0".to_owned(),
                allowed: "at least 1",
            });
        }
        Ok(Self {
            capacity,
            entries: VecDeque::new(),
        })
    }

    /// Adds the columns of one batch and drops the oldest that no longer fit; says how many. Of a batch that does not fit
    /// by itself, the last columns stay.
    pub fn push(&mut self, batch: &Candidates) -> usize {
        let new = batch
            .ids()
            .iter()
            .copied()
            .zip(batch.log_expected_count().iter().copied());
        self.entries.extend(new);
        let n_dropped = self.entries.len().saturating_sub(self.capacity);
        self.entries.drain(..n_dropped);
        n_dropped
    }

    /// The columns, the oldest first.
    pub fn candidates(&self) -> Candidates {
        let (ids, logs) = self.entries.iter().copied().unzip();
        Candidates::new(ids, logs)
    }

    /// Goes on from what [`CrossBatchMemory::candidates`] gave of another: part of a checkpoint. The oldest that do not fit
    /// are dropped.
    pub fn restore(&mut self, ids: &[ItemIdx], log_expected_count: &[f32]) {
        self.entries = ids
            .iter()
            .copied()
            .zip(log_expected_count.iter().copied())
            .collect();
        let n_dropped = self.entries.len().saturating_sub(self.capacity);
        self.entries.drain(..n_dropped);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CountedFrequency, in_batch};

    fn batch(items: &[u32], rows: usize) -> Candidates {
        let items: Vec<ItemIdx> = items.iter().map(|&item| ItemIdx(item)).collect();
        in_batch(
            &items,
            &CountedFrequency::new(&[1, 1, 1, 1], rows).expect("counts"),
        )
    }

    /// Batches of one law: what they hold together with what is remembered is what is claimed of both, once each is expected as
    /// many times as often as the whole is larger.
    #[test]
    fn a_batch_and_its_memory_hold_what_they_say_together() {
        use rand::SeedableRng;
        let counts = [50_u64, 30, 15, 5];
        let (rows, rounds) = (8, 6_000);
        let frequency = CountedFrequency::new(&counts, rows).expect("counts");
        let law = crate::AliasTable::new(&counts.map(|count| count as f64)).expect("weights");
        let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(3);
        let mut memory = CrossBatchMemory::new(3 * rows).expect("room");
        let (mut found, mut claimed) = ([0.0; 4], [0.0; 4]);
        for round in 0..rounds {
            let items: Vec<ItemIdx> = (0..rows).map(|_| ItemIdx(law.draw(&mut rng))).collect();
            let columns = in_batch(&items, &frequency);
            let both = columns.clone().followed_by(&memory.candidates());
            let times = both.len() as f64 / columns.len() as f64;
            let both = both.expected_times(times);
            memory.push(&columns);
            if round < 3 {
                continue;
            }
            for (item, log) in both.ids().iter().zip(both.log_expected_count()) {
                found[item.index()] += 1.0 / f64::from(rounds - 3);
                claimed[item.index()] = f64::from(log.exp());
            }
        }
        for (found, claimed) in found.iter().zip(claimed) {
            assert!(
                (found - claimed).abs() < 0.04 * claimed + 0.02,
                "{found} {claimed}"
            );
        }
    }

    #[test]
    fn the_oldest_go_first_and_each_keeps_the_expectation_of_its_step() {
        let mut memory = CrossBatchMemory::new(4).expect("room");
        assert!(memory.is_empty());
        assert_eq!(memory.push(&batch(&[0, 1, 2], 4)), 0);
        assert_eq!(memory.push(&batch(&[3, 3], 40)), 1);
        let kept = memory.candidates();
        assert_eq!(kept.ids(), [1, 2, 3, 3].map(ItemIdx));
        let expected: Vec<f32> = kept
            .log_expected_count()
            .iter()
            .map(|log| log.exp().round())
            .collect();
        assert_eq!(expected, [1.0, 1.0, 10.0, 10.0]);
        assert_eq!(memory.push(&batch(&[0, 1, 2, 3, 0], 4)), 5);
        assert_eq!((memory.len(), memory.candidates().ids()[0]), (4, ItemIdx(1)));
    }

    #[test]
    fn a_memory_for_nothing_is_an_error() {
        assert!(matches!(
            CrossBatchMemory::new(0),
            Err(SamplingError::Config { key: "memory", .. })
        ));
    }
}
