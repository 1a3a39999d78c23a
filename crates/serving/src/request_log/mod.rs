//! The request log: one line of JSON for every recommendation, by which events are joined to what was shown.
//!
//! # Laws
//! 1. An answer never waits for the log. Lines go through a queue of [`QUEUE`] places; what finds it full, or finds a
//!    disk that does not take it, is dropped and counted. A folder that was removed is made again.
//! 2. Every line is whole JSON; a line that a crash cut short gets an end before the next one is written.
//! 3. There are never more than the configured number of files, none much larger than the configured size.
//!
//! It is not durable as the event log is: a crash may lose the lines of the last moment.

mod rotating_file;

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use prometheus::IntCounter;
use serde::Serialize;

use crate::Error;
use rotating_file::{Lost, RotatingFile};

/// The folder below the data folder.
pub const FOLDER: &str = "requests";
/// The file that is written; older ones are `requests.1.ndjson`, `requests.2.ndjson`, ….
pub const FILE: &str = "requests.ndjson";
/// How many lines may wait for the disk.
pub const QUEUE: usize = 1024;

enum Message {
    Line(Vec<u8>),
    /// Answered when everything before it is with the operating system.
    Flush(SyncSender<()>),
}

/// Whether lines are being lost: said when it begins and when it ends, not for every line.
struct Fault {
    lost: IntCounter,
    is_on: bool,
}

impl Fault {
    /// What a flush came to; `did_write` where there was something to write.
    fn see(&mut self, flushed: Result<(), Lost>, did_write: bool) {
        match flushed {
            Err(lost) => self.begins_or_goes_on(&lost),
            Ok(()) if self.is_on && did_write => {
                self.is_on = false;
                tracing::info!("the request log is written again");
            }
            Ok(()) => {}
        }
    }

    fn begins_or_goes_on(&mut self, lost: &Lost) {
        self.lost.inc_by(lost.lines);
        if !self.is_on {
            let error = &lost.source;
            tracing::warn!(%error, "the request log cannot be written; request_log_dropped_total counts what is lost");
        }
        self.is_on = true;
    }
}

/// Takes lines from any number of threads, and never makes them wait.
#[derive(Debug)]
pub struct RequestLog {
    sender: Option<SyncSender<Message>>,
    dropped: IntCounter,
}

impl RequestLog {
    /// A log that takes nothing.
    pub fn off(dropped: IntCounter) -> Self {
        Self {
            sender: None,
            dropped,
        }
    }

    /// Opens the log below the data folder and starts its writer. `max_bytes` is the size from which the next file is
    /// begun, `max_files` how many there are at most.
    ///
    /// # Errors
    /// [`Error::Data`].
    pub fn open(data: &Path, max_bytes: u64, max_files: usize, dropped: IntCounter) -> Result<Self, Error> {
        let folder = data.join(FOLDER);
        let mut file = RotatingFile::open(&folder, max_bytes, max_files)
            .map_err(|source| Error::Data { path: folder, source })?;
        let (sender, receiver) = mpsc::sync_channel(QUEUE);
        let lost = dropped.clone();
        thread::Builder::new()
            .name("request-log".to_owned())
            .spawn(move || {
                let mut fault = Fault { lost, is_on: false };
                // Written out whenever there is a pause, so that who follows the file sees an answer at once.
                let mut waiting = false;
                loop {
                    let next = if waiting {
                        receiver.recv_timeout(Duration::ZERO)
                    } else {
                        receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
                    };
                    match next {
                        Ok(Message::Line(line)) => {
                            if let Err(lost) = file.append(&line) {
                                fault.begins_or_goes_on(&lost);
                            }
                            waiting = true;
                        }
                        Ok(Message::Flush(done)) => {
                            let did_write = file.has_waiting();
                            fault.see(file.flush(), did_write);
                            let _ = done.send(());
                        }
                        Err(RecvTimeoutError::Timeout) => {
                            let did_write = file.has_waiting();
                            fault.see(file.flush(), did_write);
                            waiting = false;
                        }
                        Err(RecvTimeoutError::Disconnected) => {
                            let did_write = file.has_waiting();
                            fault.see(file.flush(), did_write);
                            return;
                        }
                    }
                }
            })?;
        Ok(Self {
            sender: Some(sender),
            dropped,
        })
    }

    /// Takes one line, or drops and counts it. The line is made only where the log is on.
    pub fn record<T: Serialize>(&self, line: impl FnOnce() -> T) {
        let Some(sender) = &self.sender else { return };
        let taken = serde_json::to_vec(&line()).is_ok_and(|mut bytes| {
            bytes.push(b'\n');
            sender.try_send(Message::Line(bytes)).is_ok()
        });
        if !taken {
            self.dropped.inc();
        }
    }

    /// Waits until everything taken so far is written, at most for `limit`. Returns whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        let Some(sender) = &self.sender else { return true };
        let begin = Instant::now();
        let (done, is_done) = mpsc::sync_channel(1);
        let mut message = Message::Flush(done);
        loop {
            match sender.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Full(again)) if begin.elapsed() < limit => message = again,
                Err(_) => return false,
            }
            thread::sleep(Duration::from_millis(1));
        }
        is_done
            .recv_timeout(limit.saturating_sub(begin.elapsed()))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_while_there_is_no_folder_is_counted_and_then_it_goes_on() {
        let data = tempfile::tempdir().expect("temporary folder");
        let dropped = IntCounter::new("dropped", "Lines.").expect("a counter");
        let log = RequestLog::open(data.path(), 1 << 20, 2, dropped.clone()).expect("opened");
        let write = |number: u32| {
            log.record(|| number);
            assert!(log.flush(Duration::from_secs(10)));
        };
        let folder = data.path().join(FOLDER);
        write(1);
        std::fs::remove_dir_all(&folder).expect("removed");
        write(2);
        assert_eq!((dropped.get(), read(&folder).as_str()), (0, "2\n"));
        std::fs::remove_dir_all(&folder).expect("removed");
        std::fs::write(&folder, "in the way").expect("written");
        write(3);
        write(4);
        assert_eq!(dropped.get(), 2);
        std::fs::remove_file(&folder).expect("removed");
        write(5);
        assert_eq!((dropped.get(), read(&folder).as_str()), (2, "5\n"));
    }

    fn read(folder: &Path) -> String {
        std::fs::read_to_string(folder.join(FILE)).expect("read")
    }
}
