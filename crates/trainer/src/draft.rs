//! Models in the making: they take the place of the older ones when all of them are done.

use std::fs;
use std::path::PathBuf;

use catchment_pipeline::Layout;
use catchment_schema::{Error, Result};

use crate::folder;
use crate::work::Work;

/// A folder that `train` writes to. Dropped before [`Draft::finish`] it is gone, and what was there stays.
pub(crate) struct Draft {
    folder: PathBuf,
    targets: [PathBuf; 2],
    /// Models fitted on train alone.
    pub(crate) selection: Layout,
    /// The final models, laid out as a bundle.
    pub(crate) model: Layout,
}

impl Draft {
    /// Begins empty, or with a copy of the older models where some of them are kept.
    pub(crate) fn begin(work: &Work, keep: bool) -> Result<Self> {
        let folder = work.draft();
        folder::remove(&folder)?;
        let draft = Self {
            targets: [work.selection().root().to_owned(), work.model().root().to_owned()],
            selection: Layout::new(folder.join("selection")),
            model: Layout::new(folder.join("model")),
            folder,
        };
        if keep {
            for (layout, target) in draft.parts() {
                folder::copy(target, layout.root())?;
            }
        }
        Ok(draft)
    }

    /// Puts the new models in the place of the older ones.
    pub(crate) fn finish(self) -> Result<()> {
        for (layout, target) in self.parts() {
            // What an earlier recipe left must not slip into a bundle.
            folder::remove(target)?;
            if layout.root().exists() {
                fs::rename(layout.root(), target).map_err(Error::io(target))?;
            }
        }
        Ok(())
    }

    fn parts(&self) -> [(&Layout, &PathBuf); 2] {
        let [selection, model] = &self.targets;
        [(&self.selection, selection), (&self.model, model)]
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // A leftover is removed by the next draft, too.
        let _ = folder::remove(&self.folder);
    }
}
