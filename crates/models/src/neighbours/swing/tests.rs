use catchment_schema::{Event, ItemIdx, Time, UserIdx};

use super::*;
use crate::progress::{Flow, Silent};

#[derive(Deserialize)]
struct Parity {
    n_users: usize,
    n_items: usize,
    alpha: f64,
    log: Vec<(u32, u32)>,
    weighted: Vec<Vec<f32>>,
    plain: Vec<Vec<f32>>,
}

fn parity() -> Parity {
    serde_json::from_str(include_str!("parity.json")).expect("JSON")
}

fn histories(n_users: usize, log: &[(u32, u32)]) -> Histories {
    let users: Vec<_> = log.iter().map(|row| UserIdx(row.0)).collect();
    let event = |row: &(u32, u32)| Event::new(ItemIdx(row.1), Time::UNKNOWN);
    Histories::group(n_users, &users, &log.iter().map(event).collect::<Vec<_>>())
}

fn fit(histories: &Histories, n_items: usize, config: &SwingConfig) -> Swing {
    Swing::fit(histories, n_items, config, 5, &mut Silent).expect("valid")
}

/// A log of 400 users with items of two kinds; item 0 is everybody's.
fn crowd() -> Histories {
    let items = |user: u32| (0..30).filter(move |item| *item == 0 || (user * 31 + item * 17) % 97 < 20);
    let log: Vec<(u32, u32)> = (0..400)
        .flat_map(|user| items(user).map(move |item| (user, item)))
        .collect();
    histories(400, &log)
}

#[test]
fn the_table_equals_every_pair_of_items_and_users_by_definition() {
    let parity = parity();
    let histories = histories(parity.n_users, &parity.log);
    for (user_weights, expected) in [(true, &parity.weighted), (false, &parity.plain)] {
        let config = SwingConfig {
            alpha: parity.alpha,
            user_weights,
            ..SwingConfig::default()
        };
        let model = fit(&histories, parity.n_items, &config);
        assert_eq!(model.report.sampled_items, 0);
        for (item, row) in expected.iter().enumerate() {
            let mut found = vec![0.0; parity.n_items];
            for neighbour in model.table.of(ItemIdx::from_index(item)) {
                found[neighbour.item.index()] = neighbour.score.get();
            }
            for (found, expected) in found.iter().zip(row) {
                assert!((found - expected).abs() < 1e-6, "item {item}: {found} {expected}");
            }
        }
    }
}

#[test]
fn a_pair_of_users_with_little_else_in_common_says_more() {
    // Users 0 and 1 share items 0 and 1 alone; users 2 and 3 share 2 to 6.
    let mut log = vec![(0, 0), (0, 1), (1, 0), (1, 1)];
    log.extend((2..7).flat_map(|item| [(2, item), (3, item)]));
    let config = SwingConfig {
        user_weights: false,
        ..SwingConfig::default()
    };
    let table = fit(&histories(4, &log), 7, &config).table;
    let score = |row: u32| table.of(ItemIdx(row))[0].score.get();
    assert!((score(0) - 1.0 / 3.0).abs() < 1e-6 && (score(2) - 1.0 / 6.0).abs() < 1e-6);
}

#[test]
fn only_the_best_neighbours_are_kept() {
    let all = fit(&crowd(), 30, &SwingConfig::default()).table;
    let config = SwingConfig {
        neighbours: 3,
        ..SwingConfig::default()
    };
    let few = fit(&crowd(), 30, &config).table;
    for item in (0..30).map(ItemIdx) {
        assert_eq!(few.of(item), &all.of(item)[..3]);
    }
}

#[test]
fn an_item_with_too_many_users_is_judged_by_a_seeded_sample_and_reported() {
    let config = SwingConfig {
        max_users: 100,
        ..SwingConfig::default()
    };
    let fit = |seed| Swing::fit(&crowd(), 30, &config, seed, &mut Silent).expect("valid");
    let exact = Swing::fit(&crowd(), 30, &SwingConfig::default(), 1, &mut Silent).expect("valid");
    let sampled = fit(1);
    assert_eq!((exact.report.sampled_items, exact.report.most_users), (0, 400));
    assert_eq!(sampled.report.sampled_items, 1);
    assert_eq!(sampled, fit(1));
    assert_ne!(sampled.table.of(ItemIdx(0)), fit(2).table.of(ItemIdx(0)));
    // Only item 0 has more; the rows of the others are exact.
    for item in (1..30).map(ItemIdx) {
        assert_eq!(sampled.table.of(item), exact.table.of(item));
    }
}

#[test]
fn the_table_is_the_same_for_any_number_of_threads() {
    let config = SwingConfig {
        max_users: 50,
        ..SwingConfig::default()
    };
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("pool");
        pool.install(|| fit(&crowd(), 30, &config))
    };
    assert_eq!(fit(1), fit(3));
}

#[test]
fn files_round_trip() {
    let model = fit(&crowd(), 30, &SwingConfig::default());
    let folder = tempfile::tempdir().expect("temporary folder");
    let vocabulary = Vocabulary::from_counts((0..30).map(|item| (format!("i{item}"), 1)));
    model.save(folder.path(), &vocabulary).expect("written");
    assert_eq!(
        Swing::open_table(folder.path(), &vocabulary).expect("read"),
        model.table
    );
    let other = Vocabulary::from_counts([("another", 1)]);
    let found = Swing::open_table(folder.path(), &other);
    assert!(matches!(found, Err(Error::File(_))));
}

#[test]
fn bad_settings_and_stops_are_typed_errors() {
    let default = SwingConfig::default();
    let bad = [
        (
            "alpha",
            SwingConfig {
                alpha: -1.0,
                ..default.clone()
            },
        ),
        (
            "alpha",
            SwingConfig {
                alpha: f64::NAN,
                ..default.clone()
            },
        ),
        (
            "neighbours",
            SwingConfig {
                neighbours: 0,
                ..default.clone()
            },
        ),
        (
            "max_users",
            SwingConfig {
                max_users: 1,
                ..default.clone()
            },
        ),
    ];
    for (expected, config) in bad {
        let found = Swing::fit(&crowd(), 30, &config, 1, &mut Silent);
        assert!(
            matches!(found, Err(Error::Config { key, .. }) if key == expected),
            "{expected}"
        );
    }
    let mut stop = |_: u64, _: u64, _: &str| Flow::Stop;
    let stopped = Swing::fit(&crowd(), 5000, &default, 1, &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped)));
    let nobody = Swing::fit(&Histories::empty(2), 3, &default, 1, &mut Silent);
    assert!(matches!(nobody, Err(Error::NoInteractions)));
    assert!(serde_json::from_str::<SwingConfig>(r#"{"alhpa": 1}"#).is_err());
}
