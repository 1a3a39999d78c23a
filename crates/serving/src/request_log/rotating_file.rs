//! A file that begins anew when it is large enough, and the few that came before it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::FILE;

#[derive(Debug)]
pub(super) struct RotatingFile {
    folder: PathBuf,
    file: BufWriter<File>,
    length: u64,
    max_bytes: u64,
    max_files: usize,
}

impl RotatingFile {
    pub(super) fn open(folder: &Path, max_bytes: u64, max_files: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (file, length) = open_end(&folder.join(FILE))?;
        Ok(Self {
            folder: folder.to_owned(),
            file,
            length,
            max_bytes,
            max_files: max_files.max(1),
        })
    }

    /// Appends a line with its end.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.length > 0 && self.length + line.len() as u64 > self.max_bytes {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.length += line.len() as u64;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.flush()?;
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
        (self.file, self.length) = open_end(&path)?;
        Ok(())
    }

    fn older(&self, number: usize) -> PathBuf {
        self.folder.join(format!("requests.{number}.ndjson"))
    }
}

/// Opens for appending; what stands at the end without a line end gets one.
fn open_end(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
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
    Ok((BufWriter::new(file), length))
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
}
