//! Bundles of every format version that was ever written, opened forever.

use std::collections::BTreeSet;
use std::path::Path;

use catchment_bundle::Bundle;
use catchment_pipeline::{Pipeline, Request, Scratch};

use crate::tiny::{bundle, files_under, state};

fn golden(format: &str) -> Bundle {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format);
    Bundle::open_current(root).expect("verifies forever")
}

#[test]
fn format_1_opens_and_answers_as_it_did() {
    // Opening replays the answers that were recorded when it was made.
    let pipeline = Pipeline::open(&golden("v1")).expect("opens forever");
    assert_eq!(pipeline.spec().format, 1);
    let catalogue = pipeline.catalogue();
    assert_eq!((catalogue.users().len(), catalogue.items().len()), (48, 40));
    assert_eq!(
        catalogue.title(catalogue.items().item("117").expect("known")),
        Some("Item 117")
    );
    let answer = pipeline.recommend(
        &Request::new(3, catalogue.now()),
        &state(&pipeline, 0),
        &mut Scratch::default(),
    );
    let answer = answer.expect("answered");
    let ids: Vec<_> = answer
        .items
        .iter()
        .filter_map(|found| catalogue.items().id(found.item.index()))
        .collect();
    assert_eq!(ids, GOLDEN_ANSWER);
}

/// What user 0 of the vocabulary was answered.
const GOLDEN_ANSWER: [&str; 3] = ["114", "111", "102"];

/// If this fails, the format changed: raise the format version, keep the old golden bundle, add a new one.
#[test]
fn what_is_written_today_has_the_files_of_format_1() {
    let names = |bundle: &Bundle| {
        let files = files_under(bundle.path()).into_iter();
        let inside = files.map(|file| file.strip_prefix(bundle.path()).expect("below").to_owned());
        inside.collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&bundle()), names(&golden("v1")));
}
