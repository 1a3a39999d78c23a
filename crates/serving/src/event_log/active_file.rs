//! The file that events are appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::line::header;
use super::segments;

#[derive(Debug)]
pub(super) struct ActiveFile {
    folder: PathBuf,
    file: File,
    /// Length of its first line.
    begin: u64,
    /// Everything before it is durable.
    end: u64,
    /// Whether there may be something behind the end.
    dirty: bool,
}

impl ActiveFile {
    /// `file` is `events.log` of the folder, open for appending; its first line ends at `begin`, its last at `end`.
    pub(super) fn new(folder: &Path, file: File, begin: u64, end: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            file,
            begin,
            end,
            dirty: false,
        }
    }

    /// Begins an empty one that follows the segment `after`. There must be none of that name.
    pub(super) fn begin(folder: &Path, after: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let path = segments::active(folder);
        let mut file = options.read(true).append(true).create_new(true).open(path)?;
        let header = header(after);
        file.write_all(&header)?;
        file.sync_all()?;
        sync_folder(folder)?;
        let begin = header.len() as u64;
        Ok(Self::new(folder, file, begin, begin))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self) -> PathBuf {
        segments::active(&self.folder)
    }

    /// How many bytes of it are durable.
    pub(super) fn len(&self) -> u64 {
        self.end
    }

    pub(super) fn has_events(&self) -> bool {
        self.end > self.begin
    }

    /// Appends and waits for the disk. After an error the file is as it was before.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.dirty {
            self.file.set_len(self.end)?;
        }
        self.dirty = true;
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

    /// Whether what was written can still be found under the name: nobody removed, replaced or cut the file.
    pub(super) fn is_in_place(&self) -> bool {
        let Ok(there) = fs::metadata(self.path()) else {
            return false;
        };
        (self.dirty || there.len() == self.end)
            && self.file.metadata().is_ok_and(|ours| is_same(&ours, &there))
    }

    /// Gives the file its last name and begins a new one. After an error this one goes on.
    pub(super) fn seal(&mut self, number: u64) -> io::Result<()> {
        if self.dirty {
            self.file.set_len(self.end)?;
            self.dirty = false;
        }
        let (from, to) = (self.path(), segments::sealed(&self.folder, number));
        fs::rename(&from, &to)?;
        match Self::begin(&self.folder, number) {
            Ok(next) => {
                *self = next;
                Ok(())
            }
            Err(error) => {
                // Back under the name that it is looked for; what was begun there holds nothing yet.
                fs::rename(&to, &from)?;
                Err(error)
            }
        }
    }
}

/// Makes new names durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        return File::open(folder)?.sync_all();
    }
    Ok(())
}

#[cfg(unix)]
fn is_same(ours: &fs::Metadata, there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Other systems do not let go of a file that is open.
#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}
