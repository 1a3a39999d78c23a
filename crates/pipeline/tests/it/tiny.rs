//! The tiny bundle, made once for all tests that only read it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use catchment_bundle::Bundle;
use catchment_pipeline::testing::TinyBundle;
use catchment_pipeline::{Layout, Pipeline, UserState};
use catchment_schema::UserIdx;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("temporary folder");
    TinyBundle::default().publish(folder.path()).expect("published");
    folder
});

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::open(&bundle()).expect("opened"));

pub(crate) fn bundle() -> Bundle {
    Bundle::open_current(FOLDER.path()).expect("verified")
}

pub(crate) fn pipeline() -> &'static Pipeline {
    &PIPELINE
}

/// A user with what the bundle knows of them.
pub(crate) fn state(pipeline: &Pipeline, user: usize) -> UserState<'_> {
    let user = UserIdx::from_index(user);
    UserState {
        user: Some(user),
        history: pipeline.catalogue().history(user),
    }
}

/// The tiny bundle's files in a folder of their own, to be changed.
pub(crate) fn copy() -> (TempDir, Layout) {
    let folder = tempfile::tempdir().expect("temporary folder");
    for file in files_under(bundle().path()) {
        let target = folder
            .path()
            .join(file.strip_prefix(bundle().path()).expect("below"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::copy(&file, target).expect("copied");
    }
    let layout = Layout::new(folder.path());
    (folder, layout)
}

pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
