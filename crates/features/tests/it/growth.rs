//! Vocabularies that grow keep their rows.

use std::collections::BTreeSet;

use catchment_features::{
    CandidateInput, Error, FeatureBatch, FeatureColumn, FittedFeatures, Side, UserInput, UserProfile,
};
use catchment_schema::arrow::array::{Array as _, new_null_array};
use catchment_schema::arrow::compute::concat;
use catchment_schema::{ItemIdx, Time, UserIdx, Vocabulary};
use expect_test::expect;

use crate::world::{World, growing_recipe, spec, user_at, whole_recipe};

/// What does not come out of data alone: rules with a vocabulary, or with no data at all.
const WITHOUT_NUMBERS: &str = r#"
user = [
    { name = "user", kind = "id", oov_buckets = 3 },
    { name = "gender", kind = "category", column = "gender", oov_buckets = 2 },
    { name = "interests", kind = "bag", column = "interests", oov_buckets = 2, pooling = "mean" },
    { name = "few", kind = "bag", column = "interests", weights = "strengths", max = 1, keep = "heaviest", oov_buckets = 0 },
    { name = "hashed", kind = "hash", column = "interests", buckets = 50, hashes = 2 },
    { name = "recent", kind = "history" },
    { name = "both", kind = "cross", features = ["gender", "interests"], buckets = 100 },
]
item = [{ name = "item", kind = "id" }, { name = "genres", kind = "bag", column = "category", min_count = 2 }]
"#;

fn users_of(world: &World, fitted: &FittedFeatures) -> FeatureBatch {
    let (attributes, histories) = (world.user_attributes(), world.histories());
    let mut out = FeatureBatch::default();
    for row in 0..4 {
        let input = user_at(world, &attributes, &histories, row, Time::from_millis(100));
        fitted.transform_user(&input, &mut out).expect("a row");
    }
    // Words that no fit has seen: their buckets must not move either.
    let unknown = UserInput {
        id: Some("somebody new"),
        history: histories.of(UserIdx(0)),
        ..UserInput::anonymous(Time::from_millis(15))
    };
    fitted.transform_user(&unknown, &mut out).expect("a row");
    out
}

/// Ids, offsets and weights of all columns, without their cardinalities.
fn rows(batch: &FeatureBatch) -> Vec<(Vec<u32>, Vec<u32>, Vec<u32>)> {
    let columns = batch.columns.iter().map(|column| match column {
        FeatureColumn::Bag {
            offsets,
            ids,
            weights,
            ..
        } => (
            offsets.clone(),
            ids.clone(),
            weights.iter().map(|weight| weight.to_bits()).collect(),
        ),
        FeatureColumn::Dense { values, .. } => (
            Vec::new(),
            Vec::new(),
            values.iter().map(|value| value.to_bits()).collect(),
        ),
    });
    columns.collect()
}

#[test]
fn old_rows_are_equal_to_the_bit_before_and_after_a_growth() {
    let (world, mut later) = (World::new(), World::new());
    later.grow();
    let recipe = spec(WITHOUT_NUMBERS);
    let fitted = world.try_fit(&recipe).expect("fitted");
    let grown = later.try_grow(&recipe, &fitted).expect("grown").features;
    assert_eq!(rows(&users_of(&world, &fitted)), rows(&users_of(&world, &grown)));
    // Genres are counted in rows: `war` was rare and shared the bucket, and has an id of its own now; drama and comedy
    // keep theirs, though the new data has neither.
    let genres = |fitted: &FittedFeatures| {
        // The items of the later world, with the genres of the earlier one.
        let old = &world.item_columns[0].1;
        let one_more = concat(&[old, &new_null_array(old.data_type(), 1)]).expect("one type");
        let mut items = World::new();
        items.items = later.items.clone();
        items.item_columns = vec![("category", one_more)];
        let items = items.catalogue(fitted);
        (0..5)
            .map(|row| items.row(row).bag(1).0.to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        genres(&fitted),
        [vec![1, 0], vec![0], vec![1, 2], vec![], vec![0]]
    );
    assert_eq!(genres(&grown), [vec![1, 0], vec![0], vec![1, 4], vec![], vec![0]]);
    // A third fit keeps both.
    let again = world.try_grow(&recipe, &grown);
    assert!(
        matches!(again, Err(Error::OtherVocabulary)),
        "the items have become fewer"
    );
    let again = later.try_grow(&recipe, &grown).expect("grown").features;
    assert_eq!(rows(&users_of(&later, &grown)), rows(&users_of(&later, &again)));
}

#[test]
fn new_words_stand_behind_the_buckets_and_new_items_behind_the_unknown_one() {
    let (world, mut later) = (World::new(), World::new());
    later.grow();
    let recipe = spec(WITHOUT_NUMBERS);
    let fitted = world.try_fit(&recipe).expect("fitted");
    let fit = later.try_grow(&recipe, &fitted).expect("grown");
    let of = |name: &str| {
        let report = fit
            .report
            .iter()
            .find(|report| report.name == name)
            .expect("a feature");
        (report.words, report.known, report.appended, report.left_out)
    };
    // f, m | two buckets | d, x.
    assert_eq!(of("gender"), (3, 4, 2, 0));
    assert_eq!(of("interests"), (2, 3, 1, 0));
    let row = users_of(&later, &fit.features);
    assert_eq!(row.row(0).bag(1).0, [4]);
    let (attributes, histories) = (later.user_attributes(), later.histories());
    let mut out = FeatureBatch::default();
    let input = user_at(&later, &attributes, &histories, 4, Time::from_millis(100));
    fit.features.transform_user(&input, &mut out).expect("a row");
    // i0 … i4, the unknown one, i5.
    assert_eq!(out.row(0).bag(5).0, [6]);
    assert_eq!(fit.features.shape(Side::User)[5].kind, fitted_kind(7));
    assert_eq!(histories.of(UserIdx(4)).events()[0].item, ItemIdx(5));
}

fn fitted_kind(cardinality: u32) -> catchment_features::ColumnKind {
    catchment_features::ColumnKind::Bag { cardinality }
}

#[test]
fn the_lineage_names_every_fit_and_a_growth_that_changes_nothing_is_none() {
    let (world, mut later) = (World::new(), World::new());
    later.grow();
    let recipe = spec(&growing_recipe());
    let fitted = world.try_fit(&recipe).expect("fitted");
    assert!(fitted.lineage().is_empty());
    let same = world.try_grow(&recipe, &fitted).expect("grown").features;
    assert_eq!(same, fitted);
    let grown = later.try_grow(&recipe, &fitted).expect("grown").features;
    assert_eq!(grown.lineage(), [fitted.fingerprint()]);
    later.events.push((4, 0, 41));
    let again = later.try_grow(&recipe, &grown).expect("grown").features;
    assert_eq!(again.lineage(), [fitted.fingerprint(), grown.fingerprint()]);
    let anew = later.try_fit(&recipe).expect("fitted");
    let all = [&fitted, &grown, &again, &anew].map(FittedFeatures::fingerprint);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 4);
}

/// The dense columns of a side, by their names.
fn dense(fitted: &FittedFeatures, side: Side, batch: &FeatureBatch) -> Vec<(String, Vec<f32>)> {
    let columns = fitted.shape(side).into_iter().zip(&batch.columns);
    let named = columns.filter_map(|(shape, column)| match column {
        FeatureColumn::Dense { values, .. } => Some((shape.name, values.clone())),
        FeatureColumn::Bag { .. } => None,
    });
    named.collect()
}

#[test]
fn counted_anew_an_item_has_its_own_count_and_everything_else_stays() {
    let world = World::new();
    let recipe = r#"
user = [{ name = "events", kind = "event_count", transform = "z_score" }]
item = [
    { name = "item", kind = "id" },
    { name = "popularity", kind = "item_count", transform = "none" },
    { name = "band", kind = "item_count", transform = { quantiles = 2 } },
    { name = "price", kind = "number", column = "price", transform = "z_score" },
]
candidate = [{ name = "so_far", kind = "item_count", transform = "none" }]
"#;
    let fitted = world.try_fit(&spec(recipe)).expect("fitted");
    // i4, which nobody had, is now the favourite.
    let mut later = World::new();
    later
        .events
        .extend([(0, 4, 40), (1, 4, 41), (2, 4, 42), (2, 4, 43)]);
    let recounted = fitted.recount(&later.histories());
    let (before, after) = (world.catalogue(&fitted), world.catalogue(&recounted));
    let (before_dense, after_dense) = (
        dense(&fitted, Side::Item, &before),
        dense(&recounted, Side::Item, &after),
    );
    assert_eq!(
        before_dense[0],
        ("popularity".to_owned(), vec![3.0, 2.0, 2.0, 1.0, 0.0])
    );
    assert_eq!(
        after_dense[0],
        ("popularity".to_owned(), vec![3.0, 2.0, 2.0, 1.0, 4.0])
    );
    assert_eq!(before_dense[1], after_dense[1], "the price keeps its scale");
    // The ids are those of before, and the bounds between the bands are: i4 moves to the upper band.
    let (old, new) = (rows(&before), rows(&after));
    assert_eq!(old[0], new[0]);
    assert_eq!(old[2].1[..4], new[2].1[..4]);
    assert_eq!(new[2].1[4], old[2].1[0]);
    assert_eq!(fitted.shape(Side::Item), recounted.shape(Side::Item));

    let so_far = |fitted: &FittedFeatures, items: &FeatureBatch| {
        let mut profile = UserProfile::default();
        let input = UserInput::anonymous(Time::from_millis(100));
        fitted.profile(&input, items, &mut profile).expect("a profile");
        let mut out = FeatureBatch::default();
        let candidate = CandidateInput {
            item: ItemIdx(4),
            sources: &[],
        };
        fitted
            .transform_candidates(&profile, items, &[candidate], &mut out)
            .expect("a row");
        dense(fitted, Side::Candidate, &out)[0].1.clone()
    };
    assert_eq!(
        (so_far(&fitted, &before), so_far(&recounted, &after)),
        (vec![0.0], vec![4.0])
    );

    assert_eq!(recounted.lineage(), [fitted.fingerprint()]);
    assert_ne!(recounted.fingerprint(), fitted.fingerprint());
    assert_eq!(fitted.recount(&world.histories()), fitted);
}

#[test]
fn what_cannot_grow_says_so() {
    let (world, mut later) = (World::new(), World::new());
    later.grow();
    let recipe = spec(&whole_recipe());
    let fitted = world.try_fit(&recipe).expect("fitted");
    expect!["features.user.gender_age.buckets: without buckets the combinations are numbered anew when a part grows; choose 1..=16777216"].assert_eq(
        &later
            .try_grow(&recipe, &fitted)
            .expect_err("a cross without buckets")
            .to_string(),
    );
    let other = whole_recipe().replacen("oov_buckets = 3", "oov_buckets = 4", 1);
    expect!["features.user.user.oov_buckets: 4, but the vocabulary that grows has 3 buckets, between its old words and its new ones"].assert_eq(
        &world
            .try_grow(&spec(&other), &fitted)
            .expect_err("other buckets")
            .to_string(),
    );
    later.items = Vocabulary::from_counts([("i9", 9), ("i1", 8), ("i2", 7), ("i3", 6), ("i4", 5), ("i5", 4)]);
    assert!(matches!(
        later.try_grow(&recipe, &fitted),
        Err(Error::OtherVocabulary)
    ));
}
