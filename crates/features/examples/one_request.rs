//! One request through all four sides: `cargo run -p catchment-features --example one_request`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::path::Path;
use std::sync::Arc;

use catchment_features::{
    CandidateInput, ChannelHit, ContextInput, FeatureBatch, FeatureSpec, FitTables, FittedFeatures, Side,
    UserInput, UserProfile,
};
use catchment_schema::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};

const RECIPE: &str = r#"
user = [{ name = "age", kind = "number", column = "age", transform = "z_score" }, { name = "recent", kind = "history" }]
item = [{ name = "genre", kind = "category", column = "genre" }, { name = "popularity", kind = "item_count" }]
context = [{ name = "hour", kind = "hour" }]
candidate = [
    { name = "item_cf", kind = "channel", channel = "item_cf" },
    { name = "taste", kind = "category_affinity", column = "genre" },
]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let users = Vocabulary::from_counts([("ann", 2), ("bob", 1)]);
    let items = Vocabulary::from_counts([("alien", 2), ("amelie", 1), ("arrival", 0)]);
    let ages: ArrayRef = Arc::new(Float64Array::from(vec![30.0, 50.0]));
    let user_attributes = table("age", ages, &users)?;
    let genres: ArrayRef = Arc::new(StringArray::from(vec!["sci-fi", "romance", "sci-fi"]));
    let item_attributes = table("genre", genres, &items)?;
    let event = |item, minute: i64| Event::new(ItemIdx(item), Time::from_millis(minute * 60_000));
    let histories = Histories::group(
        2,
        &[UserIdx(0), UserIdx(0), UserIdx(1)],
        &[event(0, 1), event(1, 2), event(0, 3)],
    );

    let spec: FeatureSpec = toml::from_str(RECIPE)?;
    let fitted = spec.fit(&FitTables {
        users: &users,
        items: &items,
        user_attributes: &user_attributes,
        item_attributes: &item_attributes,
        histories: &histories,
        channels: &["item_cf".to_owned()],
    })?;

    // At publish: the catalogue, once.
    let mut catalogue = FeatureBatch::default();
    fitted.transform_items(&items, &item_attributes, &mut catalogue)?;

    // At the request: the user and the context once, then the candidates.
    let now = Time::from_millis(13 * 3_600_000);
    let ann = UserInput {
        id: Some("ann"),
        attributes: Some((&user_attributes, 0)),
        history: histories.of(UserIdx(0)),
        everything: None,
        now,
    };
    let (mut user, mut context, mut candidates) = (
        FeatureBatch::default(),
        FeatureBatch::default(),
        FeatureBatch::default(),
    );
    let mut profile = UserProfile::default();
    fitted.transform_user(&ann, &mut user)?;
    fitted.transform_context(&ContextInput { now }, &mut context)?;
    fitted.profile(&ann, &catalogue, &mut profile)?;
    let hit = ChannelHit {
        channel: 0,
        rank: 1,
        score: 0.8,
    };
    let found = CandidateInput {
        item: ItemIdx(2),
        sources: &[hit],
    };
    fitted.transform_candidates(&profile, &catalogue, &[found], &mut candidates)?;

    println!("features {}", fitted.fingerprint());
    show(&fitted, Side::User, &user, 0);
    show(&fitted, Side::Context, &context, 0);
    show(&fitted, Side::Item, &catalogue, 2);
    show(&fitted, Side::Candidate, &candidates, 0);
    Ok(())
}

fn table(
    name: &str,
    column: ArrayRef,
    vocabulary: &Vocabulary,
) -> Result<AttributeTable, Box<dyn std::error::Error>> {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(vocabulary.ids()));
    let batch = RecordBatch::try_from_iter([("id", ids), (name, column)])?;
    Ok(AttributeTable::align(
        Path::new("example"),
        &batch,
        "id",
        vocabulary,
    )?)
}

fn show(fitted: &FittedFeatures, side: Side, batch: &FeatureBatch, row: usize) {
    for (column, shape) in fitted.shape(side).iter().enumerate() {
        let row = batch.row(row);
        println!(
            "{side}.{}: numbers {:?}, ids {:?}",
            shape.name,
            row.dense(column),
            row.bag(column).0
        );
    }
}
