//! The event log: an event is answered only when it is on the disk.
//!
//! One line an event: a checksum of the JSON in hex, a blank, the JSON. Many waiting requests share one sync
//! (group commit). After a crash the unfinished last line is cut off; damage anywhere else refuses the log.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::oneshot;
use xxhash_rust::xxh3::xxh3_64;

use crate::Error;
use crate::event::StoredEvent;
use crate::user_store::UserStore;

/// How many appends may share one sync.
const MAX_GROUP: usize = 1024;

type Reply = oneshot::Sender<Result<(), String>>;

/// Appends events, from any number of tasks.
#[derive(Clone, Debug)]
pub struct EventLog {
    sender: mpsc::Sender<(Vec<StoredEvent>, Reply)>,
}

impl EventLog {
    /// Opens `events.log` in `folder`, applies what it holds to `users`, and starts the writer.
    ///
    /// # Errors
    /// [`Error::Log`], [`Error::DamagedLog`].
    pub fn open(folder: &Path, users: Arc<UserStore>) -> Result<Self, Error> {
        let path = folder.join("events.log");
        let io = |source| Error::Log {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(folder).map_err(io)?;
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(io)?;
        let end = recover(&path, &file, &users)?;
        file.set_len(end).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        file.sync_all().map_err(io)?;
        if let Ok(folder) = File::open(folder) {
            folder.sync_all().map_err(io)?;
        }
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || write_loop(&path, &mut file, end, &receiver, &users))?;
        Ok(Self { sender })
    }

    /// Makes the events durable and visible, all or none.
    ///
    /// # Errors
    /// What the disk said.
    pub async fn append(&self, events: Vec<StoredEvent>) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .send((events, reply))
            .map_err(|_| "the event log is closed".to_owned())?;
        answer.await.map_err(|_| "the event log is closed".to_owned())?
    }
}

/// Reads what is there, applies it, and says where the good part ends.
fn recover(path: &PathBuf, file: &File, users: &UserStore) -> Result<u64, Error> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut end = 0u64;
    for number in 1.. {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(|source| Error::Log {
            path: path.clone(),
            source,
        })?;
        if read == 0 {
            break;
        }
        match parse(&line) {
            Ok(event) => users.apply(event),
            // Only an append that was cut short lacks its line end, and it was never acknowledged.
            Err(_) if line.last() != Some(&b'\n') => break,
            Err(reason) => {
                return Err(Error::DamagedLog {
                    path: path.clone(),
                    line: number,
                    reason,
                });
            }
        }
        end += read as u64;
    }
    Ok(end)
}

fn parse(line: &[u8]) -> Result<StoredEvent, String> {
    let line = line.strip_suffix(b"\n").ok_or("no line end")?;
    let (checksum, json) = line.split_at_checked(17).ok_or("too short")?;
    let checksum = std::str::from_utf8(&checksum[..16]).map_err(|error| error.to_string())?;
    let checksum = u64::from_str_radix(checksum, 16).map_err(|error| error.to_string())?;
    if checksum != xxh3_64(json) {
        return Err("wrong checksum".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

fn render(events: &[StoredEvent], bytes: &mut Vec<u8>) -> Result<(), String> {
    for event in events {
        let json = serde_json::to_vec(event).map_err(|error| error.to_string())?;
        bytes.extend(format!("{:016x} ", xxh3_64(&json)).into_bytes());
        bytes.extend(json);
        bytes.push(b'\n');
    }
    Ok(())
}

fn write_loop(
    path: &Path,
    file: &mut File,
    mut end: u64,
    receiver: &mpsc::Receiver<(Vec<StoredEvent>, Reply)>,
    users: &UserStore,
) {
    while let Ok(first) = receiver.recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(next) = receiver.try_recv()
        {
            group.push(next);
        }
        let mut bytes = Vec::new();
        let written = group
            .iter()
            .try_for_each(|(events, _)| render(events, &mut bytes))
            .and_then(|()| file.write_all(&bytes).map_err(|error| error.to_string()))
            .and_then(|()| file.sync_data().map_err(|error| error.to_string()));
        match &written {
            Ok(()) => end += bytes.len() as u64,
            Err(reason) => {
                tracing::error!(path = %path.display(), reason, "events could not be written");
                // Half a group must not stay in front of the next one.
                let _ = file.set_len(end);
            }
        }
        for (events, reply) in group {
            if written.is_ok() {
                events.into_iter().for_each(|event| users.apply(event));
            }
            let _ = reply.send(written.clone());
        }
    }
}
