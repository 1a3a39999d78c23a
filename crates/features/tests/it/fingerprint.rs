//! The fingerprint changes with what changes an output, and with nothing else.

use std::sync::Arc;

use catchment_features::{ChannelHit, FittedFeatures, Side};
use catchment_schema::Vocabulary;
use catchment_schema::arrow::array::{ArrayRef, Float64Array, StringArray};

use crate::world::{RECIPE, World, lists, spec, whole_recipe};

/// Which sides differ from the world as it is.
fn changed_sides(other: &FittedFeatures) -> Vec<&'static str> {
    let fitted = World::new().fit();
    let changed: Vec<_> = Side::ALL
        .into_iter()
        .filter(|&side| fitted.side_fingerprint(side) != other.side_fingerprint(side))
        .map(Side::name)
        .collect();
    assert_eq!(fitted.fingerprint() == other.fingerprint(), changed.is_empty());
    changed
}

fn with_recipe(from: &str, to: &str) -> Vec<&'static str> {
    assert!(RECIPE.contains(from), "{from}");
    changed_sides(
        &World::new()
            .try_fit(&spec(&RECIPE.replacen(from, to, 1)))
            .expect("fitted"),
    )
}

fn with_world(change: impl FnOnce(&mut World)) -> Vec<&'static str> {
    let mut world = World::new();
    change(&mut world);
    changed_sides(&world.fit())
}

#[test]
fn settings_that_change_outputs_change_it() {
    for (from, to, sides) in [
        ("oov_buckets = 3", "oov_buckets = 4", vec!["user"]),
        (
            "min_count = 2 },\n    { name = \"gender\"",
            "min_count = 3 },\n    { name = \"gender\"",
            vec!["user"],
        ),
        (
            "transform = \"z_score\"",
            "transform = \"log_z_score\"",
            vec!["user"],
        ),
        (", missing_flag = true", "", vec!["user"]),
        ("[18, 35]", "[18, 36]", vec!["user"]),
        (
            "oov_buckets = 2, pooling = \"mean\"",
            "oov_buckets = 2",
            vec!["user"],
        ),
        ("last = 2", "last = 1", vec!["user"]),
        ("name = \"age\"", "name = \"years\"", vec!["user"]),
        ("quantiles = 2", "quantiles = 4", vec!["item"]),
        (
            "kind = \"item_count\", transform = \"log\"",
            "kind = \"item_count\", transform = \"z_score\"",
            vec!["item"],
        ),
        // The affinity reads the genres, so its side changes with them.
        (
            "column = \"category\", min_count = 2",
            "column = \"category\", min_count = 3",
            vec!["item", "candidate"],
        ),
        ("{ name = \"hour\", kind = \"hour\" }, ", "", vec!["context"]),
        (
            "channel = \"item_cf\"",
            "channel = \"popular\"",
            vec!["candidate"],
        ),
        ("last = 3", "last = 4", vec!["candidate"]),
    ] {
        assert_eq!(with_recipe(from, to), sides, "{from} -> {to}");
    }
}

#[test]
fn newer_settings_that_change_outputs_change_it() {
    let recipe = whole_recipe();
    let sides_of = |recipe: &str| {
        let fitted = World::new().try_fit(&spec(recipe)).expect("fitted");
        Side::ALL.map(|side| fitted.side_fingerprint(side))
    };
    let whole = sides_of(&recipe);
    for (from, to, sides) in [
        ("buckets = 50, ", "buckets = 51, ", vec!["user"]),
        ("hashes = 3, ", "hashes = 2, ", vec!["user"]),
        ("signed = true, ", "", vec!["user"]),
        ("signed = true, pooling = \"mean\"", "signed = true", vec!["user"]),
        (
            "kind = \"hash\", buckets = 20",
            "kind = \"hash\", buckets = 21",
            vec!["user"],
        ),
        (
            "kind = \"hash\", buckets = 20",
            "kind = \"hash\", column = \"gender\", buckets = 20",
            vec!["user"],
        ),
        (
            "weights = \"strengths\", max = 1, keep = \"heaviest\"",
            "max = 1",
            vec!["user"],
        ),
        (
            "max = 1, keep = \"heaviest\"",
            "max = 2, keep = \"heaviest\"",
            vec!["user"],
        ),
        (", keep = \"last\"", "", vec!["user"]),
        (", max = 1, keep = \"last\"", "", vec!["user"]),
        ("positions = 2", "positions = 3", vec!["user"]),
        (
            "half_life = { positions = 2 }",
            "half_life = { hours = 2 }",
            vec!["user"],
        ),
        ("half_life = { positions = 2 }, ", "", vec!["user"]),
        ("hours = 0.000005", "hours = 0.000006", vec!["user"]),
        ("transform = \"min_max\"", "transform = \"none\"", vec!["user"]),
        (
            "transform = \"min_max\", missing_flag = true",
            "transform = \"min_max\"",
            vec!["user"],
        ),
        ("utc_offset = \"-05:00\"", "utc_offset = \"-05:01\"", vec!["user"]),
        (
            "kind = \"month\", column",
            "kind = \"hour\", column",
            vec!["user"],
        ),
        (
            "[\"gender\", \"age_group\"]",
            "[\"age_group\", \"gender\"]",
            vec!["user"],
        ),
        (
            "[\"gender\", \"age_group\"]",
            "[\"gender\", \"age_group\"], buckets = 12",
            vec!["user"],
        ),
        ("buckets = 6 }", "buckets = 7 }", vec!["item"]),
        (", cyclic = true }", " }", vec!["item"]),
        (
            "utc_offset = \"+05:30\"",
            "utc_offset = \"+05:00\"",
            vec!["context"],
        ),
        // The cross of three reads this one.
        (
            "utc_offset = \"+08:00\"",
            "utc_offset = \"+09:00\"",
            vec!["context", "candidate"],
        ),
        (
            "kind = \"month\", cyclic = true",
            "kind = \"month\"",
            vec!["context"],
        ),
        ("buckets = 40", "buckets = 41", vec!["candidate"]),
        (
            "\"context.evening\", \"item.price_band\"",
            "\"item.price_band\", \"context.evening\"",
            vec!["candidate"],
        ),
    ] {
        assert!(recipe.contains(from), "{from}");
        let other = sides_of(&recipe.replacen(from, to, 1));
        let places = (0..4).filter(|&place| whole[place] != other[place]);
        let changed: Vec<&str> = places.map(|place| Side::ALL[place].name()).collect();
        assert_eq!(changed, sides, "{from} -> {to}");
    }
}

#[test]
fn other_words_for_the_same_setting_do_not_change_it() {
    for (from, to) in [
        ("hours = 0.000005", "days = 0.00000020833333333333334"),
        ("positions = 2 }", "positions = 2.0 }"),
        (
            "kind = \"hash\", buckets = 20",
            "kind = \"hash\", buckets = 20, hashes = 1, signed = false",
        ),
        (
            "name = \"genres\", kind = \"bag\"",
            "name = \"genres\", kind = \"bag\", keep = \"first\"",
        ),
        (
            "{ name = \"hour\", kind = \"hour\" }",
            "{ name = \"hour\", kind = \"hour\", utc_offset = \"-00:00\" }",
        ),
    ] {
        let recipe = whole_recipe();
        assert!(recipe.contains(from), "{from}");
        let other = recipe.replacen(from, to, 1);
        let fingerprint = |recipe: &str| World::new().try_fit(&spec(recipe)).expect("fitted").fingerprint();
        assert_eq!(fingerprint(&recipe), fingerprint(&other), "{from} -> {to}");
    }
}

#[test]
fn data_that_changes_outputs_changes_it() {
    let replace =
        |place: usize, column: ArrayRef| move |world: &mut World| world.user_columns[place].1 = column;
    let ages = Float64Array::from(vec![20.0, 40.0, 41.0, 42.0]);
    assert_eq!(with_world(replace(2, Arc::new(ages))), ["user"]);
    // Another mean, the same deviation.
    let older = Float64Array::from(vec![Some(25.0), Some(45.0), None, None]);
    assert_eq!(with_world(replace(2, Arc::new(older))), ["user"]);
    let genders = StringArray::from(vec!["f", "m", "f", "d"]);
    assert_eq!(with_world(replace(0, Arc::new(genders))), ["user"]);
    assert_eq!(
        with_world(|world| world.events.push((2, 4, 99))),
        ["user", "item", "candidate"]
    );
    let swapped = Vocabulary::from_counts([("i1", 3), ("i0", 2), ("i2", 2), ("i3", 1), ("i4", 0)]);
    assert_eq!(
        with_world(|world| world.items = swapped),
        ["user", "item", "candidate"]
    );
    assert_eq!(with_world(|world| world.channels.reverse()), ["candidate"]);

    let mut fitted = World::new().fit();
    let hits = [1.0, 2.0].map(|score| ChannelHit {
        channel: 0,
        rank: 1,
        score,
    });
    fitted.fit_channel_scores(hits).expect("known channels");
    assert_eq!(changed_sides(&fitted), ["candidate"]);
}

#[test]
fn what_changes_no_output_does_not_change_it() {
    assert!(with_world(|_| ()).is_empty());
    // A column that no feature reads.
    let unread = Arc::new(StringArray::from(vec!["a", "b", "c", "d"]));
    assert!(with_world(|world| world.user_columns.push(("unread", unread))).is_empty());
    // The order of the columns.
    assert!(with_world(|world| world.item_columns.reverse()).is_empty());
    // Counts that leave the order of the vocabulary as it is.
    let counted = Vocabulary::from_counts([("u0", 400), ("u1", 30), ("u2", 2), ("u3", 1)]);
    assert!(with_world(|world| world.users = counted).is_empty());
    // One more user of a known interest: `film` stays the commonest.
    let interests = lists(&[
        Some(&["art", "film", "art"]),
        Some(&["film"]),
        Some(&["film"]),
        None,
    ]);
    assert!(with_world(|world| world.user_columns[3].1 = interests).is_empty());
    // A channel behind the others.
    assert!(with_world(|world| world.channels.push("newest".to_owned())).is_empty());
}
