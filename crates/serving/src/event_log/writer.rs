//! The one thread that writes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use super::{NotDurable, Taken, line};
use crate::event::StoredEvent;
use crate::user_store::UserStore;

/// From how many events on a group is written without looking for more.
const GROUP_EVENTS: usize = 4096;

/// Events that wait to become durable.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) events: Vec<StoredEvent>,
    pub(super) reply: oneshot::Sender<Result<Taken, NotDurable>>,
}

pub(super) struct Writer {
    path: PathBuf,
    file: File,
    /// Everything before it is durable.
    end: u64,
    /// Whether there may be something behind the end.
    dirty: bool,
    users: Arc<UserStore>,
    syncs: Arc<AtomicU64>,
}

impl Writer {
    /// `file` is open for appending and ends at `end`.
    pub(super) fn new(
        path: PathBuf,
        file: File,
        end: u64,
        users: Arc<UserStore>,
        syncs: Arc<AtomicU64>,
    ) -> Self {
        Self {
            path,
            file,
            end,
            dirty: false,
            users,
            syncs,
        }
    }

    /// Writes until nobody can send any more.
    pub(super) fn run(mut self, receiver: &mpsc::Receiver<Append>) {
        while let Ok(first) = receiver.recv() {
            let mut n_events = first.events.len();
            let mut group = vec![first];
            while n_events < GROUP_EVENTS
                && let Ok(next) = receiver.try_recv()
            {
                n_events += next.events.len();
                group.push(next);
            }
            self.commit(group);
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
            tracing::error!(path = %self.path.display(), %error, "events could not be written");
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
        if self.dirty {
            self.file.set_len(self.end)?;
        }
        self.dirty = true;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        if written.is_ok() {
            self.end += bytes.len() as u64;
            self.dirty = false;
        } else if self.file.set_len(self.end).is_ok() {
            // Half a group must not stay in front of the next one. Where even this fails, it is tried again then.
            self.dirty = false;
        }
        written
    }
}
