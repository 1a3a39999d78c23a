//! Which paths a bundle may hold.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Joins a path of a bundle (`channels/ials/items.parquet`) to a folder, or refuses it.
///
/// Plain names with `/` between them, nothing else: what stands in a manifest may come from anywhere, and
/// must not reach outside its bundle on any system. Hidden names are refused as well, which catches files
/// that somebody has begun under a temporary name and not finished.
pub(crate) fn join(folder: &Path, path: &str) -> Result<PathBuf> {
    let bad = |reason| {
        Err(Error::BadPath {
            path: path.chars().take(200).collect(),
            reason,
        })
    };
    let mut joined = folder.to_owned();
    for name in path.split('/') {
        if name.is_empty() {
            return bad("it is absolute, or has an empty name in it");
        }
        if name.starts_with('.') {
            return bad("it has a name with a dot in front: hidden, unfinished or climbing");
        }
        if name.contains(|c: char| matches!(c, '\\' | ':') || c.is_control()) {
            return bad("it has a character that is not allowed in names everywhere");
        }
        joined.push(name);
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_relative_paths_are_joined() {
        let joined = join(Path::new("b"), "channels/ials/items.parquet").expect("plain");
        assert_eq!(joined, Path::new("b/channels/ials/items.parquet"));
    }

    #[test]
    fn what_could_leave_the_bundle_is_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/./x",
            "a//x",
            "a/",
            "a\\..\\x",
            "C:/x",
            "a/x\0",
            "a/.unfinished-x",
        ] {
            assert!(
                matches!(join(Path::new("b"), path), Err(Error::BadPath { .. })),
                "{path:?} was taken"
            );
        }
    }
}
