//! Training on a graphics processor, or on a driver in software, beside training on the processor.

use super::tests::{World, plans};
use super::*;
use crate::progress::Silent;
use crate::towers::{ExamplesConfig, YoutubeDnnConfig};

/// Whether there is no graphics processor, said by the name of the test.
fn is_skipped(test: &str) -> bool {
    let is_skipped = crate::towers::device::devices().len() < 2;
    if is_skipped {
        println!("{test} is skipped: there is no Vulkan, Metal or DirectX driver");
    }
    is_skipped
}

/// On Mesa's software Vulkan as on any other driver: the same numbers as on the processor.
#[test]
fn a_gpu_trains_what_the_processor_trains() {
    if is_skipped("a_gpu_trains_what_the_processor_trains") {
        return;
    }
    let world = World::new();
    for (place, plan) in plans().into_iter().enumerate() {
        // One of them is also stopped on the processor after a pass, and goes on on the other. (Of the first, with its layer norm,
        // a second pass makes more of rounding.)
        let is_crossed = place == 1;
        let plan = Plan {
            epochs: if is_crossed { 2 } else { 1 },
            ..plan
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("checkpoint");
        let on = |device, checkpoint: Option<&Path>, progress: &mut dyn Progress| {
            world.with(&plan, |data| {
                fit_or_resume(&plan, data, device, 3, checkpoint, progress)
            })
        };
        let cpu = on(TrainingDevice::Cpu, None, &mut Silent).expect("fitted");
        let near = |gpu: &Towers, what: &str| {
            for (one, other) in cpu.items.iter().zip(&gpu.items) {
                assert!(
                    (one - other).abs() < 1e-3,
                    "{}, {what}: {one} {other}",
                    plan.model
                );
            }
            for (one, other) in cpu.report.losses.iter().zip(&gpu.report.losses) {
                assert!(
                    (one - other).abs() < 1e-3,
                    "{}, {what}: {one} {other}",
                    plan.model
                );
            }
        };
        let gpu = TrainingDevice::Gpu(None);
        near(&on(gpu, None, &mut Silent).expect("fitted"), "on the device");
        if is_crossed {
            let mut stop = |done: u64, total: u64, _: &str| {
                if done > total / 2 {
                    Flow::Stop
                } else {
                    Flow::Continue
                }
            };
            let stopped = on(TrainingDevice::Cpu, Some(&path), &mut stop);
            assert!(matches!(stopped, Err(Error::Stopped)) && path.exists());
            near(
                &on(gpu, Some(&path), &mut Silent).expect("resumed"),
                "from a checkpoint",
            );
        }
    }
}

/// A table that the device does not take in one piece stays beside the processor, and the training is the same. On a device
/// that takes 147 MB at once there is nothing to see.
#[test]
fn a_gpu_without_room_for_a_table_trains_without_it() {
    if is_skipped("a_gpu_without_room_for_a_table_trains_without_it") {
        return;
    }
    let world = World::new();
    let plan = YoutubeDnnConfig {
        dim: 4096,
        layers: vec![],
        shared: false,
        batch: 4,
        epochs: 1,
        negatives: 3,
        examples: ExamplesConfig {
            per_user: 1,
            ..YoutubeDnnConfig::default().examples
        },
        ..YoutubeDnnConfig::default()
    }
    .plan();
    world.with(&plan, |data| {
        // Most items are in no history; their weights are there all the same, 147 MB of them.
        let data = &TowersData {
            n_items: 9_000,
            ..*data
        };
        let run = |device| {
            let mut steps = Steps::new(&plan, data, device, 3).expect("made");
            let mut batches = data.examples.pass(0, 0, 3);
            let mut batch = ExampleBatch::default();
            batches.next_batch(4, &mut batch).expect("a batch");
            let loss = steps.step(&batch, 0.02).expect("a step").loss;
            (loss, steps.kept_here().map(str::to_owned))
        };
        let (gpu, kept_here) = run(TrainingDevice::Gpu(None));
        let Some(reason) = kept_here else {
            println!("a_gpu_without_room_for_a_table_trains_without_it is skipped: this device has room");
            return;
        };
        assert!(reason.contains("in one piece"), "{reason}");
        let (cpu, none) = run(TrainingDevice::Cpu);
        assert_eq!(none, None);
        assert!((gpu - cpu).abs() < 1e-3, "{gpu} {cpu}");
    });
}

/// Sums have an order of their own there: the same seed gives the same bytes.
#[test]
fn a_gpu_gives_the_same_again() {
    if is_skipped("a_gpu_gives_the_same_again") {
        return;
    }
    let world = World::new();
    for plan in plans() {
        let plan = Plan { epochs: 1, ..plan };
        let run = || {
            world.with(&plan, |data| {
                fit(&plan, data, TrainingDevice::Gpu(None), 3, &mut Silent)
            })
        };
        let (one, other) = (run().expect("fitted"), run().expect("fitted"));
        assert!(one.items == other.items, "{}", plan.model);
        assert_eq!(one.report.losses, other.report.losses, "{}", plan.model);
    }
}

/// Whoever has a loop of their own may step from several threads, one after the other.
#[test]
fn a_gpu_does_not_ask_which_thread_steps() {
    if is_skipped("a_gpu_does_not_ask_which_thread_steps") {
        return;
    }
    let world = World::new();
    let plan = plans().swap_remove(1);
    world.with(&plan, |data| {
        let run = |n_threads: usize| {
            let mut steps = Steps::new(&plan, data, TrainingDevice::Gpu(None), 3).expect("made");
            let mut batches = data.examples.pass(0, 0, 3);
            let mut batch = ExampleBatch::default();
            for step in 0..10 {
                batches.next_batch(16, &mut batch).expect("a batch");
                if step % n_threads == 0 {
                    steps.step(&batch, 0.02).expect("a step");
                } else {
                    let other = || steps.step(&batch, 0.02).expect("a step");
                    thread::scope(|scope| scope.spawn(other).join().expect("no panic"));
                }
            }
            steps.towers().expect("towers").items
        };
        for (one, other) in run(1).iter().zip(run(3)) {
            assert!((one - other).abs() < 1e-5, "{one} {other}");
        }
    });
}
