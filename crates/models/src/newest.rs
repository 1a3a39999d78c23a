//! What is new: for each item the moment since when it is there.
//!
//! An item's moment is its `published_at` where the catalogue says so, and otherwise, if wanted, the time of the first
//! event that anybody had with it. **Good for** items that no other channel can know yet. **Not good for** anything
//! personal. Who asks at a moment `now` must not see what came later: that is the channel's work.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use catchment_schema::columns::{required_column, typed_column};
use catchment_schema::parquet_file::{FileKind, read_parquet, write_parquet};
use catchment_schema::{Error as FileError, Histories, Metadata, Time, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The item-times file: `id` Utf8, `time` Timestamp(ms, UTC) or null, a row for each item in vocabulary order.
pub const ITEM_TIMES: FileKind = FileKind {
    name: "item_times",
    version: 1,
};

/// Settings of [`Newest::fit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewestConfig {
    /// Whether an item without `published_at` is as old as its first event; without it such an item is never new.
    pub first_event: bool,
}

impl Default for NewestConfig {
    fn default() -> Self {
        Self { first_event: true }
    }
}

/// Since when each item is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// `[n_items]`; unknown for items that are never new.
    pub times: Vec<Time>,
}

impl Newest {
    /// Takes the moments from `published` (unknown where the catalogue does not say) and `histories`.
    ///
    /// # Shapes
    /// `published`: `[n_items]`.
    ///
    /// # Errors
    /// [`Error::UnknownItem`]; [`Error::MissingTimes`] when no item has a moment.
    pub fn fit(histories: &Histories, published: &[Time], config: &NewestConfig) -> Result<Self> {
        let n_items = published.len();
        let mut first: Vec<Time> = vec![Time::UNKNOWN; n_items];
        for (user, history) in histories.iter() {
            for event in history.events() {
                let Some(first) = first.get_mut(event.item.index()) else {
                    return Err(Error::UnknownItem {
                        user: user.0,
                        item: event.item.0,
                        n_items,
                    });
                };
                if event.time != Time::UNKNOWN && (*first == Time::UNKNOWN || event.time < *first) {
                    *first = event.time;
                }
            }
        }
        let times: Vec<Time> = published
            .iter()
            .zip(first)
            .map(|(&published, first)| match published {
                Time::UNKNOWN if config.first_event => first,
                published => published,
            })
            .collect();
        if times.iter().all(|&time| time == Time::UNKNOWN) {
            let reason = "no item has a `published_at`, nor an event with a time that could stand in for it";
            return Err(Error::MissingTimes {
                key: "newest",
                reason,
            });
        }
        Ok(Self { times })
    }

    /// Writes the file, see [`ITEM_TIMES`].
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn save(&self, path: impl AsRef<Path>, items: &Vocabulary) -> Result<()> {
        let path = path.as_ref();
        if self.times.len() != items.len() {
            return Err(Error::File(FileError::Inconsistent {
                path: path.to_owned(),
                reason: format!("{} times for a vocabulary of {}", self.times.len(), items.len()),
            }));
        }
        let times: TimestampMillisecondArray = self.times.iter().map(|time| time.millis()).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(items.ids())),
            Arc::new(times.with_timezone("UTC")),
        ];
        let schema = Schema::new(vec![
            Field::new("id", DataType::Utf8, false),
            Field::new(
                "time",
                DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
                true,
            ),
        ]);
        let batch = RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| FileError::Parquet {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(write_parquet(path, ITEM_TIMES, &batch, &Metadata::new())?)
    }

    /// Reads what [`Newest::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`], also when `items` is another vocabulary.
    pub fn open(path: impl AsRef<Path>, items: &Vocabulary) -> Result<Self> {
        let path = path.as_ref();
        let (batch, _) = read_parquet(path, ITEM_TIMES)?;
        let ids = required_column::<StringArray>(path, &batch, "id")?;
        if !ids.iter().flatten().eq(items.ids().iter().map(AsRef::as_ref)) {
            return Err(Error::File(FileError::Inconsistent {
                path: path.to_owned(),
                reason: "its ids are not those of the item vocabulary".to_owned(),
            }));
        }
        let times = typed_column::<TimestampMillisecondArray>(path, &batch, "time")?;
        Ok(Self {
            times: (0..times.len())
                .map(|row| Time::from(times.is_valid(row).then(|| times.value(row))))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, ItemIdx, UserIdx};

    use super::*;

    fn log() -> Histories {
        let rows = [(0, 0, Some(30)), (0, 1, Some(50)), (1, 0, Some(20)), (1, 2, None)];
        let users: Vec<_> = rows.iter().map(|row| UserIdx(row.0)).collect();
        let events = rows.map(|row| Event::new(ItemIdx(row.1), Time::from(row.2)));
        Histories::group(2, &users, &events)
    }

    fn fit(published: [Option<i64>; 4], first_event: bool) -> Result<Vec<Option<i64>>> {
        let newest = Newest::fit(&log(), &published.map(Time::from), &NewestConfig { first_event })?;
        Ok(newest.times.iter().map(|time| time.millis()).collect())
    }

    #[test]
    fn the_catalogue_goes_before_the_first_event_and_neither_means_never_new() {
        let published = [None, Some(7), None, Some(90)];
        let found = fit(published, true).expect("times");
        assert_eq!(found, [Some(20), Some(7), None, Some(90)]);
        let found = fit(published, false).expect("times");
        assert_eq!(found, [None, Some(7), None, Some(90)]);
    }

    #[test]
    fn without_any_time_there_is_nothing_new() {
        let found = fit([None; 4], false);
        assert!(matches!(found, Err(Error::MissingTimes { key: "newest", .. })));
        let found = Newest::fit(&log(), &[Time::UNKNOWN; 2], &NewestConfig::default());
        assert!(matches!(found, Err(Error::UnknownItem { item: 2, .. })));
        assert!(serde_json::from_str::<NewestConfig>(r#"{"first": true}"#).is_err());
    }

    #[test]
    fn files_round_trip_and_refuse_another_vocabulary() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("times.parquet");
        let items = Vocabulary::from_counts([("a", 3), ("b", 2)]);
        let newest = Newest {
            times: vec![Time::from_millis(1_793_491_200_123), Time::UNKNOWN],
        };
        newest.save(&path, &items).expect("written");
        assert_eq!(Newest::open(&path, &items).expect("read"), newest);
        let other = Vocabulary::from_counts([("a", 3), ("c", 2)]);
        assert!(matches!(Newest::open(&path, &other), Err(Error::File(_))));
        assert!(matches!(
            Newest { times: vec![] }.save(&path, &items),
            Err(Error::File(_))
        ));
    }
}
