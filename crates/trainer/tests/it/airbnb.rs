//! Channels of kind `airbnb`, from a marketplace's log to a bundle that answers.

use catchment_schema::Embeddings;
use expect_test::expect;

use crate::place::Place;

const RECIPE: &str = r#"name = "market"
seed = 7

[data]
interactions = { path = "interactions.csv", format = "csv" }
items = { path = "items.csv", format = "csv" }
users = { path = "users.csv", format = "csv" }

[split]
kind = "leave-last"
validation = { kind = "leave-last" }

[features]
item = [{ name = "popularity", kind = "item_count" }]
candidate = [
  { name = "stays", kind = "channel", channel = "stays" },
  { name = "looked", kind = "similarity", channel = "stays", events = ["view"], market = "market" },
  { name = "long_look", kind = "similarity", channel = "stays", events = ["view"], min_dwell_seconds = 30, last = 1 },
  { name = "booked", kind = "similarity", channel = "stays", events = ["booking"], days = 60 },
  { name = "kind", kind = "type_similarity", channel = "stays" },
]

[ranker]
kind = "lr"

[[channel]]
name = "popular"
kind = "popular"

[[channel]]
name = "stays"
kind = "airbnb"
sessions = { gap_minutes = 30, min_dwell_seconds = 5 }
objective = { goal = "booking", market = "market", market_negatives = 3 }
model = { epochs = 3, dim = 16 }
cold = { same = [{ column = "market" }], radius_km = 100 }

[channel.types]
users = [{ column = "home_market" }, { goals = "count", boundaries = [1, 3] }]
items = [{ column = "market" }, { column = "price", boundaries = [50, 100, 200] }]
reject = "reject"

[evaluate]
ks = [20]
metrics = ["recall"]
"#;

fn market() -> Place {
    let place = Place::empty();
    place
        .run("synth --events 6000 --users 300 --items 400 --format csv -o .")
        .well();
    place.write("stays.toml", RECIPE);
    place
}

#[test]
fn a_marketplace_becomes_a_bundle_that_answers_and_exports_its_types() {
    let place = market();
    let said = place.run("run stays.toml");
    let notes = said.stderr.clone();
    said.well();
    for words in [
        "with a goal",
        "items without sessions got a vector from their neighbours",
        "kinds of users and",
    ] {
        assert!(notes.contains(words), "{words:?} is not in {notes}");
    }
    let answer = place
        .run("recommend --bundle bundles --user u0 -n 5 --explain --json")
        .json();
    assert_eq!(answer["items"].as_array().expect("items").len(), 5);
    let similar = place
        .run("similar --bundle bundles --item i0 -n 3 --channel stays --json")
        .json();
    assert_eq!(similar["items"].as_array().expect("items").len(), 3);

    let folder = place.path(&place.bundle()).join("channels/stays");
    for (file, kind) in [
        ("user_types", "user_type"),
        ("item_types", "item_type"),
        ("items", "item"),
    ] {
        let table = Embeddings::read(folder.join(format!("{file}.parquet"))).expect("vectors");
        assert_eq!(
            (table.meta.kind.as_str(), table.meta.model.as_str()),
            (kind, "airbnb")
        );
        assert!(!table.ids.is_empty());
    }
    let users = Embeddings::read(folder.join("user_types.parquet")).expect("vectors");
    assert!(
        users
            .ids
            .iter()
            .any(|name| name.starts_with("home_market=") && name.ends_with("|goals=1"))
    );
}

#[test]
fn what_a_recipe_asks_and_the_data_do_not_have_is_named() {
    let place = market();
    place.run("prepare stays.toml").well();
    // Before anything is fitted, so that no note of a channel comes first.
    let refused = |from: &str, to: &str| {
        place.write("stays.toml", RECIPE);
        place.replace("stays.toml", from, to);
        place.refuse("train stays.toml")
    };
    expect![[r#"
        1: error: stays.toml:17: feature `looked`: `market` = "town", but the items have only: title, category, price, latitude, longitude, market, published_at
        help: name one of these columns, or take `market` out"#]].assert_eq(&refused(
        "market = \"market\" },\n  { name = \"long",
        "market = \"town\" },\n  { name = \"long",
    ));
    expect![[r#"
        1: error: stays.toml:18: feature `long_look`: `events` = "vieww", but the log has only: view, booking, reject
        help: did you mean `view`?"#]].assert_eq(&refused("events = [\"view\"], min", "events = [\"vieww\"], min"));
    expect![[r#"
        1: error: stays.toml:34: channel `stays`: `objective.goal` = "sale", but the log has only: view, booking, reject
        help: name one of these events, or take `goal` out"#]].assert_eq(&refused("goal = \"booking\"", "goal = \"sale\""));
    expect![[r#"
        1: error: stays.toml:34: channel `stays`: `objective.market` = "city", but the items have only: title, category, price, latitude, longitude, market, published_at
        help: name one of these columns, or take `market` out"#]].assert_eq(&refused(
        "objective = { goal = \"booking\", market = \"market\"",
        "objective = { goal = \"booking\", market = \"city\"",
    ));
    expect![[r#"
        1: error: stays.toml:33: channel `stays`: `sessions.events` = "click", but the log has only: view, booking, reject
        help: name one of these events, or take it out"#]].assert_eq(&refused(
        "min_dwell_seconds = 5 }",
        "min_dwell_seconds = 5, events = [\"click\"] }",
    ));
    expect![[r#"
        1: error: stays.toml:40: channel `stays`: `types.items[1].column` = "prise", but the items have only: title, category, price, latitude, longitude, market, published_at
        help: did you mean `price`?"#]].assert_eq(&refused("column = \"price\"", "column = \"prise\""));
    expect![[r#"
        1: error: stays.toml:39: channel `stays`: `types.users[0].column` = "home", but the users have only: age, country, home_market
        help: did you mean `home_market`?"#]].assert_eq(&refused("column = \"home_market\"", "column = \"home\""));
    expect![[r#"
        1: error: stays.toml:41: channel `stays`: `types.reject` = "return", but the log has only: view, booking, reject
        help: name one of these events, or take `reject` out"#]].assert_eq(&refused("reject = \"reject\"", "reject = \"return\""));
    expect![[r#"
        1: error: stays.toml:36: channel `stays`: `cold.latitude` = "lat", but the items have only: title, category, price, latitude, longitude, market, published_at
        help: did you mean `latitude`?"#]].assert_eq(&refused("radius_km = 100", "radius_km = 100, latitude = \"lat\""));
    expect![[r#"
        1: error: stays.toml:36: channel `stays`: `cold.same[0].column` = "room", but the items have only: title, category, price, latitude, longitude, market, published_at
        help: name one of these columns, or take the rule out"#]].assert_eq(&refused(
        "same = [{ column = \"market\" }]",
        "same = [{ column = \"room\" }]",
    ));
}

#[test]
fn a_log_in_which_nobody_books_trains_without_goals_and_without_types() {
    let place = market();
    let log = place.read("interactions.csv");
    // One booking of one item alone: the word is there, and no session ends in it.
    let mut lines: Vec<&str> = log.lines().filter(|line| !line.contains(",booking,")).collect();
    lines.push("u99999,i0,2026-01-01T00:00:00.000Z,booking,s,");
    place.write("interactions.csv", lines.join("\n"));
    place.replace(
        "stays.toml",
        "market_negatives = 3",
        "market_negatives = 3, oversample = 2",
    );
    place.replace(
        "stays.toml",
        "  { name = \"kind\", kind = \"type_similarity\", channel = \"stays\" },\n",
        "",
    );
    let recipe = place.read("stays.toml");
    let (before, after) = recipe.split_once("[channel.types]").expect("types");
    let (_, after) = after.split_once("[evaluate]").expect("evaluate");
    place.write("stays.toml", format!("{before}[evaluate]{after}"));
    place.run("prepare stays.toml").well();
    let said = place.run("train stays.toml");
    let notes = said.stderr.clone();
    said.well();
    assert!(notes.contains("no session ends in `booking`"), "{notes}");
}
