//! What holds for every log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;

use super::table::{Engine, MINUTE, PLAIN, run};
use crate::{Deduplicate, Moment, PrepareConfig, Prepared, Rolling, SplitConfig, SplitKind};

/// Rows of a few users and items, so that ties, repetitions and gaps are common.
fn any_log() -> impl Strategy<Value = Vec<String>> {
    let row = (0..7u32, 0..9u32, 0..200i64, 0..3u32, 0..4u32);
    proptest::collection::vec(row, 1..60).prop_map(|rows| {
        let rows = rows.into_iter();
        rows.map(|(user, item, minutes, event, session)| {
            let session = if session == 0 {
                String::new()
            } else {
                format!("s={session}")
            };
            format!("u{user} i{item} t={minutes} e=e{event} o={event} v={event} x={item} {session}")
        })
        .collect()
    })
}

fn any_kind() -> impl Strategy<Value = SplitKind> {
    prop_oneof![
        (0.01..0.99f64).prop_map(|fraction| SplitKind::Random { fraction }),
        (1..3u32).prop_map(|n| SplitKind::LeaveLast { n, since: None }),
        (0.5..0.99f64).prop_map(|share| SplitKind::Temporal {
            at: Moment::Fraction(share)
        }),
    ]
}

/// Every file of a prepared folder.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = crate::layout::FILES
        .iter()
        .chain(std::iter::once(&crate::layout::SUMMARY));
    names
        .map(|name| {
            (
                (*name).to_owned(),
                std::fs::read(folder.join(name)).expect("read"),
            )
        })
        .collect()
}

fn no_config() -> PrepareConfig {
    PrepareConfig::default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn splits_conserve_rows_and_vocabularies_count_the_train_part(
        log in any_log(),
        kind in any_kind(),
        validation in proptest::option::of(any_kind()),
    ) {
        let home = tempfile::tempdir().expect("temporary folder");
        let out = home.path().join("out");
        let split = SplitConfig { validation, ..SplitConfig::new(kind) };
        match run(PLAIN, &log, None, &no_config(), &split, &out) {
            Err(crate::Error::EmptyAfter { .. }) => return Ok(()),
            other => other.expect("prepared"),
        };
        let prepared = Prepared::open(&out).expect("opened");
        let (train, validation, test) = (
            prepared.train().expect("read"),
            prepared.validation().expect("read"),
            prepared.test().expect("read"),
        );
        prop_assert_eq!(train.len() + validation.len() + test.len(), log.len());

        // Of the train part alone: an order that knew the validation rows would tell on them through ties.
        let mut counts = vec![0u64; prepared.items().len()];
        for event in &train.events {
            counts[event.item.index()] += 1;
        }
        prop_assert_eq!(counts.as_slice(), prepared.items().counts());
        let mut counts = vec![0u64; prepared.users().len()];
        for user in &train.users {
            counts[user.index()] += 1;
        }
        prop_assert_eq!(counts.as_slice(), prepared.users().counts());

        // Sessions are numbered densely over all parts, and none belongs to two users.
        let mut owners = BTreeMap::new();
        for part in [&train, &validation, &test] {
            for (user, session) in part.users.iter().zip(&part.sessions) {
                prop_assert_eq!(*owners.entry(*session).or_insert(*user), *user);
            }
            let keys: Vec<_> = part.users.iter().zip(&part.events).map(|(user, event)| (user, event.time)).collect();
            prop_assert!(keys.is_sorted());
        }
        let numbers: Vec<usize> = owners.keys().map(|session| *session as usize).collect();
        prop_assert_eq!(numbers, (0..owners.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_random_split_leaves_every_user_a_row_and_takes_about_the_share(
        log in any_log(),
        fraction in 0.01..0.99f64,
    ) {
        let home = tempfile::tempdir().expect("temporary folder");
        let out = home.path().join("out");
        let split = SplitConfig::new(SplitKind::Random { fraction });
        run(PLAIN, &log, None, &no_config(), &split, &out).expect("prepared");
        let prepared = Prepared::open(&out).expect("opened");
        let n_users = prepared.users().len();
        let test = prepared.test().expect("read");
        let train = prepared.train().expect("read").histories(n_users);
        let users: BTreeSet<_> = log.iter().filter_map(|line| line.split(' ').next()).collect();
        prop_assert_eq!(n_users, users.len());
        let test = test.histories(n_users);
        for (user, history) in train.iter() {
            let n_test = test.of(user).len();
            let expected = (history.len() + n_test) as f64 * fraction;
            prop_assert!((n_test as f64 - expected).abs() < 1.0 || history.len() == 1);
        }
    }

    #[test]
    fn bytes_do_not_depend_on_partitions_threads_batches_or_the_order_of_rows(
        (log, shuffled) in any_log().prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle())),
        kind in any_kind(),
        deduplicate in prop_oneof![
            Just(Deduplicate::None), Just(Deduplicate::Exact), Just(Deduplicate::First), Just(Deduplicate::Last)
        ],
    ) {
        let home = tempfile::tempdir().expect("temporary folder");
        let config = PrepareConfig { deduplicate, min_item_events: 2, ..PrepareConfig::default() };
        let split = SplitConfig::new(kind).with_validation(SplitKind::Random { fraction: 0.2 });
        let (one, other) = (home.path().join("one"), home.path().join("other"));
        match run(PLAIN, &log, None, &config, &split, &one) {
            Err(crate::Error::EmptyAfter { .. }) => return Ok(()),
            other => other.expect("prepared"),
        };
        let many = Engine { threads: 4, partitions: 7, rows_per_batch: 5 };
        run(many, &shuffled, None, &config, &split, &other).expect("prepared");
        prop_assert_eq!(bytes(&one), bytes(&other));
    }
}

#[test]
fn bytes_of_a_larger_log_do_not_depend_on_the_engine() {
    let home = tempfile::tempdir().expect("temporary folder");
    let mut state = 1u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let log: Vec<String> = (0..20_000)
        .map(|_| format!("u{} i{} t={} v={}", next(300), next(500), next(9000), next(5)))
        .collect();
    let config = PrepareConfig {
        min_user_events: 52,
        min_item_events: 28,
        deduplicate: Deduplicate::Last,
        ..PrepareConfig::default()
    };
    let split = SplitConfig::new(SplitKind::Random { fraction: 0.2 });
    let engines = [
        PLAIN,
        Engine {
            threads: 4,
            partitions: 4,
            rows_per_batch: 8192,
        },
        Engine {
            threads: 2,
            partitions: 7,
            rows_per_batch: 333,
        },
    ];
    let folders: Vec<_> = (0..engines.len())
        .map(|number| home.path().join(number.to_string()))
        .collect();
    for (engine, folder) in engines.into_iter().zip(&folders) {
        let summary = run(engine, &log, None, &config, &split, folder).expect("prepared");
        assert!(
            summary.test > 1000 && summary.train + summary.test < 19_500,
            "{summary:?}"
        );
    }
    let first = bytes(&folders[0]);
    for folder in &folders[1..] {
        for (name, content) in bytes(folder) {
            assert!(content == first[&name], "{name} differs in {}", folder.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_window_trains_on_its_test_part_and_the_test_parts_are_what_the_windows_say(
        log in any_log(),
        horizon in 1..80i64,
        step in 1..80i64,
        gap in 0..20i64,
    ) {
        let home = tempfile::tempdir().expect("temporary folder");
        let times: Vec<i64> = log.iter().map(|line| {
            let minutes = line.split(" t=").nth(1).and_then(|rest| rest.split(' ').next());
            minutes.expect("a time").parse::<i64>().expect("a number") * MINUTE
        }).collect();
        let last = times.iter().max().expect("a row");
        for window in 1..=3 {
            let rolling = Rolling {
                step_ms: step * MINUTE,
                gap_ms: gap * MINUTE,
                window,
                ..Rolling::new(3, horizon * MINUTE)
            };
            let out = home.path().join(window.to_string());
            let split = SplitConfig::new(SplitKind::Rolling(rolling));
            match run(PLAIN, &log, None, &no_config(), &split, &out) {
                Err(crate::Error::EmptyAfter { .. }) => continue,
                other => other.expect("prepared"),
            };
            let prepared = Prepared::open(&out).expect("opened");
            let end = last + 1 - i64::from(3 - window) * step * MINUTE;
            let begin = end - horizon * MINUTE;
            let n_test = times.iter().filter(|time| (begin..end).contains(*time)).count();
            let n_train = times.iter().filter(|time| **time < begin - gap * MINUTE).count();
            prop_assert_eq!(prepared.test().expect("read").len(), n_test);
            let train = prepared.train().expect("read");
            prop_assert_eq!(train.len(), n_train);
            prop_assert!(train.events.iter().all(|event| event.time.millis() < Some(begin - gap * MINUTE)));
            let told = prepared.summary().window.expect("a window");
            prop_assert_eq!((told.number, told.test_before.millis()), (window, Some(end)));
        }
    }
}

#[test]
fn another_seed_draws_another_test_part() {
    // The seed of these tests is fixed, so the seed is exercised where it is used.
    assert_ne!(
        crate::seeded_hash::seed_for("test", 1),
        crate::seeded_hash::seed_for("test", 2)
    );
    assert_ne!(
        crate::seeded_hash::seed_for("test", 1),
        crate::seeded_hash::seed_for("validation", 1)
    );
}
