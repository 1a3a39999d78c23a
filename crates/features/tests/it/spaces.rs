//! Features that look into the vectors of a channel.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use catchment_features::{
    CandidateInput, Error, FeatureBatch, FittedFeatures, OfGoals, Space, SpaceTables, TypeRule, TypeRules,
    TypeSpace, UserInput, UserProfile,
};
use catchment_schema::arrow::array::{ArrayRef, StringArray};
use catchment_schema::{AttributeTable, Event, EventKind, History, ItemIdx, Time};

use crate::world::{World, spec};

const DAY: i64 = 86_400_000;

const RECIPE: &str = r#"
candidate = [
    { name = "all", kind = "similarity", channel = "popular" },
    { name = "by_market", kind = "similarity", channel = "popular", events = ["view"], market = "city" },
    { name = "long", kind = "similarity", channel = "popular", min_dwell_seconds = 60, last = 1, days = 100 },
    { name = "kind", kind = "type_similarity", channel = "popular" },
]
"#;

/// i0 and i1 point north in Paris, i2 and i3 east in Rome, i4 is unknown.
fn space() -> Space {
    Space {
        channel: "popular".to_owned(),
        dim: 2,
        items: vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
        types: Some(TypeSpace {
            dim: 1,
            goal: EventKind(1),
            rules: TypeRules(vec![TypeRule {
                goals: Some(OfGoals::Count),
                boundaries: vec![1.0],
                column: None,
            }]),
            users: BTreeMap::from([
                ("goals=0".to_owned(), vec![1.0]),
                ("goals=1".to_owned(), vec![-1.0]),
            ]),
            kinds: vec![1.0, -1.0],
            of_item: vec![Some(0), Some(1), None, Some(0), Some(1)],
        }),
    }
}

fn world() -> (World, AttributeTable) {
    let mut world = World::new();
    let cities = StringArray::from(vec!["Paris", "Paris", "Rome", "Rome", "Rome"]);
    world.item_columns.push(("city", Arc::new(cities) as ArrayRef));
    let items = world.item_attributes();
    (world, items)
}

fn words() -> Vec<String> {
    ["view", "booking"].map(str::to_owned).to_vec()
}

fn fitted(world: &World, items: &AttributeTable) -> FittedFeatures {
    let fitted = world.try_fit(&spec(RECIPE)).expect("fitted");
    let words = words();
    let tables = SpaceTables { words: &words, items };
    fitted.with_spaces(vec![space()], &tables).expect("fits")
}

/// `item@day` with `!` for a booking and `~` for a look of a minute.
fn history(events: &str) -> Vec<Event> {
    let event = |word: &str| {
        let (item, day) = word.split_once('@').expect("item@day");
        Event {
            kind: EventKind(u16::from(day.ends_with('!'))),
            dwell_ms: day.ends_with('~').then_some(60_000),
            ..Event::new(
                ItemIdx(item.parse().expect("item")),
                Time::from_millis(day.trim_end_matches(['!', '~']).parse::<i64>().expect("day") * DAY),
            )
        }
    };
    events.split_whitespace().map(event).collect()
}

/// On day 20, for all items: `known` and cosine of one feature.
fn check(feature: usize, events: &str, expect: [[f32; 2]; 5]) {
    let (world, items) = world();
    let features = fitted(&world, &items);
    let events = history(events);
    let input = UserInput {
        history: History::new(&events),
        ..UserInput::anonymous(Time::from_millis(20 * DAY))
    };
    let found = rows(&features, &world.catalogue(&features), &input).expect("transformed");
    for (item, expect) in expect.into_iter().enumerate() {
        let row = found.row(item).dense(feature);
        let close = row.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close, "item {item}: {row:?} is not {expect:?}");
    }
}

fn rows(
    features: &FittedFeatures,
    catalogue: &FeatureBatch,
    input: &UserInput<'_>,
) -> catchment_features::Result<FeatureBatch> {
    let mut profile = UserProfile::default();
    features.profile(input, catalogue, &mut profile)?;
    let candidates: Vec<CandidateInput<'_>> = (0..5)
        .map(|item| CandidateInput {
            item: ItemIdx(item),
            sources: &[],
        })
        .collect();
    let mut out = FeatureBatch::default();
    features.transform_candidates(&profile, catalogue, &candidates, &mut out)?;
    Ok(out)
}

#[test]
fn a_candidate_is_compared_with_the_centroid_of_what_was_done_lately() {
    let half = 0.5_f32.sqrt();
    let (north, east) = ([1.0, half], [1.0, half]);
    check(0, "0@10 2@11", [north, [1.0, 1.4 * half], east, east, [0.0; 2]]);
    // Three weeks ago is too long; today and later is not known yet.
    check(
        0,
        "2@-1 0@10 2@20 2@21",
        [[1.0, 1.0], [1.0, 0.8], [1.0, 0.0], [1.0, 0.0], [0.0; 2]],
    );
    check(0, "", [[0.0; 2]; 5]);
    check(0, "4@10", [[0.0; 2]; 5]);
}

#[test]
fn each_market_has_a_centroid_and_the_nearest_counts() {
    check(
        1,
        "0@10 2@11",
        [[1.0, 1.0], [1.0, 0.8], [1.0, 1.0], [1.0, 1.0], [0.0; 2]],
    );
    // Only views were asked for.
    check(
        1,
        "0@10 2@11!",
        [[1.0, 1.0], [1.0, 0.8], [1.0, 0.0], [1.0, 0.0], [0.0; 2]],
    );
}

#[test]
fn items_of_which_nobody_says_the_market_are_one_market() {
    let mut world = World::new();
    let cities = StringArray::from(vec![None, Some("Rome"), Some("Rome"), None, Some("Rome")]);
    world.item_columns.push(("city", Arc::new(cities) as ArrayRef));
    let items = world.item_attributes();
    let features = fitted(&world, &items);
    let events = history("0@10 3@11 1@12");
    let input = UserInput {
        history: History::new(&events),
        ..UserInput::anonymous(Time::from_millis(20 * DAY))
    };
    let found = rows(&features, &world.catalogue(&features), &input).expect("transformed");
    let half = 0.5_f32.sqrt();
    for (item, expect) in [(0, half.max(0.8)), (1, 1.0), (2, half.max(0.6))] {
        let row = found.row(item).dense(1);
        assert!((row[1] - expect).abs() < 1e-6, "item {item}: {row:?}");
    }
}

#[test]
fn the_last_long_look_is_the_last_that_is_known_to_be_long() {
    check(
        2,
        "0@10~ 2@11~ 0@12",
        [[1.0, 0.0], [1.0, 0.6], [1.0, 1.0], [1.0, 1.0], [0.0; 2]],
    );
    check(2, "0@10", [[0.0; 2]; 5]);
}

#[test]
fn the_users_kind_is_the_one_that_they_are_of_now() {
    check(
        3,
        "",
        [[1.0, 1.0], [1.0, -1.0], [0.0; 2], [1.0, 1.0], [1.0, -1.0]],
    );
    check(
        3,
        "0@10!",
        [[1.0, -1.0], [1.0, 1.0], [0.0; 2], [1.0, -1.0], [1.0, 1.0]],
    );
}

#[test]
fn saved_features_open_with_their_own_vectors_only() {
    let (world, items) = world();
    let features = fitted(&world, &items);
    let folder = tempfile::tempdir().expect("temporary folder");
    features.save(folder.path()).expect("saved");
    let mut opened = FittedFeatures::open(folder.path()).expect("opened");
    assert_eq!(opened.fingerprint(), features.fingerprint());
    assert_eq!(opened.spaces(), ["popular"]);
    let (words, catalogue) = (words(), world.catalogue(&opened));
    let tables = SpaceTables {
        words: &words,
        items: &items,
    };
    let input = UserInput::anonymous(Time::from_millis(DAY));
    // Nothing is looked into that is not there.
    assert!(matches!(
        rows(&opened, &catalogue, &input),
        Err(Error::BadSpace { .. })
    ));
    let mut other = space();
    other.items[0] = 0.5;
    assert!(matches!(
        opened.attach(vec![other.clone()], &tables),
        Err(Error::BadSpace { .. })
    ));
    opened.attach(vec![space()], &tables).expect("its own");
    assert_eq!(
        rows(&opened, &catalogue, &input).expect("transformed"),
        rows(&features, &catalogue, &input).expect("transformed")
    );
    // Vectors of a channel that was fitted anew are another fit, which has grown from this one.
    let refitted = features.with_spaces(vec![other], &tables).expect("fits");
    assert_ne!(refitted.fingerprint(), features.fingerprint());
    assert_eq!(refitted.lineage(), [features.fingerprint()]);
}

#[test]
fn format_3_is_opened_forever() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format_3");
    let (world, items) = world();
    let features = fitted(&world, &items);
    // Made once, when the format was new: UPDATE_EXPECT=1 writes what is not there yet, and only that.
    if !golden.exists() && std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir(&golden).expect("a folder");
        features.save(&golden).expect("saved");
    }
    let mut opened = FittedFeatures::open(&golden).expect("opened");
    let words = words();
    let tables = SpaceTables {
        words: &words,
        items: &items,
    };
    let (found, catalogue) = (opened.fingerprint(), world.catalogue(&opened));
    opened.attach(vec![space()], &tables).expect("the same vectors");
    assert_eq!(opened.fingerprint(), found);
    let events = history("0@10 2@11! 1@12~");
    let input = UserInput {
        history: History::new(&events),
        ..UserInput::anonymous(Time::from_millis(20 * DAY))
    };
    // The mark in this file does not know rules and goal, as those of today do; all else is the same.
    assert_ne!(found, features.fingerprint());
    assert_eq!(
        rows(&opened, &catalogue, &input).expect("transformed"),
        rows(&features, &catalogue, &input).expect("transformed")
    );
}

#[test]
fn the_rules_and_the_goal_of_kinds_are_part_of_the_fingerprint() {
    let (world, items) = world();
    let features = fitted(&world, &items);
    let words = words();
    let tables = SpaceTables {
        words: &words,
        items: &items,
    };
    let changed = |change: fn(&mut TypeSpace)| {
        let mut space = space();
        change(space.types.as_mut().expect("it has types"));
        space
    };
    for other in [
        changed(|types| types.goal = EventKind(0)),
        changed(|types| types.rules.0[0].boundaries = vec![2.0]),
        changed(|types| types.rules.0[0].goals = Some(OfGoals::Last)),
        changed(|types| types.rules.0[0].column = Some("city".to_owned())),
        changed(|types| types.rules.0.clear()),
    ] {
        let fitted = features.with_spaces(vec![other.clone()], &tables).expect("fits");
        assert_ne!(fitted.fingerprint(), features.fingerprint());
        let mut features = features.clone();
        assert!(matches!(
            features.attach(vec![other], &tables),
            Err(Error::BadSpace { .. })
        ));
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let (world, items) = world();
    let features = world.try_fit(&spec(RECIPE)).expect("fitted");
    let words = words();
    let failed = |change: fn(&mut Space), words: &[String]| {
        let mut space = space();
        change(&mut space);
        let tables = SpaceTables { words, items: &items };
        features
            .with_spaces(vec![space], &tables)
            .expect_err("refused")
            .to_string()
    };
    assert!(failed(|space| space.channel = "ials".to_owned(), &words).contains("it has no vectors"));
    assert!(failed(|space| space.types = None, &words).contains("feature `kind`"));
    assert!(failed(|space| space.items.truncate(4), &words).contains("not one for each item"));
    assert!(failed(|space| space.items[3] = f32::NAN, &words).contains("not finite"));
    let unknown = failed(|_| {}, &words[1..]);
    assert!(
        unknown.contains("no event `view`") && unknown.contains("by_market"),
        "{unknown}"
    );
    let without_cities = World::new().item_attributes();
    let tables = SpaceTables {
        words: &words,
        items: &without_cities,
    };
    assert!(matches!(
        features.with_spaces(vec![space()], &tables),
        Err(Error::MissingColumn { .. })
    ));
    for bad in ["days = 0", "last = 0", "min_dwell_seconds = -1", "market = \"\""] {
        let recipe =
            format!("candidate = [{{ name = \"a\", kind = \"similarity\", channel = \"popular\", {bad} }}]");
        let error = world.try_fit(&spec(&recipe)).expect_err("refused").to_string();
        let (key, _) = bad.split_once(' ').expect("key");
        assert!(
            error.starts_with(&format!("features.candidate.a.{key}: ")),
            "{error}"
        );
    }
}
