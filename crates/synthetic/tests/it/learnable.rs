//! The world can be learned from: taste tells more than popularity, and popularity more than nothing.

use catchment_synthetic::{World, WorldConfig};

const K: usize = 20;

/// Recall@20 of each user's last choice, earlier ones left out: what `list` ranks first for a user.
fn recall(world: &World, mut list: impl FnMut(usize) -> Vec<usize>) -> f64 {
    let mut n_hits = 0;
    let n_users = world.users().len();
    for user in 0..n_users {
        let (target, earlier) = world
            .choices_of(user)
            .split_last()
            .expect("everybody did something");
        let seen = |item: &usize| earlier.iter().any(|choice| choice.item == *item);
        let hit = list(user)
            .into_iter()
            .filter(|item| !seen(item))
            .take(K)
            .any(|item| item == target.item);
        n_hits += usize::from(hit);
    }
    n_hits as f64 / n_users as f64
}

/// All items by how often they were chosen, last choices not counted.
fn by_popularity(world: &World) -> Vec<usize> {
    let mut counts = vec![0usize; world.items().len()];
    for user in 0..world.users().len() {
        let choices = world.choices_of(user);
        for choice in &choices[..choices.len() - 1] {
            counts[choice.item] += 1;
        }
    }
    let mut order: Vec<_> = (0..counts.len()).collect();
    order.sort_by_key(|&item| (std::cmp::Reverse(counts[item]), item));
    order
}

fn oracle(world: &World, user: usize) -> Vec<usize> {
    let target = world.choices_of(user).last().expect("everybody did something");
    let list = world.ideal_list(user, target.time, &[], world.items().len());
    list.into_iter().map(|(item, _)| item).collect()
}

#[test]
fn the_oracle_beats_popularity_and_popularity_beats_chance() {
    let world = World::generate(&WorldConfig::default()).expect("allowed");
    let order = by_popularity(&world);
    let popular = recall(&world, |_| order.clone());
    let ideal = recall(&world, |user| oracle(&world, user));
    let chance = K as f64 / world.items().len() as f64;
    println!("recall@{K}: chance {chance:.4}, popularity {popular:.4}, oracle {ideal:.4}");
    assert!(
        popular > 3.0 * chance,
        "popularity {popular} is hardly better than chance {chance}"
    );
    assert!(
        ideal > 3.0 * popular,
        "taste hardly matters: {ideal} against {popular}"
    );
    assert!(ideal < 0.8, "{ideal}: nothing is left to chance");
}

#[test]
fn what_the_oracle_reaches_is_what_the_ceiling_says() {
    for seed in 0..3 {
        let world = World::generate(&WorldConfig {
            seed,
            ..WorldConfig::default()
        })
        .expect("allowed");
        let ceiling = world.ceiling(K);
        let ideal = recall(&world, |user| oracle(&world, user));
        // The log was drawn by the law, so only luck lies between them: three standard deviations.
        assert!(
            (ideal - ceiling.recall).abs() < 3.0 * ceiling.recall_deviation,
            "seed {seed}: oracle {ideal}, {ceiling:?}"
        );
        assert!(ceiling.ndcg < ceiling.recall && ceiling.ndcg > 0.0);
    }
}

/// A neighbourhood model in ten lines: what others chose who chose what you did.
#[test]
fn a_simple_model_that_learns_lies_between_popularity_and_the_oracle() {
    let world = World::generate(&WorldConfig::default()).expect("allowed");
    let n_items = world.items().len();
    let histories: Vec<Vec<usize>> = (0..world.users().len())
        .map(|user| {
            let choices = world.choices_of(user);
            choices[..choices.len() - 1]
                .iter()
                .map(|choice| choice.item)
                .collect()
        })
        .collect();
    let mut together = vec![0f64; n_items * n_items];
    for history in &histories {
        for &a in history {
            for &b in history {
                together[a * n_items + b] += 1.0;
            }
        }
    }
    let count = |item: usize| together[item * n_items + item].max(1.0);
    let neighbours = recall(&world, |user| {
        let mut scores = vec![0f64; n_items];
        for &seen in &histories[user] {
            for (item, score) in scores.iter_mut().enumerate() {
                *score += together[seen * n_items + item] / (count(seen) * count(item)).sqrt();
            }
        }
        let mut order: Vec<_> = (0..n_items).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order
    });
    let order = by_popularity(&world);
    let popular = recall(&world, |_| order.clone());
    let ceiling = world.ceiling(K).recall;
    println!("recall@{K}: popularity {popular:.4}, neighbours {neighbours:.4}, ceiling {ceiling:.4}");
    assert!(neighbours > 1.5 * popular, "{neighbours} against {popular}");
    assert!(neighbours < ceiling);
}
