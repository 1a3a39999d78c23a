//! Which files there are in a prepared folder, and how it appears all at once.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Error, Result};

pub(crate) const USERS: &str = "vocab/users.parquet";
pub(crate) const ITEMS: &str = "vocab/items.parquet";
pub(crate) const EVENTS: &str = "vocab/events.parquet";
pub(crate) const USER_ATTRIBUTES: &str = "users.parquet";
pub(crate) const ITEM_ATTRIBUTES: &str = "items.parquet";
pub(crate) const TRAIN: &str = "train.parquet";
pub(crate) const VALIDATION: &str = "validation.parquet";
pub(crate) const TEST: &str = "test.parquet";
/// Written last: a folder without it was not finished.
pub(crate) const SUMMARY: &str = "prepared.json";

/// Every file but the summary, in the order in which they are hashed.
pub(crate) const FILES: [&str; 8] = [
    USERS,
    ITEMS,
    EVENTS,
    USER_ATTRIBUTES,
    ITEM_ATTRIBUTES,
    TRAIN,
    VALIDATION,
    TEST,
];

/// What may lie in a folder that is replaced.
const ENTRIES: [&str; 7] = [
    "vocab",
    USER_ATTRIBUTES,
    ITEM_ATTRIBUTES,
    TRAIN,
    VALIDATION,
    TEST,
    SUMMARY,
];

/// A folder being filled beside the one it will replace. Dropped before [`Unfinished::publish`], it
/// vanishes, and what was there before stays.
#[derive(Debug)]
pub(crate) struct Unfinished {
    folder: TempDir,
    target: PathBuf,
}

impl Unfinished {
    /// Begins; refuses to replace anything that `prepare` did not write.
    pub(crate) fn begin(target: &Path) -> Result<Self> {
        only_ours(target)?;
        let io = catchment_schema::Error::io;
        let target = std::path::absolute(target).map_err(io(target))?;
        let parent = target.parent().unwrap_or(Path::new("/")).to_owned();
        fs::create_dir_all(&parent).map_err(io(&parent))?;
        let folder = tempfile::Builder::new()
            .prefix(".prepare-unfinished-")
            .tempdir_in(&parent)
            .map_err(io(&parent))?;
        Ok(Self { folder, target })
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives the folder its name. What had that name is moved aside first and removed afterwards, so that
    /// it is back in place if the second rename is refused.
    pub(crate) fn publish(self) -> Result<()> {
        let io = catchment_schema::Error::io;
        let Self { folder, target } = self;
        let here = folder.path().to_owned();
        set_ordinary_permissions(&here).map_err(io(&here))?;
        let aside = here.with_extension("replaced");
        let had_one = target.exists();
        if had_one {
            fs::rename(&target, &aside).map_err(io(&target))?;
        }
        if let Err(error) = fs::rename(&here, &target) {
            if had_one {
                fs::rename(&aside, &target).map_err(io(&aside))?;
            }
            return Err(io(&target)(error).into());
        }
        // The folder has another name now; there is nothing left to clean up.
        let _ = folder.keep();
        if had_one {
            fs::remove_dir_all(&aside).map_err(io(&aside))?;
        }
        Ok(())
    }
}

fn only_ours(target: &Path) -> Result<()> {
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(catchment_schema::Error::io(target)(error).into()),
    };
    let mut foreign = vec![];
    for entry in entries {
        let name = entry.map_err(catchment_schema::Error::io(target))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !ENTRIES.contains(&name.as_str()) {
            foreign.push(name);
        }
    }
    match foreign.into_iter().min() {
        None => Ok(()),
        Some(entry) => Err(Error::NotOurs {
            path: target.to_owned(),
            entry,
        }),
    }
}

/// Temporary folders are private to their owner; what we hand out is readable as usual folders are.
#[cfg(unix)]
fn set_ordinary_permissions(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn set_ordinary_permissions(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_folder_stays_until_the_new_one_is_whole() {
        let home = tempfile::tempdir().expect("temporary folder");
        let target = home.path().join("log");
        fs::create_dir(&target).expect("made");
        fs::write(target.join(SUMMARY), "old").expect("written");

        let given_up = Unfinished::begin(&target).expect("begun");
        fs::write(given_up.file(SUMMARY), "half").expect("written");
        drop(given_up);
        assert_eq!(fs::read_to_string(target.join(SUMMARY)).expect("read"), "old");

        let finished = Unfinished::begin(&target).expect("begun");
        fs::write(finished.file(SUMMARY), "new").expect("written");
        finished.publish().expect("published");
        assert_eq!(fs::read_to_string(target.join(SUMMARY)).expect("read"), "new");
        assert_eq!(fs::read_dir(home.path()).expect("listed").count(), 1);
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_refused() {
        let home = tempfile::tempdir().expect("temporary folder");
        fs::write(home.path().join("thesis.doc"), "dear").expect("written");
        let error = Unfinished::begin(home.path()).expect_err("refused");
        assert!(matches!(error, Error::NotOurs { entry, .. } if entry == "thesis.doc"));
    }
}
