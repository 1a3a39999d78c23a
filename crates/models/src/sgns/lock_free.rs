//! All threads on the same rows.

use std::sync::atomic::{AtomicU64, Ordering};

use catchment_sampling::SessionSource;
use rayon::prelude::*;

use super::worker::{Done, Task, Worker};
use crate::Result;

/// Trains on some shards of an epoch, in this order as far as several threads have one. `events_before` of
/// `total_events` were read before.
pub(super) fn train(
    task: &Task<'_>,
    source: &dyn SessionSource,
    epoch: u32,
    shards: &[usize],
    [events_before, total_events]: [u64; 2],
) -> Result<Done> {
    let read = AtomicU64::new(events_before);
    // One shard after the other, whoever is free takes the next.
    shards
        .par_iter()
        .with_max_len(1)
        .map_init(
            || Worker::new(task.config.dim),
            |worker, &shard| {
                worker.begin_shard(task, epoch, shard);
                let mut stream = source.shard(shard)?;
                while stream.next_session(&mut worker.session)? {
                    let before = read.fetch_add(worker.session.items.len() as u64, Ordering::Relaxed);
                    let rate = task.config.rate(before as f64 / total_events as f64);
                    worker.begin_session(task);
                    while worker.train(task, rate) {}
                }
                Ok(std::mem::take(&mut worker.done))
            },
        )
        .try_reduce(Done::default, |mut sum, done| {
            sum.add(&done);
            Ok(sum)
        })
}
