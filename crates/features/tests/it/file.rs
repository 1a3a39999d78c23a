//! Fitted features on disk.

use std::fs;
use std::path::Path;

use catchment_features::file::{FEATURES_FILE, ITEM_TIMES_FILE};
use catchment_features::{Error, FittedFeatures};
use serde_json::Value;

use crate::world::{World, growing_recipe, spec};

fn saved() -> (tempfile::TempDir, FittedFeatures) {
    let folder = tempfile::tempdir().expect("a folder");
    let fitted = World::new().fit_whole();
    fitted.save(folder.path()).expect("saved");
    (folder, fitted)
}

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join(FEATURES_FILE);
    let text = fs::read_to_string(&path).expect("read");
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replacen(from, to, 1)).expect("written");
}

#[test]
fn what_is_opened_is_what_was_saved_to_the_byte() {
    let (folder, fitted) = saved();
    let opened = FittedFeatures::open(folder.path()).expect("opened");
    assert_eq!(opened, fitted);
    let again = tempfile::tempdir().expect("a folder");
    opened.save(again.path()).expect("saved");
    for file in [FEATURES_FILE, ITEM_TIMES_FILE] {
        let bytes = |folder: &Path| fs::read(folder.join(file)).expect("read");
        assert_eq!(bytes(folder.path()), bytes(again.path()), "{file}");
    }
}

#[test]
fn format_1_is_opened_forever() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format_1");
    // Made once, when the format was new: UPDATE_EXPECT=1 writes what is not there yet, and only that.
    if !golden.exists() && std::env::var_os("UPDATE_EXPECT").is_some() {
        World::new().fit().save(&golden).expect("saved");
    }
    let opened = FittedFeatures::open(&golden).expect("opened");
    assert_eq!(opened.fingerprint(), World::new().fit().fingerprint());
}

#[test]
fn format_2_is_opened_forever() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format_2");
    // Made once, when the format was new: UPDATE_EXPECT=1 writes what is not there yet, and only that.
    if !golden.exists() && std::env::var_os("UPDATE_EXPECT").is_some() {
        let grown = grown();
        fs::create_dir(&golden).expect("a folder");
        grown.save(&golden).expect("saved");
    }
    let opened = FittedFeatures::open(&golden).expect("opened");
    assert_eq!(opened, grown());
    // What the first format could say is still the same function.
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format_1");
    assert_eq!(FittedFeatures::open(&first).expect("opened"), World::new().fit());
}

/// Everything that a file can hold: the whole language, grown once.
fn grown() -> FittedFeatures {
    let world = World::new();
    let mut later = World::new();
    later.grow();
    let recipe = spec(&growing_recipe());
    let fitted = world.try_fit(&recipe).expect("fitted");
    later.try_grow(&recipe, &fitted).expect("grown").features
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let (folder, _) = saved();
    edit(folder.path(), "\"format\":2", "\"format\":5,\"new\":true");
    let answer = FittedFeatures::open(folder.path());
    assert!(
        matches!(
            answer,
            Err(Error::WrongVersion {
                found: 5,
                supported: 4,
                ..
            })
        ),
        "{answer:?}"
    );
}

#[test]
fn what_was_edited_or_mixed_does_not_open() {
    let (folder, _) = saved();
    edit(folder.path(), "\"drama\"", "\"trauma\"");
    let answer = FittedFeatures::open(folder.path());
    assert!(
        matches!(answer, Err(Error::FingerprintMismatch { .. })),
        "{answer:?}"
    );

    let (folder, _) = saved();
    let mut world = World::new();
    world.events.push((2, 4, 99));
    let other = tempfile::tempdir().expect("a folder");
    world.fit_whole().save(other.path()).expect("saved");
    fs::copy(
        other.path().join(ITEM_TIMES_FILE),
        folder.path().join(ITEM_TIMES_FILE),
    )
    .expect("copied");
    let answer = FittedFeatures::open(folder.path());
    assert!(
        matches!(answer, Err(Error::FingerprintMismatch { .. })),
        "{answer:?}"
    );
}

#[test]
fn damaged_and_missing_files_are_typed_errors() {
    let (folder, _) = saved();
    let path = folder.path().join(FEATURES_FILE);
    let whole = fs::read(&path).expect("read");
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).expect("written");
        let answer = FittedFeatures::open(folder.path());
        assert!(
            matches!(answer, Err(Error::BadFile { .. })),
            "{length}: {answer:?}"
        );
    }
    fs::write(&path, [0xff, 0xfe]).expect("written");
    assert!(matches!(
        FittedFeatures::open(folder.path()),
        Err(Error::BadFile { .. })
    ));
    fs::write(&path, &whole).expect("written");
    fs::remove_file(folder.path().join(ITEM_TIMES_FILE)).expect("removed");
    assert!(matches!(FittedFeatures::open(folder.path()), Err(Error::File(_))));
    fs::remove_file(&path).expect("removed");
    assert!(matches!(FittedFeatures::open(folder.path()), Err(Error::File(_))));
}

/// The place and another value of the same type, for each value in the file.
fn changed_leaves(value: &Value, place: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| changed_leaves(value, &format!("{place}/{key}"), found)),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(key, value)| changed_leaves(value, &format!("{place}/{key}"), found)),
        Value::Bool(flag) => found.push((place.to_owned(), Value::from(!flag))),
        Value::Number(number) => {
            found.push((
                place.to_owned(),
                Value::from(number.as_i64().expect("a whole number") + 1),
            ));
        }
        Value::String(text) => {
            let other = match text.parse::<f64>() {
                Ok(number) if text.len() < 32 => (number + 0.5).to_string(),
                _ if text.len() == 32 => "0".repeat(32),
                _ => format!("{text}2"),
            };
            found.push((place.to_owned(), Value::from(other)));
        }
        // Something that may be there, and is not.
        Value::Null => found.push((place.to_owned(), Value::from(1))),
    }
}

#[test]
fn no_value_in_the_file_escapes_the_fingerprint() {
    let folder = tempfile::tempdir().expect("a folder");
    grown().save(folder.path()).expect("saved");
    let path = folder.path().join(FEATURES_FILE);
    let whole: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    let mut leaves = Vec::new();
    changed_leaves(&whole, "", &mut leaves);
    // The list of channels is what hits count through; the features that use one hash its name and place.
    leaves.retain(|(place, _)| !place.starts_with("/features/channels/"));
    assert!(leaves.len() > 100);
    for (place, other) in leaves {
        let mut edited = whole.clone();
        *edited.pointer_mut(&place).expect("a place in the file") = other.clone();
        fs::write(&path, edited.to_string()).expect("written");
        let answer = FittedFeatures::open(folder.path());
        assert!(answer.is_err(), "{place} = {other} opens");
    }
}
