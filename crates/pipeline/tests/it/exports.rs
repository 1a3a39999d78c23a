//! Item to item, and vectors for others.

use catchment_pipeline::testing::TinyBundle;
use catchment_pipeline::{Error, Pipeline, Request, Scratch};
use catchment_schema::{ItemIdx, ScoredItem, Time};

use crate::tiny::{copy, pipeline, state};

fn item(id: &str) -> ItemIdx {
    pipeline().catalogue().items().item(id).expect("known")
}

fn similar(id: &str, n: usize, channel: Option<&str>) -> Result<(String, Vec<ScoredItem>), Error> {
    let mut scratch = Scratch::default();
    let now = pipeline().catalogue().now();
    let (name, found) = pipeline().similar(item(id), n, now, channel, &mut scratch)?;
    Ok((name.to_owned(), found))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn similar_items_come_from_the_first_channel_that_can_say_best_first_and_without_the_item_itself() {
    let n_items = pipeline().catalogue().items().len();
    // Nobody had these.
    let table = pipeline().item_embeddings("ials").expect("vectors");
    let unknown = catchment_ann_index::zero_rows(&table.vectors, table.dim);
    assert!(!unknown.is_empty());
    for channel in [None, Some("item_cf"), Some("ials")] {
        for id in ["100", "101", "120", "139"] {
            let (name, found) = similar(id, usize::MAX, channel).expect("answered");
            assert_eq!(name, channel.unwrap_or("item_cf"));
            assert!(found.is_sorted());
            assert!(
                found
                    .iter()
                    .all(|near| near.item != item(id) && near.item != item("101"))
            );
            assert_eq!(
                similar(id, 3, channel).expect("answered").1,
                found[..3.min(found.len())]
            );
            if name == "ials" {
                let left_out = unknown.len() + if id == "101" { 1 } else { 2 };
                let is_known = !unknown.contains(item(id));
                assert_eq!(found.len(), if is_known { n_items - left_out } else { 0 });
                assert!(found.iter().all(|near| !unknown.contains(near.item)));
            }
        }
    }
    assert!(similar("100", 0, None).expect("answered").1.is_empty());
}

#[test]
fn what_is_similar_is_there_at_the_moment_of_the_request() {
    let (_folder, layout) = copy();
    let moment = pipeline().catalogue().now().millis().expect("known") + 1000;
    let at = Time::from_millis;
    TinyBundle::set_moments(&layout, "published_at", &[("103", at(moment))]).expect("written");
    TinyBundle::set_moments(&layout, "expires_at", &[("106", at(moment))]).expect("written");
    let changed = Pipeline::open_folder(&layout).expect("opened");
    for channel in ["item_cf", "ials"] {
        // Both are near without moments.
        let all = similar("100", usize::MAX, Some(channel)).expect("answered").1;
        assert!(
            ["103", "106"]
                .iter()
                .all(|id| all.iter().any(|near| near.item == item(id)))
        );
        for (now, missing) in [(moment - 1, "103"), (moment, "106")] {
            let mut scratch = Scratch::default();
            let (_, found) = changed
                .similar(item("100"), usize::MAX, at(now), Some(channel), &mut scratch)
                .expect("answered");
            let expected: Vec<_> = all.iter().filter(|near| near.item != item(missing)).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{channel} at {now}");
        }
    }
}

#[test]
fn vectors_are_near_by_their_cosine() {
    let vectors = pipeline().item_embeddings("ials").expect("exported");
    let of = |item: ItemIdx| vectors.vector(item.index());
    let query = of(item("100"));
    for near in similar("100", 10, Some("ials")).expect("answered").1 {
        let norms = dot(query, query).sqrt() * dot(of(near.item), of(near.item)).sqrt();
        let cosine = if norms > 0.0 {
            dot(query, of(near.item)) / norms
        } else {
            0.0
        };
        assert!(
            (near.score.get() - cosine).abs() < 1e-5,
            "{near:?}, cosine {cosine}"
        );
    }
}

#[test]
fn exported_vectors_give_the_scores_of_the_channel() {
    let items = pipeline().item_embeddings("ials").expect("exported");
    let users = pipeline().user_embeddings("ials").expect("exported");
    assert_eq!(users.left_out, 0);
    let users = users.vectors;
    let catalogue = pipeline().catalogue();
    assert_eq!(items.ids, catalogue.items().ids());
    assert_eq!(users.ids, catalogue.users().ids());
    assert_eq!(
        (items.meta.kind.as_str(), users.meta.kind.as_str()),
        ("item", "user")
    );
    let mut scratch = Scratch::default();
    for user in 0..catalogue.users().len() {
        let request = Request::new(10, catalogue.now());
        let recalled = pipeline().recall_channel("ials", &request, &state(pipeline(), user), &mut scratch);
        for found in recalled.expect("recalled") {
            let score = dot(users.vector(user), items.vector(found.item.index()));
            assert!((found.score.get() - score).abs() < 1e-4, "{found:?} is {score}");
        }
    }
    // What was exported can be read again by anybody.
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("users.parquet");
    users.write(&path).expect("written");
    assert_eq!(catchment_schema::Embeddings::read(&path).expect("read"), users);
}

#[test]
fn channels_that_have_no_vectors_or_cannot_say_are_errors() {
    assert!(matches!(
        pipeline().item_embeddings("popular"),
        Err(Error::NoVectors { .. })
    ));
    assert!(matches!(
        pipeline().user_embeddings("item_cf"),
        Err(Error::NoVectors { .. })
    ));
    assert!(matches!(
        pipeline().item_embeddings("dssm"),
        Err(Error::UnknownChannel { .. })
    ));
    assert!(matches!(
        similar("100", 3, Some("popular")),
        Err(Error::NotSimilar { channel }) if channel == "popular"
    ));
    assert!(matches!(
        similar("100", 3, Some("dssm")),
        Err(Error::UnknownChannel { .. })
    ));
}
