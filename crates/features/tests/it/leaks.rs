//! Nothing of the future is seen.

use catchment_features::{CandidateInput, FeatureBatch, FittedFeatures, UserProfile};
use catchment_schema::{ItemIdx, Time};
use proptest::prelude::*;

use crate::world::{RECIPE, World, spec, user_at};

/// The user's row and the rows of all items as candidates, `now` being the moment of an event.
fn rows(world: &World, fitted: &FittedFeatures, user: u32, now: i64) -> (FeatureBatch, FeatureBatch) {
    let (attributes, histories) = (world.user_attributes(), world.histories());
    let now = Time::from_millis(now);
    let input = user_at(world, &attributes, &histories, user as usize, now);
    let (mut row, mut candidates) = (FeatureBatch::default(), FeatureBatch::default());
    fitted.transform_user(&input, &mut row).expect("a row");
    let items = world.catalogue(fitted);
    let mut profile = UserProfile::default();
    fitted.profile(&input, &items, &mut profile).expect("a profile");
    let all: Vec<_> = (0..5)
        .map(|item| CandidateInput {
            item: ItemIdx(item),
            sources: &[],
        })
        .collect();
    fitted
        .transform_candidates(&profile, &items, &all, &mut candidates)
        .expect("rows");
    (row, candidates)
}

/// Features whose state or input is the log itself, without scalers.
const COUNTS: &str = r#"
user = [{ name = "events", kind = "event_count" }, { name = "recent", kind = "history" }]
item = [{ name = "genres", kind = "bag", column = "category" }]
candidate = [
    { name = "so_far", kind = "item_count", transform = "none" },
    { name = "taste", kind = "category_affinity", column = "category" },
]
"#;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// Law 3: rows at a moment are equal whether the log, at the fit and at the transform, ends there or goes on.
    #[test]
    fn rows_do_not_change_with_what_happens_later(
        later in proptest::collection::vec((0u32..4, 0u32..5, 0i64..30), 0..12),
        user in 0u32..4,
        now in 11i64..40,
    ) {
        let mut ended = World::new();
        ended.events.retain(|&(_, _, time)| time < now);
        let mut goes_on = World::new();
        goes_on.events.extend(later.iter().map(|&(user, item, after)| (user, item, now + after)));
        goes_on.events.sort_by_key(|&(user, item, time)| (user, time, item));
        let counts = spec(COUNTS);
        let knows_the_past = ended.try_fit(&counts).expect("fitted");
        let knows_all = goes_on.try_fit(&counts).expect("fitted");
        let expected = rows(&ended, &knows_the_past, user, now);
        prop_assert_eq!(&expected, &rows(&goes_on, &knows_all, user, now));
        prop_assert_eq!(&expected, &rows(&ended, &knows_all, user, now));
    }
}

#[test]
fn an_event_does_not_count_itself() {
    let world = World::new();
    let recipe = r#"user = [{ name = "n", kind = "event_count", transform = "none" }]
                    candidate = [{ name = "n", kind = "item_count", transform = "none" }]"#;
    let fitted = world.try_fit(&spec(recipe)).expect("fitted");
    // User 0 meets items 1 and 2 at 20; item 0 was met by user 1 at 15.
    let (user, candidates) = rows(&world, &fitted, 0, 20);
    assert_eq!(user.row(0).dense(0), [1.0]);
    let counts: Vec<f32> = (0..5)
        .flat_map(|row| candidates.row(row).dense(0).to_vec())
        .collect();
    assert_eq!(counts, [2.0, 1.0, 1.0, 0.0, 0.0]);
    let (_, candidates) = rows(&world, &fitted, 0, 1_000);
    let counts: Vec<f32> = (0..5)
        .flat_map(|row| candidates.row(row).dense(0).to_vec())
        .collect();
    assert_eq!(counts, [3.0, 2.0, 2.0, 1.0, 0.0]);
}

#[test]
fn the_item_side_knows_only_the_log_that_the_fit_was_given() {
    let mut world = World::new();
    world.events.retain(|&(_, _, time)| time < 15);
    let recipe = r#"item = [{ name = "n", kind = "item_count", transform = "none" }]"#;
    let fitted = world.try_fit(&spec(recipe)).expect("fitted");
    let items = world.catalogue(&fitted);
    let counts: Vec<f32> = (0..5).flat_map(|row| items.row(row).dense(0).to_vec()).collect();
    // Not the 3, 2, 2, 1, 0 of the vocabulary.
    assert_eq!(counts, [1.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn without_a_moment_the_history_is_taken_as_given_and_item_counts_are_zero() {
    let world = World::new();
    let fitted = world.fit();
    let (attributes, histories) = (world.user_attributes(), world.histories());
    let input = user_at(&world, &attributes, &histories, 0, Time::UNKNOWN);
    assert_eq!(input.known_history().len(), 4);
    let mut profile = UserProfile::default();
    let items = world.catalogue(&fitted);
    fitted.profile(&input, &items, &mut profile).expect("a profile");
    let candidate = CandidateInput {
        item: ItemIdx(0),
        sources: &[],
    };
    let mut out = FeatureBatch::default();
    fitted
        .transform_candidates(&profile, &items, &[candidate], &mut out)
        .expect("a row");
    let so_far = spec(RECIPE)
        .candidate
        .iter()
        .position(|config| config.name() == "so_far");
    assert_eq!(out.row(0).dense(so_far.expect("in the recipe")), [0.0]);
}
