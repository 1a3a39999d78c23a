//! The folder of what the server itself must keep, used by one server at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::Error;

const LOCK_FILE: &str = ".lock";

/// A claimed folder. The operating system lets go of the claim when the process ends, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where needed and claims it.
    ///
    /// # Errors
    /// [`Error::DataInUse`] when another server has it; [`Error::Data`] when it cannot be made or written.
    pub fn claim(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Data {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(failed)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK_FILE))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::DataInUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_server_at_a_time() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("state");
        let first = DataFolder::claim(&path).expect("claimed");
        assert!(matches!(DataFolder::claim(&path), Err(Error::DataInUse { .. })));
        drop(first);
        DataFolder::claim(&path).expect("claimed again");
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        assert!(matches!(DataFolder::claim(file.path()), Err(Error::Data { .. })));
    }
}
