//! Conjugate gradient and blocks against the exact solution.

use super::*;

/// The losses of a fit, sweep by sweep, and its model.
fn watched(histories: &Histories, n_items: usize, config: &IalsConfig) -> (Vec<f64>, IalsModel) {
    let mut losses = vec![];
    let mut note = |_: u64, _: u64, note: &str| {
        losses.push(note.trim_start_matches("loss ").parse::<f64>().expect("a number"));
        Flow::Continue
    };
    let model = fit(histories, n_items, config, 1, &mut note).expect("valid");
    (losses, model)
}

/// The largest difference between the scores of two models.
fn apart(left: &IalsModel, right: &IalsModel) -> f64 {
    let pairs = (0..left.n_users).flat_map(|user| (0..left.n_items).map(move |item| (user, item)));
    let difference = |(user, item): (usize, usize)| {
        dot(left.user(user), left.item(item)) - dot(right.user(user), right.item(item))
    };
    pairs.map(|pair| difference(pair).abs()).fold(0.0, f64::max)
}

fn cg(dim: usize, cg_steps: u32) -> IalsConfig {
    IalsConfig {
        solver: Solver::Cg,
        cg_steps,
        ..small(dim)
    }
}

fn blocks(dim: usize, block_size: usize) -> IalsConfig {
    IalsConfig {
        solver: Solver::Blocks,
        block_size,
        ..small(dim)
    }
}

#[test]
fn with_enough_steps_conjugate_gradient_is_the_exact_solver() {
    let histories = histories(40, 30);
    for dim in [4, 20, 33] {
        let exact = fit(&histories, 30, &small(dim), 1, &mut Silent).expect("valid");
        let found = fit(&histories, 30, &cg(dim, 60), 1, &mut Silent).expect("valid");
        assert!(
            apart(&exact, &found) < 1e-4,
            "dim {dim}: {}",
            apart(&exact, &found)
        );
        let hasty = fit(&histories, 30, &cg(dim, 1), 1, &mut Silent).expect("valid");
        assert!(
            apart(&exact, &hasty) > 1e-4,
            "dim {dim}: one step cannot be enough"
        );
    }
}

#[test]
fn a_block_as_wide_as_the_model_is_the_exact_solver() {
    let histories = histories(40, 30);
    for dim in [4, 20, 33] {
        let exact = fit(&histories, 30, &small(dim), 1, &mut Silent).expect("valid");
        for block_size in [dim, dim + 7] {
            let found = fit(&histories, 30, &blocks(dim, block_size), 1, &mut Silent).expect("valid");
            assert!(
                apart(&exact, &found) < 1e-4,
                "dim {dim}: {}",
                apart(&exact, &found)
            );
        }
        let narrow = fit(&histories, 30, &blocks(dim, 1), 1, &mut Silent).expect("valid");
        assert!(
            apart(&exact, &narrow) > 1e-4,
            "dim {dim}: blocks of one cannot be enough"
        );
    }
}

#[test]
fn the_loss_falls_with_every_sweep_of_every_solver() {
    let histories = histories(60, 45);
    let few = [cg(20, 1), cg(20, 3), blocks(20, 1), blocks(20, 7), blocks(20, 16)];
    for config in few {
        let config = IalsConfig { sweeps: 12, ..config };
        let (losses, model) = watched(&histories, 45, &config);
        let falling = losses.windows(2).all(|pair| pair[1] < pair[0] * (1.0 + 1e-6));
        assert!(falling && losses[11] < losses[0], "{config:?}: {losses:?}");
        // The notes tell the loss as it is defined, also in a basis that was turned.
        let loss = dense_loss(&model, &histories);
        assert!(loss < losses[11] * (1.0 + 1e-5), "{loss} {losses:?}");
        // In the end all of them come near to where the exact solver comes.
        let exact = IalsConfig {
            solver: Solver::Exact,
            ..config.clone()
        };
        let best = *watched(&histories, 45, &exact).0.last().expect("losses");
        assert!(losses[11] < 1.1 * best, "{config:?}: {} {best}", losses[11]);
    }
}

#[test]
fn a_block_solves_rows_with_more_items_than_are_transposed_at_a_time() {
    // User 0 has all of 1,300 items.
    let pairs = |user: usize| (0..1300).filter(move |item| user == 0 || item % 7 == user);
    let rows: Vec<(usize, usize)> = (0..7)
        .flat_map(|user| pairs(user).map(move |item| (user, item)))
        .collect();
    let users: Vec<_> = rows.iter().map(|row| UserIdx::from_index(row.0)).collect();
    let event = |row: &(usize, usize)| Event::new(ItemIdx::from_index(row.1), Time::UNKNOWN);
    let histories = Histories::group(7, &users, &rows.iter().map(event).collect::<Vec<_>>());
    let exact = fit(&histories, 1300, &small(5), 1, &mut Silent).expect("valid");
    let found = fit(&histories, 1300, &blocks(5, 5), 1, &mut Silent).expect("valid");
    assert!(apart(&exact, &found) < 1e-4, "{}", apart(&exact, &found));
    let (losses, _) = watched(&histories, 1300, &blocks(5, 2));
    assert!(
        losses.windows(2).all(|pair| pair[1] < pair[0] * (1.0 + 1e-6)),
        "{losses:?}"
    );
}

#[test]
fn every_solver_gives_the_same_model_to_the_bit_for_any_number_of_threads() {
    let histories = histories(300, 90);
    for config in [cg(17, 3), blocks(17, 6)] {
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("pool");
            pool.install(|| fit(&histories, 90, &config, 1, &mut Silent).expect("valid"))
        };
        assert_eq!(fit(1), fit(3));
    }
}

#[test]
fn the_objective_of_hu_koren_and_volinsky_is_a_matter_of_settings() {
    // c (⟨w, h⟩ − 1)² of what was seen, ⟨w, h⟩² of the rest, λ' ‖·‖²: its gradient is 0 at a fitted model whose
    // vectors are turned back to its scale, √((1 + α) / α).
    let (alpha, ridge) = (9.0, 3.0);
    let histories = histories(40, 30);
    let config = IalsConfig {
        alpha0: 1.0 / alpha,
        regularization: ridge / (1.0 + alpha),
        nu: 0.0,
        sweeps: 500,
        ..small(3)
    };
    let model = fit(&histories, 30, &config, 1, &mut Silent).expect("valid");
    let scale = ((1.0 + alpha) / alpha).sqrt();
    for user in (0..40).filter(|&user| user != 1) {
        for d in 0..3 {
            let mut gradient = ridge * scale * f64::from(model.user(user)[d]);
            for item in 0..30 {
                let score = scale * scale * dot(model.user(user), model.item(item));
                let pull = if had(&histories, user, item) {
                    (1.0 + alpha) * (score - 1.0)
                } else {
                    score
                };
                gradient += pull * scale * f64::from(model.item(item)[d]);
            }
            assert!(gradient.abs() < 1e-3, "user {user}: {gradient}");
        }
    }
}
