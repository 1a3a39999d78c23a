//! Three models on eight users, asked for somebody whom none of them has seen.
#![allow(clippy::print_stdout, reason = "an example prints")]

use catchment_models::factorization::ials::{self, IalsConfig};
use catchment_models::neighbours::item_cf::{ItemCf, ItemCfConfig};
use catchment_models::popularity::{Popularity, PopularityConfig};
use catchment_models::progress::Flow;
use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx};

const ITEMS: [&str; 7] = ["tea", "kettle", "cups", "tent", "boots", "map", "socks"];
const BASKETS: [&[u32]; 8] = [
    &[0, 1, 2],
    &[0, 1],
    &[0, 2, 6],
    &[1, 2],
    &[3, 4, 5],
    &[3, 4, 6],
    &[4, 5, 6],
    &[3, 5],
];

fn main() -> Result<(), catchment_models::Error> {
    let rows = || {
        (0u32..)
            .zip(BASKETS)
            .flat_map(|(user, basket)| basket.iter().map(move |&item| (user, item)))
    };
    let users: Vec<_> = rows().map(|(user, _)| UserIdx(user)).collect();
    let events: Vec<_> = rows()
        .map(|(_, item)| Event::new(ItemIdx(item), Time::UNKNOWN))
        .collect();
    let histories = Histories::group(BASKETS.len(), &users, &events);
    let n_items = ITEMS.len();

    let newcomer = [ItemIdx(4)];
    println!("somebody has {}, and may like", ITEMS[newcomer[0].index()]);

    let popular = Popularity::fit(&histories, n_items, Time::UNKNOWN, &PopularityConfig::default())?;
    show("popularity", &popular.scores, &newcomer);

    let mut go_on = |_: u64, _: u64, _: &str| Flow::Continue;
    let item_cf = ItemCf::fit(&histories, n_items, &ItemCfConfig::default(), &mut go_on)?;
    let mut scores = vec![0.0; n_items];
    item_cf.score_into(newcomer, &mut scores)?;
    show("item CF", &scores, &newcomer);

    let config = IalsConfig {
        dim: 3,
        alpha0: 0.1,
        regularization: 0.1,
        ..IalsConfig::default()
    };
    let mut print_loss = |sweep: u64, of: u64, note: &str| {
        if sweep == of {
            println!("  (iALS after {sweep} sweeps: {note})");
        }
        Flow::Continue
    };
    let ials = ials::fit(&histories, n_items, &config, 7, &mut print_loss)?;
    let mut user = [0.0; 3];
    ials.encoder()?.fold_in(newcomer, &mut user)?;
    for (item, score) in scores.iter_mut().enumerate() {
        *score = user.iter().zip(ials.item(item)).map(|(a, b)| a * b).sum();
    }
    show("iALS", &scores, &newcomer);
    Ok(())
}

fn show(model: &str, scores: &[f32], seen: &[ItemIdx]) {
    let mut order: Vec<usize> = (0..ITEMS.len())
        .filter(|&item| seen.iter().all(|had| had.index() != item))
        .collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let best: Vec<String> = order
        .iter()
        .take(3)
        .map(|&item| format!("{} {:.2}", ITEMS[item], scores[item]))
        .collect();
    println!("{model:>10}: {}", best.join(", "));
}
