//! Features that look into channels' vectors, from the folder of a bundle.

use std::fs;

use catchment_features::{FeatureSpec, FitTables};
use catchment_pipeline::testing::TinyBundle;
use catchment_pipeline::{Catalogue, Error, Featurizer, Layout, RequestFeatures, UserState, with_spaces};
use catchment_recall::Candidate;
use catchment_schema::{Embeddings, Event, History, ItemIdx, Time, UserIdx};

/// The tiny bundle with one feature: how near a candidate is to the last event, in the space of `ials`.
fn with_similarity() -> (tempfile::TempDir, Layout, Catalogue) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(folder.path());
    TinyBundle::default().write(&layout).expect("written");
    let catalogue = Catalogue::open(&layout).expect("opened");
    let spec = serde_json::json!({
        "candidate": [{ "name": "near", "kind": "similarity", "channel": "ials", "last": 1 }],
    });
    let spec: FeatureSpec = serde_json::from_value(spec).expect("a spec");
    let features = spec
        .fit(&FitTables {
            users: catalogue.users(),
            items: catalogue.items(),
            user_attributes: catalogue.user_attributes(),
            item_attributes: catalogue.item_attributes(),
            histories: catalogue.histories(),
            channels: &["ials".to_owned()],
        })
        .expect("fitted");
    let features = with_spaces(features, &layout, &catalogue).expect("vectors are there");
    features.save(&layout.features()).expect("saved");
    (folder, layout, catalogue)
}

/// `[known, cosine]` of one item after these events.
fn near(featurizer: &Featurizer, catalogue: &Catalogue, events: &[Event], item: ItemIdx) -> Vec<f32> {
    let state = UserState {
        user: Some(UserIdx(0)),
        history: History::new(events),
    };
    let now = Time::from_millis(catalogue.now().millis().expect("known") + 60_000);
    let mut rows = RequestFeatures::default();
    featurizer
        .request(catalogue, &state, now, &mut rows)
        .expect("transformed");
    let candidate = Candidate {
        item,
        score: catchment_schema::Score::ZERO,
        sources: catchment_recall::Sources::default(),
    };
    featurizer
        .candidates(&[candidate], &mut rows)
        .expect("transformed");
    rows.candidates.row(0).dense(0).to_vec()
}

#[test]
fn an_event_that_has_just_arrived_is_what_candidates_are_compared_with() {
    let (_folder, layout, catalogue) = with_similarity();
    let featurizer = Featurizer::open(&layout, &catalogue).expect("opened");
    let mut events = catalogue.history(UserIdx(0)).events().to_vec();
    let last = events.last().expect("a history").item;
    assert!((near(&featurizer, &catalogue, &events, last)[1] - 1.0).abs() < 1e-5);
    let other = ItemIdx(u32::from(last == ItemIdx(0)));
    let before = near(&featurizer, &catalogue, &events, other);
    events.push(Event::new(other, catalogue.now()));
    let after = near(&featurizer, &catalogue, &events, other);
    assert!(
        before[1] < 0.999 && (after[1] - 1.0).abs() < 1e-5,
        "{before:?} {after:?}"
    );
}

#[test]
fn vectors_of_another_training_are_refused() {
    let (_folder, layout, catalogue) = with_similarity();
    let path = layout.channel("ials").join("items.parquet");
    let mut table = Embeddings::read(&path).expect("read");
    table.vectors[0] += 1.0;
    table.write(&path).expect("written");
    match Featurizer::open(&layout, &catalogue) {
        Err(Error::Part { part, reason }) => {
            assert_eq!(part, "features");
            assert!(
                reason.contains("not those that the features were fitted with"),
                "{reason}"
            );
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
    fs::remove_file(&path).expect("removed");
    assert!(Featurizer::open(&layout, &catalogue).is_err());
}

#[test]
fn a_column_or_a_word_that_the_data_do_not_have_is_the_features_own_error() {
    let refused = |key: &str, value: serde_json::Value| {
        let (_folder, layout, catalogue) = with_similarity();
        let mut feature = serde_json::json!({ "name": "near", "kind": "similarity", "channel": "ials" });
        feature[key] = value;
        let spec: FeatureSpec =
            serde_json::from_value(serde_json::json!({ "candidate": [feature] })).expect("a spec");
        let features = spec
            .fit(&FitTables {
                users: catalogue.users(),
                items: catalogue.items(),
                user_attributes: catalogue.user_attributes(),
                item_attributes: catalogue.item_attributes(),
                histories: catalogue.histories(),
                channels: &["ials".to_owned()],
            })
            .expect("fitted");
        with_spaces(features, &layout, &catalogue).expect_err("refused")
    };
    let refused = |key: &str, value| match refused(key, value) {
        Error::Spaces(error) => *error,
        error => panic!("{error}"),
    };
    assert!(matches!(
        refused("market", "town".into()),
        catchment_features::Error::MissingColumn { column, .. } if column == "town"
    ));
    assert!(matches!(
        refused("events", serde_json::json!(["vew"])),
        catchment_features::Error::BadConfig { key, .. } if key == "features.candidate.near.events"
    ));
}
