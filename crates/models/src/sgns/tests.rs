mod resume;

use catchment_sampling::{Context, MemorySessions, SessionRules};
use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx};

use super::*;
use crate::progress::Silent;

/// `n_groups` groups of ten items each; a session holds items of one group.
fn groups(n_groups: u32, n_sessions: u32) -> MemorySessions {
    let (mut users, mut events) = (Vec::new(), Vec::new());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    for session in 0..n_sessions {
        for _ in 0..6 {
            users.push(UserIdx(session));
            let item = (session % n_groups) * 10 + rng.random_range(0..10);
            events.push(Event::new(ItemIdx(item), Time::UNKNOWN));
        }
    }
    MemorySessions::new(
        &Histories::group(n_sessions as usize, &users, &events),
        &SessionRules::default(),
    )
}

fn small() -> SgnsConfig {
    SgnsConfig {
        dim: 16,
        epochs: 5,
        context: Context::Set,
        negatives: 5,
        subsample: 0.0,
        lanes: 3,
        lane_targets: 500,
        ..SgnsConfig::default()
    }
}

fn cosine(model: &SgnsModel, a: u32, b: u32) -> f32 {
    let (a, b) = (model.item(ItemIdx(a)), model.item(ItemIdx(b)));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Mean cosine within and between groups.
fn contrast(model: &SgnsModel) -> [f32; 2] {
    let (mut sums, mut n) = ([0.0; 2], [0.0_f32; 2]);
    for a in 0..40 {
        for b in 0..a {
            let between = usize::from(a / 10 != b / 10);
            sums[between] += cosine(model, a, b);
            n[between] += 1.0;
        }
    }
    [sums[0] / n[0], sums[1] / n[1]]
}

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(n)
        .build()
        .expect("threads");
    pool.install(work)
}

#[test]
fn what_occurs_together_comes_near_in_both_modes() {
    let sessions = groups(4, 2000);
    for (parallel, negatives_form) in [
        (Parallel::Deterministic, NegativesForm::Each),
        (Parallel::LockFree, NegativesForm::Each),
        (Parallel::Deterministic, NegativesForm::Shared),
        (Parallel::LockFree, NegativesForm::Shared),
    ] {
        let config = SgnsConfig {
            negatives_form,
            parallel,
            ..small()
        };
        let model = on_threads(2, || fit(&sessions, 40, &config, 1, &mut Silent).expect("fitted"));
        let [within, between] = contrast(&model);
        assert!(
            within > 0.7 && between < within - 0.4,
            "{parallel:?} {negatives_form:?}: {within} {between}"
        );
        let losses = &model.report.losses;
        assert!(losses[4] < losses[0], "{losses:?}");
        assert_eq!(model.report.targets, model.report.pairs * 6);
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let sessions = groups(4, 3000);
    let mut one = SgnsModel::default();
    for negatives_form in [NegativesForm::Shared, NegativesForm::Each] {
        let config = SgnsConfig {
            negatives_form,
            ..small()
        };
        let fitted = |threads| {
            on_threads(threads, || {
                fit(&sessions, 40, &config, 9, &mut Silent).expect("fitted")
            })
        };
        one = fitted(1);
        assert_eq!(one, fitted(2));
        assert_eq!(one, fitted(5));
    }
    let other = fit(&sessions, 40, &small(), 10, &mut Silent).expect("fitted");
    assert_ne!(one.input, other.input, "another seed is another result");
}

#[test]
fn an_item_in_no_session_has_a_zero_vector() {
    let model = fit(&groups(4, 100), 50, &small(), 1, &mut Silent).expect("fitted");
    assert!(model.item(ItemIdx(45)).iter().all(|&x| x == 0.0));
    assert!(model.item(ItemIdx(5)).iter().any(|&x| x != 0.0));
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let empty = MemorySessions::new(&Histories::empty(2), &SessionRules::default());
    assert!(matches!(
        fit(&empty, 3, &small(), 1, &mut Silent),
        Err(Error::NoSessions)
    ));
    assert!(matches!(
        fit(&groups(4, 10), 39, &small(), 1, &mut Silent),
        Err(Error::UnknownSessionItem { n_items: 39, .. })
    ));
    // The same item all the time, kept as it is.
    let rules = SessionRules {
        merge_repeats: false,
        ..SessionRules::default()
    };
    let events = vec![Event::new(ItemIdx(0), Time::UNKNOWN); 8];
    let users = vec![UserIdx(0); 8];
    let same = MemorySessions::new(&Histories::group(1, &users, &events), &rules);
    assert!(matches!(
        fit(&same, 1, &small(), 1, &mut Silent),
        Err(Error::NoPairs)
    ));
}

#[test]
fn logs_without_a_pair_are_refused_in_every_form() {
    let log = |users: &[u32], items: &[u32], merge_repeats: bool| {
        let users: Vec<_> = users.iter().copied().map(UserIdx).collect();
        let event = |&item: &u32| Event::new(ItemIdx(item), Time::UNKNOWN);
        let events: Vec<_> = items.iter().map(event).collect();
        let rules = SessionRules {
            merge_repeats,
            ..SessionRules::default()
        };
        MemorySessions::new(&Histories::group(users.len(), &users, &events), &rules)
    };
    let one_item_each = log(&[0, 1, 2, 3], &[0, 1, 2, 0], true);
    let one_item = [
        log(&[0, 0, 1, 1], &[0; 4], true),
        log(&[0, 0, 1, 1], &[0; 4], false),
    ];
    for parallel in [Parallel::Deterministic, Parallel::LockFree] {
        for negatives_form in [NegativesForm::Each, NegativesForm::Shared] {
            let config = SgnsConfig {
                negatives_form,
                parallel,
                ..small()
            };
            let failed =
                |log, n_items| fit(log, n_items, &config, 1, &mut Silent).expect_err("nothing to learn");
            assert!(matches!(failed(&one_item_each, 3), Error::NoSessions));
            assert!(matches!(failed(&one_item[0], 1), Error::NoSessions));
            assert!(matches!(failed(&one_item[1], 1), Error::NoPairs));
            // Two items leave no other negative than the other one.
            let two = log(&[0, 0, 1, 1], &[0, 1, 1, 0], true);
            let model = fit(&two, 2, &config, 1, &mut Silent).expect("fitted");
            assert!(model.input.iter().all(|x| x.is_finite()) && model.report.pairs == 20);
        }
    }
}

#[test]
fn two_items_that_alternate_have_no_negative_but_each_other() {
    let events: Vec<_> = (0..40)
        .map(|at| Event::new(ItemIdx(at % 2), Time::UNKNOWN))
        .collect();
    let users = vec![UserIdx(0); 40];
    let sessions = MemorySessions::new(&Histories::group(1, &users, &events), &SessionRules::default());
    let config = SgnsConfig {
        context: Context::Window(1),
        ..small()
    };
    let model = fit(&sessions, 2, &config, 1, &mut Silent).expect("fitted");
    assert!(model.report.pairs > 0);
}

#[test]
fn progress_counts_every_event_once_an_epoch_and_can_stop() {
    let sessions = groups(4, 1000);
    for parallel in [Parallel::Deterministic, Parallel::LockFree] {
        let config = SgnsConfig { parallel, ..small() };
        let mut last = (0, 0);
        let mut watch = |done: u64, total: u64, note: &str| {
            assert!(done >= last.0 && done <= total && note.contains("loss"));
            last = (done, total);
            Flow::Continue
        };
        let model = fit(&sessions, 40, &config, 1, &mut watch).expect("fitted");
        assert_eq!(last, (model.report.events * 5, model.report.events * 5));
        let stopped = fit(&sessions, 40, &config, 1, &mut |_: u64, _: u64, _: &str| {
            Flow::Stop
        });
        assert!(matches!(stopped, Err(Error::Stopped)));
    }
}

/// Sessions of which every third ends in a goal.
fn with_goals() -> MemorySessions {
    let mut sessions = MemorySessions::default();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    for number in 0..3000_u32 {
        // A walk through ten items of a group of twenty; what is bought is another one of them, far from most.
        let group = (number % 4) * 20;
        let mut items: Vec<ItemIdx> = (0..10)
            .map(|_| ItemIdx(group + rng.random_range(0..19)))
            .collect();
        items.dedup();
        let goal = number.is_multiple_of(3).then_some(ItemIdx(group + 19));
        items.extend(goal);
        sessions.push(&Session {
            items,
            goal,
            rejects: Vec::new(),
        });
    }
    sessions
}

fn likely(model: &SgnsModel, centre: u32, other: u32) -> f32 {
    let other = &model.output[other as usize * model.dim..][..model.dim];
    model
        .item(ItemIdx(centre))
        .iter()
        .zip(other)
        .map(|(a, b)| a * b)
        .sum()
}

#[test]
fn a_goal_that_is_global_is_likely_beside_items_far_from_it() {
    let sessions = with_goals();
    for (parallel, negatives_form) in [
        (Parallel::Deterministic, NegativesForm::Each),
        (Parallel::LockFree, NegativesForm::Each),
        (Parallel::Deterministic, NegativesForm::Shared),
        (Parallel::LockFree, NegativesForm::Shared),
    ] {
        let config = SgnsConfig {
            parallel,
            negatives_form,
            context: Context::Window(1),
            ..small()
        };
        let mean = |global_goal| {
            let objective = Objective {
                global_goal,
                ..Objective::default()
            };
            let model =
                fit_objective(&sessions, 80, &config, &objective, 1, None, &mut Silent).expect("fitted");
            let pairs = model.report.pairs;
            let sum: f32 = (0..19)
                .map(|item| likely(&model, item, 19) - likely(&model, item, 39))
                .sum();
            (sum / 19.0, pairs)
        };
        let ((without, pairs), (with, more)) = (mean(false), mean(true));
        assert!(with > without + 1.0, "{parallel:?}: {without} {with}");
        assert!(more > pairs);
    }
}

#[test]
fn negatives_of_the_group_push_apart_what_is_in_one_group() {
    // Two kinds in each of twenty groups; a session stays in its group, and mostly with its kind.
    let mut sessions = MemorySessions::default();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    for number in 0..6000_u32 {
        let (group, kind) = (number % 20, number / 20 % 2);
        let items = (0..5).map(|_| {
            let kind = if rng.random_range(0..10) < 8 {
                kind
            } else {
                1 - kind
            };
            ItemIdx(group * 20 + kind * 10 + rng.random_range(0..10))
        });
        sessions.push(&Session {
            items: items.collect(),
            ..Session::default()
        });
    }
    let groups: Vec<_> = (0..400).map(|item| Some(item / 20)).collect();
    for parallel in [Parallel::Deterministic, Parallel::LockFree] {
        let config = SgnsConfig {
            parallel,
            learning_rate: 0.1,
            lane_targets: 100,
            ..small()
        };
        let apart = |negatives| {
            let objective = Objective {
                group_negatives: Some(GroupNegatives {
                    groups: groups.clone(),
                    negatives,
                }),
                ..Objective::default()
            };
            let model =
                fit_objective(&sessions, 400, &config, &objective, 1, None, &mut Silent).expect("fitted");
            let (mut same, mut other) = (0.0, 0.0);
            for item in (0..400).filter(|item| item % 20 < 9) {
                same += cosine(&model, item, item + 1);
                other += cosine(&model, item, item + 10);
            }
            (same - other) / 180.0
        };
        let (without, with) = (apart(0), apart(10));
        assert!(
            without > 0.0 && with > 1.5 * without,
            "{parallel:?}: {without} {with}"
        );
    }
}

#[test]
fn what_was_turned_down_is_pushed_away() {
    let mut sessions = with_goals();
    for number in 0..400 {
        sessions.push(&Session {
            items: vec![ItemIdx(3), ItemIdx(5 + number % 14)],
            goal: None,
            rejects: vec![[ItemIdx(3), ItemIdx(4)]],
        });
    }
    for parallel in [Parallel::Deterministic, Parallel::LockFree] {
        let config = SgnsConfig { parallel, ..small() };
        let fitted = |rejects| {
            let objective = Objective {
                rejects,
                ..Objective::default()
            };
            let model =
                fit_objective(&sessions, 80, &config, &objective, 1, None, &mut Silent).expect("fitted");
            likely(&model, 3, 4)
        };
        let (without, with) = (fitted(false), fitted(true));
        assert!(with < without - 0.3, "{parallel:?}: {without} {with}");
    }
}

/// A session of one item with more rejections than count at once, among others.
fn with_many_rejects() -> MemorySessions {
    let mut sessions = with_goals();
    for _ in 0..20 {
        sessions.push(&Session {
            items: (0..60).map(|at| ItemIdx(at % 2)).collect(),
            goal: None,
            rejects: (0..3000)
                .map(|at| [ItemIdx(at % 3), ItemIdx(20 + at % 50)])
                .collect(),
        });
    }
    sessions
}

#[test]
fn of_very_many_rejections_some_are_drawn_and_the_bytes_stay_the_same() {
    let objective = Objective {
        rejects: true,
        ..Objective::default()
    };
    let sessions = with_many_rejects();
    let config = SgnsConfig {
        context: Context::Window(1),
        epochs: 2,
        ..small()
    };
    let fitted = |objective: &Objective, threads| {
        on_threads(threads, || {
            fit_objective(&sessions, 80, &config, objective, 9, None, &mut Silent).expect("fitted")
        })
    };
    let (with, without) = (fitted(&objective, 1), fitted(&Objective::default(), 1));
    assert_eq!(with, fitted(&objective, 3));
    // Two epochs of twenty sessions of sixty items, each of which has a thousand rejections.
    assert_eq!(with.report.targets - without.report.targets, 2 * 20 * 60 * 100);
    assert_eq!(with.report.pairs, without.report.pairs);
    let path = tempfile::tempdir().expect("temporary folder");
    let path = path.path().join("checkpoint");
    for stop in [5, 9, u32::MAX] {
        let mut steps = 0;
        let mut until = |_: u64, _: u64, _: &str| {
            steps += 1;
            if steps == stop { Flow::Stop } else { Flow::Continue }
        };
        let end = fit_objective(&sessions, 80, &config, &objective, 9, Some(&path), &mut until);
        assert!(matches!(&end, Err(Error::Stopped)) || end.expect("fitted") == with);
    }
}

#[test]
fn the_loss_is_over_all_terms_of_centres_with_a_positive_in_both_forms() {
    // Everything is 0 but for numbers too small to matter: each pair and each negative has the loss ln 2.
    let ln_2 = std::f64::consts::LN_2;
    let mut sessions = MemorySessions::default();
    for _ in 0..200 {
        sessions.push(&Session {
            items: vec![ItemIdx(0), ItemIdx(1), ItemIdx(2), ItemIdx(3)],
            goal: Some(ItemIdx(3)),
            rejects: vec![[ItemIdx(1), ItemIdx(4)], [ItemIdx(5), ItemIdx(4)]],
        });
        // The same item all the time has no pair, but something that was turned down.
        sessions.push(&Session {
            items: vec![ItemIdx(5), ItemIdx(5)],
            goal: None,
            rejects: vec![[ItemIdx(5), ItemIdx(4)]],
        });
    }
    let objective = Objective {
        global_goal: true,
        rejects: true,
        group_negatives: None,
    };
    for negatives_form in [NegativesForm::Each, NegativesForm::Shared] {
        let config = SgnsConfig {
            negatives_form,
            context: Context::Window(1),
            epochs: 1,
            learning_rate: 1e-6,
            final_learning_rate: 0.0,
            ..small()
        };
        let model = fit_objective(&sessions, 6, &config, &objective, 1, None, &mut Silent).expect("fitted");
        // Six pairs of the window and three of the goal; the goal has no negatives, and one was turned down.
        assert_eq!(model.report.pairs, 200 * 9);
        // Of 64 centres with a positive one adds its loss: the first of every sixteenth session. It has a pair with
        // five negatives, and the goal without any.
        let loss = model.report.losses[0];
        assert!((loss - 3.5 * ln_2).abs() < 1e-3, "{negatives_form:?}: {loss}");
    }
}

#[test]
fn an_objective_gives_the_same_bytes_on_any_number_of_threads() {
    let sessions = with_goals();
    let objective = Objective {
        global_goal: true,
        rejects: true,
        group_negatives: Some(GroupNegatives {
            groups: (0..80).map(|item| (item != 7).then_some(item / 20)).collect(),
            negatives: 3,
        }),
    };
    let fitted = |threads| {
        on_threads(threads, || {
            fit_objective(&sessions, 80, &small(), &objective, 9, None, &mut Silent).expect("fitted")
        })
    };
    assert_eq!(fitted(1), fitted(3));
}

#[test]
fn a_group_of_one_and_a_group_that_is_all_in_the_window_get_no_negative() {
    let groups = vec![Some(0), Some(1), Some(1)];
    let mut sessions = MemorySessions::default();
    for _ in 0..50 {
        sessions.push(&Session {
            items: vec![ItemIdx(0), ItemIdx(1), ItemIdx(2)],
            ..Session::default()
        });
    }
    let fitted = |negatives| {
        let objective = Objective {
            group_negatives: Some(GroupNegatives {
                groups: groups.clone(),
                negatives,
            }),
            ..Objective::default()
        };
        fit_objective(&sessions, 3, &small(), &objective, 1, None, &mut Silent).expect("fitted")
    };
    assert_eq!(fitted(7).report.targets, fitted(0).report.targets);
    let short = Objective {
        group_negatives: Some(GroupNegatives {
            groups: vec![None],
            negatives: 1,
        }),
        ..Objective::default()
    };
    assert!(matches!(
        fit_objective(&sessions, 3, &small(), &short, 1, None, &mut Silent),
        Err(Error::Sampling(_))
    ));
    let mut unknown = MemorySessions::default();
    unknown.push(&Session {
        items: vec![ItemIdx(0), ItemIdx(1)],
        goal: Some(ItemIdx(9)),
        rejects: Vec::new(),
    });
    assert!(matches!(
        fit(&unknown, 3, &small(), 1, &mut Silent),
        Err(Error::UnknownSessionItem { item: 9, .. })
    ));
}
