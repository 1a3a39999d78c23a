//! The items.

use catchment_schema::Time;

use crate::WorldConfig;
use crate::config::SECONDS_PER_DAY;
use crate::stream::{Purpose, Stream, blend};
use crate::words::{ADJECTIVES, CATEGORIES};

/// Of the items that are not cold, the share that is published while the log runs.
const NEW_SHARE: f64 = 0.15;

/// An item: what everybody sees of it, and what only the world knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Raw id.
    pub id: String,
    /// An adjective, which says nothing, and one noun for each category.
    pub title: String,
    /// One or two, the main one first.
    pub categories: Vec<&'static str>,
    /// Price in hundredths.
    pub price_cents: u32,
    /// From when on it can be chosen.
    pub published_at: Time,
    /// Truth: how good everybody finds it.
    pub quality: f64,
    /// Truth: where it lies among the tastes; length one.
    pub vector: Vec<f64>,
}

/// A category's place among the tastes, and that of each of its nouns.
pub(crate) struct Category {
    pub(crate) centre: Vec<f64>,
    nouns: Vec<Vec<f64>>,
    price_cents: f64,
}

/// The categories, in the order of their words.
pub(crate) fn categories(config: &WorldConfig) -> Vec<Category> {
    (0..config.n_categories)
        .map(|category| {
            let mut stream = Stream::new(config.seed, Purpose::Categories, category);
            let n_nouns = CATEGORIES[category].nouns.len();
            Category {
                centre: stream.direction(config.n_factors),
                nouns: (0..n_nouns).map(|_| stream.direction(config.n_factors)).collect(),
                price_cents: 400.0 * libm::exp2(5.0 * stream.uniform()),
            }
        })
        .collect()
}

/// The items, in the order of their ids.
pub(crate) fn items(config: &WorldConfig, categories: &[Category]) -> Vec<Item> {
    let order = Stream::new(config.seed, Purpose::Order, 0).permutation(config.n_items);
    let n_cold = share(config.n_items, config.cold_item_share);
    let n_new = share(config.n_items - n_cold, NEW_SHARE);
    let mut published = vec![0; config.n_items];
    for (place, &item) in order.iter().enumerate() {
        let mut stream = Stream::new(config.seed, Purpose::Order, 1 + item);
        published[item] = if place < n_cold {
            // Early enough that somebody can still choose it.
            let last = config.split() + (config.end() - config.split()) / 2;
            stream.between(config.split(), last)
        } else if place < n_cold + n_new {
            stream.between(config.start, config.split())
        } else {
            stream.between((config.start - 365 * SECONDS_PER_DAY).max(0), config.start)
        };
    }
    (0..config.n_items)
        .map(|item| make(config, categories, item, published[item]))
        .collect()
}

fn make(config: &WorldConfig, categories: &[Category], item: usize, published: i64) -> Item {
    let mut stream = Stream::new(config.seed, Purpose::Item, item);
    let main = stream.long_tail(config.n_categories);
    let second = (main + 1 + stream.below(config.n_categories - 1)) % config.n_categories;
    let chosen = if stream.uniform() < 0.3 {
        vec![main, second]
    } else {
        vec![main]
    };

    let mut title = ADJECTIVES[stream.below(ADJECTIVES.len())].to_owned();
    let own = stream.direction(config.n_factors);
    let mut parts = vec![(0.35, own.as_slice())];
    for (place, &category) in chosen.iter().enumerate() {
        let noun = stream.below(CATEGORIES[category].nouns.len());
        title += if place == 0 { " " } else { " and " };
        title += CATEGORIES[category].nouns[noun];
        let weight = if place == 0 { 1.0 } else { 0.6 };
        parts.push((weight, &categories[category].centre));
        parts.push((0.4 * weight, &categories[category].nouns[noun]));
    }
    let quality = config.quality_spread * stream.normal();
    let factor = libm::exp2(0.5 * stream.normal() + 0.15 * quality);
    Item {
        id: format!("i{item}"),
        title,
        categories: chosen.iter().map(|&category| CATEGORIES[category].name).collect(),
        price_cents: whole(categories[main].price_cents * factor),
        published_at: Time::from_millis(published * 1000),
        quality,
        vector: blend(&parts),
    }
}

/// How many of `n` a share in 0 to 1 is, rounded down.
pub(crate) fn share(n: usize, share: f64) -> usize {
    whole(n as f64 * share) as usize
}

/// Rounds down; saturates at the ends of the type.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion from float saturates, which is what is wanted"
)]
pub(crate) fn whole(value: f64) -> u32 {
    value as u32
}
