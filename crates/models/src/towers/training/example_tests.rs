//! What is learned from, and in which order.

use catchment_schema::{Event, Time, UserIdx};

use super::assembly::counts;
use super::tests::{N_ITEMS, N_USERS, World, plans};
use super::*;
use crate::progress::Silent;
use crate::towers::{ByTime, ExamplesConfig, HistoryExamples, Order, Past};

#[test]
fn examples_know_only_their_past() {
    let world = World::new();
    let features = world.features();
    let of = |config: &ExamplesConfig| {
        HistoryExamples::new(
            &world.histories,
            &features,
            &world.users,
            &world.user_attributes,
            config,
        )
        .expect("examples")
    };
    let all = of(&ExamplesConfig::default());
    // Of four events each, the first has no past.
    assert_eq!(all.n_examples(0), 3 * N_USERS as usize);
    let mut batch = ExampleBatch::default();
    let mut stream = all.pass(1, 0, 2);
    let mut seen = 0;
    loop {
        stream.next_batch(7, &mut batch).expect("a batch");
        if batch.is_empty() {
            break;
        }
        seen += batch.len();
        for row in 0..batch.len() {
            let events = world.histories.of(batch.users[row]).events();
            let position = batch.user.row(row).bag(0).0.len();
            let past: Vec<u32> = events[..position].iter().map(|event| event.item.0).collect();
            assert_eq!(batch.user.row(row).bag(0).0, past);
            assert_eq!(events[position].item, batch.labels[row]);
        }
    }
    assert_eq!(seen, all.n_examples(0));

    let capped = of(&ExamplesConfig {
        per_user: 2,
        ..ExamplesConfig::default()
    });
    assert_eq!(capped.n_examples(0), 2 * N_USERS as usize);
    let labels = |epoch| {
        capped
            .pass(epoch, 0, 2)
            .next_batch(1000, &mut batch)
            .expect("a batch");
        let mut of_user = vec![0; N_USERS as usize];
        for user in &batch.users {
            of_user[user.index()] += 1;
        }
        assert!(of_user.iter().all(|&n| n == 2));
        let mut pairs: Vec<(u32, u32)> = batch
            .users
            .iter()
            .zip(&batch.labels)
            .map(|(u, i)| (u.0, i.0))
            .collect();
        pairs.sort_unstable();
        pairs
    };
    let mut labels = labels;
    assert_ne!(labels(1), labels(2), "another sample in another epoch");

    let others = of(&ExamplesConfig {
        past: Past::Others,
        ..ExamplesConfig::default()
    });
    let mut batch = ExampleBatch::default();
    others
        .pass(0, 0, 0)
        .next_batch(1000, &mut batch)
        .expect("a batch");
    assert_eq!(batch.len(), 4 * N_USERS as usize);
    for row in 0..batch.len() {
        let shown = batch.user.row(row).bag(0).0;
        assert!(!shown.contains(&batch.labels[row].0), "the label is not shown");
        assert_eq!(shown.len(), 3);
    }
}

/// Whoever rates a page of films at once has one time for all of them. Where the log says in which order, the past of the
/// last is the whole page; where it does not, none of it.
#[test]
fn a_past_in_order_has_what_came_before_at_the_same_moment() {
    let mut world = World::new();
    let events = [(3, 10), (1, 20), (5, 20), (0, 20)];
    let events = events.map(|(item, time)| Event::new(ItemIdx(item), Time::from_millis(time)));
    world.histories = Histories::group(N_USERS as usize, &[UserIdx(0); 4], &events);
    let features = world.features();
    let pasts = |past| {
        let config = ExamplesConfig {
            past,
            ..ExamplesConfig::default()
        };
        let of = HistoryExamples::new(
            &world.histories,
            &features,
            &world.users,
            &world.user_attributes,
            &config,
        );
        let mut batch = ExampleBatch::default();
        let of = of.expect("examples");
        of.pass(0, 0, 0).next_batch(10, &mut batch).expect("a batch");
        let past = |row: usize| (batch.labels[row].0, batch.user.row(row).bag(0).0.to_vec());
        let mut pasts: Vec<_> = (0..batch.len()).map(past).collect();
        pasts.sort_unstable();
        pasts
    };
    assert_eq!(
        pasts(Past::InOrder),
        [(0, vec![3, 1, 5]), (1, vec![3]), (5, vec![3, 1])]
    );
    assert_eq!(pasts(Past::Before), [(0, vec![3]), (1, vec![3]), (5, vec![3])]);
}

/// Shards of 100 ms: of the made world, the first holds no example and the others one of each user.
fn by_time(window: usize) -> ExamplesConfig {
    ExamplesConfig {
        order: Order::ByTime(ByTime {
            shard_days: 100.0 / 86_400_000.0,
            window,
        }),
        ..ExamplesConfig::default()
    }
}

#[test]
fn shards_follow_one_another_in_time_and_give_every_example_once() {
    let world = World::new();
    let plan = |window| Plan {
        examples: by_time(window),
        epochs: 1,
        ..plans().remove(0)
    };
    let order = |window: usize, seed: u64| {
        world.with(&plan(window), |data| {
            assert_eq!(data.examples.n_shards(), 3);
            let mut seen = vec![];
            for shard in 0..3 {
                let mut batch = ExampleBatch::default();
                let mut stream = data.examples.pass(0, shard, seed);
                stream.next_batch(1000, &mut batch).expect("a batch");
                assert_eq!(batch.len(), data.examples.n_examples(shard));
                seen.push(batch.users.iter().map(|user| user.0).collect::<Vec<_>>());
            }
            seen
        })
    };
    let in_order: Vec<u32> = (0..N_USERS).collect();
    assert_eq!(
        order(1, 2),
        vec![in_order.clone(); 3],
        "one example of each user, in the order of time"
    );
    let moved = order(8, 2);
    assert_ne!(moved, order(8, 3));
    for shard in &moved {
        assert_ne!(shard, &in_order);
        for (place, &user) in shard.iter().enumerate() {
            assert!(
                (user as usize) < place + 8,
                "user {user} comes too early, at {place}"
            );
        }
        let mut sorted = shard.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, in_order);
    }
}

/// What may be counted before a training begins ends with the first shard.
#[test]
fn what_comes_later_is_not_counted_before_it_is_learned() {
    let world = World::new();
    let plan = Plan {
        examples: by_time(1),
        epochs: 1,
        ..plans().remove(0)
    };
    let of = |n: usize| {
        let mut counts = vec![0; N_ITEMS as usize];
        for (_, history) in world.histories.iter() {
            history.events()[..n]
                .iter()
                .for_each(|event| counts[event.item.index()] += 1);
        }
        counts
    };
    // The first shard with examples ends at 200 ms: two events of each user have happened by then. An item that is in none
    // of them counts as seen once.
    let first: Vec<u64> = of(2).into_iter().map(|count: u64| count.max(1)).collect();
    assert!(of(2).contains(&0));
    assert_eq!(world.with(&plan, |data| counts(data).expect("counted")), first);
    assert_eq!(
        world.with(&plans()[0], |data| counts(data).expect("counted")),
        of(4)
    );
}

#[test]
fn a_training_by_shards_goes_on_after_the_last_one_that_was_learned() {
    let world = World::new();
    for plan in plans() {
        let plan = Plan {
            examples: by_time(16),
            example_age: false,
            epochs: 1,
            batch: 16,
            ..plan
        };
        world.with(&plan, |data| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("checkpoint");
            let run = |after: &mut dyn FnMut(usize, &Current<'_>) -> Result<()>| {
                fit_shards(
                    &plan,
                    data,
                    TrainingDevice::Cpu,
                    3,
                    Some(&path),
                    after,
                    &mut Silent,
                )
            };
            let mut shown = vec![];
            let whole = fit_shards(
                &plan,
                data,
                TrainingDevice::Cpu,
                3,
                None,
                &mut |shard, current| {
                    shown.push((shard, current.towers()?.items));
                    Ok(())
                },
                &mut Silent,
            )
            .expect("fitted");
            assert_eq!(shown.len(), 3);
            assert!(shown[2].1 == whole.items, "the last shard ends the training");
            assert!(shown[0].1 != shown[1].1, "each is learned from");
            assert_eq!(whole.report.losses.len(), 3);

            let stopped = run(&mut |shard, _| if shard == 1 { Err(Error::Stopped) } else { Ok(()) });
            assert!(matches!(stopped, Err(Error::Stopped)));
            let mut again = vec![];
            let resumed = run(&mut |shard, current| {
                again.push((shard, current.towers()?.items));
                Ok(())
            })
            .expect("resumed");
            assert!(
                again[..] == shown[1..],
                "{}: from the second shard on",
                plan.model
            );
            assert!(
                resumed.items == whole.items && resumed.query == whole.query,
                "{}",
                plan.model
            );
            assert_eq!(resumed.report.losses, whole.report.losses);
        });
    }
}

#[test]
fn an_order_of_time_that_cannot_be_is_an_error() {
    let mut world = World::new();
    let features = world.features();
    let key = |world: &World, config: &ExamplesConfig| {
        let made = HistoryExamples::new(
            &world.histories,
            &features,
            &world.users,
            &world.user_attributes,
            config,
        );
        match made.map(|_| ()) {
            Err(Error::Config { key, .. } | Error::MissingTimes { key, .. }) => key,
            other => panic!("{other:?}"),
        }
    };
    let days = |shard_days| ExamplesConfig {
        order: Order::ByTime(ByTime {
            shard_days,
            window: 1,
        }),
        ..ExamplesConfig::default()
    };
    for shard_days in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
        assert_eq!(
            key(&world, &days(shard_days)),
            "examples.order.by_time.shard_days",
            "{shard_days}"
        );
    }
    assert_eq!(key(&world, &by_time(0)), "examples.order.by_time.window");
    let capped = ExamplesConfig {
        per_user: 1,
        ..by_time(1)
    };
    assert_eq!(key(&world, &capped), "examples.per_user");
    let others = ExamplesConfig {
        past: Past::Others,
        ..by_time(1)
    };
    assert_eq!(key(&world, &others), "examples.past");
    let twice = Plan {
        examples: by_time(1),
        example_age: false,
        epochs: 2,
        ..plans().remove(0)
    };
    assert!(matches!(
        twice.validate(),
        Err(Error::Config { key: "epochs", .. })
    ));

    let events = [
        Event::new(ItemIdx(0), Time::UNKNOWN),
        Event::new(ItemIdx(1), Time::from_millis(5)),
    ];
    world.histories = Histories::group(N_USERS as usize, &[UserIdx(0), UserIdx(0)], &events);
    assert_eq!(
        key(&world, &by_time(1)),
        "examples.order",
        "an event without a time has no place"
    );
}
