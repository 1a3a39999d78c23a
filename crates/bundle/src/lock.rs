//! Locks between processes: the operating system lets go of them when their holder dies, however it dies.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::{Error, Result};

/// Held for the moments in which names in the folder of all bundles change. Readers need no lock: what
/// they see is complete at every moment.
#[derive(Debug)]
pub(crate) struct RootLock {
    _file: File,
}

impl RootLock {
    const FILE: &'static str = ".lock";

    /// Waits until no other process, thread or publisher holds it.
    pub(crate) fn take(root: &Path) -> Result<Self> {
        let path = root.join(Self::FILE);
        let file = open(&path).map_err(Error::io(&path))?;
        file.lock().map_err(Error::io(&path))?;
        Ok(Self { _file: file })
    }
}

/// Takes the lock of a staging folder, which lasts as long as the file stays open.
pub(crate) fn claim(path: &Path) -> Result<File> {
    let file = open(path).map_err(Error::io(path))?;
    file.lock().map_err(Error::io(path))?;
    Ok(file)
}

/// Whether nobody alive holds this lock. In doubt somebody does.
pub(crate) fn is_abandoned(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        // Its maker died between making the folder and this file: both happen under the root lock.
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}
