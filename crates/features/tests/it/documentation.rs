//! The examples of the feature language are true.

use std::fs;
use std::path::Path;

use catchment_features::{FeatureConfig, FeatureSpec, Side};

/// Every kind has an example in `docs/features.md`, and every example there is accepted. The page lies
/// beside the crate in the repository; a published package comes without it, and has nothing to check.
#[test]
fn every_example_of_the_page_is_accepted_and_every_kind_has_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/features.md");
    let Ok(page) = fs::read_to_string(&page) else {
        println!(
            "skipped: every_example_of_the_page_is_accepted (no {})",
            page.display()
        );
        return;
    };
    let blocks = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut kinds = std::collections::BTreeSet::new();
    for block in blocks {
        #[derive(serde::Deserialize)]
        struct Recipe {
            features: FeatureSpec,
        }
        let recipe: Recipe = toml::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        recipe
            .features
            .validate()
            .unwrap_or_else(|error| panic!("{error}\n{block}"));
        for side in Side::ALL {
            kinds.extend(recipe.features.side(side).iter().map(FeatureConfig::kind));
        }
    }
    let all = [
        "bag",
        "category",
        "category_affinity",
        "channel",
        "channel_count",
        "event_count",
        "history",
        "hour",
        "id",
        "item_count",
        "number",
        "weekday",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}
