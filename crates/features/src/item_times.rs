//! When each item had its events: what its count was at any moment.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt32Array};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
use catchment_schema::columns::{required_column, typed_column};
use catchment_schema::parquet_file::{FileKind, read_parquet, write_parquet};
use catchment_schema::{Histories, ItemIdx, Metadata, Time};

use crate::fingerprint::StateHash;
use crate::{Error, Result};

/// The file of item times: `item` (`UInt32`), `time` (`Int64` ms, null: unknown), sorted by both.
pub const ITEM_TIMES: FileKind = FileKind {
    name: "item_times",
    version: 1,
};

/// The times of every item's events, ascending (compressed sparse rows).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ItemTimes {
    offsets: Vec<usize>,
    times: Vec<Time>,
}

impl ItemTimes {
    pub(crate) fn collect(histories: &Histories, n_items: usize) -> Self {
        let events = histories.iter().flat_map(|(_, history)| history.events());
        let rows = events.map(|event| (event.item.0, event.time));
        Self::group(
            n_items,
            rows.filter(|&(item, _)| (item as usize) < n_items).collect(),
        )
    }

    fn group(n_items: usize, mut rows: Vec<(u32, Time)>) -> Self {
        rows.sort_unstable();
        let end = |item: usize| rows.partition_point(|&(other, _)| (other as usize) < item);
        Self {
            offsets: (0..=n_items).map(end).collect(),
            times: rows.iter().map(|&(_, time)| time).collect(),
        }
    }

    fn of(&self, item: ItemIdx) -> &[Time] {
        match self.offsets.get(item.index() + 1) {
            Some(&end) => &self.times[self.offsets[item.index()]..end],
            None => &[],
        }
    }

    /// Events of the item strictly before `now`; those of unknown time count as before every known
    /// moment, and nothing is before an unknown one.
    pub(crate) fn count_before(&self, item: ItemIdx, now: Time) -> usize {
        self.of(item).partition_point(|&time| time < now)
    }

    /// For each event, what [`ItemTimes::count_before`] was when it happened.
    pub(crate) fn counts_seen(&self) -> impl Iterator<Item = f64> {
        let items = (0..self.offsets.len() - 1).map(ItemIdx::from_index);
        items.flat_map(move |item| {
            self.of(item)
                .iter()
                .map(move |&time| self.count_before(item, time) as f64)
        })
    }

    pub(crate) fn any_known(&self) -> bool {
        self.times.iter().any(|&time| time != Time::UNKNOWN)
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        self.offsets.iter().for_each(|&offset| hash.count(offset as u64));
        for time in &self.times {
            hash.count(time.millis().unwrap_or(i64::MIN).cast_unsigned());
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let items = (0..self.offsets.len() - 1).map(ItemIdx::from_index);
        let owners = items.flat_map(|item| std::iter::repeat_n(item.0, self.of(item).len()));
        let times = self.times.iter().map(|time| time.millis());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(owners)),
            Arc::new(times.collect::<Int64Array>()),
        ];
        let schema = Schema::new(vec![
            Field::new("item", DataType::UInt32, false),
            Field::new("time", DataType::Int64, true),
        ]);
        let batch = RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| Error::BadFile {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(write_parquet(path, ITEM_TIMES, &batch, &Metadata::new())?)
    }

    pub(crate) fn read(path: &Path, n_items: usize) -> Result<Self> {
        let (batch, _) = read_parquet(path, ITEM_TIMES)?;
        let items = required_column::<UInt32Array>(path, &batch, "item")?;
        let times = typed_column::<Int64Array>(path, &batch, "time")?;
        if let Some(item) = items.values().iter().find(|&&item| item as usize >= n_items) {
            return Err(Error::BadFile {
                path: path.to_owned(),
                reason: format!("item {item} of a vocabulary of {n_items}"),
            });
        }
        let time = |row: usize| Time::from(times.is_valid(row).then(|| times.value(row)));
        let rows = (0..batch.num_rows()).map(|row| (items.value(row), time(row)));
        Ok(Self::group(n_items, rows.collect()))
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, UserIdx};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_are_those_of_a_scan(
            events in proptest::collection::vec((0u32..6, proptest::option::of(0i64..9)), 0..40),
            item in 0u32..6,
            now in 0i64..10,
        ) {
            let logged: Vec<Event> = events
                .iter()
                .map(|&(item, time)| Event::new(ItemIdx(item), Time::from(time)))
                .collect();
            let histories = Histories::group(1, &vec![UserIdx(0); logged.len()], &logged);
            let times = ItemTimes::collect(&histories, 5);
            let now = Time::from_millis(now);
            let scanned = logged.iter().filter(|event| event.item.0 == item && event.time < now).count();
            prop_assert_eq!(times.count_before(ItemIdx(item), now), if item < 5 { scanned } else { 0 });
            prop_assert_eq!(times.count_before(ItemIdx(item), Time::UNKNOWN), 0);
        }
    }
}
