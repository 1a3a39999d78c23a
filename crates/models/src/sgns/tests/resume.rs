//! A training that is stopped and taken up again.

use std::path::Path;

use super::*;
use catchment_schema::Error as FileError;

/// Stops at step number `stop` of this call.
fn until(stop: u32) -> impl FnMut(u64, u64, &str) -> Flow {
    let mut steps = 0;
    move |_, _, _: &str| {
        steps += 1;
        if steps == stop { Flow::Stop } else { Flow::Continue }
    }
}

/// Trains with stops after so many steps each, then to the end. How often it was stopped.
fn in_pieces(config: &SgnsConfig, stops: &[u32], threads: usize, path: &Path) -> (SgnsModel, usize) {
    let sessions = groups(4, 1500);
    let mut stopped = 0;
    for &stop in stops {
        let threads = 1 + (threads + stopped) % 3;
        let end = on_threads(threads, || {
            fit_or_resume(&sessions, 40, config, 9, path, &mut until(stop))
        });
        match end {
            Err(Error::Stopped) => stopped += 1,
            Ok(model) => return (model, stopped),
            Err(other) => panic!("{other}"),
        }
    }
    let end = on_threads(threads, || {
        fit_or_resume(&sessions, 40, config, 9, path, &mut Silent)
    });
    (end.expect("fitted"), stopped)
}

#[test]
fn bytes_are_those_of_a_training_that_was_never_stopped() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for (context, negatives_form) in [
        (Context::Set, NegativesForm::Each),
        (Context::DrawnWindow(3), NegativesForm::Each),
        (Context::Window(2), NegativesForm::Shared),
    ] {
        let config = SgnsConfig {
            context,
            negatives_form,
            subsample: 1e-2,
            lane_targets: 50,
            ..small()
        };
        let whole = fit(&groups(4, 1500), 40, &config, 9, &mut Silent).expect("fitted");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        for run in 0..8_usize {
            let path = folder.path().join(format!("{context:?} {run}"));
            let stops: Vec<u32> = (0..=run % 4).map(|_| rng.random_range(1..30)).collect();
            let (model, stopped) = in_pieces(&config, &stops, 1 + run % 2, &path);
            assert_eq!(stopped, stops.len());
            assert!(model == whole, "stopped after {stops:?} steps");
        }
    }
}

#[test]
fn what_was_killed_goes_on_at_the_last_epoch_and_an_older_checkpoint_gives_the_same() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("killed");
    let whole = fit(&groups(4, 1500), 40, &small(), 9, &mut Silent).expect("fitted");
    let (model, stopped) = in_pieces(&small(), &[], 2, &path);
    assert!(stopped == 0 && model == whole);
    // The file that the last epoch but one left, as after a kill.
    let mut steps = 0;
    let again = fit_or_resume(
        &groups(4, 1500),
        40,
        &small(),
        9,
        &path,
        &mut |done, total, _: &str| {
            assert!(done * 5 >= total * 4, "only the last epoch is left");
            steps += 1;
            Flow::Continue
        },
    );
    assert!(steps > 0 && again.expect("fitted") == whole);
}

#[test]
fn lock_free_training_goes_on_too() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config = SgnsConfig {
        parallel: Parallel::LockFree,
        ..small()
    };
    let path = folder.path().join("checkpoint");
    let (model, stopped) = in_pieces(&config, &[1, 3], 2, &path);
    assert_eq!(stopped, 2);
    let whole = fit(&groups(4, 1500), 40, &config, 9, &mut Silent).expect("fitted");
    assert_eq!(
        model.report.pairs, whole.report.pairs,
        "nothing twice and nothing never"
    );
    let [within, between] = contrast(&model);
    assert!(within > 0.8 && between < within - 0.5, "{within} {between}");
}

#[test]
fn checkpoints_of_other_trainings_are_refused_and_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("checkpoint");
    let sessions = groups(4, 1500);
    let stopped = fit_or_resume(&sessions, 40, &small(), 9, &path, &mut until(7));
    assert!(matches!(stopped, Err(Error::Stopped)));
    let refused = |sessions: &MemorySessions, n_items, config: &SgnsConfig, seed| {
        let again = fit_or_resume(sessions, n_items, config, seed, &path, &mut Silent);
        match again.expect_err("refused") {
            Error::OtherRun { differs, .. } => differs,
            other => panic!("{other}"),
        }
    };
    let other = SgnsConfig {
        negatives: 6,
        ..small()
    };
    assert_eq!(refused(&sessions, 40, &other, 9), "`negatives` 5 (here 6)");
    assert_eq!(refused(&sessions, 40, &small(), 10), "seed 9 (here 10)");
    assert_eq!(refused(&sessions, 41, &small(), 9), "40 items (here 41)");
    assert_eq!(refused(&groups(4, 1501), 40, &small(), 9), "other sessions");
    assert!(fit_or_resume(&sessions, 40, &small(), 9, &path, &mut Silent).is_ok());
}

#[test]
fn a_checkpoint_of_another_objective_is_refused_by_that_name() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("checkpoint");
    let sessions = with_goals();
    let resume = |objective: &Objective, stop| {
        fit_objective(
            &sessions,
            80,
            &small(),
            objective,
            9,
            Some(&path),
            &mut until(stop),
        )
    };
    let goals = Objective {
        global_goal: true,
        ..Objective::default()
    };
    assert!(matches!(resume(&goals, 7), Err(Error::Stopped)));
    let groups = Objective {
        group_negatives: Some(GroupNegatives {
            groups: vec![Some(0); 80],
            negatives: 2,
        }),
        ..goals.clone()
    };
    for other in [Objective::default(), groups] {
        match resume(&other, u32::MAX).expect_err("refused") {
            Error::OtherRun { differs, .. } => assert_eq!(differs, "another objective"),
            error => panic!("{error}"),
        }
    }
    let whole = fit_objective(&sessions, 80, &small(), &goals, 9, None, &mut Silent).expect("fitted");
    assert!(resume(&goals, u32::MAX).expect("fitted") == whole);
}

#[test]
fn damaged_checkpoints_are_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("checkpoint");
    let sessions = groups(4, 300);
    let stopped = fit_or_resume(&sessions, 40, &small(), 9, &path, &mut until(7));
    assert!(matches!(stopped, Err(Error::Stopped)));
    let whole = std::fs::read(&path).expect("left");
    let with = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("written");
        fit_or_resume(&sessions, 40, &small(), 9, &path, &mut Silent).expect_err("refused")
    };
    for length in [0, 5, 20, 100, whole.len() - 9, whole.len() - 1] {
        let error = with(&whole[..length]);
        assert!(
            matches!(error, Error::File(FileError::Inconsistent { .. })),
            "{length}: {error}"
        );
    }
    let mut flipped = whole.clone();
    let middle = whole.len() - 1000;
    flipped[middle] ^= 1;
    assert!(with(&flipped).to_string().contains("checksum"));
    let mut longer = whole.clone();
    longer.push(0);
    assert!(with(&longer).to_string().contains("checksum"));
    let mut newer = whole.clone();
    newer[8] = 9;
    assert!(matches!(
        with(&newer),
        Error::File(FileError::WrongVersion { .. })
    ));
}
