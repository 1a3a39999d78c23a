//! The event log: an event is answered only when it is on the disk.
//!
//! `events.log` begins with a line that names its format. Then one line an event: a checksum of the JSON in hex, a
//! blank, the JSON. Requests that wait at the same time share one sync (group commit).
//!
//! # Laws
//! 1. An event that was acknowledged is in the log, whatever happens to the process afterwards.
//! 2. Nothing is in the log that no client sent, and an event with an id is in effect once, however often it was sent.
//! 3. A last line without its end is an append that was cut short; it was never acknowledged and is cut off when the
//!    log is opened. Damage anywhere else is refused with the number of the line, and nothing is changed.
//! 4. After a write that failed, the log is as it was before it.
//!
//! A request that was not answered may have left some of its events: who sends them again with the same `event_id`s
//! has them once.

mod line;
mod recover;
mod writer;

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::oneshot;

use crate::Error;
use crate::event::StoredEvent;
use crate::user_store::UserStore;
use writer::{Append, Writer};

/// The log's name in the data folder.
pub const LOG_FILE: &str = "events.log";

/// What became of the events of one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many are on the disk now and were not before.
    pub accepted: usize,
    /// How many had been taken before, by their `event_id`.
    pub duplicates: usize,
}

/// The events could not be made durable; none of them counts. The disk is full or broken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("events could not be written: {0}")]
pub struct NotDurable(pub String);

/// Appends events, from any number of tasks.
#[derive(Clone, Debug)]
pub struct EventLog {
    sender: mpsc::Sender<Append>,
    syncs: Arc<AtomicU64>,
}

impl EventLog {
    /// Opens the log in `folder`, applies what it holds to `users`, and starts the writer. The caller sees to it that
    /// nobody else writes there.
    ///
    /// # Errors
    /// [`Error::Log`], [`Error::DamagedLog`].
    pub fn open(folder: &Path, users: Arc<UserStore>) -> Result<Self, Error> {
        let path = folder.join(LOG_FILE);
        let io = |source| Error::Log {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(io)?;
        let end = recover::recover(&path, &mut file, &users)?;
        if let Ok(folder) = File::open(folder) {
            folder.sync_all().map_err(io)?;
        }
        let syncs = Arc::new(AtomicU64::new(0));
        let (sender, receiver) = mpsc::channel();
        let writer = Writer::new(path.clone(), file, end, users, syncs.clone());
        thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || writer.run(&receiver))?;
        Ok(Self { sender, syncs })
    }

    /// Makes the events durable, then visible. When this returns an error, none of them is either.
    ///
    /// # Errors
    /// [`NotDurable`].
    pub async fn append(&self, events: Vec<StoredEvent>) -> Result<Taken, NotDurable> {
        let closed = || NotDurable("the event log is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.sender.send(Append { events, reply }).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// How often the disk was waited for since the log was opened.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
