//! Walks along rows that come group by group, in order: they number rows, leave rows out, cut sessions.
//!
//! The engine's own windows could say the same. They keep a set of batches for every group, and a log has a group for
//! every user: most of the time would go into opening and closing groups.

use std::sync::Arc;

use catchment_schema::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt64Array,
};
use catchment_schema::arrow::compute::{cast, filter_record_batch};
use catchment_schema::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Int64Type, Schema, UInt32Type,
};
use datafusion::common::{HashMap, HashSet};
use datafusion::error::{DataFusionError, Result};

use crate::codes::{ITEM, USER};
use crate::filter::NAMELESS_EVENT;
use crate::log::{EVENT, PART, SESSION_ID, TIME};
use crate::sessions::SESSION;

/// One walk. It is given the rows of its groups in their order, batch after batch, and nothing of another's groups.
pub(crate) trait Walk: Send {
    /// The same rows with further columns, or some of them. It may be given no row at all, and says its columns then.
    fn next(&mut self, rows: RecordBatch) -> Result<RecordBatch>;
}

/// Numbers the rows of each group, from 1.
pub(crate) struct Numbered {
    name: &'static str,
    by: &'static [&'static str],
    counting: Option<&'static str>,
    group: Vec<u64>,
    count: u64,
}

impl Numbered {
    /// In a new column `name`; rows with the same values in `by`, whole numbers or flags, are a group.
    pub(crate) fn new(name: &'static str, by: &'static [&'static str]) -> Self {
        Self {
            name,
            by,
            counting: None,
            group: vec![],
            count: 0,
        }
    }

    /// Of the rows with this flag; another gets the number of the next that has it.
    pub(crate) fn counting(self, flag: Option<&'static str>) -> Self {
        Self {
            counting: flag,
            ..self
        }
    }
}

impl Walk for Numbered {
    fn next(&mut self, rows: RecordBatch) -> Result<RecordBatch> {
        let keys: Vec<ArrayRef> = self
            .by
            .iter()
            .map(|name| Ok(cast(named(&rows, name)?, &DataType::UInt64)?))
            .collect::<Result<_>>()?;
        let keys: Vec<&UInt64Array> = keys.iter().map(AsArray::as_primitive).collect();
        let flags = self.counting.map(|flag| named(&rows, flag)).transpose()?;
        let flags = flags.map(|flags| flags.as_boolean_opt().ok_or_else(|| wrong_type("flag")));
        let flags = flags.transpose()?;
        let numbers = (0..rows.num_rows()).map(|row| {
            let is_same = keys.len() == self.group.len()
                && keys
                    .iter()
                    .zip(&self.group)
                    .all(|(key, group)| key.value(row) == *group);
            if !is_same {
                self.group.clear();
                self.group.extend(keys.iter().map(|key| key.value(row)));
                self.count = 0;
            }
            let number = self.count + 1;
            self.count += u64::from(flags.is_none_or(|flags| flags.value(row)));
            number
        });
        let numbers = UInt64Array::from_iter_values(numbers);
        with_column(&rows, self.name, Arc::new(numbers))
    }
}

/// Which of a user's rows count as the same.
#[derive(Clone, Copy)]
pub(crate) enum Same {
    /// Those with one item, what says no apart.
    Item,
    /// Those with one item, time and event word.
    Event,
}

/// Keeps the first of a user's rows that are the same, in each part apart.
pub(crate) struct FirstOf {
    same: Same,
    /// The event words that say no.
    negative: Vec<String>,
    user: Option<u32>,
    seen: HashSet<Key>,
    /// The event words so far, by numbers from 1.
    words: HashMap<String, u32>,
}

/// Part and item; where the event counts, its time and its word, else nothing and 0, or 1 where it says no.
type Key = (u64, u32, Option<i64>, u32);

impl FirstOf {
    pub(crate) fn new(same: Same, negative: &[String]) -> Self {
        Self {
            same,
            negative: negative.to_vec(),
            user: None,
            seen: HashSet::default(),
            words: HashMap::default(),
        }
    }

    fn word(&mut self, word: &str) -> u32 {
        if let Some(&number) = self.words.get(word) {
            return number;
        }
        let number = u32::try_from(self.words.len() + 1).unwrap_or(u32::MAX);
        self.words.insert(word.to_owned(), number);
        number
    }
}

/// A set or a map that has held more than this is given up rather than cleared: to clear costs as much as it can hold.
const KEPT_CAPACITY: usize = 1 << 10;

impl Walk for FirstOf {
    fn next(&mut self, rows: RecordBatch) -> Result<RecordBatch> {
        let users = numbers::<UInt32Type>(&rows, USER)?;
        let items = numbers::<UInt32Type>(&rows, ITEM)?;
        let parts = cast(named(&rows, PART)?, &DataType::UInt64)?;
        let parts: &UInt64Array = parts.as_primitive();
        let times = numbers::<Int64Type>(&rows, TIME)?;
        let words = named(&rows, EVENT)?;
        let words: &StringArray = words.as_string_opt().ok_or_else(|| wrong_type(EVENT))?;
        let is_first = (0..rows.num_rows()).map(|row| {
            if self.user != Some(users.value(row)) {
                self.user = Some(users.value(row));
                if self.seen.capacity() > KEPT_CAPACITY {
                    self.seen = HashSet::default();
                } else {
                    self.seen.clear();
                }
            }
            let word = words.is_valid(row).then(|| words.value(row));
            let word = word.unwrap_or(NAMELESS_EVENT);
            let (time, word) = match self.same {
                Same::Item => (None, u32::from(self.negative.iter().any(|no| no == word))),
                Same::Event => {
                    let time = times.is_valid(row).then(|| times.value(row));
                    (time, self.word(word))
                }
            };
            self.seen.insert((parts.value(row), items.value(row), time, word))
        });
        let is_first: BooleanArray = is_first.map(Some).collect();
        if is_first.true_count() == rows.num_rows() {
            return Ok(rows);
        }
        Ok(filter_record_batch(&rows, &is_first)?)
    }
}

/// Numbers the sessions of each user, from 1, in the order in which they begin; see [`crate::sessions`].
pub(crate) struct Sessions {
    gap_ms: i64,
    user: Option<u32>,
    begun: i64,
    /// The sessions that have a name.
    named: HashMap<String, i64>,
    /// The session of the rows that name none; 0 before the first.
    nameless: i64,
    last_time: Option<i64>,
}

impl Sessions {
    /// With a cut wherever more than `gap_ms` has passed.
    pub(crate) fn new(gap_ms: i64) -> Self {
        Self {
            gap_ms,
            user: None,
            begun: 0,
            named: HashMap::default(),
            nameless: 0,
            last_time: None,
        }
    }

    fn begin(&mut self, user: u32) {
        let mut named = std::mem::take(&mut self.named);
        if named.capacity() <= KEPT_CAPACITY {
            named.clear();
        } else {
            named = HashMap::default();
        }
        *self = Self {
            user: Some(user),
            named,
            ..Self::new(self.gap_ms)
        };
    }

    fn of_row(&mut self, name: Option<&str>, time: Option<i64>) -> i64 {
        if let Some(name) = name {
            if let Some(session) = self.named.get(name) {
                return *session;
            }
            self.begun += 1;
            self.named.insert(name.to_owned(), self.begun);
            return self.begun;
        }
        let is_cut = self.nameless == 0
            || match (time, self.last_time) {
                (Some(time), Some(last)) => time.saturating_sub(last) > self.gap_ms,
                (Some(_), None) => true,
                (None, _) => false,
            };
        if is_cut {
            self.begun += 1;
            self.nameless = self.begun;
        }
        self.last_time = time.or(self.last_time);
        self.nameless
    }
}

impl Walk for Sessions {
    fn next(&mut self, rows: RecordBatch) -> Result<RecordBatch> {
        let users = numbers::<UInt32Type>(&rows, USER)?;
        let times = numbers::<Int64Type>(&rows, TIME)?;
        let names = named(&rows, SESSION_ID)?;
        let names: &StringArray = names.as_string_opt().ok_or_else(|| wrong_type(SESSION_ID))?;
        let sessions = (0..rows.num_rows()).map(|row| {
            if self.user != Some(users.value(row)) {
                self.begin(users.value(row));
            }
            let name = names.is_valid(row).then(|| names.value(row));
            let time = times.is_valid(row).then(|| times.value(row));
            self.of_row(name, time)
        });
        let sessions = Int64Array::from_iter_values(sessions);
        with_column(&rows, SESSION, Arc::new(sessions))
    }
}

fn with_column(rows: &RecordBatch, name: &str, column: ArrayRef) -> Result<RecordBatch> {
    let mut fields = rows.schema().fields().to_vec();
    fields.push(Arc::new(Field::new(name, column.data_type().clone(), false)));
    let mut columns = rows.columns().to_vec();
    columns.push(column);
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn named<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    rows.column_by_name(name)
        .ok_or_else(|| DataFusionError::Internal(format!("a walk has no column {name:?}")))
}

fn numbers<'a, T: ArrowPrimitiveType>(rows: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>> {
    named(rows, name)?
        .as_primitive_opt()
        .ok_or_else(|| wrong_type(name))
}

fn wrong_type(name: &str) -> DataFusionError {
    DataFusionError::Internal(format!("a walk meets another type in {name:?}"))
}
