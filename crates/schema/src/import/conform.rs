//! From the columns of a file to the columns of the contract.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::cells::Column;
use super::chunk::{Chunk, Typing};
use super::clock::Clock;
use super::extras::Extras;
use super::faults::{FaultLog, Origin};
use super::meaning::Meaning;
use super::source::{Source, TimeUnit};
use crate::parquet_file::parquet_error;
use crate::{Error, Finding, Result, Severity};

/// A column that the contract knows by name.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) meaning: Meaning,
    pub(super) required: bool,
}

/// A column that must be there, without nulls.
pub(super) const fn required(name: &'static str, meaning: Meaning) -> Known {
    Known {
        name,
        meaning,
        required: true,
    }
}

/// A column that may be there.
pub(super) const fn optional(name: &'static str, meaning: Meaning) -> Known {
    Known {
        name,
        meaning,
        required: false,
    }
}

impl Known {
    pub(super) fn field(&self) -> Field {
        Field::new(self.name, self.meaning.data_type(), !self.required)
    }
}

/// Rows with their places.
#[derive(Clone, Debug)]
pub struct Located {
    /// The file.
    pub path: PathBuf,
    /// Row (Parquet) or line (text) in it, from 1, of every row of the batch.
    pub rows: Vec<u64>,
    /// The rows.
    pub batch: RecordBatch,
}

/// Gives every chunk of a source the same meaning.
pub(super) struct Conform<'a> {
    source: &'a Source,
    known: &'static [Known],
    /// The ids that were seen, where only one row each is allowed.
    ids: HashSet<String>,
    clocks: BTreeMap<&'static str, Clock>,
    extras: Extras,
    /// Mapped columns that no chunk has had yet.
    unseen: BTreeSet<String>,
    shadowed: BTreeSet<String>,
    /// The names in the file of the last chunk.
    names: Vec<String>,
}

impl<'a> Conform<'a> {
    pub(super) fn new(source: &'a Source, known: &'static [Known], extras: Extras) -> Result<Self> {
        let mut settings = source.clone();
        if source.format.names_its_columns() {
            settings.time_unit = TimeUnit::Seconds;
        }
        let clock = Clock::new(&settings)?;
        let times = known.iter().filter(|known| known.meaning == Meaning::Time);
        Ok(Self {
            source,
            known,
            ids: HashSet::new(),
            clocks: times.map(|known| (known.name, clock.clone())).collect(),
            extras,
            unseen: source.columns.values().cloned().collect(),
            shadowed: BTreeSet::new(),
            names: Vec::new(),
        })
    }

    /// The rows of the chunk that can be used, in our columns, with their places; the others go to the log.
    pub(super) fn conform(&mut self, chunk: Chunk, log: &mut FaultLog) -> Result<Located> {
        self.names.clone_from(&chunk.names);
        if chunk.origin.rows.is_empty() {
            // Nothing but lines that could not be read: they tell nothing about columns.
            let path = chunk.origin.path.clone();
            log.take(chunk.origin)?;
            return Ok(Located {
                path,
                rows: vec![],
                batch: RecordBatch::new_empty(Arc::new(Schema::empty())),
            });
        }
        let named = self.name_columns(&chunk)?;
        let Chunk {
            names,
            columns,
            mut origin,
            typing,
        } = chunk;
        let n_rows = origin.rows.len();
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let mut clockless = Clock::new(&Source::new("none", self.source.format))?;
        for known in self.known {
            let array = match named.iter().find(|(ours, _)| ours == known.name) {
                Some(&(_, position)) => {
                    let column = Column {
                        name: &names[position],
                        cells: &columns[position],
                    };
                    let clock = self.clocks.get_mut(known.name).unwrap_or(&mut clockless);
                    column.read(known.meaning, clock, &mut origin)?
                }
                None if known.required => {
                    let error = missing(&origin, known.name, &names);
                    log.take(origin)?;
                    return Err(error);
                }
                None if self.extras.is_stream() => new_null_array(&known.meaning.data_type(), n_rows),
                None => continue,
            };
            fields.push(known.field().with_data_type(array.data_type().clone()));
            arrays.push(array);
        }
        let others = named
            .iter()
            .filter(|(ours, _)| self.known.iter().all(|known| known.name != ours))
            .map(|(ours, position)| {
                let column = Column {
                    name: &names[*position],
                    cells: &columns[*position],
                };
                (ours.as_str(), column)
            });
        for (field, array) in self.extras.read(others.collect(), typing, &mut origin)? {
            fields.push(field);
            arrays.push(array);
        }
        if !self.extras.is_stream() {
            self.only_one_row_an_id(&arrays[0], &mut origin);
        }
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        let usable = origin.usable();
        let path = origin.path.clone();
        let mut rows = origin.rows.clone();
        log.take(origin)?;
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|error| parquet_error(&path, &error))?;
        let batch = match usable {
            None => batch,
            Some(usable) => {
                let mut is_usable = usable.iter();
                rows.retain(|_| is_usable.next() == Some(&true));
                filter_record_batch(&batch, &BooleanArray::from(usable))
                    .map_err(|error| parquet_error(&path, &error))?
            }
        };
        Ok(Located { path, rows, batch })
    }

    /// In a table an id that comes again is a fault of the later row.
    fn only_one_row_an_id(&mut self, ids: &ArrayRef, origin: &mut Origin) {
        for (row, id) in ids.as_string::<i32>().iter().enumerate() {
            let id = id.unwrap_or_default();
            if !id.is_empty() && !self.ids.insert(id.to_owned()) {
                origin.fault(row, self.known[0].name, id, "this id has a row already");
            }
        }
    }

    /// Our name for each column that is used, with its position in the file, in the order of the file.
    fn name_columns(&mut self, chunk: &Chunk) -> Result<Vec<(String, usize)>> {
        let mut named = Vec::new();
        for (ours, theirs) in &self.source.columns {
            match chunk.names.iter().position(|name| name == theirs) {
                Some(position) => {
                    self.unseen.remove(theirs);
                    named.push((ours.clone(), position));
                }
                None if chunk.typing == Typing::Loose => {}
                None => return Err(missing(&chunk.origin, theirs, &chunk.names)),
            }
        }
        for (position, name) in chunk.names.iter().enumerate() {
            if self.source.columns.values().any(|theirs| theirs == name) {
                continue;
            }
            if self.source.columns.contains_key(name) {
                self.shadowed.insert(name.clone());
            } else {
                named.push((name.clone(), position));
            }
        }
        named.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        Ok(named)
    }

    /// What is to be said after the last chunk.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] for a mapped column that no row had.
    pub(super) fn finish(self) -> Result<Vec<Finding>> {
        if let Some(column) = self.unseen.into_iter().next() {
            return Err(Error::MissingColumn {
                path: self.source.path().to_owned(),
                column,
                available: self.names,
            });
        }
        let mut findings = Vec::new();
        if self.clocks.values().any(Clock::guessed_seconds) {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "small_times".to_owned(),
                message:
                    "all times are so small that they tell no unit; they were taken as seconds since 1970"
                        .to_owned(),
                examples: vec![],
                remedy: "set time_unit, and time_origin where times count from another moment".to_owned(),
            });
        }
        if !self.shadowed.is_empty() {
            findings.push(Finding {
                severity: Severity::Note,
                code: "shadowed_columns".to_owned(),
                message: "columns were left out because another column is mapped to their name".to_owned(),
                examples: self.shadowed.into_iter().take(10).collect(),
                remedy: "map them to another name to keep them".to_owned(),
            });
        }
        findings.extend(self.extras.finding());
        Ok(findings)
    }
}

fn missing(origin: &Origin, column: &str, available: &[String]) -> Error {
    Error::MissingColumn {
        path: origin.path.clone(),
        column: column.to_owned(),
        available: available.to_vec(),
    }
}
