//! The laws of the world, for any configuration.

use std::collections::BTreeSet;

use catchment_schema::Time;
use catchment_synthetic::{World, WorldConfig};
use proptest::prelude::*;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of small numbers"
)]
fn any_config() -> impl Strategy<Value = WorldConfig> {
    (
        (any::<u64>(), 2usize..60, 24usize..60, 0.0..1.0f64),
        (2usize..24, 2usize..12, 0.05..2.0f64, 0.0..2.0f64, 0.0..2.0f64),
        (0.0..0.5f64, 0.0..0.5f64, 2u16..60, 0.0..1.0f64),
    )
        .prop_map(
            |(
                (seed, n_users, n_items, fill),
                (n_categories, n_factors, temperature, quality, activity),
                cold,
            )| {
                let n_warm = n_users - (n_users as f64 * cold.0) as usize;
                let (fewest, most) = (n_users * 3, n_warm * (n_items / 3 * 3 / 4));
                WorldConfig {
                    seed,
                    n_users,
                    n_items,
                    n_events: fewest + (fill * (most - fewest) as f64) as usize,
                    n_categories,
                    n_factors,
                    temperature,
                    quality_spread: quality,
                    activity_spread: activity,
                    cold_user_share: cold.0,
                    cold_item_share: cold.1,
                    n_days: cold.2,
                    n_cold_days: 1 + (cold.3 * f64::from(cold.2 - 2)) as u16,
                    ..WorldConfig::default()
                }
            },
        )
}

fn check_laws(world: &World) {
    let config = world.config();
    assert_eq!(world.log().len(), config.n_events, "law 5");
    assert_eq!(
        (world.users().len(), world.items().len()),
        (config.n_users, config.n_items)
    );
    let start = Time::from_millis(config.start * 1000);
    for (position, user) in world.users().iter().enumerate() {
        let choices = world.choices_of(position);
        let items: BTreeSet<_> = choices.iter().map(|choice| choice.item).collect();
        assert_eq!(
            items.len(),
            choices.len(),
            "law 2: {} chose an item twice",
            user.id
        );
        assert!(choices.windows(2).all(|pair| pair[0].time < pair[1].time));
        for choice in choices {
            assert_eq!(choice.user, position);
            assert!(
                choice.time >= world.items()[choice.item].published_at,
                "law 2: unpublished"
            );
            assert!(choice.time >= start && choice.time < world.end_time());
            if user.is_cold || world.is_cold_item(choice.item) {
                assert!(choice.time >= world.split_time(), "law 4");
            }
        }
        assert!(
            user.is_cold || choices[0].time < world.split_time(),
            "law 4: {}",
            user.id
        );
        assert!(!choices.is_empty());
        assert!((16..=80).contains(&user.age));
    }
    for item in world.items() {
        assert!((1..=2).contains(&item.categories.len()));
        assert!(item.title.split(' ').count() >= 2);
        assert!(item.price_cents > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_world_obeys_the_laws(config in any_config()) {
        check_laws(&World::generate(&config).expect("allowed"));
    }

    #[test]
    fn the_same_seed_is_the_same_world_and_another_is_not(config in any_config()) {
        let world = World::generate(&config).expect("allowed");
        prop_assert_eq!(&World::generate(&config).expect("allowed"), &world);
        let other = WorldConfig { seed: config.seed.wrapping_add(1), ..config };
        prop_assert_ne!(World::generate(&other).expect("allowed").log(), world.log());
    }

    #[test]
    fn probabilities_sum_to_one_and_leave_out_what_cannot_be_chosen(config in any_config(), days in 0u16..60) {
        let world = World::generate(&config).expect("allowed");
        let at = Time::from_millis((config.start + i64::from(days) * 86_400) * 1000);
        let seen = [0, 5, 7];
        let probabilities = world.probabilities(1, at, &seen);
        prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        for (item, &probability) in probabilities.iter().enumerate() {
            let can_be = !seen.contains(&item) && world.items()[item].published_at <= at;
            prop_assert_eq!(probability > 0.0, can_be);
        }
        let list = world.ideal_list(1, at, &seen, 10);
        prop_assert!(list.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        let tenth = list.last().expect("something is left").1.exp();
        let n_better = probabilities.iter().filter(|probability| **probability > tenth * (1.0 + 1e-9)).count();
        prop_assert!(n_better < 10);
    }
}

#[test]
fn the_demo_world_obeys_the_laws_and_has_newcomers() {
    let world = World::generate(&WorldConfig::default()).expect("allowed");
    check_laws(&world);
    assert_eq!(world.users().iter().filter(|user| user.is_cold).count(), 60);
    let cold_items: BTreeSet<_> = world
        .log()
        .iter()
        .map(|choice| choice.item)
        .filter(|&item| world.is_cold_item(item))
        .collect();
    assert!(
        cold_items.len() > 20,
        "only {} cold items were chosen",
        cold_items.len()
    );
    let one_event = (0..2000)
        .filter(|&user| world.choices_of(user).len() == 1)
        .count();
    assert!(
        one_event > 5,
        "only {one_event} users are cold in a leave-last split"
    );
}
