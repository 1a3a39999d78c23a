//! What does a request cost? Time of each side: 100 000 items, a history of 200 events, 500 candidates from four
//! channels. `cargo bench -p catchment-features --bench what_does_a_request_cost`.
#![allow(clippy::print_stdout, reason = "a bench shows its result")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use catchment_features::{
    CandidateInput, ChannelHit, FeatureBatch, FeatureSpec, FitTables, UserInput, UserProfile,
};
use catchment_schema::arrow::array::{
    ArrayRef, Float64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};

const N_ITEMS: usize = 100_000;
const N_USERS: usize = 10_000;
const N_EVENTS: usize = 200;
const RECIPE: &str = r#"
user = [
    { name = "user", kind = "id" },
    { name = "gender", kind = "category", column = "gender" },
    { name = "age", kind = "number", column = "age", transform = "z_score" },
    { name = "recent", kind = "history", last = 50, pooling = "mean" },
    { name = "events", kind = "event_count", transform = "log_z_score" },
]
item = [
    { name = "item", kind = "id" },
    { name = "genres", kind = "bag", column = "category" },
    { name = "popularity", kind = "item_count" },
]
candidate = [
    { name = "a", kind = "channel", channel = "a" },
    { name = "b", kind = "channel", channel = "b" },
    { name = "c", kind = "channel", channel = "c" },
    { name = "d", kind = "channel", channel = "d" },
    { name = "found_by", kind = "channel_count" },
    { name = "so_far", kind = "item_count" },
    { name = "taste", kind = "category_affinity", column = "category" },
]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vocabulary = |n: usize| Vocabulary::from_counts((0..n).map(|row| (format!("{row:06}"), 1)));
    let (users, items) = (vocabulary(N_USERS), vocabulary(N_ITEMS));
    let genders = StringArray::from_iter_values((0..N_USERS).map(|row| ["f", "m"][row % 2]));
    let ages = Float64Array::from_iter_values((0..N_USERS).map(|row| 18.0 + (row % 60) as f64));
    let mut genres = ListBuilder::new(StringBuilder::new());
    for row in 0..N_ITEMS {
        for word in 0..3 {
            genres
                .values()
                .append_value(format!("genre {}", (row * 7 + word * 5) % 40));
        }
        genres.append(true);
    }
    let user_attributes = table(&[("gender", Arc::new(genders)), ("age", Arc::new(ages))], &users)?;
    let item_attributes = table(&[("category", Arc::new(genres.finish()))], &items)?;
    let event = |row: usize| {
        let item = ItemIdx::from_index(row * 7919 % N_ITEMS);
        Event::new(
            item,
            Time::from_millis(i64::try_from(row % N_EVENTS).unwrap_or(0)),
        )
    };
    let events: Vec<_> = (0..N_USERS * N_EVENTS).map(event).collect();
    let owners: Vec<_> = (0..events.len())
        .map(|row| UserIdx::from_index(row / N_EVENTS))
        .collect();
    let histories = Histories::group(N_USERS, &owners, &events);

    let spec: FeatureSpec = toml::from_str(RECIPE)?;
    let channels = ["a", "b", "c", "d"].map(str::to_owned);
    let start = Instant::now();
    let fitted = spec.fit(&FitTables {
        users: &users,
        items: &items,
        user_attributes: &user_attributes,
        item_attributes: &item_attributes,
        histories: &histories,
        channels: &channels,
    })?;
    println!("fit, {} events: {:.0?}", events.len(), start.elapsed());
    let mut catalogue = FeatureBatch::default();
    let start = Instant::now();
    fitted.transform_items(&items, &item_attributes, &mut catalogue)?;
    println!("catalogue, {N_ITEMS} items: {:.1?}", start.elapsed());

    let input = |user: usize| UserInput {
        id: users.id(user),
        attributes: Some((&user_attributes, user)),
        history: histories.of(UserIdx::from_index(user)),
        everything: None,
        now: Time::from_millis(1_000),
    };
    let sources: Vec<Vec<ChannelHit>> = (0..500u32)
        .map(|place| {
            let hit = |channel| ChannelHit {
                channel,
                rank: place + 1,
                score: 1.0 / (1 + place) as f32,
            };
            (0..4)
                .filter(|channel| place % 4 <= u32::from(*channel))
                .map(hit)
                .collect()
        })
        .collect();
    let candidates: Vec<_> = sources
        .iter()
        .enumerate()
        .map(|(place, sources)| CandidateInput {
            item: ItemIdx::from_index(place * 193 % N_ITEMS),
            sources,
        })
        .collect();
    let (mut user, mut rows, mut profile) = (
        FeatureBatch::default(),
        FeatureBatch::default(),
        UserProfile::default(),
    );
    time("user row", || {
        user.clear();
        fitted.transform_user(&input(black_box(7)), &mut user)
    })?;
    time("profile", || {
        fitted.profile(&input(black_box(7)), &catalogue, &mut profile)
    })?;
    time("500 candidates", || {
        rows.clear();
        fitted.transform_candidates(&profile, &catalogue, black_box(&candidates), &mut rows)
    })?;
    Ok(())
}

/// The median of 2000 runs.
fn time(
    what: &str,
    mut run: impl FnMut() -> catchment_features::Result<()>,
) -> catchment_features::Result<()> {
    let mut times = Vec::new();
    for _ in 0..2000 {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!(
        "{what}: median {:.1?}, 99 % under {:.1?}",
        times[1000], times[1980]
    );
    Ok(())
}

fn table(
    columns: &[(&str, ArrayRef)],
    vocabulary: &Vocabulary,
) -> Result<AttributeTable, Box<dyn std::error::Error>> {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(vocabulary.ids()));
    let columns =
        std::iter::once(("id", ids)).chain(columns.iter().map(|(name, column)| (*name, column.clone())));
    let batch = RecordBatch::try_from_iter(columns)?;
    Ok(AttributeTable::align(
        Path::new("bench"),
        &batch,
        "id",
        vocabulary,
    )?)
}
