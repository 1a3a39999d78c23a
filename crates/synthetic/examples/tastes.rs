//! Shows a few users: what they like, what they did, what they would choose next, and what is reachable.
//!
//! `cargo run -p catchment-synthetic --example tastes [SEED]`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use catchment_synthetic::{World, WorldConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(7), |seed| seed.parse())?;
    let world = World::generate(&WorldConfig {
        seed,
        ..WorldConfig::default()
    })?;
    for user in 0..3 {
        let (person, choices) = (&world.users()[user], world.choices_of(user));
        println!(
            "{}, {} years, {}, likes {}",
            person.id,
            person.age,
            person.country,
            person.likes.join(" and ")
        );
        let title = |item: usize| {
            let item = &world.items()[item];
            format!("{} ({})", item.title, item.categories.join(", "))
        };
        println!("  did {} things, the last ones:", choices.len());
        for choice in choices.iter().rev().take(4).rev() {
            println!("    {:<9} {}", choice.kind.word(), title(choice.item));
        }
        let earlier: Vec<usize> = choices.iter().map(|choice| choice.item).collect();
        println!("  would choose next:");
        for (item, log_probability) in world.ideal_list(user, world.end_time(), &earlier, 5) {
            println!("    {:>7.2} % {}", 100.0 * log_probability.exp(), title(item));
        }
    }
    let ceiling = world.ceiling(20);
    println!(
        "nobody can guess the last choice better than recall@20 {:.4} ± {:.4}, NDCG@20 {:.4} ({} users)",
        ceiling.recall, ceiling.recall_deviation, ceiling.ndcg, ceiling.n_users
    );
    Ok(())
}
