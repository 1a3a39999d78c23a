#![allow(clippy::float_cmp, reason = "equal to the bit is what is meant")]

mod solvers;

use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};
use proptest::prelude::*;

use super::*;
use crate::Error;
use crate::progress::{Flow, Silent};

/// A log whose users like items of their own residue modulo 3; user 0 has many items and user 1 has none.
fn histories(n_users: usize, n_items: usize) -> Histories {
    let (mut users, mut events) = (vec![], vec![]);
    for user in 0..n_users {
        for item in 0..n_items {
            let hash = ((user * 7919 + item * 104_729 + 1).pow(2) / 64) % 97;
            let likes = user % 3 == item % 3;
            if user != 1 && (user == 0 || hash < if likes { 40 } else { 8 }) {
                users.push(UserIdx::from_index(user));
                events.push(Event::new(ItemIdx::from_index(item), Time::UNKNOWN));
            }
        }
    }
    Histories::group(n_users, &users, &events)
}

fn small(dim: usize) -> IalsConfig {
    IalsConfig {
        dim,
        alpha0: 0.1,
        regularization: 0.02,
        nu: 0.5,
        sweeps: 5,
        stddev: 0.5,
        ..IalsConfig::default()
    }
}

fn had(histories: &Histories, user: usize, item: usize) -> bool {
    histories
        .of(UserIdx::from_index(user))
        .events()
        .iter()
        .any(|event| event.item.index() == item)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The loss as its definition says, pair by pair.
fn dense_loss(model: &IalsModel, histories: &Histories) -> f64 {
    let IalsConfig {
        alpha0,
        regularization,
        nu,
        ..
    } = model.config;
    let (n_users, n_items) = (model.n_users, model.n_items);
    let mut loss = 0.0;
    for user in 0..n_users {
        for item in 0..n_items {
            let score = dot(model.user(user), model.item(item));
            loss += alpha0 * score * score;
            if had(histories, user, item) {
                loss += (score - 1.0) * (score - 1.0);
            }
        }
    }
    let pull = |n: usize, n_others: usize, vector: &[f32]| {
        regularization * (n as f64 + alpha0 * n_others as f64).powf(nu) * dot(vector, vector)
    };
    for user in 0..n_users {
        let n = (0..n_items).filter(|&item| had(histories, user, item)).count();
        loss += pull(n, n_items, model.user(user));
    }
    for item in 0..n_items {
        let n = (0..n_users).filter(|&user| had(histories, user, item)).count();
        loss += pull(n, n_users, model.item(item));
    }
    loss
}

/// A user's vector from the normal equations of the definition, by elimination in double precision.
fn row_by_elimination(items: &[f32], history: &[usize], config: &IalsConfig) -> Vec<f64> {
    let dim = config.dim;
    let n_items = items.len() / dim;
    let frequency = history.len() as f64 + config.alpha0 * n_items as f64;
    let ridge = config.regularization * frequency.powf(config.nu);
    let mut a = vec![vec![0.0; dim]; dim];
    let mut b = vec![0.0; dim];
    for item in 0..n_items {
        let seen = history.contains(&item);
        let weight = config.alpha0 + f64::from(u8::from(seen));
        let vector = &items[item * dim..(item + 1) * dim];
        for i in 0..dim {
            for j in 0..dim {
                a[i][j] += weight * f64::from(vector[i]) * f64::from(vector[j]);
            }
            b[i] += if seen { f64::from(vector[i]) } else { 0.0 };
        }
    }
    for (i, row) in a.iter_mut().enumerate() {
        row[i] += ridge;
    }
    for k in 0..dim {
        for i in k + 1..dim {
            let factor = a[i][k] / a[k][k];
            let pivot_row = a[k].clone();
            for (value, pivot) in a[i].iter_mut().zip(&pivot_row).skip(k) {
                *value -= factor * pivot;
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..dim).rev() {
        for j in k + 1..dim {
            b[k] -= a[k][j] * b[j];
        }
        b[k] /= a[k][k];
    }
    b
}

fn random_items(n_items: usize, dim: usize, seed: u64) -> Vec<f32> {
    super::factors::Factors::random(n_items, dim, 0.7, seed).to_rows()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_row_solves_the_normal_equations(
        dim in 1usize..40, n_items in 1usize..120, every in 1usize..9, alpha0 in 0.0f64..0.5, nu in 0.0f64..1.0,
        seed in any::<u64>(),
    ) {
        let config = IalsConfig { dim, alpha0, nu, regularization: 0.05, ..IalsConfig::default() };
        let items = random_items(n_items, dim, seed);
        let history: Vec<usize> = (0..n_items).step_by(every).collect();
        let encoder = IalsEncoder::new(&items, &config).expect("valid");
        let mut found = vec![0.0; dim];
        encoder.fold_in(history.iter().map(|&item| ItemIdx::from_index(item)), &mut found).expect("known items");
        for (found, expected) in found.iter().zip(row_by_elimination(&items, &history, &config)) {
            prop_assert!((f64::from(*found) - expected).abs() < 1e-3, "{found} {expected}");
        }
    }
}

#[test]
fn a_row_with_more_items_than_are_transposed_at_a_time_solves_the_normal_equations() {
    let config = IalsConfig {
        dim: 7,
        regularization: 0.05,
        ..IalsConfig::default()
    };
    let items = random_items(1300, 7, 5);
    let history: Vec<usize> = (0..1200).collect();
    let mut found = vec![0.0; 7];
    let encoder = IalsEncoder::new(&items, &config).expect("valid");
    encoder
        .fold_in(history.iter().map(|&item| ItemIdx::from_index(item)), &mut found)
        .expect("known items");
    for (found, expected) in found.iter().zip(row_by_elimination(&items, &history, &config)) {
        assert!((f64::from(*found) - expected).abs() < 1e-4, "{found} {expected}");
    }
}

#[test]
fn the_loss_falls_with_every_sweep_and_equals_the_definition() {
    let histories = histories(40, 30);
    for dim in [4, 20] {
        let mut losses = vec![];
        let mut note = |_: u64, _: u64, note: &str| {
            losses.push(note.trim_start_matches("loss ").parse::<f64>().expect("a number"));
            Flow::Continue
        };
        let model = fit(&histories, 30, &small(dim), 1, &mut note).expect("valid");
        assert_eq!(losses.len(), 5);
        assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
        let loss = IalsLoss::of(&model, &histories).expect("valid").total();
        // The users are solved once more after the last sweep.
        assert!(loss < losses[4], "{loss} {losses:?}");
        let expected = dense_loss(&model, &histories);
        assert!((loss - expected).abs() < 1e-4 * expected, "{loss} {expected}");
    }
}

#[test]
fn the_reported_loss_equals_the_definition_at_the_same_vectors() {
    let histories = histories(20, 15);
    let model = fit(&histories, 15, &small(5), 3, &mut Silent).expect("valid");
    let loss = IalsLoss::of(&model, &histories).expect("valid");
    assert!(loss.observed > 0.0 && loss.unobserved > 0.0 && loss.regularization > 0.0);
    assert!((loss.total() - dense_loss(&model, &histories)).abs() < 1e-4 * loss.total());
}

#[test]
fn folding_a_history_in_gives_the_very_vector_of_the_user_who_has_it() {
    let histories = histories(40, 30);
    let model = fit(&histories, 30, &small(12), 1, &mut Silent).expect("valid");
    let encoder = model.encoder().expect("finite");
    let mut scratch = FoldInScratch::default();
    let mut found = [0.0; 12];
    for user in (0..40).filter(|&user| user != 1) {
        let events = histories.of(UserIdx::from_index(user)).events();
        // Neither repetition nor order nor unknown items matter.
        let history = events
            .iter()
            .rev()
            .chain(events)
            .map(|event| event.item)
            .chain([ItemIdx(30)]);
        encoder
            .fold_in_with(history, &mut scratch, &mut found)
            .expect("known items");
        assert_eq!(found, model.user(user), "user {user}");
        let history: Vec<usize> = events.iter().map(|event| event.item.index()).collect();
        for (found, expected) in
            found
                .iter()
                .zip(row_by_elimination(&model.item_vectors, &history, &model.config))
        {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-4,
                "user {user}: {found} {expected}"
            );
        }
    }
    assert_eq!(model.user(1), [0.0; 12]);
}

#[test]
fn the_model_learns_who_likes_what() {
    let histories = histories(60, 45);
    let model = fit(&histories, 45, &small(6), 1, &mut Silent).expect("valid");
    let mean = |alike: bool| {
        let pairs = (2..60).flat_map(|user| (0..45).map(move |item| (user, item)));
        let scores: Vec<f64> = pairs
            .filter(|&(user, item)| (user % 3 == item % 3) == alike && !had(&histories, user, item))
            .map(|(user, item)| dot(model.user(user), model.item(item)))
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    assert!(mean(true) > 2.0 * mean(false), "{} {}", mean(true), mean(false));
}

#[test]
fn the_model_is_the_same_to_the_bit_for_any_number_of_threads_and_follows_the_seed() {
    let histories = histories(300, 90);
    let fit = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("pool");
        pool.install(|| fit(&histories, 90, &small(17), seed, &mut Silent).expect("valid"))
    };
    assert_eq!(fit(1, 1), fit(3, 1));
    assert_ne!(fit(1, 1), fit(1, 2));
}

#[test]
fn a_stop_ends_with_the_model_as_it_is() {
    let mut calls = vec![];
    let mut stop = |done: u64, total: u64, _: &str| {
        calls.push((done, total));
        if done == 2 { Flow::Stop } else { Flow::Continue }
    };
    let model = fit(&histories(20, 15), 15, &small(3), 1, &mut stop).expect("valid");
    assert_eq!((model.sweeps, calls), (2, vec![(1, 5), (2, 5)]));
}

#[test]
fn bad_input_gives_typed_errors() {
    let histories = histories(20, 15);
    let run = |config: &IalsConfig| fit(&histories, 15, config, 1, &mut Silent);
    let zero = IalsConfig {
        regularization: 0.0,
        ..small(3)
    };
    assert!(matches!(
        run(&zero),
        Err(Error::Config {
            key: "regularization",
            ..
        })
    ));
    let few = fit(&histories, 14, &small(3), 1, &mut Silent);
    assert!(matches!(
        few,
        Err(Error::UnknownItem {
            user: 0,
            item: 14,
            n_items: 14
        })
    ));
    let nobody = fit(&Histories::empty(3), 14, &small(3), 1, &mut Silent);
    assert!(matches!(nobody, Err(Error::NoInteractions)));

    assert!(matches!(
        IalsEncoder::new(&[f32::NAN; 6], &small(3)),
        Err(Error::Diverged { .. })
    ));
    assert!(matches!(
        IalsEncoder::new(&[0.0; 7], &small(3)),
        Err(Error::WrongLength { .. })
    ));
    let encoder = IalsEncoder::new(&[0.5; 6], &small(3)).expect("valid");
    let unknown = encoder.fold_in([ItemIdx(2)], &mut [0.0; 3]);
    assert!(matches!(unknown, Err(Error::NothingToFoldIn)));
    let short = encoder.fold_in([ItemIdx(0)], &mut [0.0; 2]);
    assert!(matches!(
        short,
        Err(Error::WrongLength {
            what: "out",
            expected: 3,
            found: 2
        })
    ));
}

#[test]
fn a_written_encoder_opens_to_the_same_vectors_and_refuses_what_does_not_belong_to_it() {
    let model = fit(&histories(20, 15), 15, &small(5), 1, &mut Silent).expect("valid");
    let folder = tempfile::tempdir().expect("temporary folder");
    let items = Vocabulary::from_counts((0..15).map(|item| (format!("i{item:02}"), 1)));
    export::write_encoder(&model, &items, "run", folder.path()).expect("written");
    let opened = IalsEncoder::open(folder.path(), &items).expect("read");
    let mut found = [[0.0; 5]; 2];
    opened
        .fold_in([ItemIdx(3), ItemIdx(7)], &mut found[0])
        .expect("known items");
    model
        .encoder()
        .expect("finite")
        .fold_in([ItemIdx(3), ItemIdx(7)], &mut found[1])
        .expect("known items");
    assert_eq!(found[0], found[1]);

    let other = Vocabulary::from_counts((0..15).map(|item| (format!("j{item:02}"), 1)));
    assert!(matches!(
        IalsEncoder::open(folder.path(), &other),
        Err(Error::File(_))
    ));
    assert!(matches!(
        export::user_embeddings(&model, &items, "run"),
        Err(Error::WrongLength { .. })
    ));
    let path = folder.path().join(export::ENCODER_FILE);
    for bad in [
        r#"{"format": 3, "config": {}}"#,
        r#"{"format": 1, "config": {"dims": 5}}"#,
        "{",
        "",
    ] {
        std::fs::write(&path, bad).expect("written");
        assert!(
            matches!(IalsEncoder::open(folder.path(), &items), Err(Error::File(_))),
            "{bad}"
        );
    }
    std::fs::write(&path, r#"{"format": 1, "config": {"dim": 5, "alpha0": -1.0}}"#).expect("written");
    assert!(matches!(
        IalsEncoder::open(folder.path(), &items),
        Err(Error::Config { key: "alpha0", .. })
    ));
}
