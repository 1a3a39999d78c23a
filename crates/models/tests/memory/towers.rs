//! The same of towers.

use catchment_features::{FeatureBatch, FeatureSpec, FitTables};
use catchment_models::progress::Silent;
use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::plan::{HardNegatives, Optimizer};
use catchment_models::towers::training::{self, TowersData};
use catchment_models::towers::{HistoryExamples, Plan, TwoTowerConfig, YoutubeDnnConfig};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};

use super::peak;

/// What is told for a training, and what it took.
fn take(n_items: u32, plan: &Plan) -> [usize; 2] {
    let n_users = 3000_u32;
    let ids = |letter: &str, n: u32| {
        let ids: Vec<String> = (0..n).map(|i| format!("{letter}{i:06}")).collect();
        Vocabulary::from_counts(ids.iter().map(|id| (id.as_str(), 1_u64)))
    };
    let (users, items) = (ids("u", n_users), ids("i", n_items));
    let rows = (0..n_users).flat_map(|user| (0..5).map(move |step| (user, step)));
    let (owners, events): (Vec<UserIdx>, Vec<Event>) = rows
        .map(|(user, step)| {
            let item = ItemIdx((user * 7919 + step * 104_729) % n_items);
            (
                UserIdx(user),
                Event::new(item, Time::from_millis(i64::from(step))),
            )
        })
        .unzip();
    let histories = Histories::group(n_users as usize, &owners, &events);
    let (user_attributes, item_attributes) = (
        AttributeTable::empty(n_users as usize),
        AttributeTable::empty(n_items as usize),
    );
    let spec: FeatureSpec = toml::from_str(
        r#"
        user = [{ name = "recent", kind = "history", last = 8, pooling = "mean" }]
        item = [{ name = "item", kind = "id" }]
        "#,
    )
    .expect("a spec");
    let tables = FitTables {
        users: &users,
        items: &items,
        user_attributes: &user_attributes,
        item_attributes: &item_attributes,
        histories: &histories,
        channels: &[],
    };
    let features = spec.fit(&tables).expect("fitted");
    let mut catalogue = FeatureBatch::default();
    features
        .transform_items(&items, &item_attributes, &mut catalogue)
        .expect("transformed");
    let examples = HistoryExamples::new(&histories, &features, &users, &user_attributes, &plan.examples)
        .expect("examples");
    let data = TowersData {
        features: &features,
        items: &catalogue,
        n_items: n_items as usize,
        histories: &histories,
        histories_of: &["recent".to_owned()],
        item_id: Some("item"),
        examples: &examples,
    };
    let told = training::memory_bytes(plan, &data).expect("told");
    let (took, _) = peak(|| training::fit(plan, &data, TrainingDevice::Cpu, 1, &mut Silent).expect("fitted"));
    [told, took]
}

pub(super) fn check() {
    let youtube = YoutubeDnnConfig {
        epochs: 1,
        batch: 256,
        ..YoutubeDnnConfig::default()
    };
    let two = TwoTowerConfig {
        epochs: 1,
        batch: 256,
        ..TwoTowerConfig::default()
    };
    let plans = [
        ("sampled", youtube.plan()),
        (
            "all classes",
            YoutubeDnnConfig {
                negatives: 0,
                bias: true,
                ..youtube.clone()
            }
            .plan(),
        ),
        (
            "two tables and layers",
            YoutubeDnnConfig {
                shared: false,
                layers: vec![256, 64],
                optimizer: Optimizer::Adagrad,
                ..youtube.clone()
            }
            .plan(),
        ),
        (
            "hard",
            YoutubeDnnConfig {
                hard: Some(HardNegatives::default()),
                ..youtube
            }
            .plan(),
        ),
        ("the batch", two.plan()),
        (
            "a memory",
            TwoTowerConfig {
                memory: 10_000,
                ..two
            }
            .plan(),
        ),
    ];
    // What products take for themselves goes by the caches of the machine, not by sizes, and stays.
    take(100, &plans[0].1);
    for (name, plan) in plans {
        for n_items in [2_000, 40_000] {
            let [told, took] = take(n_items, &plan);
            // What does not grow with any of it: batches that lie ready, threads, what layers are recorded on.
            let fixed = 8_000_000;
            eprintln!("{name}, {n_items} items: told {told}, took {took}");
            assert!(
                took <= told + fixed && told <= 2 * took + fixed,
                "{name}, {n_items} items: told {told}, took {took}"
            );
        }
    }
}
