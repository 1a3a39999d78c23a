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
            Kind::Spills => (half / used.n_spillers.max(1))
                .saturating_sub(reservation.size())
                .min(free),
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

    use catchment_schema::arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;
    use crate::engine::{ascending, memory_table};

    /// Writes down who registers.
    #[derive(Debug)]
    struct Witness {
        pool: SharedPool,
        names: Mutex<Vec<String>>,
    }

    impl fmt::Display for Witness {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.pool.fmt(formatter)
        }
    }

    impl MemoryPool for Witness {
        fn name(&self) -> &'static str {
            "witness"
        }

        fn register(&self, consumer: &MemoryConsumer) {
            self.names.lock().expect("names").push(consumer.name().to_owned());
            self.pool.register(consumer);
        }

        fn unregister(&self, consumer: &MemoryConsumer) {
            self.pool.unregister(consumer);
        }

        fn grow(&self, reservation: &MemoryReservation, additional: usize) {
            self.pool.grow(reservation, additional);
        }

        fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
            self.pool.shrink(reservation, shrink);
        }

        fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
            self.pool.try_grow(reservation, additional)
        }

        fn reserved(&self) -> usize {
            self.pool.reserved()
        }
    }

    #[test]
    fn the_engine_still_calls_its_merges_as_we_think() {
        let witness = Arc::new(Witness {
            pool: SharedPool::new(2 << 20, 1),
            names: Mutex::default(),
        });
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(witness.clone());
        let mut config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(256);
        config.options_mut().execution.sort_spill_reservation_bytes = 1 << 16;
        let context = SessionContext::new_with_config_rt(config, runtime.build_arc().expect("runtime"));
        let batch = |first: i64| {
            let numbers = (first..first + 1_000).map(|number| number * 7_919 % 400_009);
            let column = Arc::new(Int64Array::from_iter_values(numbers)) as ArrayRef;
            RecordBatch::try_from_iter([("n", column)]).expect("rows")
        };
        let batches: Vec<RecordBatch> = (0..400).map(|part| batch(part * 1_000)).collect();
        let sorted = async {
            let table = memory_table(&context, batches[0].schema(), vec![batches])?;
            table.sort(vec![ascending("n")])?.collect().await
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("runtime");
        runtime.block_on(sorted).expect("sorted");
        let names = witness.names.lock().expect("names");
        assert!(names.iter().any(|name| name.starts_with(MERGE)), "{names:?}");
    }

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
