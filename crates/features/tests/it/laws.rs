//! The laws of fitted features, for any input.

use std::sync::Arc;

use catchment_features::{
    CandidateInput, ChannelHit, ContextInput, FeatureBatch, FeatureColumn, FitTables, FittedFeatures,
    UserInput, UserProfile,
};
use catchment_schema::arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int64Array, ListBuilder, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use catchment_schema::{AttributeTable, Event, Histories, History, ItemIdx, Time, Vocabulary};
use proptest::prelude::*;

use crate::world::{World, spec};

#[derive(Clone, Debug)]
struct AnyUser {
    id: Option<String>,
    row: Option<usize>,
    events: Vec<Event>,
    now: Time,
}

fn any_user() -> impl Strategy<Value = AnyUser> {
    let event = (
        0u32..9,
        prop_oneof![1 => Just(None), 9 => (0i64..40).prop_map(Some)],
    );
    (
        proptest::option::of("u[0-9]|.{0,3}"),
        proptest::option::of(0usize..6),
        proptest::collection::vec(event, 0..8),
        proptest::option::of(0i64..50),
    )
        .prop_map(|(id, row, events, now)| {
            let mut events: Vec<Event> = events
                .into_iter()
                .map(|(item, time)| Event::new(ItemIdx(item), Time::from(time)))
                .collect();
            events.sort_by_key(|event| event.time);
            AnyUser {
                id,
                row,
                events,
                now: Time::from(now),
            }
        })
}

impl AnyUser {
    fn input<'a>(&'a self, attributes: &'a AttributeTable) -> UserInput<'a> {
        UserInput {
            id: self.id.as_deref(),
            attributes: self.row.map(|row| (attributes, row)),
            history: History::new(&self.events),
            everything: None,
            now: self.now,
        }
    }
}

fn any_hits() -> impl Strategy<Value = Vec<ChannelHit>> {
    let hit = (0u16..2, 0u32..600, proptest::num::f32::ANY);
    let hit = hit.prop_map(|(channel, rank, score)| ChannelHit { channel, rank, score });
    proptest::collection::vec(hit, 0..4)
}

/// Law 1, and what the layout of a batch promises.
fn check_batch(batch: &FeatureBatch) -> Result<(), TestCaseError> {
    for column in &batch.columns {
        match column {
            FeatureColumn::Dense { width, values } => {
                prop_assert_eq!(values.len(), width * batch.rows);
                prop_assert!(values.iter().all(|value| value.is_finite()));
                prop_assert!(values.iter().all(|value| value.to_bits() != (-0.0f32).to_bits()));
            }
            FeatureColumn::Bag {
                cardinality,
                offsets,
                ids,
                weights,
            } => {
                prop_assert_eq!(offsets.len(), batch.rows + 1);
                prop_assert_eq!(offsets[batch.rows] as usize, ids.len());
                prop_assert_eq!(weights.len(), ids.len());
                prop_assert!(offsets.windows(2).all(|pair| pair[0] <= pair[1]));
                prop_assert!(ids.iter().all(|id| id < cardinality));
                prop_assert!(weights.iter().all(|weight| weight.is_finite() && *weight != 0.0));
            }
        }
    }
    Ok(())
}

/// Rows one after the other give the rows of the batch, to the bit.
fn check_rows(batch: &FeatureBatch, single: &FeatureBatch, row: usize) -> Result<(), TestCaseError> {
    let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    for place in 0..batch.columns.len() {
        prop_assert_eq!(
            bits(batch.row(row).dense(place)),
            bits(single.row(0).dense(place))
        );
        let ((ids, weights), (other_ids, other_weights)) =
            (batch.row(row).bag(place), single.row(0).bag(place));
        prop_assert_eq!((ids, bits(weights)), (other_ids, bits(other_weights)));
    }
    Ok(())
}

fn profile_of(fitted: &FittedFeatures, items: &FeatureBatch, input: &UserInput<'_>) -> UserProfile {
    let mut profile = UserProfile::default();
    fitted.profile(input, items, &mut profile).expect("a profile");
    profile
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn user_and_context_rows_do_not_depend_on_their_batch(
        users in proptest::collection::vec(any_user(), 1..6),
    ) {
        let world = World::new();
        let (fitted, attributes) = (world.fit_whole(), world.user_attributes());
        let (mut batch, mut contexts) = (FeatureBatch::default(), FeatureBatch::default());
        for user in &users {
            fitted.transform_user(&user.input(&attributes), &mut batch).expect("a row");
            fitted.transform_context(&ContextInput { now: user.now }, &mut contexts).expect("a row");
        }
        check_batch(&batch)?;
        check_batch(&contexts)?;
        // One buffer, cleared and filled again, as serving does it.
        let (mut single, mut context) = (FeatureBatch::default(), FeatureBatch::default());
        for (row, user) in users.iter().enumerate() {
            single.clear();
            fitted.transform_user(&user.input(&attributes), &mut single).expect("a row");
            check_rows(&batch, &single, row)?;
            context.clear();
            fitted.transform_context(&ContextInput { now: user.now }, &mut context).expect("a row");
            check_rows(&contexts, &context, row)?;
        }
    }

    #[test]
    fn candidate_rows_do_not_depend_on_their_batch(
        user in any_user(),
        earlier in any_user(),
        candidates in proptest::collection::vec((0u32..5, any_hits()), 1..8),
    ) {
        let world = World::new();
        let (fitted, attributes) = (world.fit_whole(), world.user_attributes());
        let items = world.catalogue(&fitted);
        let profile = profile_of(&fitted, &items, &user.input(&attributes));
        // A profile that was used for somebody else before is the same.
        let mut reused = profile_of(&fitted, &items, &earlier.input(&attributes));
        fitted.profile(&user.input(&attributes), &items, &mut reused).expect("a profile");
        let inputs: Vec<_> = candidates
            .iter()
            .map(|(item, sources)| CandidateInput { item: ItemIdx(*item), sources })
            .collect();
        let mut batch = FeatureBatch::default();
        fitted.transform_candidates(&profile, &items, &inputs, &mut batch).expect("rows");
        check_batch(&batch)?;
        prop_assert_eq!(batch.rows, inputs.len());
        for (row, input) in inputs.iter().enumerate() {
            let mut single = FeatureBatch::default();
            fitted.transform_candidates(&reused, &items, &[*input], &mut single).expect("a row");
            check_rows(&batch, &single, row)?;
        }
    }

    /// The catalogue is written column by column and, where it is large, by several threads; an item is a row of
    /// attributes like a user, who is written alone.
    #[test]
    fn a_column_of_the_catalogue_is_what_its_rows_are_alone(
        rows in proptest::collection::vec(any_attributes(), 1..12),
        repeats in prop_oneof![9 => Just(1usize), 1 => Just(400)],
    ) {
        let rows: Vec<AnyAttributes> = (0..repeats).flat_map(|_| rows.clone()).collect();
        let (vocabulary, table) = attributes(&rows);
        let recipe = |side: &str| spec(&format!("{side} = {ATTRIBUTES}"));
        let log = Histories::empty(0);
        let tables = FitTables {
            users: &vocabulary,
            items: &vocabulary,
            user_attributes: &table,
            item_attributes: &table,
            histories: &log,
            channels: &[],
        };
        let (by_user, by_item) = (recipe("user").fit(&tables), recipe("item").fit(&tables));
        let (by_user, by_item) = (by_user.expect("fitted"), by_item.expect("fitted"));
        let (mut catalogue, mut users) = (FeatureBatch::default(), FeatureBatch::default());
        by_item.transform_items(&vocabulary, &table, &mut catalogue).expect("transformed");
        check_batch(&catalogue)?;
        for row in 0..rows.len() {
            let input = UserInput {
                id: vocabulary.id(row),
                attributes: Some((&table, row)),
                ..UserInput::anonymous(Time::UNKNOWN)
            };
            users.clear();
            by_user.transform_user(&input, &mut users).expect("a row");
            check_rows(&catalogue, &users, row)?;
        }
    }
}

/// Every kind that reads attributes alone.
const ATTRIBUTES: &str = r#"[
    { name = "id", kind = "id", min_count = 2, oov_buckets = 5 },
    { name = "id_hashed", kind = "hash", buckets = 9, hashes = 2 },
    { name = "word", kind = "category", column = "word", min_count = 2, oov_buckets = 0 },
    { name = "code", kind = "category", column = "code", oov_buckets = 3 },
    { name = "words", kind = "bag", column = "words", pooling = "mean" },
    { name = "last", kind = "bag", column = "words", max = 2, keep = "last" },
    { name = "heavy", kind = "bag", column = "words", weights = "weights", max = 2, keep = "heaviest", pooling = "mean" },
    { name = "weighted", kind = "bag", column = "words", weights = "weights", min_count = 2 },
    { name = "hashed", kind = "hash", column = "words", buckets = 7, hashes = 3, signed = true, pooling = "mean" },
    { name = "plain", kind = "number", column = "number" },
    { name = "span", kind = "number", column = "number", transform = "min_max", missing_flag = true },
    { name = "z", kind = "number", column = "number", transform = "log_z_score", missing_flag = true },
    { name = "tenths", kind = "number", column = "number", transform = { quantiles = 10 } },
    { name = "month", kind = "month", column = "time", utc_offset = "-07:00" },
    { name = "day", kind = "weekday", column = "time", cyclic = true },
    { name = "rest", kind = "weekend", column = "time" },
    { name = "hour", kind = "hour", column = "time", utc_offset = "+05:45" },
    { name = "both", kind = "cross", features = ["word", "tenths"] },
    { name = "three", kind = "cross", features = ["words", "heavy", "hour"], buckets = 11 },
]"#;

#[derive(Clone, Debug)]
struct AnyAttributes {
    word: Option<String>,
    code: Option<i64>,
    words: Option<Vec<Option<String>>>,
    weights: Option<Vec<Option<f64>>>,
    number: Option<f64>,
    time: Option<i64>,
}

fn any_attributes() -> impl Strategy<Value = AnyAttributes> {
    let word = || "[a-d]?|.{0,3}";
    let number = prop_oneof![3 => -5.0..50.0, 1 => proptest::num::f64::ANY];
    (
        proptest::option::of(word()),
        proptest::option::of(prop_oneof![-3i64..3, Just(i64::MIN), Just(i64::MAX)]),
        proptest::option::of(proptest::collection::vec(
            proptest::option::weighted(0.9, word()),
            0..6,
        )),
        proptest::option::of(proptest::collection::vec(
            proptest::option::weighted(0.9, number.clone()),
            0..6,
        )),
        proptest::option::of(number),
        proptest::option::of(prop_oneof![3 => 0i64..4_000_000_000_000, 1 => (i64::MIN + 1)..i64::MAX]),
    )
        .prop_map(|(word, code, words, weights, number, time)| AnyAttributes {
            word,
            code,
            words,
            weights,
            number,
            time,
        })
}

/// The rows as a table, with as many ids; every third id is rare.
fn attributes(rows: &[AnyAttributes]) -> (Vocabulary, AttributeTable) {
    let ids = (0..rows.len()).map(|row| (format!("{row:05}"), if row % 3 == 0 { 1 } else { 2 }));
    let vocabulary = Vocabulary::from_counts(ids);
    let mut words = ListBuilder::new(StringBuilder::new());
    let mut weights = ListBuilder::new(Float64Builder::new());
    for row in rows {
        for word in row.words.iter().flatten() {
            words.values().append_option(word.as_deref());
        }
        words.append(row.words.is_some());
        for weight in row.weights.iter().flatten() {
            weights.values().append_option(*weight);
        }
        weights.append(row.weights.is_some());
    }
    let columns: Vec<(&'static str, ArrayRef)> = vec![
        (
            "word",
            Arc::new(rows.iter().map(|row| row.word.clone()).collect::<StringArray>()),
        ),
        (
            "code",
            Arc::new(rows.iter().map(|row| row.code).collect::<Int64Array>()),
        ),
        ("words", Arc::new(words.finish())),
        ("weights", Arc::new(weights.finish())),
        (
            "number",
            Arc::new(rows.iter().map(|row| row.number).collect::<Float64Array>()),
        ),
        (
            "time",
            Arc::new(
                rows.iter()
                    .map(|row| row.time)
                    .collect::<TimestampMillisecondArray>(),
            ),
        ),
    ];
    let table = World::table(&columns, &vocabulary);
    (vocabulary, table)
}

#[test]
fn items_grown_after_the_fit_keep_the_rows_that_were_there() {
    let world = World::new();
    let fitted = world.fit_whole();
    let before = world.catalogue(&fitted);
    check_batch(&before).expect("law 1");
    let grown = catchment_schema::Vocabulary::from_counts([
        ("i0", 3),
        ("i1", 2),
        ("i2", 2),
        ("i3", 1),
        ("i4", 0),
        ("new", 0),
    ]);
    let spec =
        crate::world::spec(r#"item = [{ name = "id", kind = "id" }, { name = "n", kind = "item_count" }]"#);
    let fitted = world.try_fit(&spec).expect("fitted");
    let mut after = FeatureBatch::default();
    fitted
        .transform_items(&grown, &AttributeTable::empty(6), &mut after)
        .expect("transformed");
    assert_eq!(after.rows, 6);
    assert_eq!(after.row(0).bag(0).0, [0]);
    // Never trained on: i4 (no event) and the new one share the bucket for unknown ids.
    assert_eq!(after.row(4).bag(0).0, [4]);
    assert_eq!(after.row(5).bag(0).0, [4]);
    assert_eq!(after.row(5).dense(1), [0.0]);
}
