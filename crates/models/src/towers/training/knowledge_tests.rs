//! What may be known, expected and answered: of what, until when.

use catchment_features::{FeatureSpec, FitTables};
use catchment_sampling::{Proposal, StreamingConfig};
use catchment_schema::{Event, Time, UserIdx};

use super::tests::{N_ITEMS, N_USERS, World};
use super::*;
use crate::losses::{Correction, SoftmaxConfig, in_batch_softmax};
use crate::progress::Silent;
use crate::towers::plan::{FrequencyKind, HardNegatives, ProposalKind};
use crate::towers::sampler::Drawn;
use crate::towers::{
    ByTime, ExamplesConfig, HistoryExamples, Norm, Order, Past, Pick, Reward, TwoTowerConfig,
    YoutubeDnnConfig,
};

fn two_tower() -> TwoTowerConfig {
    TwoTowerConfig {
        dim: 6,
        user_layers: vec![5],
        item_layers: vec![5],
        batch: 16,
        epochs: 2,
        frequency: FrequencyKind::Counted,
        ..TwoTowerConfig::default()
    }
}

/// Where only the others are corrected, a column of a batch that remembers two more is expected three times as often.
#[test]
fn a_memory_makes_the_sample_larger_where_the_positive_is_not_corrected() {
    let world = World::new();
    let plan = TwoTowerConfig {
        memory: 32,
        correction: Correction::Refined,
        ..two_tower()
    }
    .plan();
    world.with(&plan, |data| {
        let mut training = Training::new(&plan, data, TrainingDevice::Cpu, 9).expect("made");
        let width = training.dim();
        let (mut batch, mut stream) = (ExampleBatch::default(), data.examples.pass(0, 0, 5));
        let mut remembered: Option<catchment_sampling::Candidates> = None;
        for step in 0..3_usize {
            stream.next_batch(16, &mut batch).expect("a batch");
            let number = |at: usize| ((at * 37 + step * 11) % 17) as f32 / 17.0 - 0.5;
            let users: Vec<f32> = (0..16 * width).map(number).collect();
            let items: Vec<f32> = (0..16 * width).map(|at| number(at + 5)).collect();
            let drawn = training.sampler.draw(&batch.labels, &mut training.rng);
            let Drawn::Columns(columns) = &drawn else {
                panic!("the batch")
            };
            let vectors = training.memory.as_ref().expect("a memory").1.clone();
            let (loss, _) = training.meet(&drawn, &batch, &users, &items, width);
            let all = match &remembered {
                None => columns.clone(),
                Some(remembered) => columns.clone().followed_by(remembered),
            };
            let times = all.len() as f64 / 16.0;
            assert!((times - (step + 1) as f64).abs() < 1e-9);
            let vectors = [items, vectors].concat();
            let scores: Vec<f32> = users
                .chunks(width)
                .flat_map(|user| {
                    vectors
                        .chunks(width)
                        .map(|item| dot(user, item))
                        .collect::<Vec<_>>()
                })
                .collect();
            let config = SoftmaxConfig {
                temperature: training.temperature(),
                correction: Correction::Refined,
            };
            let mut slopes = vec![0.0; scores.len()];
            let mut of = |all: &catchment_sampling::Candidates| {
                in_batch_softmax(&scores, 16, all, &config, None, None, &mut slopes)
            };
            let (expected, unscaled) = (of(&all.clone().expected_times(times)), of(&all));
            assert!((loss - expected).abs() < 1e-5, "{step}: {loss} {expected}");
            assert!(
                step == 0 || (loss - unscaled).abs() > 1e-2,
                "{step}: {loss} {unscaled}"
            );
            remembered = Some(match remembered {
                None => columns.clone(),
                Some(remembered) => remembered.followed_by(columns),
            });
        }
    });
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn examples<'a>(
    world: &'a World,
    features: &'a FittedFeatures,
    config: &ExamplesConfig,
) -> Result<HistoryExamples<'a>> {
    HistoryExamples::new(
        &world.histories,
        features,
        &world.users,
        &world.user_attributes,
        config,
    )
}

/// One user with many events of item 0 and one of each other, and one user of item 11 alone.
fn lopsided() -> World {
    let mut world = World::new();
    let mut rows: Vec<(u32, u32)> = (0..30).map(|_| (0, 0)).collect();
    rows.extend((1..10).map(|item| (0, item)));
    rows.extend((0..4).map(|_| (1, 11)));
    let users: Vec<UserIdx> = rows.iter().map(|row| UserIdx(row.0)).collect();
    let events: Vec<Event> = (0..)
        .zip(&rows)
        .map(|(time, row)| Event::new(ItemIdx(row.1), Time::from_millis(time)))
        .collect();
    world.histories = Histories::group(N_USERS as usize, &users, &events);
    world
}

/// What is expected of a pass is what passes have on average; frequencies that are counted go by it, not by the log.
#[test]
fn labels_are_expected_as_often_as_passes_have_them() {
    let world = lopsided();
    let features = world.features();
    for (pick, per_user) in [(Pick::Sampled, 0), (Pick::Sampled, 3), (Pick::Recent, 5)] {
        let config = ExamplesConfig {
            per_user,
            pick,
            ..ExamplesConfig::default()
        };
        let examples = examples(&world, &features, &config).expect("examples");
        let expected = examples.labels(0..1, N_ITEMS as usize).expect("known");
        let n_passes = 400;
        let mut found = [0.0; N_ITEMS as usize];
        let mut batch = ExampleBatch::default();
        for epoch in 0..n_passes {
            examples
                .pass(epoch, 0, 3)
                .next_batch(1000, &mut batch)
                .expect("a batch");
            assert_eq!(batch.len(), examples.n_examples(0));
            for label in &batch.labels {
                found[label.index()] += 1.0 / n_passes as f64;
            }
        }
        for (item, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(
                (found - expected).abs() < 0.15,
                "{pick:?} {item}: {found} {expected}"
            );
        }
    }
    let plan = Plan {
        examples: ExamplesConfig {
            per_user: 3,
            ..ExamplesConfig::default()
        },
        ..two_tower().plan()
    };
    world.with(&plan, |data| {
        let mut training = Training::new(&plan, data, TrainingDevice::Cpu, 9).expect("made");
        let mut of = |labels: &[ItemIdx]| match training.sampler.draw(labels, &mut training.rng) {
            Drawn::Columns(columns) => columns.log_expected_count()[0].exp(),
            _ => panic!("the batch"),
        };
        // Three of 38 examples of the first user, 29 of them of item 0; all three of the other's, who has had four.
        let share = 3.0 * 29.0 / 38.0 / 6.0;
        assert!((of(&[ItemIdx(0); 16]) - 16.0 * share).abs() < 1e-4);
        assert!((of(&[ItemIdx(11); 16]) - 16.0 * 0.5).abs() < 1e-4);
        // A last batch of four rows holds a quarter of it.
        assert!((of(&[ItemIdx(11); 4]) - 4.0 * 0.5).abs() < 1e-4);
    });
}

/// Of a moment at which several things were taken, nothing is seen in its past: it takes an earlier one.
#[test]
fn a_past_is_counted_as_it_is_seen() {
    let mut world = World::new();
    let events = [(3, 10), (1, 10), (5, 10), (0, 20), (2, 30)];
    let events = events.map(|(item, time)| Event::new(ItemIdx(item), Time::from_millis(time)));
    world.histories = Histories::group(N_USERS as usize, &[UserIdx(0); 5], &events);
    let features = world.features();
    for (min_past, past, expected) in [
        (0, Past::Before, 5),
        (1, Past::Before, 2),
        (3, Past::Before, 2),
        (4, Past::Before, 1),
        (5, Past::Before, 0),
        (1, Past::InOrder, 4),
    ] {
        let config = ExamplesConfig {
            past,
            min_past,
            ..ExamplesConfig::default()
        };
        let found = examples(&world, &features, &config);
        let found = found.map_or(0, |examples| examples.n_examples(0));
        assert_eq!(found, expected, "{min_past} {past:?}");
    }
}

fn by_time() -> ExamplesConfig {
    ExamplesConfig {
        order: Order::ByTime(ByTime {
            shard_days: 100.0 / 86_400_000.0,
            window: 1,
        }),
        ..ExamplesConfig::default()
    }
}

/// Users take one item in each hundred milliseconds, each of their own.
fn one_a_shard() -> World {
    let mut world = World::new();
    let rows = (0..N_USERS).flat_map(|user| (0..4).map(move |step| (user, step)));
    let (users, events): (Vec<UserIdx>, Vec<Event>) = rows
        .map(|(user, step)| {
            let item = ItemIdx(3 * step + user % 3);
            let time = Time::from_millis(i64::from(user) + 100 * i64::from(step));
            (UserIdx(user), Event::new(item, time))
        })
        .unzip();
    world.histories = Histories::group(N_USERS as usize, &users, &events);
    world
}

/// Items of later shards are neither spared before they are taken nor answered before they are learned.
#[test]
fn what_comes_later_is_neither_known_nor_answered() {
    let world = one_a_shard();
    let youtube = YoutubeDnnConfig {
        dim: 6,
        shared: false,
        batch: 16,
        epochs: 1,
        negatives: 4,
        spare_known: true,
        examples: by_time(),
        ..YoutubeDnnConfig::default()
    };
    let two = TwoTowerConfig {
        epochs: 1,
        spare_known: true,
        examples: by_time(),
        ..two_tower()
    };
    for plan in [youtube.plan(), two.plan()] {
        world.with(&plan, |data| {
            let mut n_answered = vec![];
            let mut after = |shard: usize, current: &Current<'_>| {
                let taken = 3 * (shard + 2);
                for (user, known) in current.training.known.iter().enumerate() {
                    let ends = world.histories.of(UserIdx::from_index(user)).events();
                    let until = &ends[..shard + 2];
                    assert_eq!(known.len(), until.len());
                    assert!(until.iter().all(|event| known.contains(&event.item)));
                }
                let towers = current.towers()?;
                let is_answered = |vector: &&[f32]| vector.iter().any(|number| *number != 0.0);
                let answered = towers.items.chunks(towers.dim).filter(is_answered).count();
                // The first shard's items were in histories only: no label, and a table of their own.
                let is_shared = plan.model == "two_tower";
                n_answered.push((answered, if is_shared { taken } else { taken - 3 }));
                Ok(())
            };
            fit_shards(&plan, data, TrainingDevice::Cpu, 3, None, &mut after, &mut Silent).expect("fitted");
            assert_eq!(n_answered.len(), 3);
            for (found, expected) in n_answered {
                assert_eq!(found, expected, "{}", plan.model);
            }
        });
    }
}

#[test]
fn settings_that_mean_nothing_together_are_refused_by_name() {
    let youtube = YoutubeDnnConfig::default();
    let two = two_tower();
    let streaming = |config| TwoTowerConfig {
        frequency: FrequencyKind::Streaming(config),
        ..two.clone()
    };
    let refused = [
        (
            "spare_known",
            YoutubeDnnConfig {
                negatives: 0,
                spare_known: true,
                ..youtube.clone()
            }
            .plan(),
        ),
        (
            "example_age",
            YoutubeDnnConfig {
                example_age: true,
                epochs: 1,
                examples: by_time(),
                ..youtube.clone()
            }
            .plan(),
        ),
        (
            "dropout",
            YoutubeDnnConfig {
                dropout: 0.1,
                layers: vec![64],
                ..youtube.clone()
            }
            .plan(),
        ),
        (
            "norm",
            YoutubeDnnConfig {
                norm: Norm::Layer,
                ..youtube.clone()
            }
            .plan(),
        ),
        (
            "batch",
            TwoTowerConfig {
                norm: Norm::Batch,
                batch: 1,
                ..two.clone()
            }
            .plan(),
        ),
        (
            "examples.pick",
            YoutubeDnnConfig {
                examples: ExamplesConfig {
                    pick: Pick::Recent,
                    ..ExamplesConfig::default()
                },
                ..youtube
            }
            .plan(),
        ),
        (
            "buckets",
            streaming(StreamingConfig {
                buckets: 1 << 62,
                ..StreamingConfig::default()
            })
            .plan(),
        ),
        (
            "rate",
            streaming(StreamingConfig {
                rate: 0.0,
                ..StreamingConfig::default()
            })
            .plan(),
        ),
    ];
    for (key, plan) in refused {
        let error = plan.validate().expect_err(key).to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
    assert!(two.plan().validate().is_ok());
}

/// What only the log can say is refused before anything is trained.
#[test]
fn settings_that_the_data_cannot_have_are_refused_by_name() {
    let world = World::new();
    let spec: FeatureSpec =
        toml::from_str(r#"user = [{ name = "recent", kind = "history", half_life = { days = 7.0 } }]"#)
            .expect("a spec");
    let fading = spec
        .fit(&FitTables {
            users: &world.users,
            items: &world.items,
            user_attributes: &world.user_attributes,
            item_attributes: &world.item_attributes,
            histories: &world.histories,
            channels: &[],
        })
        .expect("fitted");
    let counting = world.features();
    let others = ExamplesConfig {
        past: Past::Others,
        ..ExamplesConfig::default()
    };
    let forgetting = ExamplesConfig {
        forget: 0.5,
        ..ExamplesConfig::default()
    };
    let valued = ExamplesConfig {
        reward: Reward::Value,
        ..ExamplesConfig::default()
    };
    let key = |features: &FittedFeatures, config: &ExamplesConfig| match examples(&world, features, config) {
        Ok(_) => "",
        Err(Error::Config { key, .. }) => key,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(key(&fading, &others), "examples.past");
    assert_eq!(key(&counting, &others), "");
    assert_eq!(key(&fading, &ExamplesConfig::default()), "");
    assert_eq!(key(&counting, &forgetting), "examples.forget");
    assert_eq!(key(&fading, &forgetting), "");
    assert_eq!(key(&counting, &valued), "");
    let mut worthless = World::new();
    let mut events = vec![];
    let mut users = vec![];
    for (user, history) in worthless.histories.iter() {
        users.extend(history.events().iter().map(|_| user));
        events.extend(history.events().iter().map(|event| Event {
            value: -1.0,
            ..*event
        }));
    }
    worthless.histories = Histories::group(N_USERS as usize, &users, &events);
    assert!(matches!(
        examples(&worthless, &counting, &valued),
        Err(Error::Config {
            key: "examples.reward",
            ..
        })
    ));
    let plan = YoutubeDnnConfig {
        shared: false,
        hard: Some(HardNegatives::default()),
        ..YoutubeDnnConfig::default()
    }
    .plan();
    let error = world.with(&plan, |data| {
        fit(&plan, data, TrainingDevice::Cpu, 3, &mut Silent)
    });
    assert!(matches!(
        error,
        Err(Error::Config {
            key: "hard.ranks",
            ..
        })
    ));
}

/// The mean of one row is the row. 181 examples in batches of 20 end in one.
#[test]
fn a_last_row_alone_is_no_batch_to_take_the_mean_of() {
    let mut world = World::new();
    let (mut users, mut events) = (vec![], vec![]);
    for (user, history) in world.histories.iter() {
        users.extend(history.events().iter().map(|_| user));
        events.extend_from_slice(history.events());
    }
    users.push(UserIdx(59));
    events.push(Event::new(ItemIdx(1), Time::from_millis(5_000)));
    world.histories = Histories::group(N_USERS as usize, &users, &events);
    let plan = |batch| Plan {
        batch,
        epochs: 1,
        ..TwoTowerConfig {
            norm: Norm::Batch,
            ..two_tower()
        }
        .plan()
    };
    let layers = |n_rows: usize| {
        let plan = plan(20);
        world.with(&plan, |data| {
            let mut steps = Steps::new(&plan, data, TrainingDevice::Cpu, 3).expect("steps");
            let (mut batch, mut stream) = (ExampleBatch::default(), data.examples.pass(0, 0, 5));
            assert_eq!(data.examples.n_examples(0), 181);
            for _ in 0..n_rows {
                stream.next_batch(20, &mut batch).expect("a batch");
                steps.step(&batch, 0.01).expect("a step");
            }
            assert_eq!(batch.len(), if n_rows == 10 { 1 } else { 20 });
            format!("{:?}", steps.layers().expect("layers"))
        })
    };
    assert_eq!(layers(9), layers(10));
}

/// Of a table whose items are ranked by how often they were learned so far, not by their number.
#[test]
fn a_proposal_by_rank_goes_by_what_was_counted() {
    let world = one_a_shard();
    let plan = YoutubeDnnConfig {
        dim: 6,
        shared: false,
        batch: 16,
        epochs: 1,
        negatives: 4,
        proposal: ProposalKind::LogUniform,
        examples: by_time(),
        ..YoutubeDnnConfig::default()
    }
    .plan();
    world.with(&plan, |data| {
        let counts = assembly::counts(data).expect("counts");
        let ranked = catchment_sampling::LogUniform::of_counts(&counts).expect("items");
        let mut training = Training::new(&plan, data, TrainingDevice::Cpu, 9).expect("made");
        let Drawn::Beside { positives, .. } = training
            .sampler
            .draw(&[ItemIdx(9), ItemIdx(0)], &mut training.rng)
        else {
            panic!("drawn")
        };
        let expected = ranked.expected(&[ItemIdx(9), ItemIdx(0)], 4);
        assert_eq!(positives, expected);
    });
}
