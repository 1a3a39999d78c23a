//! A file that begins anew when it is large enough, and the few that came before it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::FILE;

/// Lines wait for the disk until they are so many bytes, or until somebody asks for them to be written.
const BUFFER: usize = 1 << 13;

/// Lines that the disk did not take.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) lines: u64,
    pub(super) source: io::Error,
}

/// Lines are held back until they are written, so that it can be looked whether the file is still in its place: what is
/// written to a file that somebody removed is gone, and no write says so.
#[derive(Debug)]
pub(super) struct RotatingFile {
    folder: PathBuf,
    /// None where the last write failed.
    file: Option<File>,
    length: u64,
    waiting: Vec<u8>,
    n_waiting: u64,
    max_bytes: u64,
    max_files: usize,
}

impl RotatingFile {
    pub(super) fn open(folder: &Path, max_bytes: u64, max_files: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (file, length) = open_end(&folder.join(FILE))?;
        Ok(Self {
            folder: folder.to_owned(),
            file: Some(file),
            length,
            waiting: Vec::with_capacity(2 * BUFFER),
            n_waiting: 0,
            max_bytes,
            max_files: max_files.max(1),
        })
    }

    /// Appends a line with its end. An error is about lines before it, or, where no new file can be begun, about it.
    pub(super) fn append(&mut self, line: &[u8]) -> Result<(), Lost> {
        let taken = self.length + self.waiting.len() as u64;
        let mut before = Ok(());
        if taken > 0 && taken + line.len() as u64 > self.max_bytes {
            before = self.flush();
            if before.is_ok()
                && let Err(source) = self.rotate()
            {
                self.file = None;
                return Err(Lost { lines: 1, source });
            }
        }
        self.waiting.extend_from_slice(line);
        self.n_waiting += 1;
        if before.is_ok() && self.waiting.len() >= BUFFER {
            return self.flush();
        }
        before
    }

    pub(super) fn has_waiting(&self) -> bool {
        self.n_waiting > 0
    }

    /// Hands all lines to the operating system; makes the folder and the file again where they are gone.
    pub(super) fn flush(&mut self) -> Result<(), Lost> {
        if self.n_waiting == 0 {
            return Ok(());
        }
        let written = self.write_waiting();
        let lines = std::mem::take(&mut self.n_waiting);
        self.waiting.clear();
        written.map_err(|source| {
            // Opened again, what was cut short gets its end.
            self.file = None;
            Lost { lines, source }
        })
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        let path = self.folder.join(FILE);
        let in_place = self.file.take().filter(|file| is_at(file, &path));
        let mut file = if let Some(file) = in_place {
            file
        } else {
            fs::create_dir_all(&self.folder)?;
            let (file, length) = open_end(&path)?;
            self.length = length;
            file
        };
        file.write_all(&self.waiting)?;
        self.length += self.waiting.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = self.folder.join(FILE);
        if self.max_files == 1 {
            fs::remove_file(&path)?;
        } else {
            // From the oldest on, each takes the name of the one that goes.
            for number in (1..self.max_files).rev() {
                let from = if number == 1 {
                    path.clone()
                } else {
                    self.older(number - 1)
                };
                if from.exists() {
                    fs::rename(from, self.older(number))?;
                }
            }
        }
        let (file, length) = open_end(&path)?;
        (self.file, self.length) = (Some(file), length);
        Ok(())
    }

    fn older(&self, number: usize) -> PathBuf {
        self.folder.join(format!("requests.{number}.ndjson"))
    }
}

/// Whether the file is the one that has this name: not where it was removed, or another was put in its place.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Whether a file has this name.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.is_file()
}

/// Opens for appending; what stands at the end without a line end gets one.
fn open_end(path: &Path) -> io::Result<(File, u64)> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut length = file.metadata()?.len();
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            length += 1;
        }
    }
    Ok((file, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(folder: &Path, name: &str) -> Vec<String> {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn files_are_begun_anew_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut file = RotatingFile::open(folder.path(), 6, 3).expect("opened");
        for line in [
            "aa\n",
            "bb\n",
            "cc\n",
            "dd\n",
            "ee\n",
            "ff\n",
            "gg\n",
            "much longer\n",
        ] {
            file.append(line.as_bytes()).expect("written");
        }
        file.flush().expect("written");
        assert_eq!(lines(folder.path(), FILE), ["much longer"]);
        assert_eq!(lines(folder.path(), "requests.1.ndjson"), ["gg"]);
        assert_eq!(lines(folder.path(), "requests.2.ndjson"), ["ee", "ff"]);
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 3);
    }

    #[test]
    fn a_line_that_was_cut_short_gets_its_end_and_what_was_there_stays() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join(FILE), "whole\nhal").expect("written");
        let mut file = RotatingFile::open(folder.path(), 1000, 2).expect("opened");
        file.append(b"next\n").expect("written");
        file.flush().expect("written");
        assert_eq!(lines(folder.path(), FILE), ["whole", "hal", "next"]);
    }

    #[test]
    fn a_folder_that_is_removed_is_made_again_and_no_line_that_waited_is_lost() {
        let data = tempfile::tempdir().expect("temporary folder");
        let folder = data.path().join("requests");
        let mut file = RotatingFile::open(&folder, 1000, 2).expect("opened");
        file.append(b"gone with the folder\n").expect("taken");
        file.flush().expect("written");
        file.append(b"waits\n").expect("taken");
        fs::remove_dir_all(&folder).expect("removed");
        file.append(b"next\n").expect("taken");
        file.flush().expect("written");
        assert_eq!(lines(&folder, FILE), ["waits", "next"]);
    }

    #[test]
    fn lines_that_nothing_can_take_are_counted_until_something_can() {
        let data = tempfile::tempdir().expect("temporary folder");
        let folder = data.path().join("requests");
        let mut file = RotatingFile::open(&folder, 1000, 2).expect("opened");
        fs::remove_dir_all(&folder).expect("removed");
        fs::write(&folder, "in the way").expect("written");
        file.append(b"a\n").expect("taken");
        file.append(b"b\n").expect("taken");
        assert_eq!(file.flush().map_err(|lost| lost.lines), Err(2));
        file.append(b"c\n").expect("taken");
        assert_eq!(file.flush().map_err(|lost| lost.lines), Err(1));
        fs::remove_file(&folder).expect("removed");
        file.append(b"d\n").expect("taken");
        file.flush().expect("written");
        assert_eq!(lines(&folder, FILE), ["d"]);
    }
}
