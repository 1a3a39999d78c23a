//! The shape of the log: each property that the page claims, measured, within bands that a broken world leaves.

use catchment_schema::Time;
use catchment_synthetic::marketplace::{HappeningKind, Marketplace, MarketplaceConfig, Part};

use super::{all_events, is_view, middling, millis};

const HOUR: i64 = 3_600_000;
const MONDAY: i64 = 1_767_571_200_000;

/// Least squares: y = a + slope · x.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / n, y / n);
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    above / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

fn view_counts(marketplace: &Marketplace) -> Vec<u32> {
    let mut counts = vec![0; marketplace.config().n_items as usize];
    for event in all_events(marketplace).iter().filter(|event| is_view(event)) {
        counts[event.item as usize] += 1;
    }
    counts
}

#[test]
fn popularity_falls_with_rank_by_the_exponent_that_was_asked_for() {
    for tail_exponent in [0.5, 0.8, 1.1] {
        let config = MarketplaceConfig {
            n_items: 3000,
            tail_exponent,
            cold_item_share: 0.0,
            new_item_share: 0.0,
            with: [Part::Sessions].into(),
            ..MarketplaceConfig::of_size(400_000)
        };
        let mut counts = view_counts(&Marketplace::new(&config).expect("allowed"));
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let points: Vec<(f64, f64)> = (5..1000)
            .map(|rank| ((rank as f64 + 10.0).ln(), f64::from(counts[rank].max(1)).ln()))
            .collect();
        let slope = slope(&points);
        println!("asked for {tail_exponent}, measured {slope:.3}");
        assert!((slope + tail_exponent).abs() < 0.12, "{tail_exponent}: {slope}");
    }
}

#[test]
fn activity_has_a_tail_of_the_stated_exponent() {
    let marketplace = Marketplace::new(&MarketplaceConfig::of_size(2_000_000)).expect("allowed");
    let n_users = marketplace.config().n_users;
    let activity: Vec<f64> = (0..n_users)
        .map(|user| marketplace.person(user).activity)
        .collect();
    // Of the truncated Pareto: P(activity > x) = (x^-0.6 - 200^-0.6) / (1 - 200^-0.6).
    for x in [1.5f64, 3.0, 10.0, 100.0] {
        let most = 200f64.powf(-0.6);
        let expected = (x.powf(-0.6) - most) / (1.0 - most);
        let share = activity.iter().filter(|&&value| value > x).count() as f64 / f64::from(n_users);
        let tolerance = 4.0 * (expected * (1.0 - expected) / f64::from(n_users)).sqrt();
        assert!(
            (share - expected).abs() < tolerance,
            "{x}: {share} against {expected}"
        );
    }
    // And views follow activity: whoever joined early and does the most has many times the median.
    let mut counts: Vec<usize> = (0..2000)
        .map(|user| {
            marketplace
                .events_of(user)
                .iter()
                .filter(|event| is_view(event))
                .count()
        })
        .collect();
    counts.sort_unstable();
    let (median, top) = (counts[1000], counts[1980]);
    assert!(top > 15 * median && top < 60 * median, "{median} and {top}");
}

#[test]
fn sessions_begin_by_the_rhythm_of_day_and_week() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let mut counts = [0.0; 168];
    let mut n = 0.0;
    let mut last = None;
    for event in all_events(&marketplace) {
        if last.replace((event.user, event.session)) != Some((event.user, event.session)) {
            let hour = (millis(&event) - MONDAY).div_euclid(HOUR).rem_euclid(168);
            counts[usize::try_from(hour).expect("an hour")] += 1.0;
            n += 1.0;
        }
    }
    let mut distance = 0.0;
    for (hour, count) in (0i64..).zip(counts) {
        let at = Time::from_millis(MONDAY + hour * HOUR + HOUR / 2);
        let expected = n / 168.0 * marketplace.intensity(at);
        distance += f64::abs(count - expected) / n;
    }
    println!(
        "{n} sessions, {:.1} % of them in another hour than expected",
        50.0 * distance
    );
    // Chance alone moves about 2 %, sessions that give way to each other as much again.
    assert!(distance / 2.0 < 0.04, "{distance}");
    let flat: f64 = counts.iter().map(|count| f64::abs(count - n / 168.0) / n).sum();
    assert!(flat / 2.0 > 0.25, "there is no rhythm: {flat}");
}

#[test]
fn a_session_has_four_views_on_average_and_lengths_fall_by_a_quarter_each() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let views: Vec<_> = all_events(&marketplace).into_iter().filter(is_view).collect();
    let mut lengths = [0u32; 40];
    let mut n = 0.0;
    // A user's last session is cut where their views end, which matters less the more there are.
    for of_user in views
        .chunk_by(|a, b| a.user == b.user)
        .filter(|of_user| of_user.len() > 100)
    {
        let sessions: Vec<_> = of_user.chunk_by(|a, b| a.session == b.session).collect();
        for session in &sessions[..sessions.len() - 1] {
            lengths[session.len()] += 1;
            n += 1.0;
        }
    }
    let mean = (1u32..)
        .zip(&lengths[1..])
        .map(|(length, &count)| f64::from(length * count))
        .sum::<f64>()
        / n;
    println!("{n} whole sessions, mean {mean:.2}");
    assert!((3.8..4.1).contains(&mean), "{mean}");
    for length in 1..8 {
        let ratio = f64::from(lengths[length + 1]) / f64::from(lengths[length]);
        assert!((0.66..0.80).contains(&ratio), "{length}: {ratio}");
    }
    assert_eq!(lengths[31..].iter().sum::<u32>(), 0);
}

#[test]
fn bookings_and_rejections_come_as_often_as_the_law_says() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let events = all_events(&marketplace);
    let mut buckets = [[0.0; 5]; 10];
    for (place, event) in events.iter().enumerate().filter(|(_, event)| is_view(event)) {
        let preference = marketplace.preference_for(event.user, event.item as usize, event.time);
        let [n, likely, booked, unlikely, rejected] = &mut buckets[bucket(preference)];
        *n += 1.0;
        *likely += marketplace.booking_probability(preference);
        *unlikely += marketplace.rejection_probability(preference);
        match events.get(place + 1).map(|event| event.kind) {
            Some(HappeningKind::Booking) => *booked += 1.0,
            Some(HappeningKind::Reject) => *rejected += 1.0,
            _ => {}
        }
    }
    let mut last = (0.0, 1.0);
    let mut n_judged = 0;
    for [n, likely, booked, unlikely, rejected] in buckets {
        if n < 2000.0 {
            continue;
        }
        n_judged += 1;
        for (expected, count) in [(likely, booked), (unlikely, rejected)] {
            let deviation = f64::sqrt(expected * (1.0 - expected / n));
            assert!(
                f64::abs(count - expected) < 4.0 * deviation,
                "{count} of {n}, {expected} expected"
            );
        }
        let rates = (booked / n, rejected / n);
        assert!(rates.0 > last.0 && rates.1 < last.1, "{rates:?} after {last:?}");
        last = rates;
    }
    assert!(n_judged > 6, "{n_judged}");
    assert!(last.0 > 0.3, "the best liked are booked often: {last:?}");
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
fn bucket(preference: f64) -> usize {
    ((preference * 10.0) as usize).min(9)
}

#[test]
fn what_is_liked_is_looked_at_longer() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let mut points = Vec::new();
    for event in all_events(&marketplace).iter().filter(|event| is_view(event)) {
        let is_cut = event.dwell_ms <= 1000 || event.dwell_ms >= 170_000;
        if !is_cut {
            let preference = marketplace.preference_for(event.user, event.item as usize, event.time);
            points.push((preference, f64::from(event.dwell_ms).ln()));
        }
    }
    let slope = slope(&points);
    // 1.6, less what the cut at 170 s takes away.
    assert!((1.35..1.65).contains(&slope), "{slope}");
}

#[test]
fn cold_users_and_items_are_as_many_as_was_asked_for() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let config = marketplace.config();
    let n_cold = (0..config.n_users)
        .filter(|&user| marketplace.person(user).is_cold)
        .count();
    assert_eq!(n_cold, 120, "3 % of 4000");
    let split = config.split_time();
    let published = |item: u32| marketplace.published_at(item as usize);
    let n_cold = (0..config.n_items)
        .filter(|&item| published(item) >= split)
        .count();
    assert_eq!(n_cold, 240, "4 % of 6000");
    let start = Time::from_millis(config.start * 1000);
    let is_new = |item: &u32| published(*item) >= start && published(*item) < split;
    assert_eq!((0..config.n_items).filter(is_new).count(), 900, "15 % of 6000");
    let counts = view_counts(&marketplace);
    let n_viewed = (0..config.n_items)
        .filter(|&item| published(item) >= split && counts[item as usize] > 0)
        .count();
    assert!(n_viewed > 120, "{n_viewed} of 240 cold items were ever viewed");
}

#[test]
fn people_go_to_their_home_market_and_things_lie_around_its_centre() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let events = all_events(&marketplace);
    let (mut at_home, mut expected, mut n) = (0.0, 0.0, 0.0);
    for session in events.chunk_by(|a, b| (a.user, a.session) == (b.user, b.session)) {
        let home = marketplace.person(session[0].user).home;
        let market = marketplace.market_of(session[0].item as usize);
        assert!(
            session
                .iter()
                .all(|event| marketplace.market_of(event.item as usize) == market)
        );
        at_home += f64::from(u8::from(market == home));
        expected += 0.7 + 0.3 * marketplace.markets()[home].appeal;
        n += 1.0;
    }
    assert!(
        f64::abs(at_home - expected) < 4.0 * f64::sqrt(n * 0.25),
        "{at_home} against {expected}"
    );
    for item in 0..marketplace.config().n_items as usize {
        let market = &marketplace.markets()[marketplace.market_of(item)];
        let (latitude, longitude) = marketplace.place_of(item);
        assert!((latitude - market.latitude).abs() < 0.45 * 6.0);
        assert!((longitude - market.longitude).abs() < 0.65 * 6.0);
    }
}

#[test]
fn budgets_and_prices_meet() {
    let distance = |with: &[Part]| {
        let config = MarketplaceConfig {
            with: with.iter().copied().collect(),
            ..middling()
        };
        let marketplace = Marketplace::new(&config).expect("allowed");
        let mut points = Vec::new();
        for event in all_events(&marketplace)
            .iter()
            .filter(|event| is_view(event))
            .step_by(5)
        {
            let budget = marketplace.person(event.user).budget as f64;
            points.push((
                budget,
                f64::from(marketplace.price_cents_of(event.item as usize)).ln(),
            ));
        }
        slope(&points)
    };
    let (with, without) = (
        distance(&[Part::Places, Part::Sessions]),
        distance(&[Part::Sessions]),
    );
    println!("log price per level of budget: {with:.3} with places, {without:.3} without");
    assert!(with > 0.05, "richer users view dearer things: {with}");
    assert!(without.abs() < 0.02, "{without}");
}

#[test]
fn tastes_move_with_drift_and_stay_without() {
    let moved = |with: &[Part]| {
        let config = MarketplaceConfig {
            with: with.iter().copied().collect(),
            ..middling()
        };
        let marketplace = Marketplace::new(&config).expect("allowed");
        let middle = config.start * 1000 + i64::from(config.n_days) * 43_200_000;
        let mut counts = [[0.0f64; 2]; 2];
        for event in all_events(&marketplace).iter().filter(|event| is_view(event)) {
            let topic = marketplace.topic_of(event.item as usize);
            let topics = marketplace.person(event.user).topics;
            let late = usize::from(millis(event) > middle);
            if topic == topics[0] {
                counts[late][0] += 1.0;
            } else if topic == topics[2] {
                counts[late][1] += 1.0;
            }
        }
        counts.map(|[first, third]| third / (first + third))
    };
    let [early, late] = moved(&[Part::Drift, Part::Sessions]);
    // d is 0.3 on average in the first half (users join during it), 0.6 in the second.
    assert!(
        (0.18..0.35).contains(&early) && (0.52..0.68).contains(&late),
        "{early} and {late}"
    );
    let [early, late] = moved(&[Part::Sessions]);
    assert!((early - late).abs() < 0.02 && late < 0.12, "{early} and {late}");
}

#[test]
fn popularity_is_dealt_out_anew_on_the_day_of_the_switch_and_not_before() {
    let config = MarketplaceConfig {
        switch_day: Some(42),
        ..middling()
    };
    let marketplace = Marketplace::new(&config).expect("allowed");
    let at = |day: i64| Time::from_millis((config.start + day * 86_400) * 1000);
    let top = |day| {
        let popularity = marketplace.popularity(at(day));
        let list = Marketplace::ideal_list(&popularity, &[].into(), 50);
        list.into_iter()
            .map(|(item, _)| item)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let kept = |a, b| top(a).intersection(&top(b)).count();
    assert!(kept(40, 41) > 35, "a day before: {}", kept(40, 41));
    assert!(kept(41, 42) < 15, "over the switch: {}", kept(41, 42));
    assert!(kept(42, 43) > 35, "a day after: {}", kept(42, 43));
}
