//! Fixed lanes whose changes are added in turn.
//!
//! The shards of an epoch are dealt to the lanes in turn. In a round every lane trains so many targets, one after the
//! other as a single thread would, on its own copies of the rows that it touches; it sees its own changes at once and
//! those of the others after the round. Then the changes are added to the table, row by row, in the order of the lanes.
//! Which thread works on which lane, and how many threads there are, decides nothing.
//!
//! It costs two copies of every row touched in a round, and that lanes know of each other only after it: with few
//! targets a round it is nearly what lock-free training does, which sees others' changes late as well.

use catchment_sampling::{SessionSource, SessionStream};
use catchment_schema::ItemIdx;
use rayon::prelude::*;

use super::overlay::Overlay;
use super::rows::Rows;
use super::worker::{Access, Done, Task, Worker};
use crate::Result;

/// A lane's own copies of both tables.
struct Own<'a> {
    task: &'a Task<'a>,
    tables: [&'a Rows; 2],
    overlays: &'a mut [Overlay; 2],
}

impl Access for Own<'_> {
    #[inline]
    fn input(&mut self, item: ItemIdx) -> *mut f32 {
        self.overlays[0].row(self.task.kernel, self.tables[0], item.index())
    }

    #[inline]
    fn output(&mut self, item: ItemIdx) -> *mut f32 {
        self.overlays[1].row(self.task.kernel, self.tables[1], item.index())
    }
}

struct Lane<'a> {
    worker: Worker,
    overlays: [Overlay; 2],
    /// Which shards are its, and how many of them were begun.
    shards: Vec<usize>,
    begun: usize,
    stream: Option<Box<dyn SessionStream + 'a>>,
    /// Whether the worker stands within a session.
    in_session: bool,
}

/// The lanes of an epoch.
pub(super) struct Lanes<'a> {
    task: &'a Task<'a>,
    source: &'a dyn SessionSource,
    tables: [&'a Rows; 2],
    all: Vec<Lane<'a>>,
    epoch: u32,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(task: &'a Task<'a>, source: &'a dyn SessionSource, tables: [&'a Rows; 2]) -> Self {
        let lane = |_| Lane {
            worker: Worker::new(),
            overlays: tables.map(|table| Overlay::new(table.n_rows(), task.config.dim)),
            shards: Vec::new(),
            begun: 0,
            stream: None,
            in_session: false,
        };
        Self {
            task,
            source,
            tables,
            all: (0..task.config.lanes).map(lane).collect(),
            epoch: 0,
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

    /// One round; `done` grows by what was trained. Whether anything was left to do.
    pub(super) fn round(&mut self, rate: f32, done: &mut Done) -> Result<bool> {
        let (task, source, tables, epoch) = (self.task, self.source, self.tables, self.epoch);
        self.all
            .par_iter_mut()
            .with_max_len(1)
            .try_for_each(|lane| lane.run(task, source, tables, epoch, rate))?;
        let kernel = task.kernel;
        self.all.par_iter_mut().with_max_len(1).for_each(|lane| {
            for (overlay, table) in lane.overlays.iter_mut().zip(tables) {
                overlay.turn_into_changes(kernel, table);
            }
        });
        // Any number of parts gives the same: a row is in one of them.
        let parts = u32::try_from(2 * rayon::current_num_threads()).unwrap_or(1);
        let overlays: Vec<&[Overlay; 2]> = self.all.iter().map(|lane| &lane.overlays).collect();
        (0..parts).into_par_iter().with_max_len(1).for_each(|part| {
            for lane in &overlays {
                for (overlay, table) in lane.iter().zip(tables) {
                    overlay.add_changes(kernel, table, part, parts);
                }
            }
        });
        let mut is_left = false;
        for lane in &mut self.all {
            lane.overlays.iter_mut().for_each(Overlay::clear);
            done.add(&std::mem::take(&mut lane.worker.done));
            is_left |= !lane.is_done();
        }
        Ok(is_left)
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
        tables: [&Rows; 2],
        epoch: u32,
        rate: f32,
    ) -> Result<()> {
        while self.worker.done.targets < task.config.lane_targets as u64 {
            if self.in_session {
                let mut access = Own {
                    task,
                    tables,
                    overlays: &mut self.overlays,
                };
                self.in_session = self.worker.centre(task, rate, &mut access);
                continue;
            }
            if let Some(stream) = &mut self.stream {
                if stream.next_session(&mut self.worker.session)? {
                    self.worker.begin_session(task);
                    self.in_session = true;
                } else {
                    self.stream = None;
                }
                continue;
            }
            let Some(&shard) = self.shards.get(self.begun) else {
                break;
            };
            self.begun += 1;
            self.worker.begin_shard(task, epoch, shard);
            self.stream = Some(source.shard(shard)?);
        }
        Ok(())
    }
}
