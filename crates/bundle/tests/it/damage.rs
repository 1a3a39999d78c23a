//! Whatever happens to a bundle on its way is noticed, and the error names the file.

use std::fs;
use std::path::{Path, PathBuf};

use catchment_bundle::{Bundle, Error, current};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::made::{MOMENT, publish, root};

/// A published bundle in a folder of its own.
fn bundle() -> (tempfile::TempDir, PathBuf) {
    let root = root();
    let version = publish(root.path(), MOMENT, "some content").expect("published");
    let folder = root.path().join(version.to_string());
    (root, folder)
}

/// Changes the manifest and gives it a fitting checksum, as somebody with bad intentions would.
fn forge(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    change(&mut manifest);
    let bytes = serde_json::to_vec(&manifest).expect("JSON");
    let digits = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>();
    let hash = digits.concat();
    fs::write(path, bytes).expect("written");
    fs::write(
        folder.join("manifest.json.sha256"),
        format!("{hash}  manifest.json\n"),
    )
    .expect("written");
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
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

#[test]
fn one_flipped_bit_in_any_byte_of_any_file_is_refused() {
    let (_root, folder) = bundle();
    Bundle::open(&folder).expect("whole");
    let mut n_flipped = 0;
    for path in files_under(&folder) {
        let whole = fs::read(&path).expect("read");
        for position in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[position] ^= 1;
            fs::write(&path, &bytes).expect("written");
            let error = Bundle::open(&folder).expect_err("damaged");
            assert!(
                matches!(
                    error,
                    Error::WrongChecksum { .. } | Error::BadManifest { .. } | Error::WrongFormat { .. }
                ),
                "byte {position} of {}: {error}",
                path.display()
            );
            n_flipped += 1;
        }
        fs::write(&path, &whole).expect("written");
    }
    assert!(n_flipped > 500);
    Bundle::open(&folder).expect("whole again");
}

#[test]
fn every_file_that_is_cut_emptied_or_gone_is_named() {
    let (_root, folder) = bundle();
    for path in files_under(&folder) {
        let whole = fs::read(&path).expect("read");
        for kept in [0, 1, whole.len() - 1] {
            fs::write(&path, &whole[..kept]).expect("written");
            Bundle::open(&folder).expect_err("truncated");
        }
        fs::remove_file(&path).expect("removed");
        match Bundle::open(&folder).expect_err("gone") {
            Error::MissingFile { path: named } => assert_eq!(named, path),
            Error::NotABundle { path: named } => {
                assert_eq!((named, path.ends_with("manifest.json")), (folder.clone(), true));
            }
            error => panic!("{error}"),
        }
        fs::write(&path, &whole).expect("written");
    }
    let path = folder.join("ranker/weights.bin");
    fs::write(&path, [0, 1]).expect("written");
    match Bundle::open(&folder).expect_err("truncated") {
        Error::WrongSize {
            path: named,
            expected,
            found,
        } => {
            assert_eq!((named, expected, found), (path, 4, 2));
        }
        error => panic!("{error}"),
    }
}

#[test]
fn a_file_too_many_is_refused() {
    let (_root, folder) = bundle();
    let path = folder.join("ranker/more.bin");
    fs::write(&path, "x").expect("written");
    match Bundle::open(&folder).expect_err("one too many") {
        Error::UnlistedFile { path: named } => assert_eq!(named, path),
        error => panic!("{error}"),
    }
    fs::remove_file(&path).expect("removed");
    fs::write(folder.join("ranker/.hidden"), "x").expect("written");
    assert!(matches!(Bundle::open(&folder), Err(Error::BadPath { path, .. }) if path == "ranker/.hidden"));
}

#[test]
fn a_manifest_cannot_reach_outside_its_bundle() {
    for path in [
        "../secret",
        "/etc/hostname",
        "ranker/../../secret",
        "ranker\\weights.bin",
        "",
    ] {
        let (root, folder) = bundle();
        fs::write(root.path().join("secret"), "x").expect("written");
        forge(&folder, |manifest| manifest["files"][0]["path"] = json!(path));
        match Bundle::open(&folder).expect_err("refused") {
            Error::BadPath { path: named, .. } => assert_eq!(named, path),
            error => panic!("{path:?}: {error}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn links_are_refused_even_with_the_right_content() {
    use std::os::unix::fs::symlink;
    let (root, folder) = bundle();
    let file = folder.join("ranker/weights.bin");
    let outside = root.path().join("outside");
    fs::rename(&file, &outside).expect("moved");
    symlink(&outside, &file).expect("linked");
    assert!(matches!(Bundle::open(&folder), Err(Error::NotPlain { path }) if path == file));

    let (root, folder) = bundle();
    let part = folder.join("ranker");
    let outside = root.path().join("outside");
    fs::rename(&part, &outside).expect("moved");
    symlink(&outside, &part).expect("linked");
    assert!(matches!(Bundle::open(&folder), Err(Error::NotPlain { path }) if path == part));
}

#[test]
fn other_formats_are_refused_and_later_fields_of_this_one_are_passed_over() {
    let (_root, folder) = bundle();
    forge(&folder, |manifest| manifest["a_later_field"] = json!({ "x": 1 }));
    Bundle::open(&folder).expect("readable");
    for found in [0u64, 2, 1 << 40] {
        forge(&folder, |manifest| manifest["format_version"] = json!(found));
        match Bundle::open(&folder).expect_err("refused") {
            Error::WrongFormat {
                found: named,
                supported: 1,
                ..
            } => assert_eq!(named, found),
            error => panic!("{error}"),
        }
    }
    forge(&folder, |manifest| manifest["format_version"] = json!("one"));
    assert!(matches!(Bundle::open(&folder), Err(Error::BadManifest { .. })));
}

#[test]
fn a_manifest_that_lists_a_file_twice_or_itself_is_refused() {
    for path in ["ranker/weights.bin", "manifest.json"] {
        let (_root, folder) = bundle();
        forge(&folder, |manifest| manifest["files"][0]["path"] = json!(path));
        assert!(matches!(
            Bundle::open(&folder),
            Err(Error::BadManifest { .. } | Error::WrongSize { .. } | Error::WrongChecksum { .. })
        ));
    }
}

#[test]
fn a_renamed_bundle_is_not_taken_for_another_version() {
    let (root, folder) = bundle();
    let other = "20200101T000000Z-0001".parse().expect("version");
    fs::rename(&folder, root.path().join("20200101T000000Z-0001")).expect("renamed");
    assert!(matches!(
        Bundle::open_version(root.path(), &other),
        Err(Error::OtherVersion { .. })
    ));
}

#[test]
fn a_broken_pointer_says_what_it_holds() {
    let (root, _folder) = bundle();
    for (text, shown) in [("", ""), ("latest\n", "latest"), ("../elsewhere", "../elsewhere")] {
        fs::write(root.path().join("CURRENT"), text).expect("written");
        match current(root.path()).expect_err("no version") {
            Error::BadCurrent { found, .. } => assert_eq!(found, shown),
            error => panic!("{error}"),
        }
    }
    fs::write(root.path().join("CURRENT"), "20200101T000000Z-0001\n").expect("written");
    assert!(matches!(
        Bundle::open_current(root.path()),
        Err(Error::NoSuchVersion { .. })
    ));
    fs::write(root.path().join("CURRENT"), [0xff; 4096]).expect("written");
    assert!(matches!(current(root.path()), Err(Error::BadCurrent { .. })));
}

#[test]
fn folders_that_are_no_bundles_say_so() {
    let root = root();
    assert!(matches!(Bundle::open(root.path()), Err(Error::NotABundle { .. })));
    assert!(matches!(
        Bundle::open(root.path().join("nowhere")),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        Bundle::open_current(root.path()),
        Err(Error::NoCurrent { .. })
    ));
    assert!(matches!(
        Bundle::open_current(root.path().join("nowhere")),
        Err(Error::NoFolder { .. })
    ));
}
