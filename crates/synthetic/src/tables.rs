//! The world as Arrow tables, and the ideal lists in the form of anybody's candidates.

use std::sync::Arc;

use catchment_schema::CandidateRows;
use catchment_schema::arrow::array::{
    ArrayRef, Float32Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMillisecondArray, UInt32Array,
};
use catchment_schema::parquet_file::FileKind;

use crate::World;
use crate::catalogue::Item;

/// In the metadata of the files that a user would bring.
pub(crate) const fn raw(name: &'static str) -> FileKind {
    FileKind { name, version: 1 }
}

/// Whose candidates they are.
pub const ORACLE: &str = "oracle";
/// How long an ideal list is at least, whatever a reader takes out of it as seen (shorter only where the
/// catalogue is).
pub const IDEAL_DEPTH: usize = 100;

/// `user_id`, `item_id`, `timestamp`, `event`, by time.
pub(crate) fn interactions(world: &World) -> RecordBatch {
    let log = world.log();
    let users = log.iter().map(|choice| &world.users()[choice.user].id);
    let items = log.iter().map(|choice| &world.items()[choice.item].id);
    let times: TimestampMillisecondArray = log.iter().map(|choice| choice.time.millis()).collect();
    let events = log.iter().map(|choice| choice.kind.word());
    batch(vec![
        ("user_id", Arc::new(StringArray::from_iter_values(users))),
        ("item_id", Arc::new(StringArray::from_iter_values(items))),
        ("timestamp", Arc::new(times.with_timezone("UTC"))),
        ("event", Arc::new(StringArray::from_iter_values(events))),
    ])
}

/// `item_id`, `title`, `category` (a list), `price`, `published_at`.
pub(crate) fn items(world: &World) -> RecordBatch {
    let items = world.items();
    let texts = |text: fn(&Item) -> &String| StringArray::from_iter_values(items.iter().map(text));
    let mut categories = ListBuilder::new(StringBuilder::new());
    for item in items {
        categories.append_value(item.categories.iter().map(Some));
    }
    let published: TimestampMillisecondArray = items.iter().map(|item| item.published_at.millis()).collect();
    // Exact below 2²⁴ hundredths, and rounded once above.
    let prices = items.iter().map(|item| item.price_cents as f32 / 100.0);
    batch(vec![
        ("item_id", Arc::new(texts(|item| &item.id))),
        ("title", Arc::new(texts(|item| &item.title))),
        ("category", Arc::new(categories.finish())),
        ("price", Arc::new(Float32Array::from_iter_values(prices))),
        ("published_at", Arc::new(published.with_timezone("UTC"))),
    ])
}

/// `user_id`, `age`, `country`.
pub(crate) fn users(world: &World) -> RecordBatch {
    let users = world.users();
    let ids = users.iter().map(|user| &user.id);
    let ages = users.iter().map(|user| i64::from(user.age));
    let countries = users.iter().map(|user| user.country);
    batch(vec![
        ("user_id", Arc::new(StringArray::from_iter_values(ids))),
        ("age", Arc::new(Int64Array::from_iter_values(ages))),
        ("country", Arc::new(StringArray::from_iter_values(countries))),
    ])
}

/// `user_id`, `item_id`, `channel`, `rank`, `score`: for every user the items by falling probability at the
/// time of their last event (cold users without any: at the end), nothing taken out as seen. Long enough
/// that the first [`IDEAL_DEPTH`] unseen ones are in it whatever split decides what was seen.
pub(crate) fn ideal_lists(world: &World) -> RecordBatch {
    let (mut users, mut items) = (StringBuilder::new(), StringBuilder::new());
    let (mut ranks, mut scores) = (Vec::new(), Vec::new());
    for (position, user) in world.users().iter().enumerate() {
        let choices = world.choices_of(position);
        let at = choices.last().map_or(world.end_time(), |choice| choice.time);
        let list = world.ideal_list(position, at, &[], IDEAL_DEPTH + choices.len());
        for (rank, (item, logarithm)) in (1u32..).zip(list) {
            users.append_value(&user.id);
            items.append_value(&world.items()[item].id);
            ranks.push(rank);
            scores.push(single(logarithm));
        }
    }
    let channels = StringArray::from_iter_values(ranks.iter().map(|_| ORACLE));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(users.finish()),
        Arc::new(items.finish()),
        Arc::new(channels),
        Arc::new(UInt32Array::from(ranks)),
        Arc::new(Float32Array::from(scores)),
    ];
    RecordBatch::try_new(CandidateRows::schema(), columns).expect("columns of the contract, made above")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a score has the precision of f32; the order is in the rank"
)]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, column)| (name, column, false));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length, made above")
}
