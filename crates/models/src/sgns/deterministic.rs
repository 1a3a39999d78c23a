//! Fixed lanes whose changes are made in turn.
//!
//! The shards of an epoch are dealt to the lanes in turn. In a round every lane computes the changes of so many targets
//! against tables that stand still, and writes down what each row gains of which vector. Then the changes are made, row
//! by row, in the order of the lanes. Which thread works on which lane or which row, and how many threads there are,
//! decides nothing.
//!
//! It is stochastic gradient descent in small batches: a centre sees its own changes at once, and those of the others
//! in the round only after it. A round has at most as many targets as there are items, so that no row gains much
//! from vectors that it has not seen. It costs that every changed row is read once more, and two meetings a round.

use catchment_sampling::{Context, SessionSource, SessionStream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SgnsConfig;
use super::record::Record;
use super::worker::{Done, SessionPosition, Task, Worker};
use crate::Result;

struct Lane<'a> {
    worker: Worker,
    record: Record,
    /// Which shards are its, and how many of them were begun.
    shards: Vec<usize>,
    begun: usize,
    stream: Option<Box<dyn SessionStream + 'a>>,
    /// How many sessions of the stream were read.
    read: usize,
    /// Whether the worker stands within a session.
    in_session: bool,
}

/// Where a lane stands between two rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LanePosition {
    begun: usize,
    /// How many sessions of the shard that was begun last were read; none where it is over.
    read: Option<usize>,
    in_session: bool,
    session: SessionPosition,
}

/// The lanes of a training.
pub(super) struct Lanes<'a> {
    task: &'a Task<'a>,
    source: &'a dyn SessionSource,
    all: Vec<Lane<'a>>,
    epoch: u32,
    /// After how many targets a lane's round is over.
    targets: u64,
}

/// Targets after which a lane's round is over.
fn lane_targets(n_items: usize, config: &SgnsConfig) -> usize {
    config.lane_targets.min(n_items / config.lanes).max(1)
}

/// So many contexts of a centre are reckoned with at most.
const MOST_CONTEXTS: usize = 1024;

/// Targets that a lane's record is made for: those of a round and of the centre with which it ends. How many items a
/// set has is not known, and of a window that is as good as a set some contexts count.
pub(super) fn record_targets(n_items: usize, config: &SgnsConfig) -> usize {
    let contexts = match config.context {
        Context::Set => 0,
        Context::Sampled(n) => n as usize,
        Context::Window(width) | Context::DrawnWindow(width) => 2 * width as usize,
    };
    lane_targets(n_items, config) + contexts.min(MOST_CONTEXTS) * (1 + config.negatives)
}

impl<'a> Lanes<'a> {
    pub(super) fn new(task: &'a Task<'a>, source: &'a dyn SessionSource) -> Self {
        let config = task.config;
        let n_items = task.tables[0].n_rows();
        let n_targets = record_targets(n_items, config);
        let lane = |_| Lane {
            worker: Worker::new(config.dim),
            record: Record::new(config.dim, n_targets, config.negatives_form),
            shards: Vec::new(),
            begun: 0,
            stream: None,
            read: 0,
            in_session: false,
        };
        Self {
            task,
            source,
            all: (0..config.lanes).map(lane).collect(),
            epoch: 0,
            targets: lane_targets(n_items, config) as u64,
        }
    }

    /// Deals the shards of an epoch.
    pub(super) fn begin_epoch(&mut self, epoch: u32, shards: &[usize]) {
        self.epoch = epoch;
        let n = self.all.len();
        for (number, lane) in self.all.iter_mut().enumerate() {
            lane.shards = shards.iter().copied().skip(number).step_by(n).collect();
            lane.begun = 0;
            lane.stream = None;
            lane.in_session = false;
        }
    }

    /// Whether anything of the epoch is left to do.
    pub(super) fn is_left(&self) -> bool {
        self.all.iter().any(|lane| !lane.is_done())
    }

    /// Where all lanes stand, between two rounds.
    pub(super) fn position(&self) -> Vec<LanePosition> {
        let position = |lane: &Lane<'_>| LanePosition {
            begun: lane.begun,
            read: lane.stream.as_ref().map(|_| lane.read),
            in_session: lane.in_session,
            session: lane.worker.position(),
        };
        self.all.iter().map(position).collect()
    }

    /// Goes on, in the epoch that was just begun, where lanes stood; whether its sessions reach so far.
    pub(super) fn go_on(&mut self, positions: &[LanePosition]) -> Result<bool> {
        if positions.len() != self.all.len() {
            return Ok(false);
        }
        for (lane, at) in self.all.iter_mut().zip(positions) {
            if at.begun > lane.shards.len() {
                return Ok(false);
            }
            lane.begun = at.begun;
            if let (Some(read), Some(last)) = (at.read, at.begun.checked_sub(1)) {
                let mut stream = self.source.shard(lane.shards[last])?;
                for _ in 0..read {
                    if !stream.next_session(&mut lane.worker.session)? {
                        return Ok(false);
                    }
                }
                lane.stream = Some(stream);
                lane.read = read;
            }
            lane.in_session = at.in_session;
            lane.worker.go_on(&at.session);
        }
        Ok(true)
    }

    /// One round; `done` grows by what was trained. Whether anything is left to do.
    pub(super) fn round(&mut self, rate: f32, done: &mut Done) -> Result<bool> {
        let (task, source, epoch, targets) = (self.task, self.source, self.epoch, self.targets);
        self.all
            .par_iter_mut()
            .with_max_len(1)
            .try_for_each(|lane| lane.run(task, source, epoch, rate, targets))?;
        // Any number of parts gives the same: a row is in one of them.
        let records: Vec<&Record> = self.all.iter().map(|lane| &lane.record).collect();
        let parts = u32::try_from(rayon::current_num_threads().next_power_of_two()).unwrap_or(1);
        (0..parts).into_par_iter().with_max_len(1).for_each(|part| {
            for record in &records {
                record.apply(task.kernel, task.tables, part, parts - 1);
            }
        });
        for lane in &mut self.all {
            lane.record.clear();
            done.add(&std::mem::take(&mut lane.worker.done));
        }
        Ok(self.is_left())
    }
}

impl<'a> Lane<'a> {
    fn is_done(&self) -> bool {
        !self.in_session && self.stream.is_none() && self.begun == self.shards.len()
    }

    fn run(
        &mut self,
        task: &Task<'_>,
        source: &'a dyn SessionSource,
        epoch: u32,
        rate: f32,
        targets: u64,
    ) -> Result<()> {
        while self.worker.done.targets < targets {
            if self.in_session {
                self.in_session = self.worker.record(task, rate, &mut self.record);
            } else if let Some(stream) = &mut self.stream {
                if stream.next_session(&mut self.worker.session)? {
                    self.read += 1;
                    self.worker.begin_session(task);
                    self.in_session = true;
                } else {
                    self.stream = None;
                }
            } else if let Some(&shard) = self.shards.get(self.begun) {
                self.begun += 1;
                self.worker.begin_shard(task, epoch, shard);
                self.stream = Some(source.shard(shard)?);
                self.read = 0;
            } else {
                break;
            }
        }
        Ok(())
    }
}
