//! Models in the making: they take the place of the older ones when all of them are done. What a run had fitted that did
//! not come to its end waits, for the next run to take it up.

use std::fs;
use std::path::{Path, PathBuf};

use catchment_pipeline::Layout;
use catchment_schema::{Error, Result};

use crate::fitted::FITTED;
use crate::folder;
use crate::interrupt;
use crate::work::Work;

/// A folder that `train` writes to. Dropped before [`Draft::finish`] it leaves what was there, and stays as long as a
/// channel in it is fitted that was not before, and after an interruption: whatever stopped the run, that work is not lost.
pub(crate) struct Draft {
    folder: PathBuf,
    /// What runs left that did not come to their end.
    interrupted: PathBuf,
    targets: [PathBuf; 2],
    /// Whether the new models are in their place.
    is_done: bool,
    /// Models fitted on train alone.
    pub(crate) selection: Layout,
    /// The final models, laid out as a bundle.
    pub(crate) model: Layout,
}

impl Draft {
    /// Begins empty, or with a copy of the older models where some of them are kept.
    pub(crate) fn begin(work: &Work, keep: bool) -> Result<Self> {
        let (folder, interrupted) = (work.draft(), work.interrupted());
        if folder.exists() {
            adopt(&interrupted, &folder)?;
            folder::remove(&interrupted)?;
            fs::rename(&folder, &interrupted).map_err(Error::io(&folder))?;
        }
        let draft = Self {
            interrupted,
            is_done: false,
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

    /// Where a channel of one of the two layouts may have been fitted before.
    pub(crate) fn earlier(&self, layout: &Layout, channel: &str) -> Vec<PathBuf> {
        let name = part(layout);
        let older = self.parts().into_iter().map(|(_, target)| Layout::new(target));
        let older = older.filter(|older| part(older) == name);
        std::iter::once(Layout::new(self.interrupted.join(&name)))
            .chain(older)
            .map(|layout| layout.channel(channel))
            .collect()
    }

    /// Puts the new models in the place of the older ones, which are moved aside first and then gone with the draft.
    /// What was measured of them goes, too.
    pub(crate) fn finish(mut self, work: &Work) -> Result<()> {
        let metrics = work.metrics();
        if metrics.exists() {
            fs::remove_file(&metrics).map_err(Error::io(&metrics))?;
        }
        for (layout, target) in self.parts() {
            if target.exists() {
                let aside = aside(&self.folder, target);
                fs::create_dir_all(self.folder.join(ASIDE)).map_err(Error::io(&self.folder))?;
                fs::rename(target, &aside).map_err(Error::io(target))?;
            }
            if layout.root().exists() {
                fs::rename(layout.root(), target).map_err(Error::io(target))?;
            }
        }
        self.is_done = true;
        folder::remove(&self.interrupted)
    }

    fn parts(&self) -> [(&Layout, &PathBuf); 2] {
        let [selection, model] = &self.targets;
        [(&self.model, model), (&self.selection, selection)]
    }
}

/// Moves the channels from an older run's folder into a newer one's that did not come to fit them.
fn adopt(older: &Path, newer: &Path) -> Result<()> {
    for part in PARTS {
        let (older, newer) = (Layout::new(older.join(part)), Layout::new(newer.join(part)));
        for name in fitted_channels(&older)? {
            let (from, to) = (older.channel(&name), newer.channel(&name));
            if to.join(FITTED).exists() {
                continue;
            }
            folder::remove(&to)?;
            let folder = to.parent().unwrap_or(newer.root());
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
            fs::rename(&from, &to).map_err(Error::io(&from))?;
        }
    }
    Ok(())
}

/// The channels below a layout that are all there.
fn fitted_channels(layout: &Layout) -> Result<Vec<String>> {
    let channels = layout.root().join("channels");
    if !channels.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&channels).map_err(Error::io(&channels))? {
        let entry = entry.map_err(Error::io(&channels))?;
        if entry.path().join(FITTED).exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The names of the two layouts.
const PARTS: [&str; 2] = ["selection", "model"];

/// The name of a layout: `selection` or `model`.
pub(crate) fn part(layout: &Layout) -> String {
    let name = layout.root().file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Where the older models wait while the new ones take their place.
const ASIDE: &str = "replaced";

fn aside(draft: &Path, target: &Path) -> PathBuf {
    draft.join(ASIDE).join(target.file_name().unwrap_or_default())
}

/// Puts older models back that a run moved aside and was killed before it had put the new ones in their place.
pub(crate) fn recover(work: &Work) -> Result<()> {
    for target in [work.model(), work.selection()].map(|layout| layout.root().to_owned()) {
        let aside = aside(&work.draft(), &target);
        if aside.exists() && !target.exists() {
            fs::rename(&aside, &target).map_err(Error::io(&target))?;
        }
    }
    Ok(())
}

impl Drop for Draft {
    fn drop(&mut self) {
        let has_fitted = |(layout, target): (&Layout, &PathBuf)| {
            let older = Layout::new(target);
            let mark = |layout: &Layout, name: &str| fs::read(layout.channel(name).join(FITTED)).ok();
            let is_new = |name: &String| mark(layout, name) != mark(&older, name);
            // What cannot be looked into is left, too: the next draft says why.
            fitted_channels(layout).map_or(true, |channels| channels.iter().any(is_new))
        };
        if !self.is_done && (interrupt::asked() || self.parts().into_iter().any(has_fitted)) {
            return;
        }
        // A leftover is looked through by the next draft, and then removed.
        let _ = folder::remove(&self.folder);
    }
}
