//! The event log: an event is answered only when it is on the disk.
//!
//! `events.log` begins with a line that names its format. Then one line an event: a checksum of the JSON in hex, a
//! blank, the JSON. Requests that wait at the same time share one sync (group commit). A log that has grown to
//! `segment_bytes` is sealed under a number, and a snapshot of all live events takes the place of what is sealed, while
//! the writer goes on: a start reads the newest snapshot and what came after it.
//!
//! # Laws
//! 1. An event that was acknowledged is in the log, whatever happens to the process afterwards.
//! 2. Nothing is in the log that no client sent, and an event with an id is in effect once, however often it was sent.
//! 3. A last line without its end is an append that was cut short; it was never acknowledged and is cut off when the
//!    log is opened. Damage anywhere else is refused with the number of the line, and nothing is changed.
//! 4. After a write that failed, the log is as it was before it.
//! 5. At every moment a snapshot and the segments after it hold every live event once: a segment goes only when the
//!    snapshot that stands for it is on the disk. A segment or a snapshot that is missing is noticed at the next start, by the file that
//!    follows it.
//! 6. Where somebody removes, replaces or cuts `events.log` under a running server, that is noticed before the next
//!    events are acknowledged, or else within a second, and all events are written again from memory. Only who also
//!    kills the server within that second loses events.
//!
//! A request that was not answered may have left some of its events: who sends them again with the same `event_id`s
//! has them once.

mod active_file;
mod line;
mod recover;
mod segments;
mod snapshot;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::Error;
use crate::event::StoredEvent;
use crate::user_store::UserStore;
use writer::{Append, Message, Writer};

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

/// What a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotMade {
    /// The number of the last segment that it stands for.
    pub number: u64,
    /// How many events it holds.
    pub n_events: usize,
}

/// There is no new snapshot; nothing is lost.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoSnapshot {
    /// One is being made at this moment. Ask again later.
    #[error("a snapshot is being made already")]
    Busy,
    /// The disk is full or broken.
    #[error("the snapshot could not be written: {0}")]
    Disk(String),
}

/// Appends events, from any number of tasks. The last one to let go of it waits until the writer has ended, and with it
/// a snapshot that is being written: whoever opens the folder next is alone there.
#[derive(Debug)]
pub struct EventLog {
    /// `None` only while it is let go.
    sender: Option<mpsc::Sender<Message>>,
    writer: Option<JoinHandle<()>>,
    syncs: Arc<AtomicU64>,
}

impl EventLog {
    /// Opens the log in `folder`, applies what it holds to `users`, and starts the writer. A file that has grown to
    /// `segment_bytes` is sealed. The caller sees to it that nobody else writes there.
    ///
    /// # Errors
    /// [`Error::Log`], [`Error::DamagedLog`].
    pub fn open(folder: &Path, users: Arc<UserStore>, segment_bytes: u64) -> Result<Self, Error> {
        let recovered = recover::recover(folder, &users)?;
        active_file::sync_folder(folder).map_err(|source| Error::Log {
            path: folder.to_owned(),
            source,
        })?;
        let syncs = Arc::new(AtomicU64::new(0));
        let (sender, receiver) = mpsc::channel();
        let work = Writer::new(recovered, segment_bytes, users, syncs.clone());
        let writer = thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || work.run(&receiver))?;
        Ok(Self {
            sender: Some(sender),
            writer: Some(writer),
            syncs,
        })
    }

    /// Makes the events durable, then visible. When this returns an error, none of them is either.
    ///
    /// # Errors
    /// [`NotDurable`].
    pub async fn append(&self, events: Vec<StoredEvent>) -> Result<Taken, NotDurable> {
        let closed = || NotDurable("the event log is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.send(Message::Append(Append { events, reply }))
            .map_err(|()| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Makes a snapshot of all live events, which takes the place of everything logged so far.
    ///
    /// # Errors
    /// [`NoSnapshot`]; the log is then kept as it is.
    pub async fn snapshot(&self) -> Result<SnapshotMade, NoSnapshot> {
        let closed = || NoSnapshot::Disk("the event log is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.send(Message::Snapshot(reply)).map_err(|()| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Asks for a snapshot without waiting for it; where one is being made, nothing more happens.
    pub fn ask_for_snapshot(&self) {
        let (reply, _) = oneshot::channel();
        let _ = self.send(Message::Snapshot(reply));
    }

    fn send(&self, message: Message) -> Result<(), ()> {
        let sender = self.sender.as_ref().ok_or(())?;
        sender.send(message).map_err(|_| ())
    }

    /// How often the disk was waited for since the log was opened.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so.
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests;
