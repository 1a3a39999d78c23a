use catchment_schema::UserIdx;

use super::tests::{N_ITEMS, World};
use super::*;
use crate::progress::Silent;
use crate::towers::plan::{ItemSide, ShownNegatives};
use crate::towers::{ShownItems, TwoTowerConfig, YoutubeDnnConfig};

/// What each event of the world had beside it: the item of the other taste that is next to it, the item itself, and one
/// that the user takes at another time.
fn beside(world: &World, only: impl Fn(UserIdx) -> bool) -> ShownItems {
    let mut rows = vec![];
    for (user, history) in world.histories.iter().filter(|(user, _)| only(*user)) {
        let events = history.events();
        for event in events {
            let other = ItemIdx(event.item.0 ^ 1);
            rows.push((
                (user, event.time, event.item),
                [other, event.item, events[0].item],
            ));
        }
    }
    ShownItems::new(rows)
}

fn plans() -> [Plan; 2] {
    let youtube = YoutubeDnnConfig {
        dim: 6,
        shared: false,
        batch: 16,
        epochs: 3,
        negatives: 4,
        shown: Some(ShownNegatives {
            n: 2,
            weight: 0.5,
            ..ShownNegatives::default()
        }),
        ..YoutubeDnnConfig::default()
    };
    let two = TwoTowerConfig {
        dim: 6,
        user_layers: vec![5],
        item_layers: vec![5],
        batch: 16,
        epochs: 3,
        shown: youtube.shown.clone(),
        ..TwoTowerConfig::default()
    };
    [youtube.plan(), two.plan()]
}

fn fitted(world: &World, plan: &Plan, shown: Option<&ShownItems>) -> Towers {
    world.with_shown(plan, shown, |data| {
        fit(plan, data, TrainingDevice::Cpu, 3, &mut Silent).expect("fitted")
    })
}

/// Of the examples with a past, all that have something else beside them are counted; without a column, and where all that
/// was shown is what the user takes anyway, the training is the one without such a loss.
#[test]
fn only_what_was_shown_and_not_taken_is_compared_with() {
    let world = World::new();
    for plan in plans() {
        let all = beside(&world, |_| true);
        let with = fitted(&world, &plan, Some(&all));
        assert_eq!(with.report.with_shown, with.report.examples);
        let half = beside(&world, |user| user.0 < 30);
        let some = fitted(&world, &plan, Some(&half));
        assert_eq!(some.report.with_shown * 2, some.report.examples);

        let without = Plan {
            shown: None,
            ..plan.clone()
        };
        let plain = fitted(&world, &without, Some(&all));
        assert_ne!(plain.items, with.items);
        assert_eq!(plain.report.with_shown, 0);
        let nothing = ShownItems::new(
            world
                .histories
                .iter()
                .flat_map(|(user, history)| history.events().iter().map(move |event| (user, event)))
                .map(|(user, event)| {
                    let own = world.histories.of(user).events()[1].item;
                    ((user, event.time, event.item), [own, event.item])
                }),
        );
        for shown in [Some(&nothing), None] {
            let none = fitted(&world, &plan, shown);
            assert_eq!(none.report.with_shown, 0);
            assert_eq!(none.items, plain.items);
        }
    }
}

/// Items of their own taste that people were shown and never take are pushed away from them, further than without.
#[test]
fn what_was_shown_and_not_taken_is_pushed_away() {
    let world = World::new();
    for plan in plans() {
        let plan = Plan { epochs: 20, ..plan };
        // Of the six items of a taste a user takes four: the other two were shown with every one.
        let rest = |user: UserIdx| -> Vec<ItemIdx> {
            let own = world.histories.of(user).events();
            let items = (0..N_ITEMS).filter(|item| item % 2 == user.0 % 2).map(ItemIdx);
            items
                .filter(|item| !own.iter().any(|event| event.item == *item))
                .collect()
        };
        let shown = ShownItems::new(world.histories.iter().flat_map(|(user, history)| {
            let rest = rest(user);
            let events = history.events().iter();
            events.map(move |event| ((user, event.time, event.item), rest.clone()))
        }));
        // How far the items that were taken are above those, on average.
        let margin = |towers: &Towers| -> f64 {
            let mut sum = 0.0;
            for (user, history) in world.histories.iter() {
                let query = world.query(towers, history);
                let score = |item: ItemIdx| -> f64 {
                    let vector = &towers.items[item.index() * towers.dim..][..towers.dim];
                    query.iter().zip(vector).map(|(a, b)| f64::from(a * b)).sum()
                };
                let taken: f64 = history.events().iter().map(|event| score(event.item)).sum();
                let left: f64 = rest(user).into_iter().map(score).sum();
                sum += taken / 4.0 - left / 2.0;
            }
            sum
        };
        let with = margin(&fitted(&world, &plan, Some(&shown)));
        let without = margin(&fitted(&world, &plan, None));
        let is_table = matches!(plan.item, ItemSide::Table { .. });
        assert!(with > without, "table: {is_table}: {with} {without}");
    }
}
