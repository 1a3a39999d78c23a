//! What changed between two bundles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Bundle, Version};

/// What changed from one bundle to another. Its text is one line a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// From which version.
    pub from: Version,
    /// To which version.
    pub to: Version,
    /// Files that are not the same, by path.
    pub files: BTreeMap<String, FileChange>,
    /// Metrics that are not the same, by name: before and after, where measured.
    pub metrics: BTreeMap<String, (Option<f64>, Option<f64>)>,
    /// Parts whose configuration is not the same, as JSON: before and after, where there is one.
    pub configs: BTreeMap<String, (Option<String>, Option<String>)>,
    /// Other facts of the manifest that are not the same, by key: before and after.
    pub facts: BTreeMap<&'static str, (String, String)>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// Only the later bundle has it.
    Added {
        /// Its length.
        bytes: u64,
    },
    /// Only the earlier bundle has it.
    Removed {
        /// Its length.
        bytes: u64,
    },
    /// Both have it, with another checksum.
    Changed {
        /// Its length in the earlier bundle.
        before: u64,
        /// Its length in the later one.
        after: u64,
    },
}

/// Compares two bundles by their manifests; their files were verified when they were opened.
pub fn diff(from: &Bundle, to: &Bundle) -> Diff {
    let (a, b) = (from.manifest(), to.manifest());
    let configs = |bundle: &Bundle| -> BTreeMap<String, String> {
        let parts = bundle.manifest().parts.iter();
        parts
            .map(|part| (part.part.clone(), part.config.to_string()))
            .collect()
    };
    let text = |value: &Option<String>| value.as_deref().unwrap_or("none").to_owned();
    let order = |bundle: &Bundle| {
        let parts = bundle.manifest().parts.iter();
        parts
            .map(|part| part.part.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let facts = [
        ("created_by", a.created_by.clone(), b.created_by.clone()),
        (
            "dataset",
            a.trained_on.dataset.clone(),
            b.trained_on.dataset.clone(),
        ),
        ("split", a.trained_on.split.clone(), b.trained_on.split.clone()),
        (
            "rows",
            a.trained_on.rows.to_string(),
            b.trained_on.rows.to_string(),
        ),
        ("data_hash", a.trained_on.hash.clone(), b.trained_on.hash.clone()),
        ("seed", a.seed.to_string(), b.seed.to_string()),
        (
            "feature_fingerprint",
            text(&a.feature_fingerprint),
            text(&b.feature_fingerprint),
        ),
        ("parts", order(from), order(to)),
    ];
    Diff {
        from: from.version(),
        to: to.version(),
        files: file_changes(from, to),
        metrics: changes(&a.metrics, &b.metrics),
        configs: changes(&configs(from), &configs(to)),
        facts: facts
            .into_iter()
            .filter(|(_, before, after)| before != after)
            .map(|(key, before, after)| (key, (before, after)))
            .collect(),
    }
}

impl Diff {
    /// Whether the two bundles say and hold the same (they may still have been made at different times).
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.metrics.is_empty() && self.configs.is_empty() && self.facts.is_empty()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn or_none<T: fmt::Display>(value: Option<&T>) -> String {
            value.map_or_else(|| "none".to_owned(), T::to_string)
        }
        writeln!(out, "{} -> {}", self.from, self.to)?;
        for (key, (before, after)) in &self.facts {
            writeln!(out, "  {key}: {before} -> {after}")?;
        }
        for (part, (before, after)) in &self.configs {
            writeln!(
                out,
                "  {part}: {} -> {}",
                or_none(before.as_ref()),
                or_none(after.as_ref())
            )?;
        }
        for (name, (before, after)) in &self.metrics {
            writeln!(
                out,
                "  {name}: {} -> {}",
                or_none(before.as_ref()),
                or_none(after.as_ref())
            )?;
        }
        for (path, change) in &self.files {
            match change {
                FileChange::Added { bytes } => writeln!(out, "  + {path} ({bytes} bytes)")?,
                FileChange::Removed { bytes } => writeln!(out, "  - {path} ({bytes} bytes)")?,
                FileChange::Changed { before, after } => {
                    writeln!(out, "  ~ {path} ({before} -> {after} bytes)")?;
                }
            }
        }
        Ok(())
    }
}

/// The keys whose values differ.
fn changes<T: PartialEq + Clone>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) -> BTreeMap<String, (Option<T>, Option<T>)> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .map(|key| (key.clone(), (before.get(key).cloned(), after.get(key).cloned())))
        .filter(|(_, (before, after))| before != after)
        .collect()
}

fn file_changes(from: &Bundle, to: &Bundle) -> BTreeMap<String, FileChange> {
    let files = |bundle: &Bundle| -> BTreeMap<String, (u64, String)> {
        let files = bundle.manifest().files.iter();
        files
            .map(|file| (file.path.clone(), (file.bytes, file.sha256.clone())))
            .collect()
    };
    changes(&files(from), &files(to))
        .into_iter()
        .filter_map(|(path, change)| match change {
            (None, Some((bytes, _))) => Some((path, FileChange::Added { bytes })),
            (Some((bytes, _)), None) => Some((path, FileChange::Removed { bytes })),
            (Some((before, _)), Some((after, _))) => Some((path, FileChange::Changed { before, after })),
            (None, None) => None,
        })
        .collect()
}
