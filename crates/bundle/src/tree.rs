//! The files under a folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::{Error, Result, entry_path};

/// What a folder holds, without following any link.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Paths as a manifest names them, in byte order.
    pub(crate) files: Vec<String>,
    /// Every folder, the top last: the order in which to sync them.
    pub(crate) folders: Vec<PathBuf>,
}

impl Tree {
    /// Walks `folder`, which itself may be a link: its caller chose it.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.walk(folder, folder, "")?;
        tree.files.sort_unstable();
        Ok(tree)
    }

    fn walk(&mut self, top: &Path, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
            let entry = entry.map_err(Error::io(folder))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(Error::BadPath {
                    path: entry.path().display().to_string(),
                    reason: "it is not UTF-8",
                });
            };
            let name = format!("{prefix}{name}");
            let path = entry_path::join(top, &name)?;
            let kind = entry.file_type().map_err(Error::io(&path))?;
            if kind.is_dir() {
                self.walk(top, &path, &format!("{name}/"))?;
            } else if kind.is_file() {
                self.files.push(name);
            } else {
                return Err(Error::NotPlain { path });
            }
        }
        self.folders.push(folder.to_owned());
        Ok(())
    }
}

/// Makes the names in a folder durable, on systems where a folder can be opened.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io(folder))
}
