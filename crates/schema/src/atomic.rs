//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// A file under a temporary name in the folder where it will live; [`AtomicFile::commit`] makes it
/// durable and then visible by one rename. Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Begins a file that will be called `path`; makes the folder where needed.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be made or written to.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let temporary = tempfile::Builder::new()
            .prefix(".unfinished-")
            .tempfile_in(folder)
            .map_err(Error::io(folder))?;
        Ok(Self {
            path,
            writer: BufWriter::with_capacity(1 << 16, temporary),
        })
    }

    /// Flushes, makes durable, and gives the file its name. An older file of that name is replaced.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full or the rename is refused; the older file is then untouched.
    pub fn commit(self) -> Result<()> {
        let path = self.path;
        let temporary = self
            .writer
            .into_inner()
            .map_err(|error| Error::io(&path)(error.into_error()))?;
        temporary.as_file().sync_all().map_err(Error::io(&path))?;
        set_ordinary_permissions(temporary.as_file()).map_err(Error::io(&path))?;
        temporary
            .persist(&path)
            .map_err(|error| Error::io(&path)(error.error))?;
        sync_folder(&path);
        Ok(())
    }

    /// Writes `bytes` to `path` in one go.
    ///
    /// # Errors
    /// As [`AtomicFile::create`] and [`AtomicFile::commit`].
    pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes)
            .map_err(|error| Error::io(&file.path)(error))?;
        file.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// Temporary files are private to their owner; what we hand out is readable as usual files are.
#[cfg(unix)]
fn set_ordinary_permissions(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_ordinary_permissions(_file: &File) -> std::io::Result<()> {
    Ok(())
}

/// Makes the rename itself durable, where folders can be synced.
fn sync_folder(path: &Path) {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
