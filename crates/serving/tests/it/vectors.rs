//! Live events meet features that look into vectors, over HTTP.

use std::collections::BTreeMap;
use std::path::Path;

use catchment_pipeline::testing::TinyBundle;
use catchment_schema::Embeddings;
use serde_json::{Value, json};

use crate::client::Client;
use crate::served::{Served, bundles};

/// A server whose ranker sees two things alone: what was viewed, each category by itself, and the kind of user.
fn served() -> Served {
    let folder = tempfile::tempdir().expect("temporary folder");
    let tiny = TinyBundle {
        with_spaces: true,
        ..TinyBundle::default()
    };
    tiny.publish(bundles(folder.path())).expect("published");
    Served::over(folder, |_| ())
}

/// Vectors of a table of the channel, by id.
fn vectors(served: &Served, table: &str) -> BTreeMap<String, Vec<f32>> {
    let version = served.version.to_string();
    let folder = served.bundles().join(version).join("channels/stays");
    let file = folder.join(Path::new(table).with_extension("parquet"));
    let table = Embeddings::read(file).expect("vectors");
    let rows = table.vectors.chunks(table.dim).map(<[f32]>::to_vec);
    table.ids.iter().map(ToString::to_string).zip(rows).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Items of the tiny world are red, green and blue by turns.
fn category(item: &str) -> usize {
    (item.parse::<usize>().expect("a number") - 100) % 3
}

fn scores(client: &mut Client) -> BTreeMap<String, f64> {
    let answer = client
        .post("/v1/recommend", &json!({ "user_id": "new", "n": 40 }))
        .ok();
    let items = answer["items"].as_array().expect("items").iter();
    let score = |item: &Value| item["score"].as_f64().expect("a score");
    items
        .map(|item| (item["item_id"].as_str().expect("an id").to_owned(), score(item)))
        .collect()
}

fn event(client: &mut Client, item: &str, kind: &str) {
    let event = json!({ "events": [{ "user_id": "new", "item_id": item, "type": kind }] });
    assert_eq!(client.post("/v1/events", &event).ok()["accepted"], 1);
}

/// Whether, among items of one category, the more like has the higher score; and how many pairs were looked at.
fn goes_by(scores: &BTreeMap<String, f64>, likeness: &dyn Fn(&str) -> f32) -> (bool, usize) {
    let (mut all, mut pairs) = (true, 0);
    for (one, score) in scores {
        for (other, lower) in scores {
            if category(one) == category(other) && likeness(one) > likeness(other) + 1e-3 {
                pairs += 1;
                all &= score > lower;
            }
        }
    }
    (all, pairs)
}

#[test]
fn an_answer_goes_by_what_was_viewed_a_moment_ago_market_by_market() {
    let served = served();
    let mut client = served.client();
    let vectors = vectors(&served, "items");
    let near = |to: &str, item: &str| cosine(&vectors[to], &vectors[item]);

    event(&mut client, "100", "view");
    let after_one = scores(&mut client);
    let (by_first, pairs) = goes_by(&after_one, &|item| near("100", item));
    assert!(by_first && pairs > 20, "{pairs} {after_one:?}");

    // Of another category: each is a centre of its own, and the nearer one counts.
    event(&mut client, "102", "view");
    let after_two = scores(&mut client);
    let (by_nearer, pairs) = goes_by(&after_two, &|item| near("100", item).max(near("102", item)));
    assert!(by_nearer && pairs > 20, "{pairs} {after_two:?}");
    assert!(!goes_by(&after_two, &|item| near("100", item)).0);
    let both: Vec<f32> = {
        let unit = |item: &str| {
            let length = dot(&vectors[item], &vectors[item]).sqrt();
            vectors[item].iter().map(move |x| x / length)
        };
        unit("100").zip(unit("102")).map(|(a, b)| a + b).collect()
    };
    assert!(
        !goes_by(&after_two, &|item| cosine(&both, &vectors[item])).0,
        "not by the middle of both"
    );
}

#[test]
fn a_purchase_changes_the_kind_of_user_and_is_no_view() {
    let served = served();
    let mut client = served.client();
    let (items, users, kinds) = (
        vectors(&served, "items"),
        vectors(&served, "user_types"),
        vectors(&served, "item_types"),
    );
    event(&mut client, "100", "view");
    let before = scores(&mut client);
    event(&mut client, "105", "purchase");
    let after = scores(&mut client);
    let near = |item: &str| cosine(&items["100"], &items[item]);
    let (by_view, pairs) = goes_by(&after, &near);
    assert!(by_view && pairs > 20, "what was purchased is not what was viewed");

    let change = |item: &str| {
        let kind = &kinds[["category=red", "category=green", "category=blue"][category(item)]];
        dot(&users["goals=1"], kind) - dot(&users["goals=0"], kind)
    };
    let common: Vec<&String> = before.keys().filter(|item| after.contains_key(*item)).collect();
    // Up where the new kind of user is nearer to the item's kind, down where it is further away; or, should the ranker have
    // learned that it is bad to be near, always the other way round.
    let concerned = common.iter().filter(|item| change(item).abs() > 1e-3);
    let signs: Vec<bool> = concerned
        .map(|item| {
            let moved = after[*item] - before[*item];
            assert!(moved != 0.0, "{item} did not move");
            (moved > 0.0) == (change(item) > 0.0)
        })
        .collect();
    assert!(signs.len() > 5, "{} of {}", signs.len(), common.len());
    assert!(signs.iter().all(|&sign| sign == signs[0]), "{signs:?}");
}
