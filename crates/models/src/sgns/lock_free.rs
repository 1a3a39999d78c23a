//! All threads on the same rows.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use catchment_sampling::SessionSource;
use catchment_schema::ItemIdx;
use rayon::prelude::*;

use super::rows::Rows;
use super::worker::{Access, Done, Task, Worker};
use crate::Result;

/// The tables themselves.
struct Shared<'a> {
    input: &'a Rows,
    output: &'a Rows,
}

impl Access for Shared<'_> {
    fn input(&mut self, item: ItemIdx) -> *mut f32 {
        self.input.row(item.index())
    }

    fn output(&mut self, item: ItemIdx) -> *mut f32 {
        self.output.row(item.index())
    }
}

/// Trains on some shards of an epoch, in this order as far as several threads have one. `events_before` of
/// `total_events` were read before.
pub(super) fn train(
    task: &Task<'_>,
    source: &dyn SessionSource,
    [input, output]: [&Rows; 2],
    epoch: u32,
    shards: &[usize],
    [events_before, total_events]: [u64; 2],
) -> Result<Done> {
    let read = AtomicU64::new(events_before);
    let sum = Mutex::new(Done::default());
    // One shard after the other, whoever is free takes the next.
    shards
        .par_iter()
        .with_max_len(1)
        .try_for_each_init(Worker::new, |worker, &shard| -> Result<()> {
            let mut access = Shared { input, output };
            worker.done = Done::default();
            worker.begin_shard(task, epoch, shard);
            let mut stream = source.shard(shard)?;
            while stream.next_session(&mut worker.session)? {
                let before = read.fetch_add(worker.session.items.len() as u64, Ordering::Relaxed);
                let rate = task.config.rate(before as f64 / total_events as f64);
                worker.begin_session(task);
                while worker.centre(task, rate, &mut access) {}
            }
            let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sum.add(&worker.done);
            Ok(())
        })?;
    Ok(sum
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}
