#![allow(clippy::float_cmp, reason = "equal to the bit is what is meant")]

use catchment_schema::{Event, Time, UserIdx};

use super::*;
use crate::progress::{Flow, Silent};

#[derive(Deserialize)]
struct Parity {
    n_users: usize,
    n_items: usize,
    neighbours: usize,
    log: Vec<(u32, u32)>,
    scores: Vec<Vec<f32>>,
}

fn parity() -> (Parity, Histories, ItemCfConfig) {
    let parity: Parity = serde_json::from_str(include_str!("parity.json")).expect("JSON");
    let histories = histories(parity.n_users, &parity.log);
    let config = ItemCfConfig {
        neighbours: parity.neighbours,
        ..ItemCfConfig::default()
    };
    (parity, histories, config)
}

fn histories(n_users: usize, log: &[(u32, u32)]) -> Histories {
    let users: Vec<_> = log.iter().map(|row| UserIdx(row.0)).collect();
    let events: Vec<_> = log
        .iter()
        .map(|row| Event::new(ItemIdx(row.1), Time::UNKNOWN))
        .collect();
    Histories::group(n_users, &users, &events)
}

fn items(histories: &Histories, user: usize) -> impl Iterator<Item = ItemIdx> {
    histories
        .of(UserIdx::from_index(user))
        .events()
        .iter()
        .map(|event| event.item)
}

#[test]
fn scores_equal_those_of_a_dense_computation() {
    let (parity, histories, config) = parity();
    let model = ItemCf::fit(&histories, parity.n_items, &config, &mut Silent).expect("valid");
    let mut scores = vec![0.0; parity.n_items];
    for (user, expected) in parity.scores.iter().enumerate() {
        model
            .score_into(items(&histories, user), &mut scores)
            .expect("right length");
        for (found, expected) in scores.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "user {user}: {scores:?}");
        }
    }
}

#[test]
fn a_row_without_normalising_and_centring_holds_plain_cosines() {
    let histories = histories(3, &[(0, 0), (0, 1), (1, 0), (2, 0), (2, 2)]);
    let config = ItemCfConfig {
        normalise: Normalise::None,
        center: false,
        ..ItemCfConfig::default()
    };
    let model = ItemCf::fit(&histories, 3, &config, &mut Silent).expect("valid");
    assert_eq!(model.item_bias, [0.0; 3]);
    let mut scores = [0.0; 3];
    model
        .score_into([ItemIdx(0), ItemIdx(0), ItemIdx(99)], &mut scores)
        .expect("right length");
    let cosine = 1.0 / 3f32.sqrt();
    assert_eq!(scores, [0.0, cosine, cosine]);
}

#[test]
fn the_model_is_the_same_for_any_number_of_threads() {
    let (parity, histories, config) = parity();
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("pool");
        pool.install(|| ItemCf::fit(&histories, parity.n_items, &config, &mut Silent).expect("valid"))
    };
    assert_eq!(fit(1), fit(3));
}

#[test]
fn files_round_trip() {
    let (parity, histories, config) = parity();
    let model = ItemCf::fit(&histories, parity.n_items, &config, &mut Silent).expect("valid");
    let folder = tempfile::tempdir().expect("temporary folder");
    let vocabulary = Vocabulary::from_counts((0..parity.n_items).map(|item| (format!("i{item}"), 1)));
    model.save(folder.path(), &vocabulary).expect("written");
    assert_eq!(ItemCf::open(folder.path(), &vocabulary).expect("read"), model);
    let other = Vocabulary::from_counts([("another", 1)]);
    assert!(matches!(ItemCf::open(folder.path(), &other), Err(Error::File(_))));
}

#[test]
fn bad_settings_bad_lengths_and_stops_are_typed_errors() {
    let histories = histories(1, &[(0, 1)]);
    let fit = |config: &ItemCfConfig| ItemCf::fit(&histories, 2, config, &mut Silent);
    let none = ItemCfConfig {
        neighbours: 0,
        ..ItemCfConfig::default()
    };
    assert!(matches!(
        fit(&none),
        Err(Error::Config {
            key: "neighbours",
            ..
        })
    ));
    let model = fit(&ItemCfConfig::default()).expect("valid");
    let found = model.score_into([ItemIdx(0)], &mut [0.0; 3]);
    assert!(matches!(
        found,
        Err(Error::WrongLength {
            expected: 2,
            found: 3,
            ..
        })
    ));
    let mut stop = |_: u64, _: u64, _: &str| Flow::Stop;
    let stopped = ItemCf::fit(&histories, 5000, &ItemCfConfig::default(), &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert!(serde_json::from_str::<ItemCfConfig>(r#"{"neighbors": 5}"#).is_err());
}
