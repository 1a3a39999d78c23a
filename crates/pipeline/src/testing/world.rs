//! Users with tastes and what they did.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, BooleanArray, Float32Array, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Event, EventKind, Interactions, ItemIdx, Time, UserIdx, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::TinyBundle;
use crate::Error;

const CATEGORIES: [&str; 3] = ["red", "green", "blue"];
const WORDS: [&str; 2] = ["view", "purchase"];
/// One event an hour, from the first of November 2026 on.
const BEGIN_MS: i64 = 1_793_491_200_000;
const STEP_MS: i64 = 3_600_000;

/// The tiny world, encoded.
pub(super) struct World {
    pub(super) users: Vocabulary,
    pub(super) items: Vocabulary,
    pub(super) words: Vocabulary,
    pub(super) user_attributes: AttributeTable,
    pub(super) item_attributes: AttributeTable,
    /// Sorted by user and time; every user has at least four.
    pub(super) log: Interactions,
}

/// One row of the raw log.
struct Row {
    user: usize,
    item: usize,
    word: usize,
    time: i64,
}

impl World {
    pub(super) fn grow(of: &TinyBundle) -> Result<Self, Error> {
        if of.n_users < 24 || of.n_items < 24 {
            return Err(Error::Part {
                part: "testing",
                reason: format!("{} users and {} items are fewer than 24", of.n_users, of.n_items),
            });
        }
        let rows = rows(of);
        let user_id = |user: usize| format!("u{user}");
        let item_id = |item: usize| (100 + item).to_string();
        let count = |of_row: &dyn Fn(&Row) -> usize, wanted: usize| {
            rows.iter().filter(|row| of_row(row) == wanted).count() as u64
        };
        let users = Vocabulary::from_counts((0..of.n_users).map(|u| (user_id(u), count(&|row| row.user, u))));
        let items = Vocabulary::from_counts((0..of.n_items).map(|i| (item_id(i), count(&|row| row.item, i))));
        // Event words keep their order: an event's kind is the place of its word.
        let words = Vocabulary::from_counts([(WORDS[0], 2), (WORDS[1], 1)]);
        let user = |row: &Row| users.user(&user_id(row.user)).unwrap_or(UserIdx(0));
        let item = |row: &Row| items.item(&item_id(row.item)).unwrap_or(ItemIdx(0));
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| (user(&rows[row]), rows[row].time));
        let event = |&row: &usize| Event {
            kind: EventKind(u16::from(rows[row].word == 1)),
            ..Event::new(item(&rows[row]), Time::from_millis(rows[row].time))
        };
        let log = Interactions {
            users: order.iter().map(|&row| user(&rows[row])).collect(),
            events: order.iter().map(event).collect(),
            sessions: order.iter().map(|&row| user(&rows[row]).0).collect(),
        };
        Ok(Self {
            user_attributes: AttributeTable::empty(users.len()),
            item_attributes: attributes(of.n_items, &item_id, &items)?,
            users,
            items,
            words,
            log,
        })
    }
}

fn rows(of: &TinyBundle) -> Vec<Row> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(of.seed);
    let mut rows = Vec::new();
    let mut time = BEGIN_MS;
    for user in 0..of.n_users {
        let mut taken = vec![false; of.n_items];
        for _ in 0..rng.random_range(4..10) {
            // The smaller of two draws: the first items are the popular ones.
            let drawn = rng
                .random_range(0..of.n_items)
                .min(rng.random_range(0..of.n_items));
            let own_taste = drawn / 3 * 3 + user % 3;
            let item = if rng.random_bool(0.8) { own_taste } else { drawn };
            if item < of.n_items && !std::mem::replace(&mut taken[item], true) {
                let word = usize::from(rng.random_bool(0.3));
                rows.push(Row {
                    user,
                    item,
                    word,
                    time,
                });
                time += STEP_MS;
            }
        }
        // At least four, so that there is a history before the last one.
        for item in (user % 3..of.n_items).step_by(3) {
            if taken.iter().filter(|&&taken| taken).count() >= 4 {
                break;
            }
            if !std::mem::replace(&mut taken[item], true) {
                rows.push(Row {
                    user,
                    item,
                    word: 0,
                    time,
                });
                time += STEP_MS;
            }
        }
    }
    rows
}

fn attributes(
    n_items: usize,
    item_id: &dyn Fn(usize) -> String,
    items: &Vocabulary,
) -> Result<AttributeTable, Error> {
    let each = 0..n_items;
    #[expect(clippy::cast_possible_truncation, reason = "prices of a few digits")]
    let price = |item: usize| (5.0 + 1.5 * item as f64) as f32;
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "item_id",
            Arc::new(StringArray::from_iter_values(each.clone().map(item_id))),
        ),
        (
            "title",
            Arc::new(StringArray::from_iter_values(
                each.clone().map(|item| format!("Item {}", item_id(item))),
            )),
        ),
        (
            "category",
            Arc::new(StringArray::from_iter_values(
                each.clone().map(|item| CATEGORIES[item % 3]),
            )),
        ),
        (
            "price",
            Arc::new(Float32Array::from_iter_values(each.clone().map(price))),
        ),
        (
            "available",
            Arc::new(each.map(|item| Some(item != 1)).collect::<BooleanArray>()),
        ),
    ];
    let path = Path::new("the tiny world");
    let batch = RecordBatch::try_from_iter(columns).map_err(|error| Error::Part {
        part: "testing",
        reason: error.to_string(),
    })?;
    Ok(AttributeTable::align(path, &batch, "item_id", items)?)
}
