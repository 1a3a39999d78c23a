//! The laws of fitted features, for any input.

use catchment_features::{
    CandidateInput, ChannelHit, ContextInput, FeatureBatch, FeatureColumn, FittedFeatures, UserInput,
    UserProfile,
};
use catchment_schema::{AttributeTable, Event, History, ItemIdx, Time};
use proptest::prelude::*;

use crate::world::World;

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
                prop_assert!(weights.iter().all(|weight| weight.is_finite() && *weight > 0.0));
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
        let (fitted, attributes) = (world.fit(), world.user_attributes());
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
        let (fitted, attributes) = (world.fit(), world.user_attributes());
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
}

#[test]
fn items_grown_after_the_fit_keep_the_rows_that_were_there() {
    let world = World::new();
    let fitted = world.fit();
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
