//! What one pass over a log leaves behind: ids, counts, and a hash of every row.

use std::collections::HashMap;
use std::path::PathBuf;

use catchment_schema::arrow::array::{
    Array, AsArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array,
};
use catchment_schema::arrow::datatypes::{TimestampMillisecondType, UInt32Type};
use catchment_schema::import::Located;
use catchment_schema::{Finding, Severity, Time};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::times::{Times, When};
use super::{N_EXAMPLES, finding, moment};

/// Ids in the order in which they first came, with their rows.
#[derive(Default)]
pub(super) struct Ids {
    indices: HashMap<Box<str>, u32>,
    pub(super) texts: Vec<Box<str>>,
    pub(super) counts: Vec<u64>,
}

impl Ids {
    fn add(&mut self, id: &str) -> u32 {
        let index = if let Some(&index) = self.indices.get(id) {
            index
        } else {
            let index = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
            self.indices.insert(id.into(), index);
            self.texts.push(id.into());
            self.counts.push(0);
            index
        };
        self.counts[index as usize] += 1;
        index
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.indices.contains_key(id)
    }
}

/// A row, small enough to keep all of them.
struct Row {
    /// Of user, item, time and event.
    hash: u64,
    line: u64,
    user: u32,
    item: u32,
    file: u32,
}

/// One log.
pub(super) struct Seen {
    users: Ids,
    items: Ids,
    rows: Vec<Row>,
    files: Vec<PathBuf>,
    events: HashMap<String, u64>,
    pub(super) times: Times,
}

impl Seen {
    pub(super) fn new(now: Time) -> Self {
        Self {
            users: Ids::default(),
            items: Ids::default(),
            rows: vec![],
            files: vec![],
            events: HashMap::new(),
            times: Times::new(now),
        }
    }

    pub(super) fn users(&self) -> &Ids {
        &self.users
    }

    pub(super) fn items(&self) -> &Ids {
        &self.items
    }

    pub(super) fn into_items(self) -> Ids {
        self.items
    }

    pub(super) fn n_rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Event words with their rows, the most frequent first.
    pub(super) fn events(&self) -> Vec<(String, u64)> {
        let mut events: Vec<_> = self
            .events
            .iter()
            .map(|(word, count)| (word.clone(), *count))
            .collect();
        events.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        events
    }

    pub(super) fn look(&mut self, located: &Located) {
        if self.files.last() != Some(&located.path) {
            self.files.push(located.path.clone());
        }
        let file = self.files.len() - 1;
        let Some(columns) = Columns::of(&located.batch) else {
            return;
        };
        for (row, &line) in located.rows.iter().enumerate() {
            let (user_id, item_id) = (columns.users.value(row), columns.items.value(row));
            let user = self.users.add(user_id);
            let item = self.items.add(item_id);
            let time = columns.times.is_valid(row).then(|| columns.times.value(row));
            let order = columns.orders.is_valid(row).then(|| columns.orders.value(row));
            let word = if columns.events.is_valid(row) {
                columns.events.value(row)
            } else {
                crate::filter::NAMELESS_EVENT
            };
            if let Some(count) = self.events.get_mut(word) {
                *count += 1;
            } else {
                self.events.insert(word.to_owned(), 1);
            }
            self.rows.push(Row {
                hash: row_hash(user, item, time, word),
                line,
                user,
                item,
                file: u32::try_from(file).unwrap_or(u32::MAX),
            });
            let place = || format!("{}:{line}: user {user_id:?}", located.path.display());
            self.times.look(user, When { time, order }, &place);
        }
    }

    /// Rows that were there before.
    pub(super) fn duplicates(&mut self) -> Option<Finding> {
        self.rows
            .sort_unstable_by_key(|row| (row.hash, row.file, row.line));
        let mut again: Vec<(&Row, &Row)> = self
            .rows
            .chunk_by(|a, b| a.hash == b.hash)
            .flat_map(|same| same[1..].iter().map(|row| (&same[0], row)))
            .collect();
        again.sort_unstable_by_key(|(_, row)| (row.file, row.line));
        let place = |row: &Row| {
            let file = self
                .files
                .get(row.file as usize)
                .map(|path| path.display().to_string());
            format!("{}:{}", file.unwrap_or_default(), row.line)
        };
        let examples = again.iter().take(N_EXAMPLES).map(|(first, row)| {
            let (user, item) = (
                &self.users.texts[row.user as usize],
                &self.items.texts[row.item as usize],
            );
            format!(
                "{} repeats {}: user {user:?}, item {item:?}",
                place(row),
                place(first)
            )
        });
        let examples = examples.collect();
        let (count, n_rows) = (again.len() as u64, self.n_rows());
        let remedy = format!(
            "set deduplicate = \"exact\" in [prepare], which keeps one of each ({} of {n_rows} rows); \"last\" and \"first\" keep \
             one row for each user and item, whatever the event ({} rows): of view, cart and order of one item two are \
             lost. Keep them all if each is an event of its own",
            n_rows - count,
            self.n_pairs()
        );
        finding(
            count,
            Severity::Warning,
            "duplicate_events",
            format!("{count} of {n_rows} rows repeat another in user, item, time and event"),
            examples,
            &remedy,
        )
    }

    /// How many pairs of a user and an item have rows.
    fn n_pairs(&mut self) -> usize {
        self.rows.sort_unstable_by_key(|row| (row.user, row.item));
        let pairs = self.rows.chunk_by(|a, b| (a.user, a.item) == (b.user, b.item));
        pairs.count()
    }
}

/// The columns that are looked at.
struct Columns<'a> {
    users: &'a StringArray,
    items: &'a StringArray,
    times: &'a TimestampMillisecondArray,
    orders: &'a UInt32Array,
    events: &'a StringArray,
}

impl<'a> Columns<'a> {
    /// Imported logs have all of them, of these types.
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        Some(Self {
            users: text("user_id")?,
            items: text("item_id")?,
            times: batch
                .column_by_name("timestamp")?
                .as_primitive_opt::<TimestampMillisecondType>()?,
            orders: batch.column_by_name("order")?.as_primitive_opt::<UInt32Type>()?,
            events: text("event")?,
        })
    }
}

fn row_hash(user: u32, item: u32, time: Option<i64>, word: &str) -> u64 {
    let mut bytes = [0; 17];
    bytes[..4].copy_from_slice(&user.to_le_bytes());
    bytes[4..8].copy_from_slice(&item.to_le_bytes());
    bytes[8..16].copy_from_slice(&time.unwrap_or_default().to_le_bytes());
    bytes[16] = u8::from(time.is_some());
    xxh3_64_with_seed(word.as_bytes(), xxh3_64_with_seed(&bytes, 0))
}

/// The time of a row for people.
pub(super) fn shown(time: Option<i64>) -> String {
    time.map_or_else(|| "unknown".to_owned(), moment)
}
