//! The numbered laws, for any configuration.

use std::collections::BTreeSet;

use catchment_synthetic::Error;
use catchment_synthetic::marketplace::{HappeningKind, Marketplace, MarketplaceConfig, Part};
use proptest::prelude::*;

use super::{all_events, is_view, millis};

fn any_config() -> impl Strategy<Value = MarketplaceConfig> {
    let parts = proptest::sample::subsequence(Part::ALL.to_vec(), 0..=5);
    (
        (any::<u64>(), 1000u64..4000, 10u32..250, 24u32..3000),
        (14u16..120, 1u16..13, 0.0..1.5f64, parts),
        (
            0.0..0.3f64,
            0.0..0.2f64,
            0.0..0.2f64,
            proptest::option::of(1u16..13),
        ),
    )
        .prop_map(
            |((seed, n_views, n_users, n_items), (n_days, n_cold_days, tail, parts), shares)| {
                MarketplaceConfig {
                    seed,
                    n_views,
                    n_users,
                    n_items,
                    n_days,
                    n_cold_days,
                    tail_exponent: tail,
                    cold_user_share: shares.0,
                    cold_item_share: shares.1,
                    new_item_share: shares.2,
                    switch_day: shares.3,
                    with: parts.into_iter().collect(),
                    ..MarketplaceConfig::default()
                }
            },
        )
}

/// `None` where the users would have no time for so many views.
fn made(config: &MarketplaceConfig) -> Option<Marketplace> {
    match Marketplace::new(config) {
        Ok(marketplace) => Some(marketplace),
        Err(Error::BadConfig {
            key: "n_views" | "new_item_share",
            ..
        }) => None,
        Err(error) => panic!("{config:?}: {error}"),
    }
}

fn check_laws(marketplace: &Marketplace) {
    let config = marketplace.config();
    let (split, end) = (config.split_time(), config.end_time());
    let events = all_events(marketplace);
    let n_views = events.iter().filter(|event| is_view(event)).count() as u64;
    assert_eq!(n_views, config.n_views, "law 2");
    if !config.has(Part::Bookings) {
        assert_eq!(events.len() as u64, n_views);
    }
    let users: BTreeSet<u32> = events.iter().map(|event| event.user).collect();
    assert_eq!(
        users.len() as u64,
        u64::from(config.n_users),
        "everybody views something"
    );
    for of_user in events.chunk_by(|a, b| a.user == b.user) {
        let person = marketplace.person(of_user[0].user);
        assert!(is_view(&of_user[0]));
        assert!(person.is_cold || of_user[0].time < split, "law 3");
        for event in of_user {
            let published = marketplace.published_at(event.item as usize);
            assert!(event.time >= published, "law 3: unpublished");
            assert!(event.time < end, "after the end");
            if person.is_cold || published >= split {
                assert!(event.time >= split, "law 3");
            }
        }
        for pair in of_user.windows(2) {
            let pause = millis(&pair[1]) - millis(&pair[0]);
            assert!(pause > 0, "law 4");
            if !is_view(&pair[1]) {
                assert!(is_view(&pair[0]), "law 2");
                assert_eq!(
                    (pair[0].item, pair[0].session),
                    (pair[1].item, pair[1].session),
                    "law 2"
                );
            }
            if config.has(Part::Sessions) && pair[0].session != pair[1].session {
                assert_eq!(pair[0].session + 1, pair[1].session);
                assert!(
                    pause - i64::from(pair[0].dwell_ms) > 30 * 60_000,
                    "law 4: {pause} ms"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_marketplace_obeys_the_laws(config in any_config()) {
        if let Some(marketplace) = made(&config) {
            check_laws(&marketplace);
        }
    }

    #[test]
    fn a_user_alone_does_what_they_do_among_all(config in any_config(), user in 0.0..1.0f64) {
        if let Some(marketplace) = made(&config) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below n_users")]
            let user = (user * f64::from(config.n_users)) as u32;
            let among_all: Vec<_> = all_events(&marketplace).into_iter().filter(|event| event.user == user).collect();
            prop_assert_eq!(marketplace.events_of(user), among_all);
            prop_assert_eq!(marketplace.events_of(config.n_users), vec![]);
        }
    }

    #[test]
    fn probabilities_sum_to_one_and_leave_out_what_is_not_published(config in any_config(), day in 0u16..14) {
        if let Some(marketplace) = made(&config) {
            let at = config.start + i64::from(day) * 86_400 + 43_200;
            let at = catchment_schema::Time::from_millis(at * 1000);
            // Nobody may have joined by then.
            let end = config.end_time();
            for (probabilities, at) in [
                (marketplace.view_probabilities(3, at, None), at),
                (marketplace.booking_probabilities(3, at, None), at),
                (marketplace.popularity(end), end),
            ] {
                prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                for (item, &probability) in probabilities.iter().enumerate() {
                    prop_assert_eq!(probability > 0.0, marketplace.published_at(item) <= at);
                }
            }
        }
    }
}

#[test]
fn the_marketplaces_that_we_name_obey_the_laws() {
    for n_views in [1000, 50_000, 300_000] {
        check_laws(&Marketplace::new(&MarketplaceConfig::of_size(n_views)).expect("allowed"));
    }
}

#[test]
fn another_seed_is_another_marketplace() {
    let config = MarketplaceConfig::of_size(2000);
    let one = Marketplace::new(&config).expect("allowed");
    assert_eq!(one, Marketplace::new(&config).expect("allowed"));
    let other = Marketplace::new(&MarketplaceConfig { seed: 8, ..config }).expect("allowed");
    assert_ne!(one.events_of(3), other.events_of(3));
}

#[test]
fn more_views_than_there_is_time_for_are_refused_with_the_most_that_is_possible() {
    let config = MarketplaceConfig {
        n_views: 10_000_000,
        n_users: 100,
        ..MarketplaceConfig::default()
    };
    match Marketplace::new(&config) {
        Err(error @ Error::BadConfig { key: "n_views", .. }) => {
            assert!(error.to_string().contains("more users or more days"), "{error}");
        }
        answer => panic!("{answer:?}"),
    }
}

#[test]
fn what_is_not_asked_for_is_not_there() {
    let config = MarketplaceConfig {
        with: [].into(),
        ..MarketplaceConfig::of_size(5000)
    };
    let marketplace = Marketplace::new(&config).expect("allowed");
    assert_eq!(marketplace.markets().len(), 1);
    assert!(marketplace.queries().is_empty());
    assert_eq!(marketplace.title(3).split(' ').count(), 2);
    let events = all_events(&marketplace);
    assert!(
        events
            .iter()
            .all(|event| event.kind == HappeningKind::View && event.dwell_ms == 0)
    );
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].user != pair[1].user || pair[0].session != pair[1].session)
    );
}

#[test]
fn memory_does_not_grow_with_the_events() {
    let bytes = |n_views, switch_day| {
        let config = MarketplaceConfig {
            n_views,
            n_users: 64_000,
            n_items: 10_000,
            switch_day,
            ..MarketplaceConfig::default()
        };
        Marketplace::new(&config).expect("allowed").bytes()
    };
    assert_eq!(bytes(400_000, None), bytes(6_000_000, None));
    // 40 bytes an item, 16 for 64 users, and one offset a cell.
    let cells = (24 * 10 + 2) * size_of::<usize>();
    assert!(
        bytes(400_000, None) <= 40 * 10_000 + 16_016 + cells,
        "{}",
        bytes(400_000, None)
    );
    assert!(bytes(400_000, Some(40)) <= 60 * 10_000 + 16_016 + cells);
}
