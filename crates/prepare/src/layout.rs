//! Which files there are in a prepared folder, and how it appears all at once.

use std::fs::{self, File};
use std::io::ErrorKind;
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

/// Which inputs and settings it was made from; see [`crate::already_prepared`].
pub(crate) const STAMP: &str = "made_from.hash";

/// Every file but the summary and the stamp, in the order in which they are hashed.
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
const ENTRIES: [&str; 8] = [
    "vocab",
    USER_ATTRIBUTES,
    ITEM_ATTRIBUTES,
    TRAIN,
    VALIDATION,
    TEST,
    SUMMARY,
    STAMP,
];

/// In an unfinished folder: locked by the process that fills it, for as long as it lives.
const LOCK: &str = ".lock";
/// In an unfinished folder: what plans keep on disk.
const SCRATCH: &str = ".scratch";

/// A folder being filled beside the one it will replace. Dropped before [`Unfinished::publish`], it
/// vanishes, and what was there before stays.
#[derive(Debug)]
pub(crate) struct Unfinished {
    folder: TempDir,
    target: PathBuf,
    lock: File,
}

impl Unfinished {
    /// Begins; refuses to replace anything that `prepare` did not write.
    pub(crate) fn begin(target: &Path) -> Result<Self> {
        only_ours(target)?;
        let io = catchment_schema::Error::io;
        let target = std::path::absolute(target).map_err(io(target))?;
        let parent = target.parent().unwrap_or(Path::new("/")).to_owned();
        fs::create_dir_all(&parent).map_err(io(&parent))?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".prepare-unfinished-{name}-");
        clear_away(&parent, &prefix, &target)?;
        let folder = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&parent)
            .map_err(io(&parent))?;
        let lock = File::create_new(folder.path().join(LOCK)).map_err(io(folder.path()))?;
        lock.lock().map_err(io(folder.path()))?;
        Ok(Self { folder, target, lock })
    }

    /// Where plans may keep what does not fit in memory. It is gone before the folder is published.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.file(SCRATCH)
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives the folder its name. What had that name is moved aside first and removed afterwards, so that
    /// it is back in place if the second rename is refused.
    pub(crate) fn publish(self) -> Result<()> {
        let io = catchment_schema::Error::io;
        let Self { folder, target, lock } = self;
        let here = folder.path().to_owned();
        match fs::remove_dir_all(here.join(SCRATCH)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(&here)(error).into()),
            _ => {}
        }
        fs::remove_file(here.join(LOCK)).map_err(io(&here))?;
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
        drop(lock);
        if had_one {
            fs::remove_dir_all(&aside).map_err(io(&aside))?;
        }
        Ok(())
    }
}

/// Removes what killed runs left behind, and puts an older folder back that one of them had moved aside.
fn clear_away(parent: &Path, prefix: &str, target: &Path) -> Result<()> {
    for entry in fs::read_dir(parent).map_err(catchment_schema::Error::io(parent))? {
        let path = entry.map_err(catchment_schema::Error::io(parent))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(prefix) {
            continue;
        }
        if name.ends_with(".replaced") {
            if target.exists() {
                fs::remove_dir_all(&path).map_err(catchment_schema::Error::io(&path))?;
            } else {
                fs::rename(&path, target).map_err(catchment_schema::Error::io(&path))?;
            }
        } else if let Ok(lock) = File::open(path.join(LOCK))
            && lock.try_lock().is_ok()
        {
            fs::remove_dir_all(&path).map_err(catchment_schema::Error::io(&path))?;
        }
    }
    Ok(())
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
    fn what_a_killed_run_left_is_cleared_away_and_what_it_moved_aside_comes_back() {
        let home = tempfile::tempdir().expect("temporary folder");
        let target = home.path().join("log");
        let killed = home.path().join(".prepare-unfinished-log-killed");
        fs::create_dir(&killed).expect("made");
        fs::write(killed.join(LOCK), "").expect("written");
        fs::write(killed.join(TRAIN), "half").expect("written");
        let aside = home.path().join(".prepare-unfinished-log-killed.replaced");
        fs::create_dir(&aside).expect("made");
        fs::write(aside.join(SUMMARY), "older").expect("written");
        let other = home.path().join(".prepare-unfinished-other-killed");
        fs::create_dir(&other).expect("made");

        let living = Unfinished::begin(&target).expect("begun");
        assert!(!killed.exists() && !aside.exists());
        assert!(other.exists(), "it belongs to another target");
        assert_eq!(fs::read_to_string(target.join(SUMMARY)).expect("read"), "older");

        let second = Unfinished::begin(&target).expect("begun");
        assert!(living.file("").exists(), "a run that is alive keeps its folder");
        fs::write(second.file(SUMMARY), "new").expect("written");
        second.publish().expect("published");
        assert_eq!(
            fs::read_dir(&target).expect("listed").count(),
            1,
            "no lock and no scratch"
        );
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_refused() {
        let home = tempfile::tempdir().expect("temporary folder");
        fs::write(home.path().join("thesis.doc"), "dear").expect("written");
        let error = Unfinished::begin(home.path()).expect_err("refused");
        assert!(matches!(error, Error::NotOurs { entry, .. } if entry == "thesis.doc"));
    }
}
