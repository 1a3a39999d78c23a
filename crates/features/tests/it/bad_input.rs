//! What is wrong is said, with its name and remedy.

use catchment_features::{
    CandidateInput, ChannelHit, Error, FeatureBatch, FeatureSpec, Side, UserInput, UserProfile,
};
use catchment_schema::{AttributeTable, ItemIdx, Time, Vocabulary};
use expect_test::{Expect, expect};

use crate::world::{World, spec};

fn check(recipe: &str, expected: &Expect) {
    let answer = match toml::from_str::<FeatureSpec>(recipe) {
        Ok(spec) => World::new().try_fit(&spec).expect_err("refused").to_string(),
        Err(error) => error.message().to_owned(),
    };
    expected.assert_eq(&answer);
}

#[test]
fn recipes_that_say_what_cannot_be_are_refused() {
    check(
        "users = []",
        &expect!["unknown field `users`, expected one of `user`, `item`, `context`, `candidate`"],
    );
    check(
        r#"user = [{ name = "a", kind = "number", colum = "age" }]"#,
        &expect!["unknown field `colum`, expected one of `name`, `column`, `transform`, `missing_flag`"],
    );
    check(
        r#"user = [{ name = "a", kind = "numbr" }]"#,
        &expect![
            "unknown variant `numbr`, expected one of `id`, `category`, `bag`, `hash`, `words`, `trigrams`, `number`, `history`, `event_count`, `item_count`, `hour`, `weekday`, `month`, `weekend`, `cross`, `channel`, `channel_count`, `category_affinity`, `similarity`, `type_similarity`"
        ],
    );
    check(r#"user = [{ name = "a" }]"#, &expect!["missing field `kind`"]);
    check(
        r#"user = [{ kind = "id" }]"#,
        &expect!["features.user.name: a feature needs a name"],
    );
    check(
        r#"user = [{ name = "a", kind = "id" }, { name = "a", kind = "id" }]"#,
        &expect!["features.user.name: two features are called `a`"],
    );
    check(
        r#"user = [{ name = "a", kind = "id", oov_buckets = 9999999 }]"#,
        &expect!["features.user.a.oov_buckets: 9999999 is not in 0..=1048576"],
    );
    check(
        r#"user = [{ name = "a", kind = "history", last = 0 }]"#,
        &expect!["features.user.a.last: 0 is not at least 1"],
    );
    check(
        r#"user = [{ name = "a", kind = "category", column = "gender", pooling = "mean" }]"#,
        &expect!["features.user.a.pooling: a category is one word; pooling is for kind `bag`"],
    );
    check(
        r#"user = [{ name = "a", kind = "number", column = "age", transform = { boundaries = [2, 1] } }]"#,
        &expect![
            "features.user.a.transform: boundaries must be finite and ascending, at least one; got [2.0, 1.0]"
        ],
    );
    check(
        r#"item = [{ name = "n", kind = "item_count", transform = { quantiles = 1 } }]"#,
        &expect!["features.item.n.transform: quantiles: 1 is not in 2..=1000"],
    );
    check(
        r#"user = [{ name = "a", kind = "number", column = "age", transform = { quantiles = 3 }, missing_flag = true }]"#,
        &expect!["features.user.a.missing_flag: buckets have one for missing values already"],
    );
    check(
        r#"user = [{ name = "a", kind = "channel", channel = "popular" }]"#,
        &expect![
            "features.user.a: kind `channel` cannot stand here; user features are of kind id, category, bag, hash, words, trigrams, number, history, event_count, hour, weekday, month, weekend, cross"
        ],
    );
    check(
        r#"context = [{ name = "a", kind = "id" }]"#,
        &expect![
            "features.context.a: kind `id` cannot stand here; context features are of kind hour, weekday, month, weekend, cross"
        ],
    );
    check(
        r#"user = [{ name = "a", kind = "number", column = "height" }]"#,
        &expect![
            "feature `a` reads the column `height`, which the user attributes do not have; they have: gender, member, age, interests, strengths, joined"
        ],
    );
    check(
        r#"user = [{ name = "a", kind = "number", column = "gender" }]"#,
        &expect!["feature `a`: column `gender` is Utf8, expected numbers or flags"],
    );
    check(
        r#"user = [{ name = "a", kind = "category", column = "age" }]"#,
        &expect![
            "feature `a`: column `age` is Float64, expected text, integers or flags (lists are for kind `bag`)"
        ],
    );
    check(
        r#"item = [{ name = "a", kind = "category", column = "category" }]"#,
        &expect![
            "feature `a`: column `category` is List(Utf8), expected text, integers or flags (lists are for kind `bag`)"
        ],
    );
    check(
        r#"candidate = [{ name = "a", kind = "channel", channel = "dssm" }]"#,
        &expect!["features.candidate.a.channel: there is no channel `dssm`; there are: item_cf, popular"],
    );
    check(
        r#"candidate = [{ name = "a", kind = "category_affinity", column = "category" }]"#,
        &expect![
            "features.candidate.a.column: an item feature of kind `category` or `bag` must read the column `category`"
        ],
    );
}

#[test]
fn the_newer_kinds_say_what_is_wrong_with_their_settings() {
    for (recipe, expected) in [
        (
            r#"user = [{ name = "a", kind = "hash", column = "gender", buckets = 0 }]"#,
            expect!["features.user.a.buckets: 0 is not in 1..=16777216"],
        ),
        (
            r#"user = [{ name = "a", kind = "hash", column = "gender", hashes = 9 }]"#,
            expect!["features.user.a.hashes: 9 is not in 1..=8"],
        ),
        (
            r#"user = [{ name = "a", kind = "hash", column = "age" }]"#,
            expect!["feature `a`: column `age` is Float64, expected text, lists of text, integers or flags"],
        ),
        (
            r#"user = [{ name = "a", kind = "bag", column = "interests", max = 0 }]"#,
            expect!["features.user.a.max: 0 is not at least 1; leave `max` out to keep all words"],
        ),
        (
            r#"user = [{ name = "a", kind = "bag", column = "interests", keep = "last" }]"#,
            expect!["features.user.a.keep: nothing is left out without `max`"],
        ),
        (
            r#"user = [{ name = "a", kind = "bag", column = "interests", max = 2, keep = "heaviest" }]"#,
            expect!["features.user.a.keep: the heaviest are known only with `weights`"],
        ),
        (
            r#"user = [{ name = "a", kind = "bag", column = "interests", weights = "age" }]"#,
            expect!["feature `a`: column `age` is Float64, expected lists of numbers"],
        ),
        (
            r#"user = [{ name = "a", kind = "bag", column = "interests", weights = "strength" }]"#,
            expect![
                "feature `a` reads the column `strength`, which the user attributes do not have; they have: gender, member, age, interests, strengths, joined; did you mean `strengths`?"
            ],
        ),
        (
            r#"user = [{ name = "a", kind = "category", column = "gender", max = 2 }]"#,
            expect!["features.user.a.max: a category is one word; max is for kind `bag`"],
        ),
        (
            r#"user = [{ name = "a", kind = "category" }]"#,
            expect!["features.user.a.column: this kind reads a column of the attributes; name one"],
        ),
        (
            r#"user = [{ name = "a", kind = "history", half_life = { days = 0 } }]"#,
            expect!["features.user.a.half_life: 0.0 is not finite and at least 1 ms"],
        ),
        (
            r#"user = [{ name = "a", kind = "history", half_life = { days = 1e-300 } }]"#,
            expect!["features.user.a.half_life: 1e-300 is not finite and at least 1 ms"],
        ),
        (
            r#"user = [{ name = "a", kind = "history", half_life = { positions = 1e-9 } }]"#,
            expect!["features.user.a.half_life: 1e-9 is not finite and at least 0.001 positions"],
        ),
        (
            r#"user = [{ name = "a", kind = "history", half_life = { days = 1e308 } }]"#,
            expect!["features.user.a.half_life: longer than any time; leave `half_life` out"],
        ),
        (
            r#"user = [{ name = "a", kind = "history", half_life = { weeks = 1 } }]"#,
            expect!["unknown variant `weeks`, expected one of `positions`, `hours`, `days`"],
        ),
    ] {
        check(recipe, &expected);
    }
}

#[test]
fn moments_crosses_and_wrong_names_are_refused_by_name() {
    for (recipe, expected) in [
        (
            r#"context = [{ name = "a", kind = "hour", utc_offset = "+15:00" }]"#,
            expect![[
                r#"features.context.a.utc_offset: "+15:00" is not an offset from -14:00 to +14:00, as in "+05:30""#
            ]],
        ),
        (
            r#"context = [{ name = "a", kind = "hour", column = "joined" }]"#,
            expect![
                "features.context.a.column: the context has only the moment of the request; leave `column` out"
            ],
        ),
        (
            r#"context = [{ name = "a", kind = "weekend", cyclic = true }]"#,
            expect!["features.context.a.cyclic: a weekend is a yes or a no, which has no period"],
        ),
        (
            r#"user = [{ name = "a", kind = "hour" }]"#,
            expect!["features.user.a.column: this kind reads a column of the attributes; name one"],
        ),
        (
            r#"user = [{ name = "a", kind = "hour", column = "age" }]"#,
            expect!["feature `a`: column `age` is Float64, expected timestamps in milliseconds"],
        ),
        (
            r#"context = [{ name = "a", kind = "cross", features = ["hour"] }]"#,
            expect!["features.context.a.features: 1 names; a cross needs 2 to 4"],
        ),
        (
            r#"user = [{ name = "age_group", kind = "category", column = "gender" }, { name = "x", kind = "cross", features = ["age_grup", "age_group"] }]"#,
            expect![
                "features.user.x.features: there is no feature `age_grup`; did you mean `age_group`?; features of ids before it: age_group"
            ],
        ),
        (
            r#"user = [{ name = "age", kind = "number", column = "age" }, { name = "x", kind = "cross", features = ["age", "age"] }]"#,
            expect![
                "features.user.x.features: `age` (kind `number`) comes out as numbers; only features of ids can be crossed"
            ],
        ),
        (
            r#"item = [{ name = "genres", kind = "bag", column = "category" }]
               candidate = [{ name = "x", kind = "cross", features = ["genres", "item.genre"] }]"#,
            expect![
                "features.candidate.x.features: there is no feature `genres`; features of ids, as `side.name`: item.genres"
            ],
        ),
        (
            r#"user = [
                { name = "h", kind = "hash", buckets = 100000 },
                { name = "x", kind = "cross", features = ["h", "h"] },
            ]"#,
            expect![
                "features.user.x.buckets: 0 gives each of 10000000000 combinations an id, at most 16777216 are allowed; choose 1..=16777216"
            ],
        ),
        (
            r#"user = [{ name = "a", kind = "number", column = "agge" }]"#,
            expect![
                "feature `a` reads the column `agge`, which the user attributes do not have; they have: gender, member, age, interests, strengths, joined; did you mean `age`?"
            ],
        ),
        (
            r#"candidate = [{ name = "a", kind = "channel", channel = "itemcf" }]"#,
            expect![
                "features.candidate.a.channel: there is no channel `itemcf`; there are: item_cf, popular; did you mean `item_cf`?"
            ],
        ),
    ] {
        check(recipe, &expected);
    }
}

#[test]
fn a_kind_on_a_wrong_side_is_refused_before_there_is_data() {
    for side in Side::ALL {
        for kind in Side::ALL.into_iter().flat_map(Side::kinds) {
            let recipe = format!(r#"{side} = [{{ name = "a", kind = "{kind}" }}]"#);
            let answer = spec(&recipe).validate();
            let refused = matches!(answer, Err(Error::WrongSide { .. }));
            assert_eq!(refused, !side.kinds().contains(kind), "{recipe}: {answer:?}");
        }
    }
}

#[test]
fn a_half_life_in_time_needs_times() {
    let mut world = World::new();
    world.events.iter_mut().for_each(|event| event.2 = i64::MIN);
    let spec = spec(r#"user = [{ name = "n", kind = "history", half_life = { days = 1 } }]"#);
    expect!["features.user.n.half_life: no event of the log has a time; choose { positions = … }"]
        .assert_eq(&world.try_fit(&spec).expect_err("refused").to_string());
}

#[test]
fn an_item_count_up_to_a_moment_needs_moments() {
    let mut world = World::new();
    world.events.iter_mut().for_each(|event| event.2 = i64::MIN);
    let spec = spec(r#"candidate = [{ name = "n", kind = "item_count" }]"#);
    assert!(matches!(world.try_fit(&spec), Err(Error::NoTimes { feature }) if feature == "n"));
}

#[test]
fn tables_of_another_run_are_refused_and_leave_nothing_behind() {
    let world = World::new();
    let fitted = world.fit();
    let mut out = FeatureBatch::default();
    let other = Vocabulary::from_counts([("x", 5), ("i0", 3), ("i1", 2), ("i2", 2), ("i3", 1)]);
    let attributes = world.item_attributes();
    let answer = fitted.transform_items(&other, &attributes, &mut out);
    assert!(matches!(answer, Err(Error::OtherVocabulary)));
    let answer = fitted.transform_items(&world.items, &AttributeTable::empty(3), &mut out);
    assert!(matches!(
        answer,
        Err(Error::RowCount {
            rows: 3,
            expected: 5,
            ..
        })
    ));
    let answer = fitted.transform_items(&world.items, &AttributeTable::empty(5), &mut out);
    assert!(matches!(answer, Err(Error::MissingColumn { .. })));
    assert_eq!(
        out,
        FeatureBatch {
            rows: 0,
            ..out.clone()
        }
    );
    fitted
        .transform_items(&world.items, &attributes, &mut out)
        .expect("the buffer is still good");
    assert_eq!(out, world.catalogue(&fitted));
}

#[test]
fn a_row_that_fails_leaves_the_batch_as_it_was() {
    let world = World::new();
    let fitted = world.fit();
    let attributes = world.user_attributes();
    let mut out = FeatureBatch::default();
    let good = UserInput {
        attributes: Some((&attributes, 0)),
        ..UserInput::anonymous(Time::UNKNOWN)
    };
    fitted.transform_user(&good, &mut out).expect("a row");
    let before = out.clone();
    let mut columns = world.user_columns.clone();
    columns.retain(|(name, _)| *name != "age");
    // Three features are written before the one that fails.
    let bad = World::table(&columns, &world.users);
    let bad = UserInput {
        attributes: Some((&bad, 0)),
        ..good
    };
    let answer = fitted.transform_user(&bad, &mut out);
    assert!(matches!(answer, Err(Error::MissingColumn { column, .. }) if column == "age"));
    assert_eq!(out, before);
}

#[test]
fn candidates_and_batches_of_another_bundle_are_refused() {
    let world = World::new();
    let fitted = world.fit();
    let items = world.catalogue(&fitted);
    let mut profile = UserProfile::default();
    let mut out = FeatureBatch::default();
    let candidate = |item, sources| CandidateInput {
        item: ItemIdx(item),
        sources,
    };
    let answer = fitted.transform_candidates(&profile, &items, &[candidate(0, &[])], &mut out);
    assert!(matches!(answer, Err(Error::OtherProfile)));
    let now = Time::from_millis(1);
    fitted
        .profile(&UserInput::anonymous(now), &items, &mut profile)
        .expect("a profile");
    let answer = fitted.transform_candidates(&profile, &items, &[candidate(5, &[])], &mut out);
    assert!(matches!(answer, Err(Error::UnknownItem { item: 5, n_items: 5 })));
    let stray = [ChannelHit {
        channel: 2,
        rank: 1,
        score: 0.0,
    }];
    let answer = fitted.transform_candidates(&profile, &items, &[candidate(0, &stray)], &mut out);
    assert!(matches!(
        answer,
        Err(Error::ChannelOutOfRange {
            channel: 2,
            n_channels: 2
        })
    ));
    assert!(matches!(
        fitted.clone().fit_channel_scores(stray),
        Err(Error::ChannelOutOfRange { .. })
    ));
    let answer = fitted.transform_candidates(&profile, &out.clone(), &[], &mut out);
    assert!(matches!(answer, Err(Error::WrongShape { side: Side::Item })));
    let mut full = items.clone();
    let answer = fitted.transform_user(&UserInput::anonymous(now), &mut full);
    assert!(matches!(answer, Err(Error::WrongShape { side: Side::User })));
    assert_eq!(full, items);
}
