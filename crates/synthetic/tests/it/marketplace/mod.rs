//! The marketplace: its laws, its shape, its oracles and its files.

mod files;
mod laws;
mod oracle;
mod shape;
mod text;

use catchment_synthetic::marketplace::{Happening, HappeningKind, Marketplace, MarketplaceConfig};

/// Large enough for statistics, small enough for a test: 200,000 views.
fn middling() -> MarketplaceConfig {
    MarketplaceConfig {
        n_items: 6000,
        ..MarketplaceConfig::of_size(200_000)
    }
}

fn all_events(marketplace: &Marketplace) -> Vec<Happening> {
    let shards = marketplace.shards().into_iter();
    shards
        .flat_map(|shard| marketplace.events_of_shard(shard))
        .collect()
}

fn is_view(event: &Happening) -> bool {
    event.kind == HappeningKind::View
}

fn millis(event: &Happening) -> i64 {
    event.time.millis().expect("every event has a time")
}
