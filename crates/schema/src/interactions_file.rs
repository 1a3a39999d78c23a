//! An encoded log that stays on the disk: its rows are read from anywhere, some at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use crate::interactions::INTERACTIONS;
use crate::parquet_file::{decoding, footer, parquet_error};
use crate::{Error, Interactions, Result};

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 1 << 13;

/// Which columns are read beside `user` and `item`. The others cost nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each column")]
pub struct InteractionColumns {
    /// When.
    pub time: bool,
    /// What was done.
    pub event: bool,
    /// How much.
    pub value: bool,
    /// In which session.
    pub session: bool,
    /// For how long.
    pub dwell: bool,
}

impl InteractionColumns {
    /// All of them.
    pub const ALL: Self = Self {
        time: true,
        event: true,
        value: true,
        session: true,
        dwell: true,
    };

    fn names(self) -> impl Iterator<Item = &'static str> {
        let asked = [
            ("user", true),
            ("item", true),
            ("time", self.time),
            ("event", self.event),
            ("value", self.value),
            ("session", self.session),
            ("dwell", self.dwell),
        ];
        asked
            .into_iter()
            .filter_map(|(name, is_asked)| is_asked.then_some(name))
    }
}

/// An encoded log of which only the footer is in memory.
#[derive(Clone, Debug)]
pub struct InteractionsFile {
    path: PathBuf,
    footer: ArrowReaderMetadata,
    /// With which row each row group begins, and the number of rows.
    starts: Vec<u64>,
}

impl InteractionsFile {
    /// Reads the footer.
    ///
    /// # Errors
    /// As [`Interactions::read`], as far as the footer shows it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let footer = footer(&path, INTERACTIONS)?;
        let mut starts = vec![0];
        for group in footer.metadata().row_groups() {
            let rows = u64::try_from(group.num_rows()).unwrap_or_default();
            starts.push(starts.last().copied().unwrap_or_default() + rows);
        }
        Ok(Self { path, footer, starts })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    /// How many row groups there are.
    pub fn n_row_groups(&self) -> usize {
        self.starts.len() - 1
    }

    /// The rows from number `begin` to the end of the file, whatever row groups they lie in. Of what comes before only
    /// the page that the first row lies in is decoded.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Parquet`]; [`Error::MissingColumn`].
    pub fn rows(&self, columns: InteractionColumns, begin: u64) -> Result<InteractionRows> {
        let path = self.path.clone();
        let last = self.n_row_groups().saturating_sub(1);
        let group = self
            .starts
            .partition_point(|&start| start <= begin)
            .saturating_sub(1)
            .min(last);
        let before = begin.saturating_sub(self.starts[group]);
        let schema = self.footer.schema();
        if let Some(missing) = columns
            .names()
            .find(|name| schema.column_with_name(name).is_none())
        {
            return Err(Error::MissingColumn {
                path,
                column: missing.to_owned(),
                available: schema.fields().iter().map(|field| field.name().clone()).collect(),
            });
        }
        // Of its own: readers of one handle would move each other's place.
        let file = File::open(&path).map_err(Error::io(&path))?;
        let reader = decoding(&path, || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone());
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.names());
            builder
                .with_projection(mask)
                .with_row_groups((group..self.n_row_groups()).collect())
                .with_offset(usize::try_from(before).unwrap_or(usize::MAX))
                .with_batch_size(BATCH_ROWS)
                .build()
        })?;
        Ok(InteractionRows {
            path,
            columns,
            reader,
        })
    }
}

/// Rows of an [`InteractionsFile`], one after the other.
pub struct InteractionRows {
    path: PathBuf,
    columns: InteractionColumns,
    reader: ParquetRecordBatchReader,
}

impl InteractionRows {
    /// Overwrites `rows` with the next ones; whether there were any.
    ///
    /// # Errors
    /// [`Error::Parquet`] for a damaged page, [`Error::BadValue`] for a null or a value that is not finite.
    pub fn next_rows(&mut self, rows: &mut Interactions) -> Result<bool> {
        rows.clear();
        let Self {
            path,
            columns,
            reader,
        } = self;
        match decoding(path, || Ok::<_, std::io::Error>(reader.next()))? {
            None => Ok(false),
            Some(batch) => {
                let batch = batch.map_err(|error| parquet_error(path, &error))?;
                rows.push(path, &batch, *columns)?;
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::InteractionsWriter;
    use crate::parquet_file::Metadata;
    use crate::{Event, EventKind, ItemIdx, Time, UserIdx};

    fn log(n: u32) -> Interactions {
        let event = |row: u32| Event {
            item: ItemIdx(row % 7),
            kind: EventKind(u16::try_from(row % 3).expect("small")),
            time: Time::from((!row.is_multiple_of(5)).then_some(i64::from(row) * 1000)),
            value: row as f32,
            dwell_ms: (!row.is_multiple_of(4)).then_some(row),
        };
        Interactions {
            users: (0..n).map(|row| UserIdx(row / 10)).collect(),
            events: (0..n).map(event).collect(),
            sessions: (0..n).map(|row| row / 5).collect(),
        }
    }

    fn part(log: &Interactions, rows: std::ops::Range<usize>) -> Interactions {
        Interactions {
            users: log.users[rows.clone()].to_vec(),
            events: log.events[rows.clone()].to_vec(),
            sessions: log.sessions[rows].to_vec(),
        }
    }

    fn written(log: &Interactions, rows_a_group: usize, path: &Path) -> InteractionsFile {
        let mut writer = InteractionsWriter::create(path, &Metadata::new()).expect("begun");
        for begin in (0..log.len()).step_by(rows_a_group) {
            writer
                .write(&part(log, begin..log.len().min(begin + rows_a_group)))
                .expect("written");
            writer.end_row_group().expect("ended");
        }
        writer.commit().expect("committed");
        InteractionsFile::open(path).expect("opened")
    }

    #[test]
    fn rows_are_those_of_the_log_from_any_row_and_for_any_size_of_row_groups() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let log = log(30_000);
        for rows_a_group in [1_000, 9_999, 30_000] {
            let path = folder.path().join("log.parquet");
            let file = written(&log, rows_a_group, &path);
            assert_eq!(file.n_rows(), 30_000);
            assert_eq!(file.n_row_groups(), 30_000_usize.div_ceil(rows_a_group));
            for begin in [0, 1, 999, 1_000, 12_345, 29_999, 30_000, 99_999] {
                let mut rows = file.rows(InteractionColumns::ALL, begin as u64).expect("begun");
                let (mut all, mut some) = (Interactions::default(), Interactions::default());
                while rows.next_rows(&mut some).expect("read") {
                    all.users.append(&mut some.users);
                    all.events.append(&mut some.events);
                    all.sessions.append(&mut some.sessions);
                }
                assert!(
                    all == part(&log, begin.min(30_000)..30_000),
                    "{rows_a_group} {begin}"
                );
            }
        }
    }

    #[test]
    fn columns_that_nobody_asks_for_are_not_there() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = written(&log(100), 40, &folder.path().join("log.parquet"));
        let columns = InteractionColumns {
            dwell: true,
            ..InteractionColumns::default()
        };
        let mut rows = file.rows(columns, 51).expect("begun");
        let mut some = Interactions::default();
        assert!(rows.next_rows(&mut some).expect("read"));
        let expected = Event {
            dwell_ms: Some(51),
            ..Event::new(ItemIdx(51 % 7), Time::UNKNOWN)
        };
        assert_eq!(
            (some.users[0], some.events[0], some.sessions[0]),
            (UserIdx(5), expected, 0)
        );
    }

    #[test]
    fn other_files_and_damaged_ones_are_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("log.parquet");
        let open = || InteractionsFile::open(&path);
        assert!(matches!(open(), Err(Error::Io { .. })));
        std::fs::write(&path, "").expect("written");
        assert!(matches!(open(), Err(Error::Empty { .. })));
        std::fs::write(&path, "PAR1 and so on").expect("written");
        assert!(matches!(open(), Err(Error::Parquet { .. })));
        crate::AttributeTable::empty(3).write(&path).expect("written");
        assert!(matches!(open(), Err(Error::WrongVersion { .. })));
        written(&log(20_000), 10_000, &path);
        let mut bytes = std::fs::read(&path).expect("read");
        let middle = bytes.len() / 3;
        bytes[middle..middle + 200].fill(0xA5);
        std::fs::write(&path, bytes).expect("written");
        let read = open().and_then(|file| {
            let mut rows = file.rows(InteractionColumns::ALL, 0)?;
            while rows.next_rows(&mut Interactions::default())? {}
            Ok(())
        });
        assert!(read.is_err(), "a damaged page is told");
    }
}
