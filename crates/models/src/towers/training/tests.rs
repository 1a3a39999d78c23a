use catchment_features::{FeatureSpec, FitTables, UserInput};
use catchment_schema::{AttributeTable, Event, History, Time, UserIdx, Vocabulary};
use rand::{RngExt, SeedableRng};

use super::step::{knows, query_columns};
use super::*;
use crate::progress::Silent;
use crate::towers::head::Gradients;
use crate::towers::lengths::normalise;
use crate::towers::mlp::Activation;
use crate::towers::plan::{FrequencyKind, HardNegatives, Init, InitRule, ItemSide, Negatives, ProposalKind};
use crate::towers::sampler::Drawn;
use crate::towers::{
    DssmConfig, DssmNegatives, HiddenConfig, HistoryExamples, Norm, OwnNegatives, QueryScratch, ShownItems,
    TwoTowerConfig, YoutubeDnnConfig,
};

pub(super) const N_USERS: u32 = 60;
pub(super) const N_ITEMS: u32 = 12;

/// Two tastes: users with an even number take even items, the others odd ones, each four of six.
pub(super) struct World {
    pub(super) users: Vocabulary,
    pub(super) items: Vocabulary,
    pub(super) user_attributes: AttributeTable,
    pub(super) item_attributes: AttributeTable,
    pub(super) histories: Histories,
}

impl World {
    pub(super) fn new() -> Self {
        let ids =
            |letter: &str, n: u32| -> Vec<String> { (0..n).map(|i| format!("{letter}{i:02}")).collect() };
        let vocabulary = |ids: &[String]| Vocabulary::from_counts(ids.iter().map(|id| (id.as_str(), 1_u64)));
        let (mut users, mut events) = (vec![], vec![]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for user in 0..N_USERS {
            let mut own: Vec<u32> = (0..N_ITEMS).filter(|item| item % 2 == user % 2).collect();
            own.sort_by_key(|_| rng.random::<u32>());
            for (step, &item) in (0..).zip(&own[..4]) {
                users.push(UserIdx(user));
                let time = Time::from_millis(i64::from(user) + 100 * step);
                events.push(Event::new(ItemIdx(item), time));
            }
        }
        Self {
            users: vocabulary(&ids("u", N_USERS)),
            items: vocabulary(&ids("i", N_ITEMS)),
            user_attributes: AttributeTable::empty(N_USERS as usize),
            item_attributes: AttributeTable::empty(N_ITEMS as usize),
            histories: Histories::group(N_USERS as usize, &users, &events),
        }
    }

    pub(super) fn features(&self) -> FittedFeatures {
        let spec: FeatureSpec = toml::from_str(
            r#"
            user = [
                { name = "recent", kind = "history", last = 8, pooling = "mean" },
                { name = "events", kind = "event_count" },
            ]
            item = [{ name = "item", kind = "id" }]
            context = [{ name = "hour", kind = "hour" }]
            "#,
        )
        .expect("a spec");
        let tables = FitTables {
            users: &self.users,
            items: &self.items,
            user_attributes: &self.user_attributes,
            item_attributes: &self.item_attributes,
            histories: &self.histories,
            channels: &[],
        };
        spec.fit(&tables).expect("fitted")
    }

    pub(super) fn with<T>(&self, plan: &Plan, run: impl FnOnce(&TowersData<'_>) -> T) -> T {
        self.with_shown(plan, None, run)
    }

    pub(super) fn with_shown<T>(
        &self,
        plan: &Plan,
        shown: Option<&ShownItems>,
        run: impl FnOnce(&TowersData<'_>) -> T,
    ) -> T {
        let features = self.features();
        let mut items = FeatureBatch::default();
        features
            .transform_items(&self.items, &self.item_attributes, &mut items)
            .expect("transformed");
        let examples = HistoryExamples::new(
            &self.histories,
            &features,
            &self.users,
            &self.user_attributes,
            &plan.examples,
        )
        .expect("examples");
        let examples = match shown {
            Some(shown) => examples.with_shown(shown),
            None => examples,
        };
        run(&TowersData {
            features: &features,
            items: &items,
            n_items: N_ITEMS as usize,
            histories: &self.histories,
            histories_of: &["recent".to_owned()],
            item_id: Some("item"),
            examples: &examples,
        })
    }

    pub(super) fn query(&self, towers: &Towers, history: History<'_>) -> Vec<f32> {
        encode(&self.features(), &towers.query, history)
    }

    /// Of the best three items that a user has not had, the share that is of the user's taste.
    fn taste(&self, towers: &Towers) -> f64 {
        let features = self.features();
        let (mut right, mut all) = (0, 0);
        for user in 0..N_USERS {
            let query = encode(&features, &towers.query, self.histories.of(UserIdx(user)));
            let mut scores: Vec<(f32, u32)> = (0..N_ITEMS)
                .filter(|item| {
                    let events = self.histories.of(UserIdx(user)).events();
                    !events.iter().any(|event| event.item.0 == *item)
                })
                .map(|item| {
                    let vector = &towers.items[item as usize * towers.dim..][..towers.dim];
                    (query.iter().zip(vector).map(|(a, b)| a * b).sum(), item)
                })
                .collect();
            scores.sort_by(|a, b| b.0.total_cmp(&a.0));
            right += scores
                .iter()
                .take(2)
                .filter(|(_, item)| item % 2 == user % 2)
                .count();
            all += 2;
        }
        f64::from(u32::try_from(right).expect("few")) / f64::from(all)
    }
}

fn encode(features: &FittedFeatures, tower: &QueryTower, history: History<'_>) -> Vec<f32> {
    let (mut user, mut context) = (FeatureBatch::default(), FeatureBatch::default());
    let now = Time::from_millis(10_000);
    let input = UserInput {
        history,
        ..UserInput::anonymous(now)
    };
    features.transform_user(&input, &mut user).expect("a row");
    let moment = catchment_features::ContextInput { now };
    features.transform_context(&moment, &mut context).expect("a row");
    let mut out = vec![0.0; tower.dim()];
    tower
        .encode(&user, &context, &mut QueryScratch::default(), &mut out)
        .expect("encoded");
    out
}

/// One plan of every kind, with all that its loss, its layers and its negatives can have.
pub(super) fn plans() -> Vec<Plan> {
    let youtube = YoutubeDnnConfig {
        shared: false,
        normalised: false,
        temperature: 1.0,
        decay: crate::towers::plan::Decay::None,
        dim: 6,
        layers: vec![7, 5],
        batch: 16,
        epochs: 30,
        learning_rate: 0.02,
        ..YoutubeDnnConfig::default()
    };
    let two = TwoTowerConfig {
        decay: crate::towers::plan::Decay::None,
        dim: 6,
        user_layers: vec![7, 5],
        item_layers: vec![6, 5],
        batch: 16,
        epochs: 30,
        learning_rate: 0.02,
        temperature: 0.3,
        frequency: FrequencyKind::Counted,
        ..TwoTowerConfig::default()
    };
    let dssm = DssmConfig {
        decay: crate::towers::plan::Decay::None,
        dim: 6,
        user_layers: vec![7, 5],
        item_layers: vec![6, 5],
        batch: 16,
        epochs: 30,
        learning_rate: 0.02,
        gamma: 3.0,
        ..DssmConfig::default()
    };
    vec![
        YoutubeDnnConfig {
            negatives: 0,
            bias: true,
            example_age: true,
            activation: Activation::Gelu,
            norm: Norm::Layer,
            ..youtube.clone()
        }
        .plan(),
        YoutubeDnnConfig {
            negatives: 5,
            layers: vec![7, 6],
            shared: true,
            activation: Activation::Tanh,
            last: Some(Activation::Identity),
            learned_temperature: true,
            proposal: ProposalKind::Uniform,
            ..youtube
        }
        .plan(),
        TwoTowerConfig {
            norm: Norm::Batch,
            activation: Activation::Tanh,
            uniform: 4,
            ..two.clone()
        }
        .plan(),
        TwoTowerConfig {
            memory: 20,
            activation: Activation::Tanh,
            learned_temperature: true,
            ..two.clone()
        }
        .plan(),
        TwoTowerConfig {
            spare_known: true,
            activation: Activation::Tanh,
            ..two
        }
        .plan(),
        dssm.plan(),
        DssmConfig {
            negatives: DssmNegatives::Shared(6),
            ..dssm.clone()
        }
        .plan(),
        DssmConfig {
            negatives: DssmNegatives::Own(OwnNegatives { own: 3 }),
            input: Some(Activation::Tanh),
            init: Init::Rule(InitRule::Glorot),
            ..dssm
        }
        .plan(),
    ]
}

#[test]
fn each_of_them_learns_two_tastes() {
    let world = World::new();
    for (place, plan) in plans().into_iter().enumerate() {
        let towers = world.with(&plan, |data| {
            fit(&plan, data, TrainingDevice::Cpu, 3, &mut Silent).expect("fitted")
        });
        let losses = &towers.report.losses;
        assert!(losses[losses.len() - 1] < losses[0], "{place}: {losses:?}");
        if plan.spare_known {
            // What nobody has had is all that is left to push away, whatever its taste.
            continue;
        }
        let taste = world.taste(&towers);
        assert!(taste > 0.8, "{place} {}: {taste}", plan.model);
    }
}

/// Of two kinds, with negatives that the model itself ranks high.
pub(super) fn hard_plans() -> Vec<Plan> {
    let plans = plans().into_iter().take(2);
    let hard = |plan| Plan {
        hard: Some(HardNegatives {
            n: 3,
            ranks: [2, 8],
            refresh: 4,
            weight: 0.5,
        }),
        ..plan
    };
    plans.map(hard).collect()
}

/// The loss over mined negatives and its gradients, added to those of the other loss.
#[test]
fn hard_negatives_go_down_the_gradient_of_their_loss() {
    let world = World::new();
    for plan in hard_plans() {
        world.with(&plan, |data| {
            let mut training = Training::new(&plan, data, TrainingDevice::Cpu, 9).expect("made");
            let mut batch = ExampleBatch::default();
            let mut stream = data.examples.pass(0, 0, 5);
            stream.next_batch(4, &mut batch).expect("a batch");
            let drawn = training.sampler.draw(&batch.labels, &mut training.rng);
            let n_drawn = match &drawn {
                Drawn::Beside { positives, negatives } => positives.len() + negatives.len(),
                _ => N_ITEMS as usize,
            };
            let width = training.dim();
            let users: Vec<f32> = (0..batch.len() * width)
                .map(|_| training.rng.random::<f32>())
                .collect();
            let rows: Vec<f32> = (0..N_ITEMS as usize * width)
                .map(|_| training.rng.random::<f32>())
                .collect();
            let mut miner = Miner::new(plan.hard.expect("hard")).expect("a miner");
            miner.refresh(rows.clone(), width);
            let hard = miner.draw(&users, &mut training.rng).expect("drawn");
            let items: Vec<f32> = (0..(n_drawn + hard.len()) * width)
                .map(|_| training.rng.random::<f32>())
                .collect();
            let loss = |users: &[f32], items: &[f32]| {
                let mut gradients = Gradients {
                    users: vec![0.0; users.len()],
                    items: vec![0.0; n_drawn * width],
                };
                let parts = items.split_at(n_drawn * width);
                let beside = (&hard, 0.5);
                let loss = training.meet_beside(&drawn, beside, &batch, users, parts, width, &mut gradients);
                (loss, gradients)
            };
            let (_, gradients) = loss(&users, &items);
            assert_eq!(gradients.items.len(), items.len());
            assert!(gradients.items.iter().any(|slope| slope.abs() > 1e-3));
            let by = 1e-2;
            let check = |slope: f32, up: f64, down: f64| {
                let difference = (up - down) / (2.0 * f64::from(by));
                assert!(
                    (f64::from(slope) - difference).abs() < 2e-3,
                    "{slope} {difference}"
                );
            };
            for cell in 0..users.len() {
                let moved = |by: f32| {
                    let mut users = users.clone();
                    users[cell] += by;
                    loss(&users, &items).0
                };
                check(gradients.users[cell], moved(by), moved(-by));
            }
            for cell in 0..items.len() {
                let moved = |by: f32| {
                    let mut items = items.clone();
                    items[cell] += by;
                    loss(&users, &items).0
                };
                check(gradients.items[cell], moved(by), moved(-by));
            }
            // What the user took at any time pushes nobody away, even where it was drawn.
            for (place, item) in hard.ids().iter().enumerate() {
                let is_known = knows(&training.known, batch.users[place / 3], *item);
                let slopes = &gradients.items[(n_drawn + place) * width..][..width];
                assert_eq!(is_known, slopes.iter().all(|slope| *slope == 0.0), "{place}");
            }
        });
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let world = World::new();
    for plan in plans().into_iter().chain(hard_plans()) {
        let run = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let plan = Plan {
                epochs: 2,
                ..plan.clone()
            };
            world.with(&plan, |data| {
                let towers = pool
                    .expect("threads")
                    .install(|| fit(&plan, data, TrainingDevice::Cpu, seed, &mut Silent));
                towers.expect("fitted").items
            })
        };
        assert!(run(1, 3) == run(3, 3), "{}", plan.model);
        assert!(run(1, 3) != run(1, 4), "{}", plan.model);
    }
}

/// Of the processor's numbers; and, `on_device`, with tables as a graphics processor has them.
pub(super) fn placed<'a>(
    plan: &'a Plan,
    data: &'a TowersData<'a>,
    seed: u64,
    on_device: bool,
) -> Training<'a> {
    let device = TrainingDevice::Cpu.open().expect("a device");
    let layers =
        |width: usize, config: &HiddenConfig, seed| Hidden::new(width, config, plan.optimizer, &device, seed);
    Training::with_layers(plan, data, seed, &layers, on_device.then_some(&device)).expect("made")
}

/// Of all tables.
pub(super) fn rows(training: &Training<'_>) -> Vec<Vec<f32>> {
    let tables = 0..training.tables.len();
    let rows = tables.map(|table| training.tables.all_rows(table).expect("rows").into_owned());
    rows.collect()
}

/// A step of plain descent moves every row of every table by what differences of the loss say.
#[test]
fn the_rows_of_tables_go_down_the_gradient_of_the_loss() {
    let world = World::new();
    let everywhere = |plan: (usize, Plan)| [false, true].map(|on_device| (plan.clone(), on_device));
    for ((place, plan), on_device) in plans().into_iter().enumerate().flat_map(everywhere) {
        let plan = Plan {
            optimizer: crate::embedding_table::RowOptimizer::Sgd,
            init: Init::Range(0.5),
            ..plan
        };
        world.with(&plan, |data| {
            let mut batch = ExampleBatch::default();
            data.examples
                .pass(0, 0, 5)
                .next_batch(16, &mut batch)
                .expect("a batch");
            let new = || placed(&plan, data, 9, on_device);
            // The generator is in the same state in each of them, so that they draw the same negatives.
            let loss = |table: usize, cell: usize, by: f32| {
                let mut training = new();
                training.tables.nudge(table, cell, by);
                training.step(&batch, 0.0).expect("a step").loss
            };
            let mut stepped = new();
            let before = rows(&stepped);
            stepped.step(&batch, 1e-2).expect("a step");
            let after = rows(&stepped);
            for (table, before) in before.iter().enumerate() {
                for cell in (0..before.len()).step_by(5) {
                    let slope = (before[cell] - after[table][cell]) / 1e-2;
                    let difference = (loss(table, cell, 2e-3) - loss(table, cell, -2e-3)) / 4e-3;
                    assert!(
                        (f64::from(slope) - difference).abs() < 2e-3,
                        "plan {place}, table {table}, cell {cell}, on a device {on_device}: {slope} {difference}"
                    );
                }
            }
        });
    }
}

/// With tables of its own, a device learns what the processor does; and either goes on from what the other left.
#[test]
fn tables_on_a_device_learn_what_those_of_the_processor_do() {
    let world = World::new();
    for plan in plans() {
        world.with(&plan, |data| {
            let mut batches = data.examples.pass(0, 0, 5);
            let mut batch = ExampleBatch::default();
            let mut both = [false, true].map(|on_device| placed(&plan, data, 9, on_device));
            let mut step = |both: &mut [Training<'_>; 2]| {
                batches.next_batch(16, &mut batch).expect("a batch");
                let [here, there] = both.each_mut().map(|training| training.step(&batch, 0.02));
                let (here, there) = (here.expect("a step").loss, there.expect("a step").loss);
                assert!(
                    (here - there).abs() < 1e-4 * here.abs().max(1.0),
                    "{}: {here} {there}",
                    plan.model
                );
            };
            for _ in 0..3 {
                step(&mut both);
            }
            let folder = tempfile::tempdir().expect("a folder");
            let report = TowersReport::default();
            let mut crossed = [true, false].map(|on_device| placed(&plan, data, 9, on_device));
            for (place, (from, to)) in both.iter_mut().zip(&mut crossed).enumerate() {
                let file = folder.path().join(place.to_string());
                checkpoint::write(&file, 1, from, &report, (1, 3)).expect("written");
                let position = checkpoint::read(&file, 1, to, &mut report.clone()).expect("read");
                assert_eq!(position.map(|position| position.done), Some(3));
                assert!(rows(from) == rows(to), "{}", plan.model);
            }
            step(&mut crossed);
            let towers = crossed.map(|training| training.towers(TowersReport::default(), 1).expect("towers"));
            for (here, there) in towers[0].items.iter().zip(&towers[1].items) {
                // Adam makes much of the rounding of a slope that is nearly none.
                assert!((here - there).abs() < 2e-3, "{}: {here} {there}", plan.model);
            }
        });
    }
}

#[test]
fn what_is_served_is_what_was_trained() {
    let world = World::new();
    for plan in plans() {
        // Batch norm is served by running means: not what a batch of training sees.
        if plan.query.norm == Norm::Batch {
            continue;
        }
        world.with(&plan, |data| {
            let mut training = Training::new(&plan, data, TrainingDevice::Cpu, 1).expect("made");
            let features = data.features;
            let history = world.histories.of(UserIdx(3));
            let (mut user, mut context) = (FeatureBatch::default(), FeatureBatch::default());
            let now = Time::from_millis(10_000);
            let input = UserInput {
                history,
                ..UserInput::anonymous(now)
            };
            features.transform_user(&input, &mut user).expect("a row");
            let moment = catchment_features::ContextInput { now };
            features.transform_context(&moment, &mut context).expect("a row");
            let batch = ExampleBatch {
                user,
                context,
                age: vec![0.0],
                labels: vec![ItemIdx(0)],
                rewards: vec![1.0],
                users: vec![UserIdx(3)],
                ..ExampleBatch::default()
            };
            let age = batch.age_column();
            let columns = query_columns(&batch, plan.example_age.then_some(&age));
            let inputs = training.tables.input(&training.query.input, columns, 1);
            let inputs = inputs.expect("an input");
            let (_, mut trained) = training.query.hidden.forward(&inputs).expect("a vector");
            let dim = trained.len();
            if plan.normalised {
                normalise(&mut trained, dim);
            }
            let items = training.item_pass(&[ItemIdx(4)]).expect("vectors");
            let towers = training.towers(TowersReport::default(), 1).expect("finished");
            let served = encode(features, &towers.query, history);
            for (served, trained) in served.iter().zip(&trained) {
                assert!(
                    (served - trained).abs() < 1e-5,
                    "{}: {served} {trained}",
                    plan.model
                );
            }
            let mut vector = items.vectors;
            if plan.normalised {
                normalise(&mut vector, dim);
            }
            for (served, trained) in towers.items[4 * towers.dim..].iter().zip(&vector) {
                assert!(
                    (served - trained).abs() < 1e-5,
                    "{}: {served} {trained}",
                    plan.model
                );
            }

            let folder = tempfile::tempdir().expect("a folder");
            towers.query.save(folder.path(), "f1").expect("written");
            let read = QueryTower::open(folder.path(), "f1").expect("read");
            assert!(read == towers.query);
            let other = QueryTower::open(folder.path(), "f2").expect_err("other features");
            assert!(
                other.to_string().contains("trained on the features f1"),
                "{other}"
            );
            let table = folder.path().join("table_0.arrow");
            let bytes = std::fs::read(&table).expect("a table");
            std::fs::write(&table, &bytes[..bytes.len() / 2]).expect("cut");
            assert!(QueryTower::open(folder.path(), "f1").is_err());
        });
    }
}

#[test]
fn a_training_that_was_stopped_goes_on_to_the_same_end() {
    let world = World::new();
    for plan in plans().into_iter().chain(hard_plans()) {
        let plan = Plan {
            epochs: 4,
            query: crate::towers::HiddenConfig {
                dropout: 0.2,
                ..plan.query.clone()
            },
            ..plan
        };
        let plan = match plan.negatives {
            Negatives::InBatch { uniform, memory, .. } => Plan {
                negatives: Negatives::InBatch {
                    uniform,
                    memory,
                    frequency: FrequencyKind::Streaming(catchment_sampling::StreamingConfig {
                        buckets: 64,
                        ..catchment_sampling::StreamingConfig::default()
                    }),
                },
                ..plan
            },
            _ => plan,
        };
        world.with(&plan, |data| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("checkpoint");
            let run = |seed: u64, watch: &mut dyn Progress| {
                fit_or_resume(&plan, data, TrainingDevice::Cpu, seed, Some(&path), watch)
            };
            let whole = fit(&plan, data, TrainingDevice::Cpu, 3, &mut Silent).expect("fitted");
            let steps = data.examples.n_examples(0).div_ceil(plan.batch) as u64;
            let mut stop = |done: u64, _: u64, _: &str| {
                if done == 2 * steps + 3 {
                    Flow::Stop
                } else {
                    Flow::Continue
                }
            };
            assert!(matches!(run(3, &mut stop), Err(Error::Stopped)));
            assert!(matches!(run(4, &mut Silent), Err(Error::OtherRun { .. })));
            let mut first = None;
            let mut watch = |done: u64, _: u64, _: &str| {
                first.get_or_insert(done);
                Flow::Continue
            };
            let resumed = run(3, &mut watch).expect("resumed");
            assert_eq!(first, Some(2 * steps + 1), "two epochs were not done again");
            assert!(resumed.items == whole.items, "{}", plan.model);
            assert!(resumed.query == whole.query, "{}", plan.model);
            assert_eq!(resumed.report.losses, whole.report.losses);

            let bytes = std::fs::read(&path).expect("a checkpoint");
            for cut in [0, 4, 20, bytes.len() / 2, bytes.len() - 1] {
                std::fs::write(&path, &bytes[..cut]).expect("cut");
                let error = run(3, &mut Silent).expect_err("it is cut");
                assert!(matches!(error, Error::File(_)), "{cut}: {error}");
            }
            let mut flipped = bytes.clone();
            let at = bytes.len() / 2;
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).expect("written");
            assert!(run(3, &mut Silent).is_err(), "a flipped bit");
        });
    }
}

#[test]
fn stopping_and_settings_that_cannot_be_are_errors() {
    let world = World::new();
    let good = plans().remove(0);
    world.with(&good, |data| {
        let mut stop = |_: u64, _: u64, _: &str| Flow::Stop;
        let stopped = fit(&good, data, TrainingDevice::Cpu, 1, &mut stop);
        assert!(matches!(stopped, Err(Error::Stopped)));
        let key = |plan: Plan| match fit(&plan, data, TrainingDevice::Cpu, 1, &mut Silent) {
            Err(Error::Config { key, .. }) => key,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            key(Plan {
                batch: 0,
                ..good.clone()
            }),
            "batch"
        );
        assert_eq!(
            key(Plan {
                dim: 0,
                ..good.clone()
            }),
            "dim"
        );
        for (n, activation, wrong) in [(0, None, "negatives.own"), (1, Some(Activation::Gelu), "input")] {
            let plan = Plan {
                negatives: Negatives::Own {
                    n,
                    proposal: ProposalKind::Uniform,
                },
                input_activation: activation,
                ..good.clone()
            };
            assert_eq!(key(plan), wrong);
        }
        assert_eq!(
            key(Plan {
                learning_rate: f64::NAN,
                ..good.clone()
            }),
            "learning_rate"
        );
        let wide = Plan {
            item: ItemSide::Table {
                bias: false,
                shared: true,
            },
            ..good.clone()
        };
        assert_eq!(key(wide), "layers", "5 outputs cannot share a table of 6");
        let fast = Plan {
            learning_rate: 1e30,
            ..good.clone()
        };
        assert!(matches!(
            fit(&fast, data, TrainingDevice::Cpu, 1, &mut Silent),
            Err(Error::Diverged { model: "youtube_dnn" })
        ));
        #[cfg(not(feature = "gpu"))]
        assert!(matches!(
            fit(&good, data, TrainingDevice::Gpu(None), 1, &mut Silent),
            Err(Error::Device { .. })
        ));
    });
}

/// The estimate of a stream that does not drift ends near what was seen of it.
#[test]
fn the_report_has_what_was_estimated_beside_what_was_seen() {
    let world = World::new();
    let two_tower = |frequency| {
        let plan = TwoTowerConfig {
            dim: 4,
            user_layers: vec![4],
            item_layers: vec![4],
            batch: 20,
            epochs: 20,
            frequency,
            ..TwoTowerConfig::default()
        }
        .plan();
        world.with(&plan, |data| {
            fit(&plan, data, TrainingDevice::Cpu, 3, &mut Silent)
                .expect("fitted")
                .report
                .frequencies
        })
    };
    let frequencies = two_tower(FrequencyKind::Streaming(catchment_sampling::StreamingConfig {
        rate: 0.02,
        ..catchment_sampling::StreamingConfig::default()
    }));
    // The ranks in equal ratios hit each of the twelve items.
    assert_eq!(frequencies.len(), N_ITEMS as usize);
    let counted: f64 = frequencies.iter().map(|of| of.counted).sum();
    assert!((counted - 20.0).abs() < 1e-9, "the rows of a batch, {counted}");
    assert!(frequencies.is_sorted_by(|a, b| a.counted >= b.counted));
    for of in &frequencies {
        assert!((of.estimated / of.counted - 1.0).abs() < 0.5, "{of:?}");
    }
    assert!(two_tower(FrequencyKind::Counted).is_empty());
}
