//! Folders as a whole.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use catchment_schema::{Error, Result};

/// Every file below `root` with its name inside it (`channels/ials/items.parquet`), in order.
pub(crate) fn files_below(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, inside)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let entry = entry.map_err(Error::io(&folder))?;
            let name = format!("{inside}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else {
                files.push((entry.path(), name));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies what is there; a folder that is not is an empty one.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    for (file, name) in files_below(from)? {
        let target = to.join(name);
        let folder = target.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        fs::copy(&file, &target).map_err(Error::io(&target))?;
    }
    Ok(())
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(file)(error)),
        _ => Ok(()),
    }
}
