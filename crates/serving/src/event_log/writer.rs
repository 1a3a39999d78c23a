//! The one thread that writes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::active_file::{ActiveFile, sync_folder};
use super::recover::Recovered;
use super::segments::{self, Segments};
use super::{NoSnapshot, NotDurable, SnapshotMade, Taken, line, snapshot};
use crate::event::StoredEvent;
use crate::user_store::{Frozen, UserStore};

/// From how many events on a group is written without looking for more.
const GROUP_EVENTS: usize = 4096;
/// How often an idle writer looks whether the log is still in its place.
const LOOK: Duration = Duration::from_secs(1);

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Message {
    /// Make these durable.
    Append(Append),
    /// Make a snapshot of everything so far.
    Snapshot(oneshot::Sender<Result<SnapshotMade, NoSnapshot>>),
}

/// Events that wait to become durable.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) events: Vec<StoredEvent>,
    pub(super) reply: oneshot::Sender<Result<Taken, NotDurable>>,
}

pub(super) struct Writer {
    active: ActiveFile,
    last_sealed: u64,
    /// Length from which the active file is sealed; moved on where sealing fails.
    seal_at: u64,
    segment_bytes: u64,
    users: Arc<UserStore>,
    syncs: Arc<AtomicU64>,
    /// Whether a snapshot is being written.
    at_snapshot: Arc<AtomicBool>,
    /// The thread that wrote the last one, or writes it.
    snapshot_thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn new(
        recovered: Recovered,
        segment_bytes: u64,
        users: Arc<UserStore>,
        syncs: Arc<AtomicU64>,
    ) -> Self {
        Self {
            active: recovered.active,
            last_sealed: recovered.last_sealed,
            seal_at: segment_bytes,
            segment_bytes,
            users,
            syncs,
            at_snapshot: Arc::new(AtomicBool::new(false)),
            snapshot_thread: None,
        }
    }

    /// Writes until nobody can send any more.
    pub(super) fn run(mut self, receiver: &mpsc::Receiver<Message>) {
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(Message::Append(first)) => self.gather(first, receiver),
                Ok(Message::Snapshot(reply)) => self.snapshot(reply),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.put_in_place() {
                        tracing::error!(%error, "the event log is not in its place");
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(thread) = self.snapshot_thread.take() {
            let _ = thread.join();
        }
    }

    /// Takes along who waits at the same time.
    fn gather(&mut self, first: Append, receiver: &mpsc::Receiver<Message>) {
        let mut n_events = first.events.len();
        let mut group = vec![first];
        let mut snapshots = Vec::new();
        while n_events < GROUP_EVENTS
            && let Ok(next) = receiver.try_recv()
        {
            match next {
                Message::Append(next) => {
                    n_events += next.events.len();
                    group.push(next);
                }
                Message::Snapshot(reply) => snapshots.push(reply),
            }
        }
        self.commit(group);
        for reply in snapshots {
            self.snapshot(reply);
        }
        if self.active.len() >= self.seal_at {
            self.rotate();
        }
    }

    /// One sync for all of them. Events that were taken before, or stand in the group already, are not written again:
    /// this thread alone decides that, so that two requests at once cannot both have the same event accepted.
    fn commit(&mut self, group: Vec<Append>) {
        let mut bytes = Vec::new();
        let mut ids = HashSet::new();
        let mut done = Vec::with_capacity(group.len());
        for append in group {
            let n_events = append.events.len();
            let mut fresh = append.events;
            fresh.retain(|event| match &event.event_id {
                Some(id) => !self.users.has_event(id) && ids.insert(id.clone()),
                None => true,
            });
            let taken = Taken {
                accepted: fresh.len(),
                duplicates: n_events - fresh.len(),
            };
            let rendered = fresh.iter().try_for_each(|event| line::render(event, &mut bytes));
            // Strings and finite numbers can always be written as JSON.
            debug_assert!(rendered.is_ok());
            done.push((fresh, taken, append.reply));
        }
        let written = self.write(&bytes).map_err(|error| {
            tracing::error!(path = %self.active.path().display(), %error, "events could not be written");
            NotDurable(error.to_string())
        });
        for (fresh, taken, reply) in done {
            if written.is_ok() {
                self.users.apply_all(fresh);
            }
            // Who does not wait any more needs no answer.
            let _ = reply.send(written.clone().map(|()| taken));
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        // Once more where the file was taken away while it was written.
        for _ in 0..2 {
            self.put_in_place()?;
            self.syncs.fetch_add(1, Ordering::Relaxed);
            self.active.append(bytes)?;
            if self.active.is_in_place() {
                return Ok(());
            }
        }
        Err(io::Error::other("the event log is taken away again and again"))
    }

    /// Where somebody removed, replaced or cut the active file, begins another one. What was acknowledged is in
    /// memory, and becomes a snapshot first.
    fn put_in_place(&mut self) -> io::Result<()> {
        if self.active.is_in_place() {
            return Ok(());
        }
        let (folder, number) = (self.active.folder().to_owned(), self.last_sealed + 1);
        tracing::error!(
            path = %self.active.path().display(),
            "the event log was removed or changed by somebody else: writing all events again"
        );
        snapshot::write(&segments::snapshot(&folder, number), &self.users.freeze())?;
        self.last_sealed = number;
        if self.active.path().exists() {
            fs::rename(self.active.path(), segments::set_aside(&folder, number))?;
        }
        self.active = ActiveFile::begin(&folder, number)?;
        self.seal_at = self.segment_bytes;
        Segments::remove_before(&folder, number);
        Ok(())
    }

    /// Seals the active file and has a snapshot made, unless one is being made: the next one then covers both.
    fn rotate(&mut self) {
        if let Err(error) = self.seal() {
            tracing::error!(%error, "the event log could not begin a new file, the old one goes on");
            self.seal_at = self.active.len() + self.segment_bytes;
            return;
        }
        if !self.at_snapshot.swap(true, Ordering::AcqRel) {
            let (reply, _) = oneshot::channel();
            self.write_snapshot(reply);
        }
    }

    fn seal(&mut self) -> io::Result<()> {
        let number = self.last_sealed + 1;
        self.active.seal(number)?;
        sync_folder(self.active.folder())?;
        self.last_sealed = number;
        self.seal_at = self.segment_bytes;
        Ok(())
    }

    fn snapshot(&mut self, reply: oneshot::Sender<Result<SnapshotMade, NoSnapshot>>) {
        if self.at_snapshot.swap(true, Ordering::AcqRel) {
            let _ = reply.send(Err(NoSnapshot::Busy));
            return;
        }
        let sealed = self.put_in_place().and_then(|()| {
            if self.active.has_events() || self.last_sealed == 0 {
                return self.seal();
            }
            Ok(())
        });
        match sealed {
            Ok(()) => self.write_snapshot(reply),
            Err(error) => {
                self.at_snapshot.store(false, Ordering::Release);
                let _ = reply.send(Err(NoSnapshot::Disk(error.to_string())));
            }
        }
    }

    /// Freezes what all sealed files led to, and writes it while this thread goes on.
    fn write_snapshot(&mut self, reply: oneshot::Sender<Result<SnapshotMade, NoSnapshot>>) {
        let (folder, number) = (self.active.folder().to_owned(), self.last_sealed);
        let (frozen, at_snapshot) = (self.users.freeze(), self.at_snapshot.clone());
        let work = move || {
            let made = make(&folder, number, &frozen);
            at_snapshot.store(false, Ordering::Release);
            let _ = reply.send(made.map_err(|error| {
                tracing::error!(%error, "no snapshot of the events; their log is kept");
                NoSnapshot::Disk(error.to_string())
            }));
        };
        let name = "event-snapshot".to_owned();
        match thread::Builder::new().name(name).spawn(work) {
            Ok(thread) => self.snapshot_thread = Some(thread),
            Err(error) => {
                // The thread that could not be made has taken the reply with it: who waits hears that nobody answers.
                self.at_snapshot.store(false, Ordering::Release);
                tracing::error!(%error, "no snapshot of the events; their log is kept");
            }
        }
    }
}

fn make(folder: &std::path::Path, number: u64, frozen: &Frozen) -> io::Result<SnapshotMade> {
    let n_events = snapshot::write(&segments::snapshot(folder, number), frozen)?;
    Segments::remove_before(folder, number);
    tracing::info!(number, n_events, "snapshot of the events");
    Ok(SnapshotMade { number, n_events })
}
