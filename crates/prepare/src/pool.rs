//! How the plans of a limited preparation share its memory.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// How the engine names what merges the runs of a sort.
const MERGE: &str = "ExternalSorterMerge";

/// What joins and tables hold comes first. The rest is halved: one half is shared by all that can move its rows to disk,
/// evenly, as in the engine's `FairSpillPool`; the other half by the merges of sorts, one a thread.
///
/// A merge cannot move its rows, and takes as many runs at once as there is memory for. In the engine's own pool, the
/// merge of one partition leaves nothing to the sort of another, or such sorts leave nothing to a merge: whether a plan
/// succeeds is a matter of which thread comes first.
#[derive(Debug)]
pub(crate) struct SharedPool {
    size: usize,
    threads: usize,
    used: Mutex<Used>,
}

#[derive(Clone, Copy)]
enum Kind {
    Spills,
    Merges,
    Stays,
}

impl Kind {
    fn of(consumer: &MemoryConsumer) -> Self {
        if consumer.can_spill() {
            Self::Spills
        } else if consumer.name().starts_with(MERGE) {
            Self::Merges
        } else {
            Self::Stays
        }
    }
}

#[derive(Debug, Default)]
struct Used {
    n_spillers: usize,
    /// By kind.
    bytes: [usize; 3],
}

impl Used {
    fn total(&self) -> usize {
        self.bytes.iter().sum()
    }
}

impl SharedPool {
    /// `size` bytes for plans of `threads` partitions.
    pub(crate) fn new(size: usize, threads: usize) -> Self {
        Self {
            size,
            threads: threads.max(1),
            used: Mutex::default(),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // Nothing panics between two changes that belong together.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.used().n_spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.used().n_spillers -= usize::from(consumer.can_spill());
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used().bytes[Kind::of(reservation.consumer()) as usize] += additional;
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used().bytes[Kind::of(reservation.consumer()) as usize] -= shrink;
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut used = self.used();
        let kind = Kind::of(reservation.consumer());
        let half = self.size.saturating_sub(used.bytes[Kind::Stays as usize]) / 2;
        let free = self.size.saturating_sub(used.total());
        let left = match kind {
            Kind::Spills => (half / used.n_spillers.max(1)).saturating_sub(reservation.size()),
            Kind::Merges => (half / self.threads).saturating_sub(reservation.size()).min(free),
            Kind::Stays => free,
        };
        if additional > left {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} needs {additional} bytes beside its {}, and {left} are left for it of {}",
                reservation.consumer().name(),
                reservation.size(),
                self.size
            )));
        }
        used.bytes[kind as usize] += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.used().total()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.size)
    }
}

impl fmt::Display for SharedPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "shared ({} bytes)", self.size)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn take_all(reservation: &MemoryReservation) -> usize {
        while reservation.try_grow(1).is_ok() {}
        reservation.size()
    }

    #[test]
    fn whoever_comes_first_leaves_room_for_the_others() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1_600, 2));
        let table = MemoryConsumer::new("join").register(&pool);
        table.try_grow(400).expect("room");
        let merge = |number: u32| MemoryConsumer::new(format!("{MERGE}[{number}]")).register(&pool);
        let sort = |number: u32| {
            let consumer = MemoryConsumer::new(format!("ExternalSorter[{number}]"));
            consumer.with_can_spill(true).register(&pool)
        };
        let first_merge = merge(1);
        assert_eq!(
            take_all(&first_merge),
            300,
            "a merge leaves the half of the sorts"
        );
        let sorts = [sort(1), sort(2)];
        assert_eq!(sorts.each_ref().map(take_all), [300, 300]);
        let second_merge = merge(2);
        assert_eq!(take_all(&second_merge), 300, "sorts leave the half of the merges");
        assert_eq!(pool.reserved(), 1_600);
        let told = table.try_grow(7).expect_err("it is full").to_string();
        assert!(told.contains("join needs 7 bytes beside its 400"), "{told}");
        drop((sorts, first_merge));
        assert_eq!(take_all(&table), 1_300, "what stays may have all that is free");
        assert_eq!(pool.reserved(), 1_600);
    }
}
